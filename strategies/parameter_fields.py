"""Field types of strategy parameters: exact dollars, durations written "5m", and plain numbers, all with a range.

Values come from JSON (numbers and texts), from forms and from configuration (decimals and time spans); all become the same exact Python
values and serialise to JSON numbers and texts again. Infinity, NaN and booleans in place of numbers are refused.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from domain.money import MICRO

_UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = re.compile(r"(?:\d{1,9}(?:ms|[smhd]))+", re.ASCII)
_PART = re.compile(r"(\d+)(ms|[smhd])", re.ASCII)
_LONGEST_MS = 3650 * _UNIT_MS["d"]
DURATION_FORMAT = "duration"


def micros(value: Decimal) -> int:
    """Return a parameter in dollars as micro-units, exactly: the fields below allow six decimals at most."""
    return int(value * MICRO)


def nanoseconds(value: timedelta) -> int:
    """Return a duration in nanoseconds."""
    return value // timedelta(microseconds=1) * 1000


def format_duration(value: timedelta) -> str:
    """Return `value` in the shortest form that parses back: 300 s → "5m"."""
    left, text = value // timedelta(milliseconds=1), ""
    for unit, size in _UNIT_MS.items():
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def parse_duration(value: Any) -> Any:
    """Return the time span of a text such as "5m" or "1h30m"; time spans pass unchanged."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise ValueError("expected a duration such as '5m', '90s' or '1h30m'")
    milliseconds = sum(int(count) * _UNIT_MS[unit] for count, unit in _PART.findall(value))
    if milliseconds > _LONGEST_MS:
        raise ValueError("expected a duration of at most ten years")
    return timedelta(milliseconds=milliseconds)


def _number(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise ValueError("expected a number")
    return value


def _decimal(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(_number(value), int | float) else value


Dollars = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    PlainSerializer(float, return_type=float),
    WithJsonSchema({"type": "number"}),
    Field(decimal_places=6, allow_inf_nan=False),
]
"""An exact amount in dollars, or a price difference in dollars a share."""

Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Count = Annotated[int, BeforeValidator(_number)]

Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "format": DURATION_FORMAT}),
]
