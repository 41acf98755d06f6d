"""Gamma: what is listed. Keyset pages of at most 100, `offset` refused, and single objects by id or slug, closed ones included."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import orjson
from aiohttp import web

from venues.simulator import gamma_views
from venues.simulator.http import answer
from venues.simulator.listings import Listing
from venues.simulator.refusals import RefusalError
from venues.simulator.universe import EventSpec
from venues.simulator.venue import Venue

MAX_LIMIT = 100
_DEFAULT_LIMIT = 20
_ORDERS = frozenset({"volume24hr", "volume", "startDate", "endDate", "id"})

Found = TypeVar("Found")


class GammaRoutes:
    """Handlers of the metadata service."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/events/keyset", self.events),
            web.get("/markets/keyset", self.markets),
            web.get("/events/slug/{slug}", self.event_by_slug),
            web.get("/markets/slug/{slug}", self.market_by_slug),
            web.get("/events/{id}", self.event),
            web.get("/markets/{id}", self.market),
        ]

    async def events(self, request: web.Request) -> web.Response:
        wanted = self._wanted(request, {"id", "slug"})
        closed = _flag(request, "closed")
        tag = request.query.get("tag_slug")
        chosen = [
            spec
            for spec in self._venue.world.listings.events.values()
            if self._is_closed(spec) == closed
            and ("id" not in wanted or spec.id in wanted["id"])
            and ("slug" not in wanted or spec.slug in wanted["slug"])
            and (tag is None or spec.category.lower() == tag)
        ]
        return _page(request, "events", [self._event_view(spec) for spec in chosen])

    async def markets(self, request: web.Request) -> web.Response:
        wanted = self._wanted(request, {"id", "slug", "condition_ids", "clob_token_ids"})
        closed = _flag(request, "closed")
        chosen = [
            listing
            for listing in self._venue.world.listings.markets.values()
            if listing.closed == closed and _matches(listing, wanted)
        ]
        return _page(request, "markets", [self._market_view(listing) for listing in chosen])

    async def event(self, request: web.Request) -> web.Response:
        spec = self._venue.world.listings.events.get(request.match_info["id"])
        return answer(self._event_view(_found(spec)))

    async def event_by_slug(self, request: web.Request) -> web.Response:
        slug = request.match_info["slug"]
        events = self._venue.world.listings.events.values()
        return answer(self._event_view(_found(next((spec for spec in events if spec.slug == slug), None))))

    async def market(self, request: web.Request) -> web.Response:
        listing = self._venue.world.listings.markets.get(request.match_info["id"])
        return answer(self._market_view(_found(listing)))

    async def market_by_slug(self, request: web.Request) -> web.Response:
        slug = request.match_info["slug"]
        markets = self._venue.world.listings.markets.values()
        return answer(self._market_view(_found(next((one for one in markets if one.spec.slug == slug), None))))

    def _event_view(self, spec: EventSpec) -> gamma_views.View:
        world = self._venue.world
        return gamma_views.event(spec, world.listings.of_event(spec.id), world.exchange, self._venue.now_ns())

    def _market_view(self, listing: Listing) -> gamma_views.View:
        return gamma_views.market(listing, self._venue.world.exchange, self._venue.now_ns())

    def _is_closed(self, spec: EventSpec) -> bool:
        return all(listing.closed for listing in self._venue.world.listings.of_event(spec.id))

    def _wanted(self, request: web.Request, names: set[str]) -> dict[str, list[str]]:
        """Return the filters of the query; sequences are repeated parameters."""
        if "offset" in request.query:
            raise RefusalError(422, "offset is not allowed on keyset endpoints")
        return {name: request.query.getall(name) for name in names if name in request.query}


def _matches(listing: Listing, wanted: dict[str, list[str]]) -> bool:
    spec = listing.spec
    values: dict[str, Sequence[str]] = {
        "id": [spec.id],
        "slug": [spec.slug],
        "condition_ids": [spec.condition_id],
        "clob_token_ids": spec.token_ids,
    }
    return all(any(value in asked for value in values[name]) for name, asked in wanted.items())


def _page(request: web.Request, name: str, views: list[gamma_views.View]) -> web.Response:
    """Answer one keyset page: what follows the cursor's (rank, id) in the wanted order; `next_cursor` is absent on the last one."""
    order = request.query.get("order", "id")
    if order not in _ORDERS:
        raise RefusalError(422, "order fields are not valid")
    descending = request.query.get("ascending", "true" if order == "id" else "false").lower() != "true"
    ranked = sorted(((_rank(view, order), view) for view in views), key=lambda pair: pair[0], reverse=descending)
    after = _after(request)
    if after is not None:
        ranked = [(rank, view) for rank, view in ranked if (rank < after if descending else rank > after)]
    limit = _limit(request)
    body: dict[str, Any] = {name: [view for _, view in ranked[:limit]]}
    if len(ranked) > limit:
        body["next_cursor"] = urlsafe_b64encode(orjson.dumps(ranked[limit - 1][0])).decode()
    return answer(body)


def _rank(view: gamma_views.View, order: str) -> tuple[Any, int]:
    value = view.get(order, 0)
    return float(value) if order in ("id", "volume") else value, int(view["id"])


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", str(_DEFAULT_LIMIT))
    if not text.isdigit():
        raise RefusalError(422, "limit is not valid")
    return min(max(int(text), 1), MAX_LIMIT)


def _after(request: web.Request) -> tuple[Any, int] | None:
    cursor = request.query.get("after_cursor", "")
    if not cursor:
        return None
    try:
        value, number = msgspec.json.decode(urlsafe_b64decode(cursor), type=tuple[float | str, int])
    except (Base64Error, ValueError):
        raise RefusalError(422, "after_cursor is not valid") from None
    return value, number


def _flag(request: web.Request, name: str) -> bool:
    return request.query.get(name, "false").lower() == "true"


def _found(item: Found | None) -> Found:
    if item is None:
        raise RefusalError(404, "not found")
    return item
