"""Orders, cancels, own orders and trades, balances: every request proven by L1 or L2 before it is looked at.

A refused single order is HTTP 400 with `error`; in a batch it is a leg with `errorMsg` and an empty order id, as both occur at the venue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from venues.exchange.events import CancelAnswer, OrderAccepted, OrderRefused, OrderView, TradeView
from venues.simulator import account_views
from venues.simulator.callers import Callers
from venues.simulator.contracts import SPENDERS
from venues.simulator.http import PAGE_SIZE, answer, page
from venues.simulator.inputs import Cancel, CancelMarket
from venues.simulator.modes import Modes, Switch
from venues.simulator.order_payload import Envelope, check_order, read_order, read_orders
from venues.simulator.refusals import RefusalError, bad_request
from venues.simulator.universe import NANOS
from venues.simulator.venue import Venue
from venues.simulator.wallets import ApiKey

MAX_CANCELS = 1000
_UNLIMITED = str(2**256 - 1)


class OneCancel(msgspec.Struct):
    orderID: str  # noqa: N815 (the venue's key)


class MarketCancel(msgspec.Struct):
    market: str = ""
    asset_id: str = ""


class TradingRoutes:
    """Handlers of everything that needs a key."""

    def __init__(self, venue: Venue, page_size: int = PAGE_SIZE) -> None:
        self._venue = venue
        self._callers = Callers(venue)
        self._page_size = page_size

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/order", self.place),
            web.post("/orders", self.place_many),
            web.delete("/order", self.cancel),
            web.delete("/orders", self.cancel_many),
            web.delete("/cancel-all", self.cancel_all),
            web.delete("/cancel-market-orders", self.cancel_market),
            web.get("/data/order/{order_id}", self.order),
            web.get("/data/orders", self.orders),
            web.get("/data/trades", self.trades),
            web.get("/balance-allowance", self.balance),
            web.get("/balance-allowance/update", self.update_balance),
        ]

    async def place(self, request: web.Request) -> web.Response:
        self._modes.check_region()
        key, body = await self._callers.authenticate(request)
        envelope = read_order(body)
        self._modes.check_place(self._venue.now_ns(), envelope.post_only)
        outcome = self._submit(envelope, key)
        if isinstance(outcome, OrderAccepted):
            return answer(account_views.placed(outcome))
        if Switch.REFUSALS_IN_200 in self._modes.switches:
            return answer(account_views.refused(outcome))
        raise bad_request(outcome)

    async def place_many(self, request: web.Request) -> web.Response:
        self._modes.check_region()
        key, body = await self._callers.authenticate(request)
        envelopes = read_orders(body)
        self._modes.check_place(self._venue.now_ns(), all(envelope.post_only for envelope in envelopes))
        legs: list[dict[str, Any]] = []
        for envelope in envelopes:
            try:
                outcome = self._submit(envelope, key)
            except RefusalError as refusal:
                outcome = refusal.text
            legs.append(
                account_views.placed(outcome) if isinstance(outcome, OrderAccepted) else account_views.refused(outcome)
            )
        return answer(legs)

    async def cancel(self, request: web.Request) -> web.Response:
        key, body = await self._callers.authenticate(request)
        self._modes.check_cancel(self._venue.now_ns())
        try:
            order_id = msgspec.json.decode(body, type=OneCancel).orderID
        except msgspec.DecodeError:
            raise bad_request("Invalid orderID") from None
        return self._cancel(Cancel(self._callers.wallets(key), (order_id,)))

    async def cancel_many(self, request: web.Request) -> web.Response:
        key, body = await self._callers.authenticate(request)
        self._modes.check_cancel(self._venue.now_ns())
        try:
            order_ids = msgspec.json.decode(body, type=tuple[str, ...])
        except msgspec.DecodeError:
            raise bad_request("Invalid orderID") from None
        if len(order_ids) > MAX_CANCELS:
            raise bad_request(f"Too many orders in payload, max allowed: {MAX_CANCELS}")
        return self._cancel(Cancel(self._callers.wallets(key), order_ids))

    async def cancel_all(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request)
        self._modes.check_cancel(self._venue.now_ns())
        return self._cancel(CancelMarket(self._callers.wallets(key), "", ""))

    async def cancel_market(self, request: web.Request) -> web.Response:
        key, body = await self._callers.authenticate(request)
        self._modes.check_cancel(self._venue.now_ns())
        try:
            wanted = msgspec.json.decode(body, type=MarketCancel)
        except msgspec.DecodeError:
            raise bad_request("Invalid payload") from None
        if not wanted.market and not wanted.asset_id:
            raise bad_request("Invalid payload")
        return self._cancel(CancelMarket(self._callers.wallets(key), wanted.market, wanted.asset_id))

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
            if query.get("market", order.condition_id) == order.condition_id
            and query.get("asset_id", order.token_id) == order.token_id
            and query.get("id", order.id) == order.id
        ]
        cursor = query.get("next_cursor", "")
        chosen, envelope = page(found, cursor, "invalid order params payload", self._page_size)
        return answer({"data": [self._order_view(order) for order in chosen], **envelope})

    async def trades(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request, reads=True)
        wallets = self._callers.wallets(key)
        found = _matching(self._venue.world.history.trades_of(wallets), request)
        cursor = request.query.get("next_cursor", "")
        chosen, envelope = page(found, cursor, "Invalid trade params payload", self._page_size)
        return answer({"data": [self._trade_view(trade, wallets) for trade in chosen], **envelope})

    async def balance(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request, reads=True)
        wallet, token_id = self._asset(request, key)
        held = self._venue.world.exchange.balance(wallet, token_id).settled if wallet else 0
        return answer({"balance": str(held), "allowances": dict.fromkeys(SPENDERS, _UNLIMITED)})

    async def update_balance(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request, reads=True)
        self._asset(request, key)
        return web.Response(body=b"", content_type="application/json")

    def _submit(self, envelope: Envelope, key: ApiKey) -> OrderAccepted | str:
        """Place one order; return the venue's answer, or its text when it refuses."""
        world = self._venue.world
        order = check_order(envelope, key, world.wallets, world.listings)
        if envelope.order.signature_type == 0:
            self._modes.check_plain_wallet(order.account)
        self._modes.check_account(tuple(dict.fromkeys((order.account, key.address))), reduces=order.side == "sell")
        outcome = self._venue.submit(order)[-1]
        if isinstance(outcome, OrderRefused):
            return outcome.text
        if not isinstance(outcome, OrderAccepted):
            raise RuntimeError(f"an order was answered by {outcome!r}")
        return outcome

    def _cancel(self, event: Cancel | CancelMarket) -> web.Response:
        outcome = self._venue.submit(event)[-1]
        if not isinstance(outcome, CancelAnswer):
            raise RuntimeError(f"a cancel was answered by {outcome!r}")
        return answer({"canceled": list(outcome.canceled), "not_canceled": outcome.not_canceled})

    def _asset(self, request: web.Request, key: ApiKey) -> tuple[str | None, str]:
        """Return the wallet and token that a balance request names; the collateral is token ""."""
        query = request.query
        if query.get("signature_type", "0") not in ("0", "1", "2", "3"):
            raise bad_request("Invalid signature_type")
        wallet = self._venue.world.wallets.wallet(key.address, int(query.get("signature_type", "0")))
        if query.get("asset_type") == "COLLATERAL":
            return wallet, ""
        if query.get("asset_type") != "CONDITIONAL":
            raise bad_request("Invalid asset type")
        if not query.get("token_id"):
            raise bad_request("asset_id is required")
        return wallet, query["token_id"]

    def _order_view(self, order: OrderView) -> account_views.View:
        world = self._venue.world
        listing = world.listings.remembered(order.condition_id)
        return account_views.open_order(order, listing, world.owner_key(order.id, order.account))

    def _trade_view(self, trade: TradeView, wallets: tuple[str, ...]) -> account_views.View:
        world = self._venue.world
        return account_views.trade(trade, world.listings.remembered(trade.condition_id), wallets, world.owner_key)

    @property
    def _modes(self) -> Modes:
        return self._venue.world.modes


def _matching(trades: Sequence[TradeView], request: web.Request) -> list[TradeView]:
    """Return the trades that a query asks for; `after` and `before` are seconds of the match, both included."""
    query = request.query
    try:
        after, before = int(query.get("after", "0")), int(query.get("before", str(2**62)))
    except ValueError:
        raise bad_request("Invalid trade params payload") from None
    maker = query.get("maker_address", "").lower()
    return [
        trade
        for trade in trades
        if after <= trade.matched_ns // NANOS <= before
        and query.get("id", trade.id) == trade.id
        and query.get("market", trade.condition_id) == trade.condition_id
        and ("asset_id" not in query or query["asset_id"] in _assets(trade))
        and (not maker or maker in _accounts(trade))
    ]


def _assets(trade: TradeView) -> set[str]:
    return {trade.token_id, *(fill.token_id for fill in trade.makers)}


def _accounts(trade: TradeView) -> set[str]:
    return {trade.account.lower(), *(fill.account.lower() for fill in trade.makers)}
