"""Field types of strategy parameters: exact dollars, durations written "5m", and plain numbers, all with a range.

Values come from JSON (numbers and texts), from forms and from configuration (decimals and time spans); all become the same exact Python
values and serialise to JSON numbers and texts again. Infinity, NaN and booleans in place of numbers are refused.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from infra.durations import format_duration, parse_duration

DURATION_FORMAT = "duration"


def nanoseconds(value: timedelta) -> int:
    """Return a duration in nanoseconds."""
    return value // timedelta(microseconds=1) * 1000


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
