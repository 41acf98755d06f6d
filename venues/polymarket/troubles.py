"""What an answer that is not the hoped-for one means: which entry of the catalogue it is, whether it proves a refusal, and when to try again.

Proof needs a documented refusal in a client-error status, or the proxy's 403 and 429, or a 503 that names the post-only or cancel-only mode; every
other status, 425 and 5xx above all, leaves open what the venue did. Times to wait come from the body, then from the headers, and are bounded: a
venue cannot stop us for longer than an hour by a number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import msgspec

from domain.reports import CANCEL_ONLY, POST_ONLY_MODE, Trouble
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.http import error_text
from venues.polymarket.http1 import Answer
from venues.polymarket.refusals import (
    FORBIDDEN,
    LIMITED,
    RESTARTING,
    SERVER_ERROR,
    UNAVAILABLE,
    UNDOCUMENTED,
    Entry,
    entry_of,
)

MAX_WAIT = 3600.0
"""Seconds; the longest wait a venue can ask for."""

_REFUSING_STATUSES = frozenset({400, 401, 404})
_MODES = frozenset({POST_ONLY_MODE, CANCEL_ONLY})


class _Error(msgspec.Struct):
    code: object = None
    retry_after_seconds: object = None


def read_trouble(answer: Answer, now_s: float) -> tuple[Trouble, bool]:
    """Return what an answer with a status other than 200 means, and whether it proves that nothing was done. `now_s` is Unix time."""
    text, error = error_text(answer.body), _error(answer.body)
    entry, proof = _judge(answer.status, text, error)
    wait = _seconds(error.retry_after_seconds) if error is not None else None
    if wait is None:
        wait = _header_wait(answer.headers, now_s)
    said = text if answer.status in _REFUSING_STATUSES else f"{answer.status} {text}".rstrip()
    return trouble(entry, said, wait), proof


def trouble(entry: Entry, text: str, retry_after: float | None = None) -> Trouble:
    """Return an entry of the catalogue with the venue's own words."""
    return Trouble(code=entry.code, text=text, policy=entry.policy, retry_after=retry_after, fix=entry.fix)


def _judge(status: int, text: str, error: _Error | None) -> tuple[Entry, bool]:
    """Return the entry that an answer stands for, and whether it proves a refusal."""
    if status == 403:
        return FORBIDDEN, True
    if status == 429:
        return LIMITED, True
    if status == 425:
        return RESTARTING, False
    known = entry_of(text)
    if status == 503 and error is not None and error.code == POST_ONLY_MODE:
        known = entry_of("post-only mode")
    if known is not None:
        proof = known.proof and (status in _REFUSING_STATUSES or (status == 503 and known.code in _MODES))
        return known, proof
    if status == 503:
        return UNAVAILABLE, False
    return (SERVER_ERROR if status >= 500 else UNDOCUMENTED), False


def _header_wait(headers: Mapping[str, str], now_s: float) -> float | None:
    """Return the seconds that `Retry-After` (seconds or a date) or the rate limit's reset (Unix time) ask to wait."""
    named = headers.get("retry-after")
    if named is not None:
        seconds = _seconds(named)
        return seconds if seconds is not None else _until_date(named, now_s)
    reset = _number(headers.get("poly-ratelimit-reset"))
    return None if reset is None else _bounded(reset - now_s)


def _until_date(text: str, now_s: float) -> float | None:
    try:
        return _bounded(parsedate_to_datetime(text).timestamp() - now_s)
    except (ValueError, OverflowError):
        return None


def _seconds(value: object) -> float | None:
    number = _number(value)
    return None if number is None else _bounded(number)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_WAIT)


def _error(body: bytes) -> _Error | None:
    try:
        return msgspec.json.decode(body, type=_Error)
    except UNDECODABLE:
        return None
