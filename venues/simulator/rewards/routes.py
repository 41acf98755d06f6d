"""Liquidity rewards and maker rebates: what markets promise, and what the caller earned, computed when asked from what was sampled.

Earnings are what the samples of the day so far give; user reads need a key, and `signature_type` says for which of its wallets they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web
from eth_utils.address import is_hex_address, to_checksum_address
from multidict import MultiMapping

from domain.money import format_micros, to_float
from venues.simulator.clob import public_views
from venues.simulator.clob.callers import Callers
from venues.simulator.contracts import PUSD
from venues.simulator.gamma import tags as gamma_tags
from venues.simulator.http import answer, is_whole, page
from venues.simulator.refusals import bad_request
from venues.simulator.rewards import views as rewards_views
from venues.simulator.rewards.liquidity import DAY_NS
from venues.simulator.rewards.views import View, day_number, day_text
from venues.simulator.venue import Venue
from venues.simulator.world.listings import Listing
from venues.simulator.world.universe import NANOS

MAX_PAGE = 500
_DEFAULT_PAGE = 100
_DAY_S = 86_400


class RewardsRoutes:
    """Handlers of both programmes."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._callers = Callers(venue)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/rewards/markets/current", self.current),
            web.get("/rewards/markets/multi", self.multi),
            web.get("/rewards/markets/{condition_id}", self.market),
            web.get("/rewards/user", self.earnings),
            web.get("/rewards/user/total", self.total),
            web.get("/rewards/user/percentages", self.percentages),
            web.get("/rewards/user/markets", self.user_markets),
            web.get("/rebates/current", self.rebates),
        ]

    async def current(self, request: web.Request) -> web.Response:
        sponsored = request.query.get("sponsored", "").lower() == "true"
        views = [] if sponsored else [rewards_views.current(listing) for listing in self._rewarded()]
        return _paged(request, views, MAX_PAGE)

    async def market(self, request: web.Request) -> web.Response:
        listing = self._venue.world.listings.by_condition(request.match_info["condition_id"])
        return _paged(request, [self._market(listing)] if listing and listing.spec.rewards else [], MAX_PAGE)

    async def multi(self, request: web.Request) -> web.Response:
        query = request.query
        views = [self._discovered(listing) for listing in self._rewarded() if _wanted(listing, query)]
        views = _sorted([view for view in views if _within(view, query)], query)
        return _paged(request, views, _page_size(query))

    async def earnings(self, request: web.Request) -> web.Response:
        wallet, day = await self._user(request)
        views = [
            self._earning(wallet, day, earned) | {"condition_id": condition_id}
            for condition_id, earned in self._venue.world.indexer.rewards.earnings(wallet, day).items()
        ]
        return _paged(request, views, MAX_PAGE)

    async def total(self, request: web.Request) -> web.Response:
        wallet, day = await self._user(request)
        earned = sum(self._venue.world.indexer.rewards.earnings(wallet, day).values())
        view = self._earning(wallet, day, earned)
        if "sponsored" in request.query:
            view |= {"native_earnings": view["earnings"], "sponsored_earnings": 0}
        return answer([view] if earned else [])

    async def percentages(self, request: web.Request) -> web.Response:
        wallet = await self._wallet(request)
        today = self._venue.now_ns() // DAY_NS
        shares = self._venue.world.indexer.rewards.shares(wallet, today)
        return answer({condition_id: 100 * share for condition_id, share in shares.items()})

    async def user_markets(self, request: web.Request) -> web.Response:
        wallet, day = await self._user(request)
        rewards, query = self._venue.world.indexer.rewards, request.query
        earned, shares = rewards.earnings(wallet, day), rewards.shares(wallet, day)
        views = []
        for listing in self._rewarded():
            condition_id = listing.spec.condition_id
            amount = to_float(earned.get(condition_id, 0))
            views.append(
                self._market(listing)
                | {
                    "maker_address": wallet,
                    "earning_percentage": 100 * shares.get(condition_id, 0.0),
                    "earnings": [{"asset_address": PUSD, "earnings": amount, "asset_rate": 1}],
                }
            )
        if query.get("no_competition", "").lower() == "true":
            views = [view for view in views if not view["market_competitiveness"]]
        views = _sorted(views, query)
        return answer(page(request, views, _page_size(query), lambda view: view) | {"total_count": len(views)})

    async def rebates(self, request: web.Request) -> web.Response:
        day, maker = _day(request), request.query.get("maker_address", "")
        if not is_hex_address(maker):
            raise bad_request("Invalid payload")
        wallet = to_checksum_address(maker)
        views = [
            {
                "date": day_text(day),
                "condition_id": condition_id,
                "asset_address": PUSD,
                "maker_address": wallet,
                "rebated_fees_usdc": format_micros(amount),
            }
            for condition_id, amount in self._venue.world.indexer.rebates.due(wallet, day).items()
        ]
        return answer(views or None)

    def _rewarded(self) -> list[Listing]:
        """Return every market that trades and pays rewards."""
        return [listing for listing in self._venue.world.listings.open() if listing.spec.rewards]

    def _market(self, listing: Listing) -> View:
        world = self._venue.world
        competition = sum(world.indexer.rewards.scores(listing, self._venue.now_ns()).values())
        return rewards_views.market(listing, public_views.token_prices(listing, world.exchange), competition)

    def _discovered(self, listing: Listing) -> View:
        """Return a row of /rewards/markets/multi."""
        world, spec = self._venue.world, listing.spec
        bid, ask = world.exchange.best(spec.token_ids[0])
        since_s = self._venue.now_ns() // NANOS - _DAY_S
        return self._market(listing) | {
            "market_id": spec.id,
            "spread": to_float(ask - bid),
            "group_item_title": spec.item_title,
            "volume_24hr": to_float(listing.volume_24h(self._venue.now_ns())),
            "event_id": spec.event_id,
            "created_at": rewards_views.iso(spec.opened_ns),
            "end_date": rewards_views.iso(listing.event.end_ns),
            "one_day_price_change": to_float(world.indexer.prices.change(spec.condition_id, since_s, (bid + ask) // 2)),
        }

    def _earning(self, wallet: str, day: int, amount: int) -> View:
        return {
            "date": f"{day_text(day)}T00:00:00Z",
            "asset_address": PUSD,
            "maker_address": wallet,
            "earnings": to_float(amount),
            "asset_rate": 1,
        }

    async def _user(self, request: web.Request) -> tuple[str, int]:
        """Return the wallet and the day that a user read is about."""
        wallet = await self._wallet(request)
        return wallet, _day(request)

    async def _wallet(self, request: web.Request) -> str:
        """Return the caller's wallet of the signature type asked for; the caller's own address where there is none."""
        key, _ = await self._callers.authenticate(request, reads=True)
        return self._callers.wallet(request, key) or key.address


def _day(request: web.Request) -> int:
    try:
        return day_number(request.query.get("date", ""))
    except ValueError:
        raise bad_request("Invalid payload") from None


def _paged(request: web.Request, views: list[View], size: int) -> web.Response:
    return answer(page(request, views, size, lambda view: view))


def _page_size(query: MultiMapping[str]) -> int:
    text = query.get("page_size", str(_DEFAULT_PAGE))
    if not is_whole(text) or not 1 <= int(text) <= MAX_PAGE:
        raise bad_request("Invalid payload")
    return int(text)


def _wanted(listing: Listing, query: MultiMapping[str]) -> bool:
    """Tell whether a market passes the filters by text, tag and id."""
    spec, event = listing.spec, listing.event
    slugs = {tag["slug"] for tag in gamma_tags.tags_of(event)}
    tags, events = query.getall("tag_slug", []), query.getall("event_id", [])
    return (
        query.get("q", "").lower() in spec.question.lower()
        and query.get("event_title", "").lower() in event.title.lower()
        and query.get("market_id", spec.id) == spec.id
        and (not tags or bool(slugs.intersection(tags)))
        and (not events or event.id in events)
    )


def _within(view: View, query: MultiMapping[str]) -> bool:
    """Tell whether a row passes the filters by number."""
    values = {"volume_24hr": view["volume_24hr"], "spread": view["spread"], "price": view["tokens"][0]["price"]}
    try:
        return all(
            float(query.get(f"min_{name}", "0")) <= value <= float(query.get(f"max_{name}", "inf"))
            for name, value in values.items()
        )
    except ValueError:
        raise bad_request("Invalid payload") from None


def _sorted(views: list[View], query: MultiMapping[str]) -> list[View]:
    """Return rows by `order_by`, the largest first unless `position` is ASC; unknown and empty orders keep the listing's."""
    key = _ORDERS.get(query.get("order_by", ""))
    if key is None:
        return views
    return sorted(views, key=key, reverse=query.get("position", "").upper() != "ASC")


def _rate(view: View) -> Any:
    return sum(one["rate_per_day"] for one in view["rewards_config"])


def _field(name: str) -> Callable[[View], Any]:
    return lambda view: view.get(name, "")


_ORDERS: dict[str, Callable[[View], Any]] = {
    "rate_per_day": _rate,
    "price": lambda view: view["tokens"][0]["price"],
    "competitiveness": _field("market_competitiveness"),
    "max_spread": _field("rewards_max_spread"),
    "min_size": _field("rewards_min_size"),
    "question": _field("question"),
    "market_id": lambda view: int(view.get("market_id", 0)),
    "earnings": lambda view: view["earnings"][0]["earnings"] if "earnings" in view else 0,
    "earning_percentage": _field("earning_percentage"),
    "created_at": _field("created_at"),
    "start_date": _field("created_at"),
    "end_date": _field("end_date"),
    "volume_24hr": _field("volume_24hr"),
    "spread": _field("spread"),
    "one_day_price_change": _field("one_day_price_change"),
}
