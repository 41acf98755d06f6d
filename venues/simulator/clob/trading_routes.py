"""A client's own orders and trades, each request proven by L2 before it is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web

from venues.exchange.events import OrderView, TradeView
from venues.simulator.clob import account_views
from venues.simulator.clob.callers import Callers
from venues.simulator.http import PAGE_SIZE, answer, decoded, page
from venues.simulator.refusals import RefusalError, bad_request
from venues.simulator.venue import Venue
from venues.simulator.world.universe import NANOS
from venues.simulator.world.wallets import ApiKey


class TradingRoutes:
    """Handlers of everything that needs a key."""

    def __init__(self, venue: Venue, page_size: int = PAGE_SIZE) -> None:
        self._venue = venue
        self._callers = Callers(venue)
        self._page_size = page_size

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/data/order/{order_id}", self.order),
            web.get("/data/orders", self.orders),
            web.get("/data/trades", self.trades),
            web.get("/data/pre-migration-orders", self.pre_migration_orders),
            web.get("/order-scoring", self.order_scoring),
            web.post("/orders-scoring", self.orders_scoring),
        ]

    async def order(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request, reads=True)
        world = self._venue.world
        order = world.history.orders.get(request.match_info["order_id"])
        if order is None or order.account not in self._callers.wallets(key):
            raise RefusalError(404, "order not found")
        return answer(self._order_view(order))

    async def orders(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request, reads=True)
        query = request.query
        found = [
            order
            for wallet in self._callers.wallets(key)
            for order in self._venue.world.exchange.open_orders(wallet)
            if (query.get("market") or order.condition_id) == order.condition_id
            and (query.get("asset_id") or order.token_id) == order.token_id
            and (query.get("id") or order.id) == order.id
        ]
        return answer(page(request, found, self._page_size, self._order_view, "invalid order params payload"))

    async def trades(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request, reads=True)
        wallets = self._callers.wallets(key)
        found = _matching(self._venue.world.history.trades_of(wallets), request)
        refusal = "Invalid trade params payload"
        return answer(page(request, found, self._page_size, lambda one: self._trade_view(one, wallets), refusal))

    async def pre_migration_orders(self, request: web.Request) -> web.Response:
        """No order here is older than the present protocol."""
        await self._callers.authenticate(request, reads=True)
        return answer(page(request, [], self._page_size, self._order_view, "invalid order params payload"))

    async def order_scoring(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request, reads=True)
        return answer({"scoring": self._scoring(key, request.query.get("order_id", ""))})

    async def orders_scoring(self, request: web.Request) -> web.Response:
        key, body = await self._callers.authenticate(request, reads=True)
        order_ids = decoded(body, list[str])
        return answer({order_id: self._scoring(key, order_id) for order_id in order_ids})

    def _scoring(self, key: ApiKey, order_id: str) -> bool:
        """Tell whether an order of the key's earns rewards as it rests now."""
        world = self._venue.world
        order = world.exchange.order(order_id)
        if order is None or order.account not in self._callers.wallets(key):
            return False
        return world.indexer.rewards.scoring(order, self._venue.now_ns())

    def _order_view(self, order: OrderView) -> account_views.View:
        world = self._venue.world
        listing = world.listings.remembered(order.condition_id)
        return account_views.open_order(order, listing, world.owner_key(order.id, order.account))

    def _trade_view(self, trade: TradeView, wallets: tuple[str, ...]) -> account_views.View:
        world = self._venue.world
        listing = world.listings.remembered(trade.condition_id)
        return account_views.trade(trade, listing, wallets, world.owner_key, self._venue.now_ns())


def _matching(trades: Sequence[TradeView], request: web.Request) -> list[TradeView]:
    """Return the trades that a query asks for; `after` and `before` are seconds of the match, both included."""
    query = request.query
    after, before = match_times(query)
    maker = query.get("maker_address", "").lower()
    return [
        trade
        for trade in trades
        if after <= trade.matched_ns // NANOS <= before
        and (query.get("id") or trade.id) == trade.id
        and (query.get("market") or trade.condition_id) == trade.condition_id
        and (not query.get("asset_id") or query["asset_id"] in _assets(trade))
        and (not maker or maker in _accounts(trade))
    ]


def match_times(query: Mapping[str, str]) -> tuple[int, int]:
    """Return between which seconds the trades that a query asks for were matched, both included. Raises `RefusalError`."""
    try:
        return int(query.get("after") or 0), int(query.get("before") or 2**62)
    except ValueError:
        raise bad_request("Invalid trade params payload") from None


def _assets(trade: TradeView) -> set[str]:
    return {trade.token_id, *(fill.token_id for fill in trade.makers)}


def _accounts(trade: TradeView) -> set[str]:
    return {trade.account.lower(), *(fill.account.lower() for fill in trade.makers)}
