"""Data API v2 by wallet: positions, trades, activity, value, holders, profit, approvals. `user` is the wallet that holds the funds.

Everything is computed from the ledger when asked; only what settled is in it. Lists without a user are about a market, or about the latest
trades of all.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from domain.money import from_float_rounded, to_float
from venues.simulator.chain.approvals import COLLATERAL, CTF, POSITION_MANAGER, TRADING_APPROVALS, UNLIMITED
from venues.simulator.contracts import CHAIN_ID, CONDITIONAL_TOKENS, PUSD
from venues.simulator.contracts import POSITION_MANAGER as POSITION_MANAGER_ADDRESS
from venues.simulator.data_api import views as data_views
from venues.simulator.data_api.portfolio import Holding, Portfolio
from venues.simulator.data_api.query import (
    MAX_PAGE,
    Query,
    amount,
    choice,
    conditions,
    enveloped,
    flag,
    items,
    optional_user,
    page_size,
    paged,
    user,
    whole,
    window,
)
from venues.simulator.http import answer
from venues.simulator.refusals import bad_request
from venues.simulator.venue import Venue
from venues.simulator.world.ledger import Entry
from venues.simulator.world.listings import Listing
from venues.simulator.world.universe import NANOS

STATUSES = ("OPEN", "REDEEMABLE", "REDEEMABLE_LOST", "MERGEABLE", "CLOSED")
_DIRECTIONS = ("ASC", "DESC")
_FILTERS = ("CASH", "TOKENS")

_ORDERS: dict[str, Callable[[Holding], int]] = {
    "CURRENT_VALUE": lambda holding: holding.value,
    "PRICE": lambda holding: holding.price,
    "TOKENS": lambda holding: holding.position.size,
    "UNREALIZED_PNL": lambda holding: holding.unrealized,
    "REALIZED_PNL": lambda holding: holding.position.realized,
    "TOTAL_PNL": lambda holding: holding.total,
    "TIMESTAMP": lambda holding: holding.position.last_s,
}

_CONTRACTS = (
    (COLLATERAL, PUSD, "ERC20"),
    (CTF, CONDITIONAL_TOKENS, "ERC1155"),
    (POSITION_MANAGER, POSITION_MANAGER_ADDRESS, "ERC1155"),
)


class DataRoutes:
    """Handlers of wallets."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._portfolio = Portfolio(venue.world)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v2/positions", self.positions),
            web.get("/v2/trades", self.trades),
            web.get("/v2/activity", self.activity),
            web.get("/v2/positions/combos", self.combos),
            web.get("/v2/activity/combos", self.combos),
            web.get("/v2/value", self.value),
            web.get("/v2/holders", self.holders),
            web.get("/v2/user-volume", self.volume),
            web.get("/v2/approvals", self.approvals),
        ]

    async def positions(self, request: web.Request) -> web.Response:
        query = request.query
        rows = self.select_positions(query)
        order = _ORDERS[choice(query, "sort_by", tuple(_ORDERS), "CURRENT_VALUE")]
        descending = choice(query, "sort_direction", _DIRECTIONS, "DESC") == "DESC"
        return paged(query, rows, lambda row: (order(row), _number(row)), data_views.position, descending=descending)

    async def trades(self, request: web.Request) -> web.Response:
        query = request.query
        rows = self.select_trades(query, taker_only=flag(query, "taker_only"))
        return paged(query, rows, _place, lambda row: data_views.trade(row, self.listing(row)))

    async def activity(self, request: web.Request) -> web.Response:
        query = request.query
        rows = self.select_activity(query)
        if flag(query, "exclude_deposits_withdrawals", default=True):
            rows = [row for row in rows if row.kind not in ("DEPOSIT", "WITHDRAWAL")]
        descending = choice(query, "sort_direction", _DIRECTIONS, "DESC") == "DESC"
        return paged(
            query, rows, _place, lambda row: data_views.activity(row, self.listing(row)), descending=descending
        )

    async def combos(self, request: web.Request) -> web.Response:
        """Answer that a wallet has no combos: they are not simulated."""
        user(request.query)
        nothing: list[Entry] = []
        return paged(request.query, nothing, _place, lambda row: row)

    async def value(self, request: web.Request) -> web.Response:
        wallet = user(request.query)
        return enveloped({"proxy_wallet": wallet, "value": to_float(self.worth(wallet, request.query))})

    async def holders(self, request: web.Request) -> web.Response:
        query = request.query
        markets = conditions(query, self._venue.world.listings)
        if markets is None:
            raise bad_request("required query param 'condition_id' not provided")
        with_pnl = flag(query, "include_pnl")
        if with_pnl and len(items(query, "condition_id", "condition")) != 1:
            raise bad_request("include_pnl needs exactly one condition_id")
        groups = self.select_holders(list(markets.values()), from_float_rounded(amount(query, "min_balance")))
        return _grouped(query, [holding for group in groups for holding in group], with_pnl=with_pnl)

    async def volume(self, request: web.Request) -> web.Response:
        wallet, (start_s, end_s) = user(request.query), window(request.query)
        rows = [row for row in self._entries(wallet) if row.kind == "TRADE" and start_s <= row.at_s <= end_s]
        shares, cash, count = sum(row.size for row in rows), sum(row.cash for row in rows), len(rows)
        totals = self._venue.world.indexer.ledger.totals.get(wallet)
        if totals and start_s <= totals.first_s and end_s >= self._venue.now_ns() // NANOS:
            shares, cash, count = totals.shares, totals.cash, totals.trades
        return enveloped({"volume": to_float(shares), "volume_usdc": to_float(cash), "trade_count": count})

    async def approvals(self, request: web.Request) -> web.Response:
        wallet = user(request.query)
        approvals = self._venue.world.approvals
        rows = []
        for asset, token, standard in _CONTRACTS:
            for spender in TRADING_APPROVALS[asset]:
                allowed = approvals.allowance(wallet, asset, spender)
                row = {"token": token, "spender": spender, "standard": standard, "approved": allowed > 0}
                if standard == "ERC20":
                    row["amount"] = "max" if allowed == UNLIMITED else str(allowed)
                rows.append(row)
        return enveloped({"address": wallet, "chain_id": CHAIN_ID, "contracts": rows})

    def select_positions(self, query: Query) -> list[Holding]:
        """Return the positions a query asks for: of a user, or of everybody in exactly one market."""
        world, wallet = self._venue.world, optional_user(query)
        markets = conditions(query, world.listings)
        if wallet is None:
            if len(items(query, "condition_id", "condition", "market")) != 1:
                raise bad_request("user or exactly one condition_id is required")
            rows = [row for listing in (markets or {}).values() for row in self._portfolio.in_market(listing)]
        else:
            rows = self._portfolio.of(wallet)
            rows = [row for row in rows if markets is None or row.listing.spec.condition_id in markets]
        status = choice(query, "status", ("", *STATUSES), "")
        by_cash = choice(query, "filter_type", _FILTERS, "TOKENS") == "CASH"
        least, (start_s, end_s) = from_float_rounded(amount(query, "filter_amount")), window(query)
        title = query.get("title", "").lower()
        return [
            row
            for row in rows
            if _has_status(row, status)
            and (row.value if by_cash else row.position.size) >= least
            and start_s <= row.position.last_s <= end_s
            and title in row.listing.spec.question.lower()
        ]

    def select_trades(self, query: Query, *, taker_only: bool) -> list[Entry]:
        """Return the trades a query asks for."""
        ledger, wallet = self._venue.world.indexer.ledger, optional_user(query)
        markets = conditions(query, self._venue.world.listings)
        if wallet is not None:
            rows = [row for row in self._entries(wallet) if row.kind == "TRADE"]
        else:
            tapes = ledger.tape.values() if markets is None else (ledger.tape.get(name, ()) for name in markets)
            rows = [row for tape in tapes for row in tape]
        side = choice(query, "side", ("", "BUY", "SELL"), "")
        by_cash = choice(query, "filter_type", _FILTERS, "CASH") == "CASH"
        least, (start_s, end_s) = from_float_rounded(amount(query, "filter_amount")), window(query)
        return [
            row
            for row in rows
            if (markets is None or row.condition_id in markets)
            and (not side or row.side == side)
            and (row.taker or not taker_only)
            and (row.cash if by_cash else row.size) >= least
            and start_s <= row.at_s <= end_s
        ]

    def select_activity(self, query: Query) -> list[Entry]:
        """Return a wallet's rows that a query asks for."""
        markets = conditions(query, self._venue.world.listings)
        kinds, side = items(query, "type"), choice(query, "side", ("", "BUY", "SELL"), "")
        start_s, end_s = window(query)
        return [
            row
            for row in self._entries(user(query))
            if (markets is None or row.condition_id in markets)
            and (not kinds or row.kind in kinds)
            and (not side or row.side == side)
            and start_s <= row.at_s <= end_s
        ]

    def select_holders(self, listings: list[Listing], least: int) -> list[list[Holding]]:
        """Return who holds each token of some markets, those with most first."""
        groups: dict[str, list[Holding]] = {token_id: [] for one in listings for token_id in one.spec.token_ids}
        for listing in listings:
            for holding in self._portfolio.in_market(listing):
                if holding.position.size > max(least, 1) - 1:
                    groups[holding.token_id].append(holding)
        return [sorted(group, key=lambda row: (-row.position.size, row.wallet)) for group in groups.values()]

    def worth(self, wallet: str, query: Query) -> int:
        """Return what a wallet's positions are worth in micro-dollars, all or those in some markets."""
        markets = conditions(query, self._venue.world.listings)
        return sum(
            row.value
            for row in self._portfolio.of(wallet)
            if markets is None or row.listing.spec.condition_id in markets
        )

    def listing(self, entry: Entry) -> Listing | None:
        """Return the market of a row, None when it has none or is forgotten."""
        return self._venue.world.listings.by_condition(entry.condition_id)

    def _entries(self, wallet: str) -> list[Entry]:
        return list(self._venue.world.indexer.ledger.entries.get(wallet, ()))


def _has_status(row: Holding, status: str) -> bool:
    """Tell whether a position passes the status filter; without one it passes while it is held."""
    if status == "REDEEMABLE_LOST":
        return row.redeemable and not row.value
    if status == "MERGEABLE":
        return row.mergeable
    return row.status == status if status else row.position.size > 0


def _place(row: Entry) -> tuple[float, float]:
    return row.at_s, row.number


def _number(row: Holding) -> float:
    """Return a number that no other position has, exact as a float."""
    return float((int(row.token_id) ^ int(row.wallet, 16)) % 2**53)


def _grouped(query: Query, rows: list[Holding], *, with_pnl: bool) -> web.Response:
    """Answer holders grouped by token; a page counts holders."""
    size, start = page_size(query, 100 if with_pnl else MAX_PAGE), whole(query, "cursor", 0)
    groups: dict[str, list[data_views.View]] = {}
    for holding in rows[start : start + size]:
        groups.setdefault(holding.token_id, []).append(data_views.holder(holding, with_pnl=with_pnl))
    more = len(rows) > start + size
    return answer(
        {
            "data": [{"token_id": token_id, "holders": holders} for token_id, holders in groups.items()],
            "pagination": {"has_more": more, "next_cursor": str(start + size) if more else None},
        }
    )
