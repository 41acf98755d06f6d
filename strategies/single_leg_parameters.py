"""The parameters that all strategies share that buy one outcome and sell it again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from pydantic import Field

from strategies.parameter_fields import Count, Dollars, Duration, Number
from strategies.parameters import Parameters


class SingleLegParameters(Parameters):
    """What one trade may cost, how long it may last, and what keeps it from being entered. Dollar differences are per share."""

    size: Dollars = Field(
        Decimal(10),
        ge=1,
        le=100_000,
        title="Size",
        description="What one entry may spend",
        json_schema_extra={"unit": "USD"},
    )
    max_positions: Count = Field(
        5, ge=1, le=1000, title="Most positions", description="Open positions and entries under way at the same time"
    )
    take_profit: Dollars = Field(
        Decimal("0.10"),
        ge=Decimal("0.001"),
        le=Decimal("0.99"),
        title="Take profit",
        description="Rise above the entry at which the position is sold, whatever the strategy thinks",
        json_schema_extra={"unit": "USD per share"},
    )
    stop_loss: Dollars = Field(
        Decimal("0.05"),
        ge=Decimal("0.001"),
        le=Decimal("0.99"),
        title="Stop loss",
        description="Fall of the best bid after the entry at which the position is sold, whatever the strategy thinks",
        json_schema_extra={"unit": "USD per share"},
    )
    slippage: Dollars = Field(
        Decimal("0.01"),
        ge=0,
        le=Decimal("0.20"),
        title="Slippage",
        description="How far beyond the best price an order may still trade",
        json_schema_extra={"unit": "USD per share"},
    )
    max_spread: Dollars = Field(
        Decimal("0.04"),
        ge=Decimal("0.0001"),
        le=Decimal("0.50"),
        title="Widest spread",
        description="Books with a wider spread are not entered",
        json_schema_extra={"unit": "USD per share"},
    )
    max_book_age: Duration = Field(
        timedelta(seconds=5),
        ge=timedelta(milliseconds=100),
        le=timedelta(minutes=10),
        title="Oldest book",
        description="Both outcomes' books must be at least this fresh for an entry",
    )
    min_scale: Number = Field(
        0.02,
        ge=0.001,
        le=1,
        title="Least scale",
        description="Floor of the robust standard deviation; a calm series has none",
        json_schema_extra={"unit": "log-odds"},
    )
    min_time_to_end: Duration = Field(
        timedelta(minutes=10),
        ge=timedelta(0),
        le=timedelta(days=365),
        title="Time to the end",
        description="Markets that end sooner, or whose end is not known, are not entered",
    )
    max_holding: Duration = Field(
        timedelta(minutes=5),
        ge=timedelta(seconds=1),
        le=timedelta(days=30),
        title="Longest holding",
        description="A position is sold after this time",
    )
    cooldown: Duration = Field(
        timedelta(seconds=60),
        ge=timedelta(0),
        le=timedelta(days=1),
        title="Cool-down",
        description="Pause in a market after an entry was tried or a position was left",
    )
