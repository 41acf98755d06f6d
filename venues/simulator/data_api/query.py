"""Queries and pages of the Data API: comma-separated selectors, windows of Unix seconds, cursors, and the envelope around every answer.

What cannot be read is 400 with the parameter's name. A cursor holds the place behind the last row in the list's own order, so rows that
come in meanwhile neither repeat nor hide others.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, TypeVar

import msgspec
import orjson
from aiohttp import web
from eth_utils.address import is_hex_address, to_checksum_address
from multidict import MultiMapping

from venues.simulator.http import answer, is_whole
from venues.simulator.refusals import bad_request
from venues.simulator.world.listings import Listing, Listings

Query = MultiMapping[str]
Place = tuple[float, float]
"""Where a row stands: what the list is sorted by, then a number that no other row has."""

MAX_CONDITIONS = 20
MAX_PAGE = 1000
_DEFAULT_PAGE = 100

Row = TypeVar("Row")


def enveloped(data: Any) -> web.Response:
    """Answer `data` that has no pages."""
    return answer({"data": data})


def paged(
    query: Query,
    rows: Sequence[Row],
    place: Callable[[Row], Place],
    view: Callable[[Row], Any],
    *,
    descending: bool = True,
    most: int = MAX_PAGE,
) -> web.Response:
    """Answer one page of `rows`, sorted by their places."""
    ordered = sorted(rows, key=place, reverse=descending)
    after = _after(query)
    if after is not None:
        ordered = [row for row in ordered if (place(row) < after if descending else place(row) > after)]
    size = page_size(query, most)
    chosen, more = ordered[:size], len(ordered) > size
    cursor = urlsafe_b64encode(orjson.dumps(place(chosen[-1]))).decode() if more else None
    return answer({"data": [view(row) for row in chosen], "pagination": {"has_more": more, "next_cursor": cursor}})


def page_size(query: Query, most: int = MAX_PAGE) -> int:
    """Return `limit`, cut at `most` without a word."""
    return min(max(whole(query, "limit", min(_DEFAULT_PAGE, most)), 1), most)


def whole(query: Query, name: str, default: int) -> int:
    """Return a whole number of at least 0."""
    text = query.get(name, "") or str(default)
    if not is_whole(text):
        raise bad_request(f"invalid {name}")
    return int(text)


def amount(query: Query, name: str) -> float:
    """Return a number of at least 0, 0 when it is not given."""
    try:
        value = float(query.get(name, "") or 0)
    except ValueError:
        raise bad_request(f"invalid {name}") from None
    if not isfinite(value) or value < 0:
        raise bad_request(f"invalid {name}")
    return value


def window(query: Query) -> tuple[int, int]:
    """Return the first and last second asked for, both included."""
    return whole(query, "start", 0), whole(query, "end", 2**40)


def flag(query: Query, name: str, *, default: bool = False) -> bool:
    """Return a boolean."""
    return query.get(name, str(default)).lower() == "true"


def choice(query: Query, name: str, choices: Sequence[str], default: str) -> str:
    """Return one of `choices`."""
    value = query.get(name, "") or default
    if value not in choices:
        raise bad_request(f"invalid {name}")
    return value


def items(query: Query, *names: str) -> list[str]:
    """Return the values of a comma-separated (or repeated) parameter that goes by any of `names`."""
    values = (value.strip() for name in names for text in query.getall(name, []) for value in text.split(","))
    return list(dict.fromkeys(value for value in values if value))


def user(query: Query) -> str:
    """Return the wallet a query is about. Raises 400 without one."""
    found = optional_user(query)
    if found is None:
        raise bad_request("required query param 'user' not provided")
    return found


def optional_user(query: Query) -> str | None:
    """Return the wallet a query is about, if it names one."""
    text = query.get("user", "")
    if not text:
        return None
    if not is_hex_address(text):
        raise bad_request("invalid user")
    return to_checksum_address(text)


def conditions(query: Query, listings: Listings) -> dict[str, Listing] | None:
    """Return the markets that a query names by condition, event or (v1) market, by condition; None when it names none.

    Unknown ones are left out, so that they match nothing.
    """
    named = items(query, "condition_id", "condition", "market")
    events = items(query, "event_id", "eventId")
    if len(named) > MAX_CONDITIONS:
        raise bad_request(f"at most {MAX_CONDITIONS} conditions are allowed")
    if not named and not events:
        return None
    found = [listing for name in named if (listing := listings.by_condition(name.lower()))]
    for event_id in events:
        if event_id in listings.events:
            found += listings.of_event(event_id)
    return {listing.spec.condition_id: listing for listing in found}


def _after(query: Query) -> Place | None:
    text = query.get("cursor", "")
    if not text:
        return None
    try:
        return msgspec.json.decode(urlsafe_b64decode(text), type=tuple[float, float])
    except (Base64Error, ValueError, RecursionError):
        raise bad_request("invalid cursor") from None
