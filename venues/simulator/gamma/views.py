"""Gamma's objects: camelCase, some lists encoded as JSON text inside JSON, numbers partly as text, partly as numbers, as the venue does."""

from __future__ import annotations

from typing import Any

import orjson

from domain.money import MICRO, format_micros, to_float
from venues.exchange import Exchange
from venues.simulator.clob.public_views import accepting, base_fee, middle
from venues.simulator.contracts import UMA_ADAPTER, is_position_id
from venues.simulator.gamma import tags as gamma_tags
from venues.simulator.rewards import views as rewards_views
from venues.simulator.rewards.views import iso
from venues.simulator.world.listings import Listing
from venues.simulator.world.universe import NANOS, EventKind, EventSpec
from venues.simulator.world.world import World

View = dict[str, Any]

_CHANGES = {
    "oneHourPriceChange": 3600,
    "oneDayPriceChange": 86_400,
    "oneWeekPriceChange": 7 * 86_400,
    "oneMonthPriceChange": 30 * 86_400,
}
_SAME_FOR_ALL: View = {
    "resolutionSource": "",
    "image": "",
    "icon": "",
    "active": True,
    "marketMakerAddress": "",
    "archived": False,
    "restricted": False,
    "enableOrderBook": True,
    "ready": False,
    "funded": False,
    "approved": True,
    "automaticallyActive": True,
    "manualActivation": False,
    "pendingDeployment": False,
    "deploying": False,
    "cyom": False,
    "rfqEnabled": False,
    "holdingRewardsEnabled": False,
}
"""What no market of this venue differs in."""


def market(world: World, listing: Listing, now_ns: int, *, with_tags: bool = False) -> View:
    """Return a market with its embedded parent event."""
    view = _market(world, listing, now_ns)
    view["events"] = [event_head(listing.event, closed=listing.closed)]
    if with_tags:
        view["tags"] = gamma_tags.tags_of(listing.event)
    return view


def event(world: World, spec: EventSpec, now_ns: int) -> View:
    """Return an event with its embedded markets."""
    listings = world.listings.of_event(spec.id)
    markets = [_market(world, listing, now_ns) for listing in listings]
    view = event_head(spec, closed=all(listing.closed for listing in listings))
    view["volume"] = to_float(sum(listing.volume for listing in listings))
    view["volume24hr"] = to_float(sum(listing.volume_24h(now_ns) for listing in listings))
    view |= {f"volume{span}": view["volume"] for span in ("1wk", "1mo", "1yr")}
    view["liquidity"] = view["liquidityClob"] = sum(one["liquidityNum"] for one in markets)
    view["openInterest"] = to_float(sum(world.exchange.collateral(one.spec.condition_id) for one in listings))
    view["competitive"] = max((one["competitive"] for one in markets), default=0)
    closed = [listing.closed_ns for listing in listings if listing.closed_ns is not None]
    if view["closed"]:
        view["closedTime"] = iso(max(closed))
    series = gamma_tags.series(spec.series)
    if series is not None:
        view["series"], view["seriesSlug"] = [series], series["slug"]
    view["tags"] = gamma_tags.tags_of(spec)
    view["markets"] = markets
    return view


def event_head(spec: EventSpec, *, closed: bool) -> View:
    """Return an event's own fields, as they are embedded in its markets."""
    exclusive = spec.kind is EventKind.EXCLUSIVE
    view: View = {
        "id": spec.id,
        "ticker": spec.slug,
        "slug": spec.slug,
        "title": spec.title,
        "subtitle": "",
        "description": spec.description,
        "resolutionSource": "",
        "startDate": iso(spec.opened_ns),
        "creationDate": iso(spec.opened_ns),
        "createdAt": iso(spec.opened_ns),
        "updatedAt": iso(spec.opened_ns),
        "endDate": iso(spec.end_ns),
        "startTime": iso(spec.end_ns),
        "image": "",
        "icon": "",
        "active": True,
        "closed": closed,
        "archived": False,
        "new": False,
        "featured": False,
        "restricted": False,
        "live": False,
        "ended": closed,
        "cyom": False,
        "commentCount": 0,
        "enableOrderBook": True,
        "negRisk": exclusive,
        "enableNegRisk": exclusive,
        "negRiskAugmented": False,
        "cumulativeMarkets": spec.kind is EventKind.LADDER,
        "showAllOutcomes": exclusive,
        "category": spec.category,
    }
    if exclusive:
        view["negRiskMarketID"] = spec.neg_risk_market_id
        view["negRiskFeeBips"] = spec.neg_risk_fee_bips
    return view


def _market(world: World, listing: Listing, now_ns: int) -> View:
    spec, parent = listing.spec, listing.event
    view: View = {
        **_SAME_FOR_ALL,
        "id": spec.id,
        "question": spec.question,
        "conditionId": spec.condition_id,
        "slug": spec.slug,
        "endDate": iso(parent.end_ns),
        "category": parent.category,
        "startDate": iso(spec.opened_ns),
        "description": parent.description,
        "outcomes": _text(["Yes", "No"]),
        "closed": listing.closed,
        "createdAt": iso(spec.opened_ns),
        "updatedAt": iso(now_ns),
        "groupItemTitle": spec.item_title,
        "groupItemThreshold": str(parent.markets.index(spec)),
        "questionID": spec.question_id,
        "orderPriceMinTickSize": to_float(listing.tick),
        "orderMinSize": to_float(spec.min_size),
        "endDateIso": iso(parent.end_ns)[:10],
        "startDateIso": iso(spec.opened_ns)[:10],
        "clobTokenIds": _text(list(spec.token_ids)),
        "acceptingOrders": accepting(listing, world.exchange),
        "acceptingOrdersTimestamp": iso(spec.opened_ns),
        "negRisk": spec.neg_risk,
        "clearBookOnStart": parent.clear_book_on_start,
        "secondsDelay": parent.seconds_delay,
        "version": "v1",
    }
    if is_position_id(spec.token_ids[0]):
        view |= {"version": "v2", "positionIds": list(spec.token_ids)}
    view |= _volumes(listing, now_ns) | _liquidity(world.exchange, spec.token_ids[0])
    view |= _prices(world, listing, now_ns) | _fees(listing) | _resolution(listing) | _rewards(listing)
    if spec.neg_risk:
        view["negRiskMarketID"] = parent.neg_risk_market_id
        view["negRiskRequestID"] = spec.question_id
        view["negRiskOther"] = False
    if parent.category == "Sports":
        view["sportsMarketType"] = "moneyline"
    if parent.game_start_ns is not None:
        view["gameStartTime"] = iso(parent.game_start_ns).replace("T", " ").replace("Z", "+00")
    return view


def _prices(world: World, listing: Listing, now_ns: int) -> View:
    """Return prices of the first outcome; a closed market has no quotes."""
    price = middle(listing, world.exchange)
    view: View = {
        "outcomePrices": _text(_outcome_prices(listing, price)),
        "competitive": 0 if listing.closed else 1 / (1 + (to_float(price) - 0.5) ** 2),
    }
    if not listing.closed:
        bid, ask = world.exchange.best(listing.spec.token_ids[0])
        view |= {"bestBid": to_float(bid), "bestAsk": to_float(ask), "spread": to_float(ask - bid)}
        view |= _price_changes(world, listing, price, now_ns)
    if listing.last_price is not None:
        view["lastTradePrice"] = to_float(listing.last_price)
    return view


def _volumes(listing: Listing, now_ns: int) -> View:
    """Return the volumes; no market lives longer than a week, so the longer spans are all of it."""
    whole, day = to_float(listing.volume), to_float(listing.volume_24h(now_ns))
    view: View = {"volume": format_micros(listing.volume), "volumeNum": whole, "volumeClob": whole}
    for suffix in ("", "Clob"):
        view |= {f"volume24hr{suffix}": day, f"volume1wk{suffix}": whole}
        view |= {f"volume1mo{suffix}": whole, f"volume1yr{suffix}": whole}
    return view


def _liquidity(exchange: Exchange, token_id: str) -> View:
    """Return what the book's orders would cost: bids at their price, asks as the other outcome at theirs."""
    book = exchange.book(token_id)
    micros = 0
    if book is not None:
        micros = sum(price * size for price, size in book.bids) + sum(
            (MICRO - price) * size for price, size in book.asks
        )
    amount = to_float(micros // MICRO)
    return {"liquidity": str(amount), "liquidityNum": amount, "liquidityClob": amount}


def _fees(listing: Listing) -> View:
    fees = listing.spec.fees
    view: View = {
        "feesEnabled": fees.rate > 0,
        "makerBaseFee": base_fee(listing),
        "takerBaseFee": base_fee(listing),
    }
    if fees.rate:
        view["feeType"] = f"{listing.event.category.lower()}_fees"
        view["feeSchedule"] = {
            "exponent": fees.exponent,
            "rate": to_float(fees.rate),
            "takerOnly": fees.taker_only,
            "rebateRate": to_float(fees.rebate),
        }
    return view


def _resolution(listing: Listing) -> View:
    view: View = {"umaBond": "750", "umaReward": "5", "resolvedBy": UMA_ADAPTER}
    if listing.closed_ns is not None:
        view["umaResolutionStatuses"] = _text(["proposed", "resolved"])
        view["umaResolutionStatus"] = "resolved"
        view["closedTime"] = view["umaEndDate"] = iso(listing.closed_ns).replace("T", " ").replace("Z", "+00")
    elif listing.proposed_ns is not None:
        view["umaResolutionStatuses"] = _text(["proposed"])
        view["umaResolutionStatus"] = "proposed"
    else:
        view["umaResolutionStatuses"] = _text([])
    if is_position_id(listing.spec.token_ids[0]):
        view["resolutionStatus"] = "resolved" if listing.closed else "active" if listing.proposed_ns else "inactive"
    return view


def _rewards(listing: Listing) -> View:
    terms = listing.spec.rewards
    view: View = {
        "rewardsMinSize": rewards_views.min_size(terms),
        "rewardsMaxSpread": rewards_views.max_spread(terms),
    }
    if terms:
        view["clobRewards"] = rewards_views.clob_rewards(listing)
    return view


def _price_changes(world: World, listing: Listing, price: int, now_ns: int) -> View:
    history, now_s = world.indexer.prices, now_ns // NANOS
    return {
        name: to_float(history.change(listing.spec.condition_id, now_s - seconds, price))
        for name, seconds in _CHANGES.items()
    }


def _outcome_prices(listing: Listing, price: int) -> list[str]:
    if listing.closed:
        return {0: ["1", "0"], 1: ["0", "1"], None: ["0.5", "0.5"]}[listing.winner]
    return [format_micros(price), format_micros(MICRO - price)]


def _text(values: list[str]) -> str:
    """Return a list as JSON text, the way Gamma nests lists."""
    return "[" + ", ".join(orjson.dumps(value).decode() for value in values) + "]"
