"""Public CLOB REST: time, books, prices and market parameters, types exactly as the venue's (strings, but for a few numbers).

Reads of many tokens are POST with a JSON array of at most 500; tokens without a book are left out of the answer. GET on their paths, and
any other body, is 400 `Invalid payload`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from aiohttp import web

from domain.money import to_float
from venues.simulator.clob import public_views
from venues.simulator.clob.books import decimal, summary
from venues.simulator.http import answer, decoded
from venues.simulator.refusals import bad_request, market_not_found, no_orderbook
from venues.simulator.venue import Venue
from venues.simulator.world.listings import Listing
from venues.simulator.world.universe import NANOS

MAX_TOKENS = 500
_PLURALS = ("/books", "/prices", "/midpoints", "/spreads", "/last-trades-prices")


class TokenRequest(msgspec.Struct):
    token_id: str
    side: str = ""


class PublicRoutes:
    """Handlers of single markets and tokens; nothing here needs a key."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/ok", self.ok),
            web.get("/time", self.time),
            web.get("/version", self.version),
            web.get("/book", self.book),
            web.post("/books", self.books),
            web.get("/price", self.price),
            web.post("/prices", self.prices),
            web.get("/midpoint", self.midpoint),
            web.post("/midpoints", self.midpoints),
            web.get("/spread", self.spread),
            web.post("/spreads", self.spreads),
            web.get("/last-trade-price", self.last_trade_price),
            web.post("/last-trades-prices", self.last_trade_prices),
            *(web.get(path, self.invalid_payload) for path in _PLURALS),
            web.get("/tick-size", self.tick_size),
            web.get("/neg-risk", self.neg_risk),
            web.get("/fee-rate", self.fee_rate),
            web.get("/markets-by-token/{token_id}", self.market_by_token),
            web.get("/clob-markets/{condition_id}", self.clob_market),
            web.get("/markets/{condition_id}", self.market),
        ]

    async def ok(self, _request: web.Request) -> web.Response:
        return answer("OK")

    async def time(self, _request: web.Request) -> web.Response:
        return answer(self._venue.told_ns() // NANOS)

    async def version(self, _request: web.Request) -> web.Response:
        return answer({"version": 2})

    async def invalid_payload(self, _request: web.Request) -> web.Response:
        raise bad_request("Invalid payload")

    async def book(self, request: web.Request) -> web.Response:
        listing, token_id = self._traded(request)
        shown = summary(self._venue.world.exchange, listing, token_id, self._now_ms())
        if shown is None:
            raise no_orderbook()
        return answer(shown)

    async def books(self, request: web.Request) -> web.Response:
        exchange, now_ms = self._venue.world.exchange, self._now_ms()
        wanted = {item.token_id: None for item in await self._requested(request)}
        found = (summary(exchange, listing, token_id, now_ms) for token_id, listing in self._known(wanted))
        return answer([shown for shown in found if shown])

    async def price(self, request: web.Request) -> web.Response:
        best = self._best(request)
        return answer({"price": decimal(best[_side(request.query.get("side", "")) == "SELL"])})

    async def prices(self, request: web.Request) -> web.Response:
        wanted = await self._requested(request)
        shown: dict[str, dict[str, str]] = {}
        for item in wanted:
            side = _side(item.side)
            for token_id, listing in self._known({item.token_id: None}):
                if not listing.closed and not listing.book_closed:
                    best = self._venue.world.exchange.best(token_id)
                    shown.setdefault(token_id, {})[side] = decimal(best[side == "SELL"])
        return answer(shown)

    async def midpoint(self, request: web.Request) -> web.Response:
        bid, ask = self._best(request)
        return answer({"mid": decimal((bid + ask) // 2)})

    async def midpoints(self, request: web.Request) -> web.Response:
        bests = await self._bests(request)
        return answer({token_id: decimal((bid + ask) // 2) for token_id, (bid, ask) in bests.items()})

    async def spread(self, request: web.Request) -> web.Response:
        bid, ask = self._best(request)
        return answer({"spread": decimal(ask - bid)})

    async def spreads(self, request: web.Request) -> web.Response:
        bests = await self._bests(request)
        return answer({token_id: decimal(ask - bid) for token_id, (bid, ask) in bests.items()})

    async def last_trade_price(self, request: web.Request) -> web.Response:
        listing, _ = self._listed(request)
        price = listing.last_price
        return answer({"price": "0.5" if price is None else decimal(price), "side": listing.last_side})

    async def last_trade_prices(self, request: web.Request) -> web.Response:
        wanted = {item.token_id: None for item in await self._requested(request)}
        return answer(
            [
                {"token_id": token_id, "price": decimal(listing.last_price), "side": listing.last_side}
                for token_id, listing in self._known(wanted)
                if listing.last_price is not None
            ]
        )

    async def tick_size(self, request: web.Request) -> web.Response:
        return answer({"minimum_tick_size": to_float(self._listed(request)[0].tick)})

    async def neg_risk(self, request: web.Request) -> web.Response:
        return answer({"neg_risk": self._listed(request)[0].spec.neg_risk})

    async def fee_rate(self, request: web.Request) -> web.Response:
        return answer({"base_fee": public_views.base_fee(self._listed(request)[0])})

    async def market_by_token(self, request: web.Request) -> web.Response:
        listing = self._venue.world.listings.by_token(request.match_info["token_id"])
        if listing is None:
            raise market_not_found()
        primary, secondary = listing.spec.token_ids
        return answer(
            {"condition_id": listing.spec.condition_id, "primary_token_id": primary, "secondary_token_id": secondary}
        )

    async def clob_market(self, request: web.Request) -> web.Response:
        return answer(public_views.compact(self._by_condition(request), self._venue.world.exchange))

    async def market(self, request: web.Request) -> web.Response:
        return answer(public_views.long(self._by_condition(request), self._venue.world.exchange))

    def _now_ms(self) -> int:
        return self._venue.told_ns() // 1_000_000

    def _listed(self, request: web.Request) -> tuple[Listing, str]:
        token_id = request.query.get("token_id", "")
        if not (token_id.isascii() and token_id.isdigit()):
            raise bad_request("Invalid token id")
        listing = self._venue.world.listings.by_token(token_id)
        if listing is None:
            raise no_orderbook()
        return listing, token_id

    def _traded(self, request: web.Request) -> tuple[Listing, str]:
        listing, token_id = self._listed(request)
        if listing.closed or listing.book_closed:
            raise no_orderbook()
        return listing, token_id

    def _best(self, request: web.Request) -> tuple[int, int]:
        """Return the best bid and ask of the token asked for. (`side` is the book's: BUY asks for the best bid.)"""
        return self._venue.world.exchange.best(self._traded(request)[1])

    async def _bests(self, request: web.Request) -> dict[str, tuple[int, int]]:
        """Return the best bid and ask of every token of the body that has a book."""
        wanted = {item.token_id: None for item in await self._requested(request)}
        return {
            token_id: self._venue.world.exchange.best(token_id)
            for token_id, listing in self._known(wanted)
            if not listing.closed and not listing.book_closed
        }

    async def _requested(self, request: web.Request) -> list[TokenRequest]:
        wanted = decoded(await request.read(), list[TokenRequest])
        if len(wanted) > MAX_TOKENS:
            raise bad_request("Payload exceeds the limit")
        return wanted

    def _known(self, token_ids: dict[str, Any]) -> Iterator[tuple[str, Listing]]:
        for token_id in token_ids:
            listing = self._venue.world.listings.by_token(token_id)
            if listing is not None:
                yield token_id, listing

    def _by_condition(self, request: web.Request) -> Listing:
        listing = self._venue.world.listings.by_condition(request.match_info["condition_id"])
        if listing is None:
            raise market_not_found()
        return listing


def _side(text: str) -> str:
    side = text.upper()
    if side not in ("BUY", "SELL"):
        raise bad_request("Invalid side")
    return side
