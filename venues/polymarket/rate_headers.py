"""What an answer's headers say about rate limits. Headers are claims: text that is no number is as if it were not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_LONGEST_NUMBER = 16


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """`remaining` tokens of the bucket the request was charged to, `reset` in Unix seconds, `retry_after` in seconds; None where nothing was said."""

    remaining: int | None
    reset: int | None
    retry_after: int | None
    tier: str
    warning: bool


def read_rate_headers(headers: Mapping[str, str]) -> RateHeaders:
    """Read the headers of an answer, whose names are in lower case."""
    retry_after = _whole(headers.get("retry-after"))
    return RateHeaders(
        remaining=_whole(headers.get("poly-ratelimit-remaining")),
        reset=_whole(headers.get("poly-ratelimit-reset")),
        retry_after=retry_after if retry_after is not None and retry_after >= 0 else None,
        tier=headers.get("poly-ratelimit-tier", "").strip().lower(),
        warning=headers.get("poly-ratelimit-warning", "").strip().lower() == "true",
    )


def _whole(text: str | None) -> int | None:
    stripped = (text or "").strip()
    digits = stripped.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < _LONGEST_NUMBER):
        return None
    return int(stripped)
