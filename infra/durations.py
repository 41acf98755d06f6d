"""Durations as people write them: "5m", "90s", "1h30m". Text that is none is refused with `ValueError`."""

from __future__ import annotations

import re
from datetime import timedelta

_UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = re.compile(r"(?:\d{1,9}(?:ms|[smhd]))+", re.ASCII)
_PART = re.compile(r"(\d+)(ms|[smhd])", re.ASCII)
_LONGEST_MS = 3650 * _UNIT_MS["d"]


def parse_duration(value: object) -> timedelta:
    """Return the time span of a text such as "5m" or "1h30m"; time spans pass unchanged.

    Raises:
        ValueError: `value` is neither, or is longer than ten years.
    """
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise ValueError("expected a duration such as '5m', '90s' or '1h30m'")
    milliseconds = sum(int(count) * _UNIT_MS[unit] for count, unit in _PART.findall(value))
    if milliseconds > _LONGEST_MS:
        raise ValueError("expected a duration of at most ten years")
    return timedelta(milliseconds=milliseconds)


def format_duration(value: timedelta) -> str:
    """Return `value` in the shortest form that parses back, whole milliseconds: 300 s → "5m"."""
    left, text = value // timedelta(milliseconds=1), ""
    for unit, size in _UNIT_MS.items():
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"
