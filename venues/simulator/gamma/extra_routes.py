"""Gamma beside events and markets: tags, series, teams, sports, comments (nobody writes any here), search and public profiles.

Lists here are bare arrays paged by `limit` and `offset`; each cuts the limit at its own maximum without a word.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web
from eth_utils.address import is_hex_address, to_checksum_address

from venues.simulator.gamma import filters as gamma_filters
from venues.simulator.gamma import tags as gamma_tags
from venues.simulator.gamma import views as gamma_views
from venues.simulator.gamma.filters import View
from venues.simulator.gamma.routes import found, offset
from venues.simulator.http import answer, is_whole
from venues.simulator.refusals import RefusalError, bad_request
from venues.simulator.rewards.views import iso
from venues.simulator.venue import Venue
from venues.simulator.world.universe import NANOS, EventSpec

MAX_OFFSET = 10_000
MAX_COMMENTS_OFFSET = 200
_SEARCH_SORTS = {
    "volume": "volume",
    "volume_24hr": "volume24hr",
    "liquidity": "liquidity",
    "competitive": "competitive",
    "closed_time": "closedTime",
    "start_date": "startDate",
    "end_date": "endDate",
}


class GammaExtraRoutes:
    """Handlers of everything in Gamma that is not tradable."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/tags", self.tags),
            web.get("/tags/{id}", self.tag),
            web.get("/tags/slug/{slug}", self.tag),
            web.get("/tags/{id}/related-tags", self.related_tags),
            web.get("/tags/slug/{slug}/related-tags", self.related_tags),
            web.get("/tags/{id}/related-tags/tags", self.related_tag_objects),
            web.get("/tags/slug/{slug}/related-tags/tags", self.related_tag_objects),
            web.get("/series", self.all_series),
            web.get("/series/{id}", self.series),
            web.get("/teams", self.teams),
            web.get("/sports", self.sports),
            web.get("/sports/market-types", self.market_types),
            web.get("/comments", self.comments),
            web.get("/comments/keyset", self.comments_keyset),
            web.get("/comments/user_address/{address}", self.no_comments),
            web.get("/comments/{id}", self.no_comments),
            web.get("/public-search", self.search),
            web.get("/public-profile", self.profile),
        ]

    async def tags(self, request: web.Request) -> web.Response:
        return _page(request, [self._tag_view(tag) for tag in gamma_tags.TAGS], 100)

    async def tag(self, request: web.Request) -> web.Response:
        return answer(self._tag_view(_tag(request)))

    async def related_tags(self, request: web.Request) -> web.Response:
        return answer(gamma_tags.related(_tag(request)))

    async def related_tag_objects(self, request: web.Request) -> web.Response:
        wanted = {str(relation["relatedTagID"]) for relation in gamma_tags.related(_tag(request))}
        return answer([self._tag_view(tag) for tag in gamma_tags.TAGS if tag["id"] in wanted])

    async def all_series(self, request: web.Request) -> web.Response:
        query = request.query
        slugs, rhythms = query.getall("slug", []), query.getall("recurrence", [])
        views = [
            self._series_view(number, view, with_events=not gamma_filters.flag(query, "exclude_events"))
            for number, view in gamma_tags.all_series()
            if (not slugs or view["slug"] in slugs)
            and (not rhythms or view["recurrence"] in rhythms)
            and not gamma_filters.flag(query, "closed")
        ]
        return _page(request, views, 50)

    async def series(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        number, view = found(next((pair for pair in gamma_tags.all_series() if pair[1]["id"] == wanted), None))
        return answer(self._series_view(number, view, with_events=True))

    async def teams(self, request: web.Request) -> web.Response:
        asked = {
            field: request.query.getall(name, [])
            for name, field in (
                ("league", "league"),
                ("name", "name"),
                ("abbreviation", "abbreviation"),
                ("provider_id", "providerId"),
            )
        }
        teams = [
            team
            for team in gamma_tags.teams()
            if all(not values or str(team[field]) in values for field, values in asked.items())
        ]
        return _page(request, teams, 100)

    async def sports(self, _request: web.Request) -> web.Response:
        return answer(gamma_tags.sports())

    async def market_types(self, _request: web.Request) -> web.Response:
        return answer({"marketTypes": gamma_tags.MARKET_TYPES})

    async def comments(self, request: web.Request) -> web.Response:
        _check_parent(request)
        offset(request, MAX_COMMENTS_OFFSET)
        return answer([])

    async def comments_keyset(self, request: web.Request) -> web.Response:
        _check_parent(request)
        return answer({"comments": []})

    async def no_comments(self, _request: web.Request) -> web.Response:
        return answer([])

    async def search(self, request: web.Request) -> web.Response:
        query = request.query
        words = query.get("q", "").lower().split()
        if not words:
            raise RefusalError(422, "q is required")
        events = self._search_events(request, words)
        size, number = _count(request, "limit_per_type", 5), _count(request, "page", 1)
        body: dict[str, Any] = {
            "events": events[(number - 1) * size : number * size],
            "tags": [],
            "profiles": [],
            "pagination": {"hasMore": len(events) > number * size, "totalResults": len(events)},
        }
        if gamma_filters.flag(query, "search_tags", default=True):
            body["tags"] = [
                tag | {"event_count": self._events_tagged(tag)}
                for tag in gamma_tags.TAGS
                if all(word in tag["slug"] for word in words)
            ][:size]
        if gamma_filters.flag(query, "search_profiles", default=True):
            wallets = self._venue.world.indexer.ledger.totals
            body["profiles"] = [self._profile(wallet) for wallet in wallets if query["q"].lower() in wallet.lower()][
                :size
            ]
        return answer(body)

    async def profile(self, request: web.Request) -> web.Response:
        address = request.query.get("address", "")
        if not is_hex_address(address):
            raise bad_request("invalid address")
        wallet = to_checksum_address(address)
        if wallet not in self._venue.world.indexer.ledger.totals:
            raise RefusalError(404, "profile not found")
        return answer(self._profile(wallet))

    def _profile(self, wallet: str) -> View:
        totals = self._venue.world.indexer.ledger.totals[wallet]
        return {
            "createdAt": iso(totals.first_s * NANOS),
            "proxyWallet": wallet,
            "profileImage": "",
            "displayUsernamePublic": False,
            "bio": "",
            "pseudonym": f"Trader-{wallet[2:8]}",
            "name": wallet,
            "users": [{"id": str(int(wallet[2:10], 16)), "creator": False, "mod": False}],
            "xUsername": "",
            "verifiedBadge": False,
        }

    def _search_events(self, request: web.Request, words: list[str]) -> list[View]:
        """Return open events (closed ones for events_status=closed or resolved) that have every word, the busiest first."""
        query, world = request.query, self._venue.world
        wants_closed = query.get("events_status", "active") in ("closed", "resolved")
        slugs = query.getall("events_tag", [])
        views = [
            gamma_views.event(world, spec, self._venue.now_ns())
            for spec in world.listings.events.values()
            if self._open(spec) != wants_closed
            and all(word in _searched(spec) for word in words)
            and gamma_filters.tagged(gamma_tags.tags_of(spec), query)
            and (not slugs or any(tag["slug"] in slugs for tag in gamma_tags.tags_of(spec)))
        ]
        name = _SEARCH_SORTS.get(query.get("sort", "volume_24hr"))
        if name is None:
            raise RefusalError(422, "sort is not valid")
        return sorted(views, key=lambda view: view.get(name, ""), reverse=not gamma_filters.flag(query, "ascending"))

    def _tag_view(self, tag: View) -> View:
        return gamma_tags.tag(tag, self._events_tagged(tag))

    def _events_tagged(self, tag: View) -> int:
        events = self._venue.world.listings.events.values()
        return sum(tag in gamma_tags.tags_of(spec) and self._open(spec) for spec in events)

    def _series_view(self, number: int, view: View, *, with_events: bool) -> View:
        world = self._venue.world
        specs = [spec for spec in world.listings.events.values() if spec.series == number]
        listings = [listing for spec in specs for listing in world.listings.of_event(spec.id)]
        volume = sum(listing.volume for listing in listings)
        shown = view | {"volume": volume / 1_000_000, "startDate": view["createdAt"]}
        if with_events:
            shown["events"] = [gamma_views.event_head(spec, closed=not self._open(spec)) for spec in specs]
        return shown

    def _open(self, spec: EventSpec) -> bool:
        return not all(listing.closed for listing in self._venue.world.listings.of_event(spec.id))


def _tag(request: web.Request) -> View:
    key = "slug" if "slug" in request.match_info else "id"
    wanted = request.match_info[key]
    return found(next((tag for tag in gamma_tags.TAGS if tag[key] == wanted), None))


def _searched(spec: EventSpec) -> str:
    return " ".join((spec.title, spec.category, *(market.question for market in spec.markets))).lower()


def _count(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not is_whole(text) or not int(text):
        raise RefusalError(422, f"{name} is not valid")
    return int(text)


def _check_parent(request: web.Request) -> None:
    query = request.query
    if not query.get("parent_entity_id") or query.get("parent_entity_type") not in ("Event", "Series", "market"):
        raise RefusalError(422, "parent_entity_id and parent_entity_type are required")


def _page(request: web.Request, views: list[View], most: int) -> web.Response:
    """Answer one page of a bare array; an unknown `order` is refused."""
    order, query = request.query.get("order", ""), request.query
    if order:
        if any(order not in view for view in views):
            raise RefusalError(422, "order fields are not valid")
        views = sorted(
            views, key=lambda view: view[order], reverse=not gamma_filters.flag(query, "ascending", default=True)
        )
    start = offset(request, MAX_OFFSET)
    return answer(views[start : start + gamma_filters.limit(query, most, most)])
