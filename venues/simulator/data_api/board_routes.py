"""Data API v2 about profit and rankings: a wallet's profit over time and statistics, leaderboards of traders and builders, biggest wins.

A window's profit is what was realised in it, to the hour, plus what open positions are worth beyond their cost now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from domain.money import to_float
from venues.simulator.data_api import views as data_views
from venues.simulator.data_api.portfolio import Holding, Portfolio
from venues.simulator.data_api.query import Query, choice, enveloped, optional_user, paged, user
from venues.simulator.rewards.views import iso
from venues.simulator.venue import Venue
from venues.simulator.world.ledger import Totals
from venues.simulator.world.universe import NANOS

View = dict[str, Any]

_HOUR_S = 3600
_WINDOWS = {"day": 24 * _HOUR_S, "week": 7 * 24 * _HOUR_S, "month": 30 * 24 * _HOUR_S, "all": 0}
_INTERVALS = {
    "max": 0,
    "all": 0,
    "1m": 30 * 24 * _HOUR_S,
    "1w": 7 * 24 * _HOUR_S,
    "1d": 24 * _HOUR_S,
    "12h": 12 * _HOUR_S,
    "6h": 6 * _HOUR_S,
}
_FIDELITIES = {"1h": 1, "3h": 3, "12h": 12, "18h": 18, "1d": 24}
_BLOCK_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """What a wallet made and traded in a window, micro-units."""

    wallet: str
    pnl: int
    shares: int


class DataBoardRoutes:
    """Handlers of profit and rankings."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._portfolio = Portfolio(venue.world)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v2/user-stats", self.stats),
            web.get("/v2/user-pnl", self.profit),
            web.get("/v2/leaderboard", self.leaderboard),
            web.get("/v2/biggest-winners", self.winners),
            web.get("/v2/builders/leaderboard", self.builders),
            web.get("/v2/builders/volume", self.builder_volume),
        ]

    async def stats(self, request: web.Request) -> web.Response:
        wallet, ledger = user(request.query), self._venue.world.indexer.ledger
        totals = ledger.totals.get(wallet)
        if totals is None:
            return enveloped(None)
        traded = {row.condition_id for row in ledger.entries.get(wallet, ()) if row.kind == "TRADE"}
        return enveloped(
            {
                "proxy_wallet": wallet,
                "trades": len(traded),
                "biggest_win": to_float(totals.biggest_win),
                "views": 0,
                "join_date": totals.first_s,
                "all_time_pnl": self._now_point(wallet, totals),
            }
        )

    async def profit(self, request: web.Request) -> web.Response:
        query, wallet = request.query, user(request.query)
        interval = choice(query, "interval", tuple(_INTERVALS), "1m")
        fidelity = choice(query, "fidelity", tuple(_FIDELITIES), "1h" if interval in ("1d", "12h", "6h") else "1d")
        ledger, step_s = self._venue.world.indexer.ledger, _FIDELITIES[fidelity] * _HOUR_S
        since_s = self._since(_INTERVALS[interval])
        past = {
            hour.end_s // step_s: data_views.pnl_point(hour.end_s, hour.end_s // _BLOCK_SECONDS, hour.totals, None)
            for hour in ledger.hours.get(wallet, ())
            if hour.end_s >= since_s
        }
        totals = ledger.totals.get(wallet)
        points = [*past.values(), *([self._now_point(wallet, totals)] if totals else [])]
        return enveloped(
            {
                "proxy_wallet": wallet,
                "interval": interval,
                "fidelity": fidelity,
                "source_fidelity": "1h",
                "points": points,
            }
        )

    async def leaderboard(self, request: web.Request) -> web.Response:
        query = request.query
        standings = self.standings(choice(query, "time_period", tuple(_WINDOWS), "day"))
        by_pnl = sorted(standings, key=lambda one: (-one.pnl, one.wallet))
        by_shares = sorted(standings, key=lambda one: (-one.shares, one.wallet))
        wallet = optional_user(query)
        if wallet is not None:
            mine = next((one for one in standings if one.wallet == wallet), None)
            ranks = {"rank_pnl": by_pnl, "rank_volume": by_shares}
            return enveloped(mine and _standing(mine) | {name: board.index(mine) + 1 for name, board in ranks.items()})
        board = by_pnl if choice(query, "sort_by", ("PNL", "VOLUME"), "PNL") == "PNL" else by_shares
        rows = [_standing(one) | {"rank": rank} for rank, one in enumerate(board, 1)]
        return paged(query, rows, lambda row: (row["rank"], 0), lambda row: row, descending=False)

    async def winners(self, request: web.Request) -> web.Response:
        since_s = self._since(_WINDOWS[choice(request.query, "time_period", tuple(_WINDOWS), "day")])
        won = sorted(self._won(since_s), key=lambda row: (-row.total, row.wallet, row.token_id))
        rows = [_winner(rank, row) for rank, row in enumerate(won, 1)]
        return paged(request.query, rows, lambda row: (row["win_rank"], 0), lambda row: row, descending=False)

    async def builders(self, request: web.Request) -> web.Response:
        rows = self._builders(request.query)
        return paged(request.query, rows, lambda row: (row["rank"], 0), lambda row: row, descending=False)

    async def builder_volume(self, request: web.Request) -> web.Response:
        today = iso(self._venue.now_ns())[:10]
        return enveloped([row | {"date": today} for row in self._builders(request.query)])

    def standings(self, window: str) -> list[Standing]:
        """Return every wallet that traded in a window."""
        ledger, since_s = self._venue.world.indexer.ledger, self._since(_WINDOWS[window])
        found = []
        for wallet, totals in ledger.totals.items():
            before = next((one.totals for one in reversed(ledger.hours[wallet]) if one.end_s <= since_s), Totals())
            if totals.trades > before.trades:
                profit = totals.realized - before.realized + self._unrealized(wallet)
                found.append(Standing(wallet, profit, totals.shares - before.shares))
        return found

    def _since(self, seconds: int) -> int:
        return self._venue.now_ns() // NANOS - seconds if seconds else 0

    def _unrealized(self, wallet: str) -> int:
        return sum(holding.unrealized for holding in self._portfolio.of(wallet))

    def _now_point(self, wallet: str, totals: Totals) -> View:
        now_s = self._venue.now_ns() // NANOS
        return data_views.pnl_point(now_s, now_s // _BLOCK_SECONDS, totals, self._unrealized(wallet))

    def _won(self, since_s: int) -> Iterator[Holding]:
        """Yield positions in markets resolved since then that made money."""
        for listing in self._venue.world.listings.markets.values():
            if listing.closed_ns is not None and listing.closed_ns // NANOS >= since_s:
                yield from (holding for holding in self._portfolio.in_market(listing) if holding.total > 0)

    def _builders(self, query: Query) -> list[View]:
        """Return every builder code that traded, those with most shares first."""
        choice(query, "time_period", tuple(_WINDOWS), "day")
        history = self._venue.world.history
        volumes: dict[str, int] = {}
        users: dict[str, set[str]] = {}
        for trade in history.trades.values():
            parts = [(trade.taker_order_id, trade.account, trade.size)]
            parts += [(fill.order_id, fill.account, fill.size) for fill in trade.makers]
            for order_id, wallet, size in parts:
                if code := history.builders.get(order_id):
                    volumes[code] = volumes.get(code, 0) + size
                    users.setdefault(code, set()).add(wallet)
        return [
            {
                "rank": rank,
                "builder_name": f"builder-{code[-8:]}",
                "builder_code": code,
                "profile_image": "",
                "verified": False,
                "volume": to_float(volumes[code]),
                "active_users": len(users[code]),
            }
            for rank, code in enumerate(sorted(volumes, key=lambda code: (-volumes[code], code)), 1)
        ]


def _standing(one: Standing) -> View:
    return {
        "user_id": one.wallet,
        "pnl": to_float(one.pnl),
        "volume": to_float(one.shares),
        "user_name": "",
        "profile_image": "",
        "x_username": "",
        "verified": False,
    }


def _winner(rank: int, row: Holding) -> View:
    return {
        "win_rank": rank,
        "kind": "market",
        "user_id": row.wallet,
        "pnl": to_float(row.total),
        "initial_value": to_float(row.position.spent),
        "final_value": to_float(row.position.spent + row.total),
        "resolved_at": iso(row.listing.closed_ns or 0),
        "user_name": "",
        "profile_image": "",
        "condition_id": row.listing.spec.condition_id,
        "position_id": row.token_id,
        "event_id": row.listing.event.id,
        "event_slug": row.listing.event.slug,
        "event_title": row.listing.event.title,
    }
