"""Data API v2 by market: open interest, volume, prices over time, resolutions, tokens, and how fresh the index is (always)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from domain.money import MICRO, to_float
from venues.exchange import Exchange
from venues.simulator.clob.market_routes import INTERVALS
from venues.simulator.data_api.portfolio import Portfolio
from venues.simulator.data_api.query import Query, conditions, enveloped, items, paged, whole
from venues.simulator.refusals import bad_request
from venues.simulator.rewards.views import iso
from venues.simulator.venue import Venue
from venues.simulator.world.listings import Listing
from venues.simulator.world.universe import NANOS

View = dict[str, Any]

MAX_WINDOW_S = 15 * 86_400
MAX_POINTS = 10_000
MAX_TOKENS = 50
LIVENESS_NS = 2 * 3600 * NANOS
UNSET_PRICE = "69"

_BUCKETS = {"max": 600, "all": 600, "1m": 600, "1w": 300}
_DEFAULT_BUCKETS = {"max": 3600, "all": 3600, "1m": 3600, "1w": 1800, "1d": 300}


class DataMarketRoutes:
    """Handlers of markets."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._portfolio = Portfolio(venue.world)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v2/oi", self.open_interest),
            web.get("/v2/live-volume", self.live_volume),
            web.get("/v2/prices-history", self.prices),
            web.get("/v2/resolutions", self.resolutions),
            web.get("/v2/tokens", self.tokens),
            web.get("/v2/status", self.status),
        ]

    async def open_interest(self, request: web.Request) -> web.Response:
        return enveloped(self.interests(request.query))

    async def live_volume(self, request: web.Request) -> web.Response:
        listings = self.traded(request.query)
        return enveloped(
            {
                "taker_volume_total": to_float(sum(listing.shares for listing in listings)),
                "conditions": [
                    {"condition_id": listing.spec.condition_id, "taker_volume": to_float(listing.shares)}
                    for listing in listings
                ],
            }
        )

    async def prices(self, request: web.Request) -> web.Response:
        query = request.query
        listing = self._venue.world.listings.by_token(query.get("token_id", ""))
        if listing is None:
            raise bad_request("invalid token_id")
        start_s, end_s, bucket_s = self._window(query)
        history, condition_id = self._venue.world.indexer.prices, listing.spec.condition_id
        first = query["token_id"] == listing.spec.token_ids[0]
        if query.get("as_of"):
            price = history.before(condition_id, end_s)
            points = [] if price is None else [(end_s, price)]
        else:
            points = history.points(condition_id, start_s, end_s, bucket_s)
        return paged(
            query,
            points,
            lambda point: (point[0], 0),
            lambda point: {
                "timestamp": point[0],
                "price": to_float(point[1] if first else MICRO - point[1]),
                "resolution_seconds": bucket_s,
            },
            descending=False,
            most=MAX_POINTS,
        )

    async def resolutions(self, request: web.Request) -> web.Response:
        query, listings = request.query, self._venue.world.listings
        question_id = query.get("question_id", "").lower()
        if question_id:
            chosen = [one for one in listings.markets.values() if one.spec.question_id == question_id]
        else:
            chosen = list((conditions(query, listings) or {}).values())
        if not chosen and not question_id and not items(query, "condition_id", "condition", "event_id"):
            raise bad_request("question_id, condition_id or event_id is required")
        return enveloped([resolution(listing, self._venue.world.exchange) for listing in chosen])

    async def tokens(self, request: web.Request) -> web.Response:
        query, listings = request.query, self._venue.world.listings
        token_ids = items(query, "token_id")
        for listing in (conditions(query, listings) or {}).values():
            token_ids += listing.spec.token_ids
        if not token_ids and not items(query, "condition_id", "condition"):
            raise bad_request("token_id or condition is required")
        if len(token_ids) > MAX_TOKENS:
            raise bad_request(f"at most {MAX_TOKENS} tokens are allowed")
        return enveloped([self._token(one, token) for token in token_ids if (one := listings.by_token(token))])

    async def status(self, _request: web.Request) -> web.Response:
        now_s = self._venue.now_ns() // NANOS
        return enveloped({"status": "ok", "indexed_at": now_s, "lag_seconds": 0})

    def interests(self, query: Query) -> list[View]:
        """Return the open interest of some markets, or of all together."""
        world = self._venue.world
        markets = conditions(query, world.listings)
        if markets is None:
            everything = (world.exchange.collateral(market.condition_id) for market in world.exchange.markets())
            return [{"condition_id": "GLOBAL", "value": to_float(sum(everything))}]
        return [{"condition_id": name, "value": to_float(world.exchange.collateral(name))} for name in markets]

    def traded(self, query: Query) -> list[Listing]:
        """Return the markets of the events that a volume query names."""
        if not items(query, "event_id", "id"):
            raise bad_request("event_id is required")
        listings = self._venue.world.listings
        events = [event_id for event_id in items(query, "event_id", "id") if event_id in listings.events]
        return [listing for event_id in events for listing in listings.of_event(event_id)]

    def _window(self, query: Query) -> tuple[int, int, int]:
        """Return the first and last second and the bucket's length of a price query: an interval, two times, or one moment."""
        now_s = self._venue.now_ns() // NANOS
        interval = query.get("interval", "")
        if sum(bool(query.get(name)) for name in ("interval", "start", "as_of")) != 1:
            raise bad_request("exactly one of interval, start and as_of is required")
        if query.get("as_of"):
            return 0, whole(query, "as_of", 0), 0
        if interval:
            if interval not in INTERVALS:
                raise bad_request("invalid interval")
            start_s, end_s = (now_s - INTERVALS[interval] if INTERVALS[interval] else 0), now_s
        else:
            # The end is not included.
            start_s, end_s = whole(query, "start", 0), whole(query, "end", now_s + 1) - 1
            if not 0 <= end_s + 1 - start_s <= MAX_WINDOW_S:
                raise bad_request("the window must not be longer than 15 days")
        bucket_s = whole(query, "bucket_seconds", _DEFAULT_BUCKETS.get(interval, 60))
        if not _BUCKETS.get(interval, 60) <= bucket_s <= 86_400:
            raise bad_request("invalid bucket_seconds")
        return start_s, end_s, bucket_s

    def _token(self, listing: Listing, token_id: str) -> View:
        spec, index = listing.spec, listing.spec.token_ids.index(token_id)
        final = to_float(self._portfolio.price(listing, token_id)) if listing.closed else None
        return {
            "token_id": token_id,
            "condition_id": spec.condition_id,
            "structural_condition_id": None,
            "module": "v1_ctf",
            "outcome_index": index,
            "clob_index": index,
            "outcome": listing.outcome(token_id),
            "opposite_token_id": listing.other(token_id),
            "resolved": listing.closed,
            "final_price": final,
            "title": spec.question,
            "market_slug": spec.slug,
            "closed": listing.closed,
            "neg_risk": spec.neg_risk,
            "neg_risk_market_id": listing.event.neg_risk_market_id or None,
            "question_index": int(spec.question_id[-2:], 16) if spec.neg_risk else None,
            "event_id": int(spec.event_id),
            "event_slug": listing.event.slug,
        }


def resolution(listing: Listing, exchange: Exchange) -> View:
    """Return a row of /v2/resolutions; prices are decimals (69: not set), payouts micro-dollars a share."""
    spec, paid = listing.spec, exchange.payouts(listing.spec.condition_id)
    proposed, closed = listing.proposed_ns, listing.closed_ns
    price = str(to_float(paid[0])) if paid and closed else UNSET_PRICE
    return {
        "question_id": spec.question_id,
        "condition_id": spec.condition_id,
        "status": "resolved" if closed else "proposed" if proposed else "posed",
        "extended_review": False,
        "was_disputed": False,
        "was_arbitrated": False,
        "proposed_price": price if closed else UNSET_PRICE,
        "reproposed_price": UNSET_PRICE,
        "price": price,
        "payouts": list(paid) if paid and closed else None,
        "expected_settlement_time": iso(proposed + LIVENESS_NS) if proposed and not closed else None,
        "settlement_time_basis": "liveness" if proposed and not closed else None,
        "market_type": "INCREMENTAL_NEGRISK" if spec.neg_risk else "BINARY",
        "resolution_source": "reported" if closed else None,
        "reporter": "CHAINLINK" if listing.event.category == "Crypto" else "UMA_OO",
        "resolved_at": iso(closed) if closed else None,
        "resolved_block": None,
        "transaction_hash": None,
        "log_index": None,
        "new_version_q": False,
        "last_update_timestamp": (closed or proposed or spec.opened_ns) // NANOS,
    }
