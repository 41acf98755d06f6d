"""Public CLOB REST over many markets and over time: the four market lists, price history, and a market's latest trades.

Lists are paged by cursors of base64 offsets: none or "MA==" is the beginning, "LTE=" the end, and 400 when it is sent back. Price history
has a point for every `fidelity` minutes and one for now; markets without a book end with their last point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from domain.money import MICRO, to_float
from venues.exchange import Exchange
from venues.simulator.clob import public_views
from venues.simulator.http import answer, decoded, is_whole, page
from venues.simulator.refusals import bad_request, market_not_found
from venues.simulator.venue import Venue
from venues.simulator.world.listings import Listing
from venues.simulator.world.universe import NANOS

MARKETS_PAGE = 1000
MAX_HISTORIES = 20
LIVE_TRADES = 50

HOUR_S = 3600
INTERVALS = {
    "max": 0,
    "all": 0,
    "1m": 30 * 24 * HOUR_S,
    "1w": 7 * 24 * HOUR_S,
    "1d": 24 * HOUR_S,
    "6h": 6 * HOUR_S,
    "1h": HOUR_S,
}
"""Seconds that a named interval looks back, 0 for all."""

LEAST_FIDELITY = {"1m": 10, "1w": 5}
"""The finest step, in minutes, of intervals that have one."""

_DEFAULT_FIDELITY = {"max": 60, "all": 60, "1m": 60, "1w": 30, "1d": 5}


class HistoryRequest(msgspec.Struct):
    """The body of /batch-prices-history; times are Unix seconds, `fidelity` minutes."""

    markets: list[str]
    start_ts: int | None = None
    end_ts: int | None = None
    interval: str = ""
    fidelity: int | None = None


class MarketRoutes:
    """Handlers of lists and histories. `page_size` is a market list's."""

    def __init__(self, venue: Venue, page_size: int = MARKETS_PAGE) -> None:
        self._venue = venue
        self._page_size = page_size

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/markets", self.markets),
            web.get("/sampling-markets", self.sampling_markets),
            web.get("/simplified-markets", self.simplified_markets),
            web.get("/sampling-simplified-markets", self.sampling_simplified_markets),
            web.get("/markets/live-activity/{condition_id}", self.live_activity),
            web.get("/prices-history", self.history),
            web.post("/batch-prices-history", self.histories),
        ]

    async def markets(self, request: web.Request) -> web.Response:
        return self._list(request, public_views.long)

    async def sampling_markets(self, request: web.Request) -> web.Response:
        return self._list(request, public_views.long, sampling=True)

    async def simplified_markets(self, request: web.Request) -> web.Response:
        return self._list(request, public_views.simplified)

    async def sampling_simplified_markets(self, request: web.Request) -> web.Response:
        return self._list(request, public_views.simplified, sampling=True)

    async def live_activity(self, request: web.Request) -> web.Response:
        world = self._venue.world
        listing = world.listings.by_condition(request.match_info["condition_id"])
        if listing is None:
            raise market_not_found()
        taken = [entry for entry in world.indexer.ledger.tape.get(listing.spec.condition_id, ()) if entry.taker]
        return answer([public_views.live_trade(entry, listing) for entry in reversed(taken[-LIVE_TRADES:])])

    async def history(self, request: web.Request) -> web.Response:
        query = request.query
        token_id = query.get("market", "")
        if not token_id:
            raise bad_request("Invalid market")
        wanted = HistoryRequest(
            [token_id],
            _whole(query, "startTs"),
            _whole(query, "endTs"),
            query.get("interval", ""),
            _whole(query, "fidelity", "invalid fidelity"),
        )
        return answer({"history": self._histories(wanted).get(token_id, [])})

    async def histories(self, request: web.Request) -> web.Response:
        wanted = decoded(await request.read(), HistoryRequest)
        if len(wanted.markets) > MAX_HISTORIES:
            raise bad_request("Payload exceeds the limit")
        return answer({"history": self._histories(wanted)})

    def _list(
        self, request: web.Request, view: Callable[[Listing, Exchange], dict[str, Any]], *, sampling: bool = False
    ) -> web.Response:
        world = self._venue.world
        chosen = [
            listing
            for listing in world.listings.markets.values()
            if not sampling or (listing.spec.rewards and public_views.accepting(listing, world.exchange))
        ]
        return answer(page(request, chosen, self._page_size, lambda listing: view(listing, world.exchange)))

    def _histories(self, wanted: HistoryRequest) -> dict[str, list[dict[str, float]]]:
        """Return the points of each token that is listed."""
        now_s = self._venue.now_ns() // NANOS
        start_s, end_s = _window(wanted, now_s)
        step_s = 60 * _fidelity(wanted, end_s - start_s)
        histories = {}
        for token_id in wanted.markets:
            listing = self._venue.world.listings.by_token(token_id)
            if listing is not None:
                histories[token_id] = self._points(listing, token_id, (start_s, end_s, step_s), now_s)
        return histories

    def _points(
        self, listing: Listing, token_id: str, window: tuple[int, int, int], now_s: int
    ) -> list[dict[str, float]]:
        start_s, end_s, step_s = window
        points = self._venue.world.indexer.prices.points(listing.spec.condition_id, start_s, end_s, step_s)
        if end_s >= now_s and not listing.closed and not listing.book_closed:
            bid, ask = self._venue.world.exchange.best(listing.spec.token_ids[0])
            points.append((now_s, (bid + ask) // 2))
        first = token_id == listing.spec.token_ids[0]
        return [{"t": at_s, "p": to_float(price if first else MICRO - price)} for at_s, price in points]


def _window(wanted: HistoryRequest, now_s: int) -> tuple[int, int]:
    """Return the first and last second asked for: an interval up to now, or two times of which the first is needed."""
    if wanted.interval:
        if wanted.interval not in INTERVALS:
            raise bad_request("Invalid payload")
        back = INTERVALS[wanted.interval]
        return (now_s - back if back else 0), now_s
    if wanted.start_ts is None:
        raise bad_request("startTs is required")
    return wanted.start_ts, now_s if wanted.end_ts is None else wanted.end_ts


def _fidelity(wanted: HistoryRequest, seconds: int) -> int:
    """Return the minutes between points."""
    if wanted.fidelity is None:
        return _DEFAULT_FIDELITY.get(wanted.interval, 60 if seconds > 7 * 24 * HOUR_S else 1)
    if wanted.fidelity <= 0:
        raise bad_request("invalid fidelity")
    least = LEAST_FIDELITY.get(wanted.interval, 1)
    if wanted.fidelity < least:
        raise bad_request(f"minimum 'fidelity' for '{wanted.interval}' range is {least}")
    return wanted.fidelity


def _whole(query: Mapping[str, str], name: str, refusal: str = "Invalid payload") -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not is_whole(text.removeprefix("-")):
        raise bad_request(refusal)
    return int(text)
