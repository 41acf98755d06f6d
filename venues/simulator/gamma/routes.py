"""Gamma: what is listed. Keyset pages of at most 100 (`offset` refused), the deprecated offset pages, and single objects by id or slug,
closed ones included. Answers are computed when asked and never lag; only the real venue's lie behind a cache.
"""

from __future__ import annotations

from typing import Any, TypeVar

from aiohttp import web

from venues.simulator.gamma import filters as gamma_filters
from venues.simulator.gamma import tags as gamma_tags
from venues.simulator.gamma import views as gamma_views
from venues.simulator.gamma.filters import View
from venues.simulator.http import answer, is_whole
from venues.simulator.refusals import RefusalError
from venues.simulator.venue import Venue
from venues.simulator.world.listings import Listing
from venues.simulator.world.universe import EventSpec

MAX_LIMIT = 100
MAX_OFFSET = 2000
_MAX_OFFSET_LIMIT = 500
_DEFAULT_LIMIT = 20
_SUNSET = {"Deprecation": "true", "Sunset": "Fri, 01 May 2026 00:00:00 GMT"}

Found = TypeVar("Found")


class GammaRoutes:
    """Handlers of events and markets."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/events/keyset", self.events),
            web.get("/markets/keyset", self.markets),
            web.get("/events", self.events_by_offset),
            web.get("/markets", self.markets_by_offset),
            web.get("/events/slug/{slug}", self.event_by_slug),
            web.get("/markets/slug/{slug}", self.market_by_slug),
            web.get("/events/{id}", self.event),
            web.get("/events/{id}/tags", self.event_tags),
            web.get("/markets/{id}", self.market),
            web.get("/markets/{id}/tags", self.market_tags),
        ]

    async def events(self, request: web.Request) -> web.Response:
        _refuse_offset(request)
        return _keyset(request, "events", self._events(request, closed=gamma_filters.flag(request.query, "closed")))

    async def markets(self, request: web.Request) -> web.Response:
        _refuse_offset(request)
        return _keyset(request, "markets", self._markets(request, closed=gamma_filters.flag(request.query, "closed")))

    async def events_by_offset(self, request: web.Request) -> web.Response:
        return _offset_page(request, self._events(request, closed=_stated(request, "closed")))

    async def markets_by_offset(self, request: web.Request) -> web.Response:
        return _offset_page(request, self._markets(request, closed=_stated(request, "closed")))

    async def event(self, request: web.Request) -> web.Response:
        return answer(self._event_view(self._event(request)))

    async def event_by_slug(self, request: web.Request) -> web.Response:
        slug = request.match_info["slug"]
        events = self._venue.world.listings.events.values()
        return answer(self._event_view(found(next((spec for spec in events if spec.slug == slug), None))))

    async def event_tags(self, request: web.Request) -> web.Response:
        return answer([gamma_tags.tag(tag, 1) for tag in gamma_tags.tags_of(self._event(request))])

    async def market(self, request: web.Request) -> web.Response:
        return answer(self._market_view(request, self._market(request)))

    async def market_by_slug(self, request: web.Request) -> web.Response:
        slug = request.match_info["slug"]
        markets = self._venue.world.listings.markets.values()
        listing = found(next((one for one in markets if one.spec.slug == slug), None))
        return answer(self._market_view(request, listing))

    async def market_tags(self, request: web.Request) -> web.Response:
        return answer([gamma_tags.tag(tag, 1) for tag in gamma_tags.tags_of(self._market(request).event)])

    def _event(self, request: web.Request) -> EventSpec:
        return found(self._venue.world.listings.events.get(request.match_info["id"]))

    def _market(self, request: web.Request) -> Listing:
        return found(self._venue.world.listings.markets.get(request.match_info["id"]))

    def _events(self, request: web.Request, *, closed: bool | None) -> list[View]:
        query = request.query
        series, rhythms = set(query.getall("series_id", [])), set(query.getall("recurrence", []))
        title = query.get("title_search", "").lower()
        chosen = [
            spec
            for spec in self._venue.world.listings.events.values()
            if (closed is None or self._is_closed(spec) == closed)
            and gamma_filters.tagged(gamma_tags.tags_of(spec), query)
            and (not series or (gamma_tags.series(spec.series) or {}).get("id") in series)
            and (not rhythms or spec.recurrence in rhythms)
            and title in spec.title.lower()
        ]
        members, bounds = gamma_filters.EVENT_MEMBERS, gamma_filters.EVENT_BOUNDS
        return [view for spec in chosen if gamma_filters.fits(view := self._event_view(spec), query, members, bounds)]

    def _markets(self, request: web.Request, *, closed: bool | None) -> list[View]:
        query = request.query
        tokens, positions = set(query.getall("clob_token_ids", [])), set(query.getall("position_ids", []))
        chosen = [
            listing
            for listing in self._venue.world.listings.markets.values()
            if (closed is None or listing.closed == closed)
            and (not tokens or tokens.intersection(listing.spec.token_ids))
            and gamma_filters.tagged(gamma_tags.tags_of(listing.event), query)
        ]
        members, bounds = gamma_filters.MARKET_MEMBERS, gamma_filters.MARKET_BOUNDS
        views = (self._market_view(request, listing) for listing in chosen)
        return [
            view
            for view in views
            if gamma_filters.fits(view, query, members, bounds)
            and (not positions or positions.intersection(view.get("positionIds", ())))
        ]

    def _event_view(self, spec: EventSpec) -> View:
        return gamma_views.event(self._venue.world, spec, self._venue.now_ns())

    def _market_view(self, request: web.Request, listing: Listing) -> View:
        with_tags = gamma_filters.flag(request.query, "include_tag")
        return gamma_views.market(self._venue.world, listing, self._venue.now_ns(), with_tags=with_tags)

    def _is_closed(self, spec: EventSpec) -> bool:
        return all(listing.closed for listing in self._venue.world.listings.of_event(spec.id))


def found(item: Found | None) -> Found:
    """Return an object that exists. Raises `RefusalError` 404 when it does not."""
    if item is None:
        raise RefusalError(404, "not found")
    return item


def offset(request: web.Request, most: int) -> int:
    """Return the `offset` parameter. Raises `RefusalError` 422 beyond `most`."""
    text = request.query.get("offset", "0")
    if not is_whole(text) or int(text) > most:
        raise RefusalError(422, f"offset must be between 0 and {most}")
    return int(text)


def _refuse_offset(request: web.Request) -> None:
    if "offset" in request.query:
        raise RefusalError(422, "offset is not allowed on keyset endpoints")


def _stated(request: web.Request, name: str) -> bool | None:
    return gamma_filters.flag(request.query, name) if name in request.query else None


def _keyset(request: web.Request, name: str, views: list[View]) -> web.Response:
    """Answer one keyset page: what follows the cursor in the wanted order; `next_cursor` is absent on the last one."""
    pairs, descending = gamma_filters.ranked(views, request.query)
    pairs = gamma_filters.after(pairs, request.query.get("after_cursor", ""), descending=descending)
    size = gamma_filters.limit(request.query, _DEFAULT_LIMIT, MAX_LIMIT)
    body: dict[str, Any] = {name: [view for _, view in pairs[:size]]}
    if len(pairs) > size:
        body["next_cursor"] = gamma_filters.cursor(pairs[size - 1][0])
    return answer(body)


def _offset_page(request: web.Request, views: list[View]) -> web.Response:
    """Answer one page of the deprecated kind: a bare array."""
    start = offset(request, MAX_OFFSET)
    size = gamma_filters.limit(request.query, _DEFAULT_LIMIT, _MAX_OFFSET_LIMIT)
    pairs, _ = gamma_filters.ranked(views, request.query)
    response = answer([view for _, view in pairs[start : start + size]])
    response.headers.update(_SUNSET)
    return response
