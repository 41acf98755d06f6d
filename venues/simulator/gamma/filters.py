"""Which of Gamma's objects a query asks for, in which order, and where a page begins.

Sequences are repeated parameters. Filters that the venue does not know, or that cannot match here, are ignored, as it does. What cannot be
read is 422: an unknown order, a broken cursor, a number or a date that is none.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson
from multidict import MultiMapping

from venues.simulator.http import is_whole
from venues.simulator.refusals import RefusalError

View = dict[str, Any]
Rank = tuple[float | str, ...]


Query = MultiMapping[str]
"""A query string: a mapping whose keys may repeat."""

MARKET_MEMBERS = {
    "id": "id",
    "slug": "slug",
    "condition_ids": "conditionId",
    "question_ids": "questionID",
    "uma_resolution_status": "umaResolutionStatus",
    "resolution_status": "resolutionStatus",
    "sports_market_types": "sportsMarketType",
    "market_maker_address": "marketMakerAddress",
    "version": "version",
}
"""Filters of markets that name one of a field's values."""

EVENT_MEMBERS = {"id": "id", "slug": "slug", "version": "version", "resolution_status": "resolutionStatus"}

MARKET_BOUNDS = {
    "liquidity_num_min": ("liquidityNum", 1),
    "liquidity_num_max": ("liquidityNum", -1),
    "volume_num_min": ("volumeNum", 1),
    "volume_num_max": ("volumeNum", -1),
    "rewards_min_size": ("rewardsMinSize", 1),
}
"""Filters of markets by number: the field, and 1 for a lower or −1 for an upper bound."""

EVENT_BOUNDS = {
    "liquidity_min": ("liquidity", 1),
    "liquidity_max": ("liquidity", -1),
    "volume_min": ("volume", 1),
    "volume_max": ("volume", -1),
}

DATE_BOUNDS = {
    "start_date_min": ("startDate", 1),
    "start_date_max": ("startDate", -1),
    "end_date_min": ("endDate", 1),
    "end_date_max": ("endDate", -1),
    "start_time_min": ("startTime", 1),
    "start_time_max": ("startTime", -1),
}

ABSENT = frozenset(
    {
        "game_id",
        "request_ids",
        "onchain_event_ids",
        "parent_event_id",
        "partner_slug",
    }
)
"""Filters on what no object here has: whoever sets one gets nothing."""

FLAGS = {"live": "live", "ended": "ended", "featured": "featured", "cyom": "cyom", "rfq_enabled": "rfqEnabled"}

_DATES = frozenset({"startDate", "endDate", "createdAt", "updatedAt", "closedTime", "startTime", "creationDate"})
_NUMBERS = frozenset(
    {
        "id",
        "volumeNum",
        "liquidityNum",
        "liquidity",
        "volume24hr",
        "volume1wk",
        "volume1mo",
        "volume1yr",
        "liquidityClob",
        "volumeClob",
        "competitive",
        "spread",
        "bestBid",
        "bestAsk",
        "lastTradePrice",
        "openInterest",
        "commentCount",
        "oneDayPriceChange",
        "rewardsMinSize",
        "rewardsMaxSpread",
        "orderMinSize",
    }
)
_TEXTS = frozenset({"volume", "slug", "question", "title", "groupItemThreshold"})


def fits(view: View, query: Query, members: Mapping[str, str], bounds: Mapping[str, tuple[str, int]]) -> bool:
    """Tell whether an object passes the filters that look at its own fields."""
    if any(name in query for name in ABSENT):
        return False
    for name, field in members.items():
        asked = query.getall(name, [])
        if asked and view.get(field) not in asked:
            return False
    for name, field in FLAGS.items():
        if name in query and flag(query, name) is not bool(view.get(field)):
            return False
    for name, (field, sign) in bounds.items():
        if name in query and float(view.get(field) or 0) * sign < number(query, name) * sign:
            return False
    for name, (field, sign) in DATE_BOUNDS.items():
        if name in query and field in view and (moment(view[field]) - moment(query[name])) * sign < 0:
            return False
    return True


def tagged(tags: list[View], query: Query) -> bool:
    """Tell whether an object with `tags` passes the filters by tag."""
    ids, slugs = {tag["id"] for tag in tags}, {tag["slug"] for tag in tags}
    asked = set(query.getall("tag_id", []))
    every = query.get("tag_match", "any") == "all"
    if asked and not (asked <= ids if every else asked & ids):
        return False
    if ids & set(query.getall("exclude_tag_id", [])):
        return False
    return "tag_slug" not in query or query["tag_slug"] in slugs


def ranked(views: list[View], query: Query) -> tuple[list[tuple[Rank, View]], bool]:
    """Return the objects in the order asked for, each with its place, and whether that order descends. Ties go by id."""
    order = query.get("order", "id")
    names = [name.strip() for name in order.split(",")]
    if any(name not in _DATES | _NUMBERS | _TEXTS for name in names):
        raise RefusalError(422, "order fields are not valid")
    descending = not flag(query, "ascending", default=names == ["id"])
    pairs = [((*(_key(view, name) for name in names), float(view["id"])), view) for view in views]
    return sorted(pairs, key=lambda pair: pair[0], reverse=descending), descending


def cursor(rank: Rank) -> str:
    """Return the cursor that follows an object at `rank`."""
    return urlsafe_b64encode(orjson.dumps(rank)).decode()


def after(pairs: list[tuple[Rank, View]], text: str, *, descending: bool) -> list[tuple[Rank, View]]:
    """Return what follows the cursor `text`."""
    if not text:
        return pairs
    try:
        place = tuple(msgspec.json.decode(urlsafe_b64decode(text), type=list[float | str]))
        return [(rank, view) for rank, view in pairs if (rank < place if descending else rank > place)]
    except (Base64Error, ValueError, TypeError, RecursionError):
        raise RefusalError(422, "after_cursor is not valid") from None


def limit(query: Query, default: int, most: int) -> int:
    """Return the page's size: what is asked for beyond `most` is cut without a word."""
    text = query.get("limit", str(default))
    if not is_whole(text):
        raise RefusalError(422, "limit is not valid")
    return min(max(int(text), 1), most)


def flag(query: Query, name: str, *, default: bool = False) -> bool:
    """Return a boolean parameter."""
    return query.get(name, str(default)).lower() == "true"


def number(query: Query, name: str) -> float:
    """Return a numeric parameter."""
    try:
        return float(query[name])
    except ValueError:
        raise RefusalError(422, f"{name} is not valid") from None


def moment(text: str) -> float:
    """Return the Unix seconds of an ISO 8601 date or time."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise RefusalError(422, f"{text!r} is not a valid date") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _key(view: View, name: str) -> float | str:
    """Return a sortable value. A market's `volume` is text and sorts as text, as at the venue; `volumeNum` is the number."""
    value = view.get(name)
    if name in _NUMBERS:
        return float(value or 0)
    if name in _DATES:
        return moment(value) if value else 0.0
    return value if isinstance(value, str) else float(value or 0)
