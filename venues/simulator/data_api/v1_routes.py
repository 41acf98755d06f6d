"""The routes of the Data API's first version that are still in use: bare arrays, camelCase, `limit` and `offset`; and the accounting
snapshot, a ZIP of CSV files that has no other form."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from aiohttp import web

from domain.money import to_float
from venues.simulator.data_api import views as data_views
from venues.simulator.data_api.market_routes import DataMarketRoutes
from venues.simulator.data_api.portfolio import Holding, Portfolio
from venues.simulator.data_api.query import Query, conditions, flag, user, whole
from venues.simulator.data_api.views import View
from venues.simulator.data_api.wallet_routes import DataRoutes
from venues.simulator.http import answer
from venues.simulator.refusals import bad_request
from venues.simulator.venue import Venue

MAX_FEED_LIMIT, MAX_FEED_OFFSET = 500, 1000
MAX_OFFSET = 10_000

Row = TypeVar("Row")


class DataV1Routes:
    """Handlers of the first version: the second's selections under other names."""

    def __init__(self, venue: Venue) -> None:
        self._wallets = DataRoutes(venue)
        self._markets = DataMarketRoutes(venue)
        self._portfolio = Portfolio(venue.world)
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/positions", self.positions),
            web.get("/closed-positions", self.closed_positions),
            web.get("/trades", self.trades),
            web.get("/activity", self.activity),
            web.get("/holders", self.holders),
            web.get("/value", self.value),
            web.get("/oi", self.open_interest),
            web.get("/live-volume", self.live_volume),
            web.get("/traded", self.traded),
            web.get("/v1/accounting/snapshot", self.snapshot),
        ]

    async def positions(self, request: web.Request) -> web.Response:
        query = request.query
        wallet, markets = user(query), conditions(query, self._venue.world.listings)
        rows = [
            row
            for row in self._portfolio.of(wallet)
            if row.position.size >= whole(query, "sizeThreshold", 1) * 1_000_000
            and (markets is None or row.listing.spec.condition_id in markets)
            and (row.redeemable or not flag(query, "redeemable"))
            and (row.mergeable or not flag(query, "mergeable"))
        ]
        rows.sort(key=lambda row: (-row.value, row.token_id))
        return _page(query, rows, data_views.position_v1, 500, MAX_OFFSET)

    async def closed_positions(self, request: web.Request) -> web.Response:
        rows = [row for row in self._portfolio.of(user(request.query)) if row.status == "CLOSED"]
        rows.sort(key=lambda row: (-row.position.realized, row.token_id))
        return _page(request.query, rows, _closed, 500, MAX_OFFSET)

    async def trades(self, request: web.Request) -> web.Response:
        query = request.query
        rows = self._wallets.select_trades(query, taker_only=flag(query, "takerOnly", default=True))
        rows.sort(key=lambda row: -row.number)
        return _page(query, rows, self._trade, MAX_FEED_LIMIT, MAX_FEED_OFFSET)

    async def activity(self, request: web.Request) -> web.Response:
        rows = self._wallets.select_activity(request.query)
        ascending = request.query.get("sortDirection", "DESC").upper() == "ASC"
        rows.sort(key=lambda row: row.number, reverse=not ascending)
        return _page(request.query, rows, self._activity, MAX_FEED_LIMIT, MAX_FEED_OFFSET)

    async def holders(self, request: web.Request) -> web.Response:
        query = request.query
        markets = conditions(query, self._venue.world.listings)
        if markets is None:
            raise bad_request("required query param 'market' not provided")
        size = min(max(whole(query, "limit", 20), 1), 500)
        groups = self._wallets.select_holders(list(markets.values()), whole(query, "minBalance", 1) * 1_000_000)
        shown = [
            {
                "token": group[0].token_id,
                "holders": [data_views.v1(data_views.holder(row, with_pnl=False)) for row in group[:size]],
            }
            for group in groups
            if group
        ]
        return answer(shown)

    async def value(self, request: web.Request) -> web.Response:
        wallet = user(request.query)
        return answer([{"user": wallet, "value": to_float(self._wallets.worth(wallet, request.query))}])

    async def open_interest(self, request: web.Request) -> web.Response:
        rows = self._markets.interests(request.query)
        return answer([{"market": row["condition_id"], "value": row["value"]} for row in rows])

    async def live_volume(self, request: web.Request) -> web.Response:
        listings = self._markets.traded(request.query)
        markets = [{"market": one.spec.condition_id, "value": to_float(one.volume)} for one in listings]
        return answer([{"total": sum(market["value"] for market in markets), "markets": markets}])

    async def traded(self, request: web.Request) -> web.Response:
        wallet = user(request.query)
        rows = self._venue.world.indexer.ledger.entries.get(wallet, ())
        return answer({"user": wallet, "traded": len({row.condition_id for row in rows if row.kind == "TRADE"})})

    async def snapshot(self, request: web.Request) -> web.Response:
        wallet = user(request.query)
        positions = [data_views.position_v1(row) for row in self._portfolio.of(wallet) if row.position.size]
        cash = to_float(self._venue.world.exchange.balance(wallet).settled)
        held = to_float(self._wallets.worth(wallet, request.query))
        equity = [{"cashBalance": cash, "positionsValue": held, "equity": cash + held}]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("positions.csv", _csv(positions, "conditionId"))
            archive.writestr("equity.csv", _csv(equity, "equity"))
        return web.Response(body=packed.getvalue(), content_type="application/zip")

    def _trade(self, row: Any) -> View:
        return data_views.v1(data_views.trade(row, self._wallets.listing(row)))

    def _activity(self, row: Any) -> View:
        return data_views.v1(data_views.activity(row, self._wallets.listing(row)))


def _closed(row: Holding) -> View:
    """Return a row of /closed-positions: what is over has no present value."""
    shown = data_views.position_v1(row) | {"proxyWallet": row.wallet, "timestamp": row.position.last_s}
    for name in ("size", "initialValue", "grossInitialValue", "entryFeesUsdc", "currentValue", "cashPnl", "percentPnl"):
        del shown[name]
    return shown


def _page(query: Query, rows: Sequence[Row], view: Callable[[Row], View], most: int, most_offset: int) -> web.Response:
    """Answer one page; a limit beyond `most` is cut, an offset beyond `most_offset` refused."""
    start, size = whole(query, "offset", 0), min(whole(query, "limit", 100), most)
    if start > most_offset:
        raise bad_request(f"offset must not be above {most_offset}")
    return answer([view(row) for row in rows[start : start + size]])


def _csv(rows: list[View], header: str) -> str:
    """Return rows as CSV; without any, a file of one column's name."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [header])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
