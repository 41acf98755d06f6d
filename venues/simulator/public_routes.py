"""Public CLOB REST: time, books, prices and market parameters, types exactly as the venue's (strings, but for a few numbers)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from domain.money import to_float
from venues.simulator.books import decimal, summary
from venues.simulator.http import answer
from venues.simulator.listings import Listing
from venues.simulator.refusals import bad_request, market_not_found, no_orderbook
from venues.simulator.universe import NANOS
from venues.simulator.venue import Venue

_MAX_BOOKS = 500


class TokenRequest(msgspec.Struct):
    token_id: str


class PublicRoutes:
    """Handlers of everything that needs no key."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/ok", self.ok),
            web.get("/time", self.time),
            web.get("/version", self.version),
            web.get("/book", self.book),
            web.post("/books", self.books),
            web.get("/books", self.invalid_payload),
            web.get("/price", self.price),
            web.get("/midpoint", self.midpoint),
            web.get("/spread", self.spread),
            web.get("/last-trade-price", self.last_trade_price),
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
        return answer(self._venue.now_ns() // NANOS)

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
        try:
            wanted = msgspec.json.decode(await request.read(), type=list[TokenRequest])
        except msgspec.DecodeError:
            raise bad_request("Invalid payload") from None
        if len(wanted) > _MAX_BOOKS:
            raise bad_request("Payload exceeds the limit")
        world, now_ms = self._venue.world, self._now_ms()
        found = (
            summary(world.exchange, listing, token_id, now_ms)
            for token_id in dict.fromkeys(item.token_id for item in wanted)
            if (listing := world.listings.by_token(token_id))
        )
        return answer([shown for shown in found if shown])

    async def price(self, request: web.Request) -> web.Response:
        bid, ask = self._best(request)
        side = request.query.get("side", "").upper()
        if side not in ("BUY", "SELL"):
            raise bad_request("Invalid side")
        # The side is the book's: BUY asks for the best bid.
        return answer({"price": decimal(bid if side == "BUY" else ask)})

    async def midpoint(self, request: web.Request) -> web.Response:
        bid, ask = self._best(request)
        return answer({"mid": decimal((bid + ask) // 2)})

    async def spread(self, request: web.Request) -> web.Response:
        bid, ask = self._best(request)
        return answer({"spread": decimal(ask - bid)})

    async def last_trade_price(self, request: web.Request) -> web.Response:
        listing, _ = self._listed(request)
        price = listing.last_price
        return answer({"price": "0.5" if price is None else decimal(price), "side": listing.last_side})

    async def tick_size(self, request: web.Request) -> web.Response:
        return answer({"minimum_tick_size": to_float(self._listed(request)[0].tick)})

    async def neg_risk(self, request: web.Request) -> web.Response:
        return answer({"neg_risk": self._listed(request)[0].spec.neg_risk})

    async def fee_rate(self, request: web.Request) -> web.Response:
        return answer({"base_fee": _base_fee(self._listed(request)[0])})

    async def market_by_token(self, request: web.Request) -> web.Response:
        listing = self._venue.world.listings.by_token(request.match_info["token_id"])
        if listing is None:
            raise market_not_found()
        primary, secondary = listing.spec.token_ids
        return answer(
            {"condition_id": listing.spec.condition_id, "primary_token_id": primary, "secondary_token_id": secondary}
        )

    async def clob_market(self, request: web.Request) -> web.Response:
        return answer(_compact(self._by_condition(request)))

    async def market(self, request: web.Request) -> web.Response:
        listing = self._by_condition(request)
        best = {token_id: self._venue.world.exchange.best(token_id) for token_id in listing.spec.token_ids}
        return answer(_long(listing, best))

    def _now_ms(self) -> int:
        return self._venue.now_ns() // 1_000_000

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
        if listing.closed:
            raise no_orderbook()
        return listing, token_id

    def _best(self, request: web.Request) -> tuple[int, int]:
        return self._venue.world.exchange.best(self._traded(request)[1])

    def _by_condition(self, request: web.Request) -> Listing:
        listing = self._venue.world.listings.by_condition(request.match_info["condition_id"])
        if listing is None:
            raise market_not_found()
        return listing


def _base_fee(listing: Listing) -> int:
    """Return the legacy flag: 1000 where fees exist, never a rate."""
    return 1000 if listing.spec.fees.rate else 0


def _compact(listing: Listing) -> dict[str, Any]:
    """Return the object of /clob-markets; absent keys mean no or none."""
    spec = listing.spec
    shown: dict[str, Any] = {
        "c": spec.condition_id,
        "t": [{"t": token_id, "o": listing.outcome(token_id)} for token_id in spec.token_ids],
        "mos": to_float(spec.min_size),
        "mts": to_float(listing.tick),
        "mbf": _base_fee(listing),
        "tbf": _base_fee(listing),
        "ao": not listing.closed,
        "aot": _iso(spec.opened_ns),
    }
    if spec.fees.rate:
        shown["fd"] = {"r": to_float(spec.fees.rate), "e": spec.fees.exponent, "to": spec.fees.taker_only}
    if spec.neg_risk:
        shown["nr"] = True
    if listing.taker_delay_ms:
        shown["itode"] = True
    return shown


def _long(listing: Listing, best: dict[str, tuple[int, int]]) -> dict[str, Any]:
    """Return the object of /markets/{condition id}."""
    spec, event = listing.spec, listing.event
    return {
        "condition_id": spec.condition_id,
        "question_id": spec.question_id,
        "question": spec.question,
        "description": event.description,
        "market_slug": spec.slug,
        "active": True,
        "closed": listing.closed,
        "archived": False,
        "accepting_orders": not listing.closed,
        "accepting_order_timestamp": _iso(spec.opened_ns),
        "enable_order_book": True,
        "minimum_order_size": to_float(spec.min_size),
        "minimum_tick_size": to_float(listing.tick),
        "end_date_iso": _iso(event.end_ns),
        "game_start_time": None,
        "seconds_delay": 0,
        "fpmm": "",
        "maker_base_fee": _base_fee(listing),
        "taker_base_fee": _base_fee(listing),
        "notifications_enabled": False,
        "neg_risk": spec.neg_risk,
        "neg_risk_market_id": event.neg_risk_market_id,
        "neg_risk_request_id": "",
        "icon": "",
        "image": "",
        "rewards": {"rates": None, "min_size": 0, "max_spread": 0},
        "is_50_50_outcome": False,
        "tokens": [
            {
                "token_id": token_id,
                "outcome": listing.outcome(token_id),
                "price": _token_price(listing, index, best[token_id]),
                "winner": listing.winner == index,
            }
            for index, token_id in enumerate(spec.token_ids)
        ],
        "tags": [event.category],
    }


def _token_price(listing: Listing, index: int, best: tuple[int, int]) -> float:
    if listing.winner is not None:
        return 1.0 if listing.winner == index else 0.0
    return to_float((best[0] + best[1]) // 2)


def _iso(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // NANOS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
