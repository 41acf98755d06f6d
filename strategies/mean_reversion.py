"""Mean reversion: buy noise below the middle of the recent past, sell on the way back.

A deviation is bought only if it is far but not a jump (jumps are news or crashes), if deviations of this market have in fact died out
quickly (half-life) and steps have not run in one direction (variance ratio), and if coming back to the middle pays for spread and fees. Sells
reduce own inventory only. Prices are compared in log-odds, with median and MAD. Anything missing means no trade.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, NamedTuple

from pydantic import ConfigDict, Field

from domain.money import exact_micros, format_micros
from domain.position import Position
from domain.signal import Intent
from infra.durations import format_duration
from markets.order_book import OrderBook
from strategies.parameter_fields import Dollars, Duration, Number, nanoseconds
from strategies.parameters import Parameters
from strategies.price_tracker import Window
from strategies.single_leg import SECOND, SingleLegStrategy, Trade
from strategies.single_leg_parameters import SingleLegParameters
from strategies.statistics import expit_rounded, robust_z

UNIT_ROOT_HALF_LIVES = 20
"""History must span this many half-lives. A random walk shows so short a half-life in one of twenty windows: n·(1 − φ) ≥ 14.1, the five per
cent point of the Dickey–Fuller coefficient test, is n ≥ 20 half-lives."""
HALF_LIVES_TO_END = 30
"""A market must live this many half-lives more."""


class MeanReversionParameters(SingleLegParameters):
    """The specification's keys, and the gates that keep trends from being bought."""

    model_config = ConfigDict(
        title="Mean reversion",
        json_schema_extra={"description": "Buys noise below the middle of the recent past, sells on the way back."},
    )

    std_dev_threshold: Number = Field(
        2.0,
        ge=0.5,
        le=20,
        title="Deviation",
        description="Distance below the middle that is bought",
        json_schema_extra={"unit": "standard deviations"},
    )
    lookback_window: Duration = Field(
        timedelta(minutes=5),
        ge=timedelta(seconds=10),
        le=timedelta(hours=1),
        title="Lookback",
        description="History that the middle is taken from; a fifth of it must have been seen",
    )
    max_deviation: Number = Field(
        16.0,
        ge=1,
        le=100,
        title="Largest deviation",
        description="Falls beyond this are jumps, not noise",
        json_schema_extra={"unit": "standard deviations"},
    )
    max_fall: Dollars = Field(
        Decimal("0.10"),
        ge=Decimal("0.001"),
        le=Decimal("0.99"),
        title="Largest fall",
        description="Falls beyond this below the middle are jumps, not noise",
        json_schema_extra={"unit": "USD per share"},
    )
    exit_deviation: Number = Field(
        0.5,
        ge=-5,
        le=5,
        title="Exit",
        description="The position is sold once the price is this close below the middle; negative waits for a price above it",
        json_schema_extra={"unit": "standard deviations"},
    )
    min_edge: Dollars = Field(
        Decimal("0.005"),
        ge=0,
        le=Decimal("0.50"),
        title="Least edge",
        description="Gain after fees of both ways that coming back to the middle must leave",
        json_schema_extra={"unit": "USD per share"},
    )
    max_half_life: Duration = Field(
        timedelta(seconds=15),
        ge=timedelta(milliseconds=100),
        le=timedelta(hours=1),
        title="Longest half-life",
        description="Deviations must have died out by half within this time, and within a twentieth of the history seen",
    )
    max_variance_ratio: Number = Field(
        0.9,
        ge=0.05,
        le=5,
        title="Variance ratio",
        description="Above 1 a price trends; markets above this are not entered",
    )


class _Behaviour(NamedTuple):
    """How deviations of a market behave: half-life in seconds, and the variance ratio."""

    half_life: float
    variance_ratio: float


class MeanReversion(SingleLegStrategy[MeanReversionParameters]):
    """See the module."""

    kind: ClassVar[str] = "mean_reversion"
    parameters_type: ClassVar[type[Parameters]] = MeanReversionParameters

    def configure(self, parameters: MeanReversionParameters) -> None:
        super().configure(parameters)
        self._lookback = nanoseconds(parameters.lookback_window)
        # What is not even this far below the middle is not worth computing the scale for, which is never below its floor. The last digit of
        # the product is left to the exact comparison.
        self._least_fall = -parameters.std_dev_threshold * parameters.min_scale * (1 - 1e-9)

    def consider(self, book: OrderBook, now_ns: int) -> Sequence[Intent]:
        history = self.context.tracker.history(book.token_id)
        if history is None:
            return ()
        window = history.window(now_ns, self._lookback)
        if window is None or window.span_ns * 5 < self._lookback:
            return ()
        parameters = self.parameters
        if history.log_odds - window.median > self._least_fall:
            return ()
        z = robust_z(history.log_odds, window.centre, parameters.min_scale)
        if z > -parameters.std_dev_threshold:
            return ()
        middle = expit_rounded(window.centre.median)
        if z < -parameters.max_deviation or middle - book.mid > exact_micros(parameters.max_fall):
            return self.refuse("jump, not noise")
        gate = self.closed_gate(book, now_ns)
        if gate:
            return self.refuse(gate)
        behaviour = self._judge(window, book, now_ns)
        if isinstance(behaviour, str):
            return self.refuse(behaviour)
        why = (
            f"{-z:.1f} standard deviations below the middle {format_micros(middle)} of {format_duration(parameters.lookback_window)} "
            f"(mid {format_micros(book.mid)}, half-life {behaviour.half_life:.1f} s, variance ratio {behaviour.variance_ratio:.2f})"
        )
        return self.enter(book, now_ns, worth=middle, gain=exact_micros(parameters.min_edge), why=why)

    def _judge(self, window: Window, book: OrderBook, now_ns: int) -> _Behaviour | str:
        """Return how the market reverts, or the gate that says it does not."""
        half_life, ratio = window.half_life_ns, window.variance_ratio
        if half_life is None or ratio is None:
            return "no reversion seen"
        if half_life > min(nanoseconds(self.parameters.max_half_life), window.span_ns / UNIT_ROOT_HALF_LIVES):
            return "reverts too slowly"
        if ratio > self.parameters.max_variance_ratio:
            return "trend"
        end_ns = self.context.markets[book.token_id].end_ns
        if end_ns is None or end_ns - now_ns < HALF_LIVES_TO_END * half_life:
            return "end too near or unknown"
        return _Behaviour(half_life / SECOND, ratio)

    def exit_reason(self, trade: Trade, position: Position, book: OrderBook, now_ns: int) -> str:
        """Sell once the price is back near the middle, or beyond it."""
        history = self.context.tracker.history(trade.token_id)
        window = history.window(now_ns, self._lookback) if history is not None else None
        if history is None or window is None or not book.two_sided:
            return ""
        z = robust_z(history.log_odds, window.centre, self.parameters.min_scale)
        if z < -self.parameters.exit_deviation:
            return ""
        middle = expit_rounded(window.centre.median)
        return f"back at the middle {format_micros(middle)}: z {z:.1f} (mid {format_micros(book.mid)})"
