"""Gamma's objects: camelCase, some lists encoded as JSON text inside JSON, numbers partly as text, partly as numbers, as the venue does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from domain.money import format_micros, to_float
from venues.exchange import Exchange
from venues.simulator.listings import Listing
from venues.simulator.universe import NANOS, EventKind, EventSpec

View = dict[str, Any]


def market(listing: Listing, exchange: Exchange, now_ns: int) -> View:
    """Return a market with its embedded parent event."""
    view = _market(listing, exchange, now_ns)
    view["events"] = [_event_head(listing.event, closed=listing.closed)]
    return view


def event(spec: EventSpec, listings: list[Listing], exchange: Exchange, now_ns: int) -> View:
    """Return an event with its embedded markets."""
    view = _event_head(spec, closed=all(listing.closed for listing in listings))
    view["volume"] = to_float(sum(listing.volume for listing in listings))
    view["volume24hr"] = to_float(sum(listing.volume_24h(now_ns) for listing in listings))
    view["tags"] = tags(spec)
    view["markets"] = [_market(listing, exchange, now_ns) for listing in listings]
    return view


def tags(spec: EventSpec) -> list[View]:
    """Return an event's tags: its category."""
    return [{"id": str(sum(spec.category.encode())), "slug": spec.category.lower(), "label": spec.category}]


def _market(listing: Listing, exchange: Exchange, now_ns: int) -> View:
    spec, parent = listing.spec, listing.event
    bid, ask = exchange.best(spec.token_ids[0])
    volume_24h = to_float(listing.volume_24h(now_ns))
    view: View = {
        "id": spec.id,
        "question": spec.question,
        "conditionId": spec.condition_id,
        "slug": spec.slug,
        "resolutionSource": "",
        "endDate": _iso(parent.end_ns),
        "liquidity": "",
        "startDate": _iso(spec.opened_ns),
        "description": parent.description,
        "outcomes": _text(["Yes", "No"]),
        "outcomePrices": _text(_outcome_prices(listing, bid, ask)),
        "volume": format_micros(listing.volume),
        "active": True,
        "closed": listing.closed,
        "createdAt": _iso(spec.opened_ns),
        "updatedAt": _iso(now_ns),
        "archived": False,
        "restricted": False,
        "groupItemTitle": spec.item_title,
        "groupItemThreshold": str(parent.markets.index(spec)),
        "questionID": spec.question_id,
        "enableOrderBook": True,
        "orderPriceMinTickSize": to_float(listing.tick),
        "orderMinSize": to_float(spec.min_size),
        "volumeNum": to_float(listing.volume),
        "endDateIso": _iso(parent.end_ns)[:10],
        "startDateIso": _iso(spec.opened_ns)[:10],
        "volume24hr": volume_24h,
        "volume24hrClob": volume_24h,
        "clobTokenIds": _text(list(spec.token_ids)),
        "umaResolutionStatuses": _text(["proposed", "resolved"] if listing.closed else []),
        "acceptingOrders": not listing.closed,
        "acceptingOrdersTimestamp": _iso(spec.opened_ns),
        "negRisk": spec.neg_risk,
        "ready": False,
        "funded": False,
        "approved": True,
        "secondsDelay": 0,
        "rfqEnabled": False,
        "holdingRewardsEnabled": False,
        "feesEnabled": spec.fees.rate > 0,
        "makerBaseFee": 1000 if spec.fees.rate else 0,
        "takerBaseFee": 1000 if spec.fees.rate else 0,
        "version": "v1",
    }
    if spec.neg_risk:
        view["negRiskMarketID"] = parent.neg_risk_market_id
        view["negRiskOther"] = False
    if spec.fees.rate:
        view["feeType"] = f"{parent.category.lower()}_fees"
        view["feeSchedule"] = {
            "exponent": spec.fees.exponent,
            "rate": to_float(spec.fees.rate),
            "takerOnly": spec.fees.taker_only,
            "rebateRate": to_float(spec.fees.rebate),
        }
    if listing.closed_ns is not None:
        view["closedTime"] = _iso(listing.closed_ns).replace("T", " ").replace("Z", "+00")
        view["umaResolutionStatus"] = "resolved"
    else:
        view |= {"bestBid": to_float(bid), "bestAsk": to_float(ask), "spread": to_float(ask - bid)}
    if listing.last_price is not None:
        view["lastTradePrice"] = to_float(listing.last_price)
    return view


def _event_head(spec: EventSpec, *, closed: bool) -> View:
    exclusive = spec.kind is EventKind.EXCLUSIVE
    view: View = {
        "id": spec.id,
        "ticker": spec.slug,
        "slug": spec.slug,
        "title": spec.title,
        "description": spec.description,
        "resolutionSource": "",
        "startDate": _iso(spec.opened_ns),
        "creationDate": _iso(spec.opened_ns),
        "endDate": _iso(spec.end_ns),
        "active": True,
        "closed": closed,
        "archived": False,
        "new": False,
        "featured": False,
        "restricted": False,
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
    return view


def _outcome_prices(listing: Listing, bid: int, ask: int) -> list[str]:
    if listing.winner is not None:
        return ["1", "0"] if listing.winner == 0 else ["0", "1"]
    middle = (bid + ask) // 2
    return [format_micros(middle), format_micros(1_000_000 - middle)]


def _text(values: list[str]) -> str:
    """Return a list as JSON text, the way Gamma nests lists."""
    return "[" + ", ".join(orjson.dumps(value).decode() for value in values) + "]"


def _iso(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // NANOS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
