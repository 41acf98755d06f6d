"""Flash crash: buy when a price is swept down within seconds, sell when it comes back.

A fall counts as a crash only if every gate agrees: it is large against threshold, tick and spread, measured from the window's maximum; far
outside the calm before it (robust z in log-odds); visible as a sweep (traded volume, or bids gone); and both outcomes' books tell the same
story. The entry needs room for `recovery_target` after fees. A fall that does not begin to recover in time is news: the position is sold.
Anything missing means no trade.
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
from strategies.parameter_fields import Count, Dollars, Duration, Number, nanoseconds
from strategies.parameters import Parameters
from strategies.price_tracker import Peak, TokenHistory, bid_depth
from strategies.single_leg import SECOND, SingleLegStrategy, Trade
from strategies.single_leg_parameters import SingleLegParameters
from strategies.statistics import expit_rounded, logit, robust_z


class FlashCrashParameters(SingleLegParameters):
    """The specification's keys, and the gates that keep news from being bought."""

    model_config = ConfigDict(
        title="Flash crash",
        json_schema_extra={"description": "Buys when a price is swept down within seconds, sells when it comes back."},
    )

    drop_threshold: Dollars = Field(
        Decimal("0.10"),
        ge=Decimal("0.001"),
        le=Decimal("0.99"),
        title="Drop",
        description="Fall from the recent high that counts as a crash",
        json_schema_extra={"unit": "USD per share"},
    )
    recovery_target: Dollars = Field(
        Decimal("0.05"),
        ge=Decimal("0.001"),
        le=Decimal("0.99"),
        title="Recovery target",
        description="Rise of the best bid above the entry at which the position is sold; entries need this much room after fees",
        json_schema_extra={"unit": "USD per share"},
    )
    max_duration: Duration = Field(
        timedelta(seconds=10),
        ge=timedelta(milliseconds=100),
        le=timedelta(seconds=60),
        title="Longest crash",
        description="The fall must happen within this time",
    )
    baseline_window: Duration = Field(
        timedelta(seconds=60),
        ge=timedelta(seconds=10),
        le=timedelta(hours=1),
        title="Calm before",
        description="Window before the crash that says what is normal; half of it must have been seen",
    )
    z_threshold: Number = Field(
        6.0,
        ge=1,
        le=100,
        title="Robust z",
        description="Distance below the calm before that counts as a crash",
        json_schema_extra={"unit": "standard deviations"},
    )
    min_drop_ticks: Count = Field(
        5, ge=1, le=1000, title="Drop in ticks", description="The fall must be at least this many ticks"
    )
    min_drop_spreads: Number = Field(
        3.0, ge=0, le=100, title="Drop in spreads", description="The fall must be at least this many present spreads"
    )
    sweep_volume: Number = Field(
        0.5,
        ge=0.01,
        le=100,
        title="Sweep by volume",
        description="Volume sold in the crash, as a share of the bids shown before, that shows a sweep",
    )
    sweep_depth: Number = Field(
        0.7,
        ge=0.05,
        le=1,
        title="Sweep by depth",
        description="Share of the bids shown before that must be gone to show a sweep without trades",
    )
    confirm_recovery: Number = Field(
        0.3,
        ge=0.01,
        le=1,
        title="Confirmed recovery",
        description="Share of the fall that must be regained, with bids back, to confirm the recovery",
    )
    recovery_timeout: Duration = Field(
        timedelta(seconds=30),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        title="Recovery timeout",
        description="A fall whose recovery is not confirmed by then is news, and the position is sold",
    )


class _Crash(NamedTuple):
    """The figures of a crash; prices and sizes in micro-units."""

    drop: int
    normal: int
    z: float
    sold: int
    depth_before: int
    depth_now: int


class FlashCrash(SingleLegStrategy[FlashCrashParameters]):
    """See the module."""

    kind: ClassVar[str] = "flash_crash"
    parameters_type: ClassVar[type[Parameters]] = FlashCrashParameters

    def configure(self, parameters: FlashCrashParameters) -> None:
        super().configure(parameters)
        self._drop = exact_micros(parameters.drop_threshold)
        self._duration = nanoseconds(parameters.max_duration)
        self._baseline = nanoseconds(parameters.baseline_window)

    def consider(self, book: OrderBook, now_ns: int) -> Sequence[Intent]:
        history = self.context.tracker.history(book.token_id)
        if history is None:
            return ()
        peak = history.peak(now_ns, self._duration)
        if peak is None or peak.value - book.mid < self._drop:
            return ()
        gate = self.closed_gate(book, now_ns)
        if gate:
            return self.refuse(gate)
        crash = self._judge(book, history, peak, now_ns)
        if isinstance(crash, str):
            return self.refuse(crash)
        target = exact_micros(self.parameters.recovery_target)
        why = (
            f"crash from {format_micros(peak.value)} to {format_micros(book.mid)} in {(now_ns - peak.until_ns) / SECOND:.1f} s "
            f"(normal {format_micros(crash.normal)}, z {crash.z:.1f}, spread {format_micros(book.spread)}; "
            f"{crash.sold / 1e6:.0f} sold, bids {crash.depth_before / 1e6:.0f} → {crash.depth_now / 1e6:.0f})"
        )
        return self.enter(book, now_ns, worth=min(peak.value, crash.normal), gain=target, why=why)

    def _judge(self, book: OrderBook, history: TokenHistory, peak: Peak, now_ns: int) -> _Crash | str:
        """Return the crash, or the gate that says it is none."""
        parameters = self.parameters
        drop = peak.value - book.mid
        if drop < max(parameters.min_drop_ticks * book.tick, parameters.min_drop_spreads * book.spread):
            return "drop small against tick or spread"
        before = history.window(now_ns, self._baseline, lag_ns=self._duration)
        if before is None or before.span_ns * 2 < self._baseline:
            return "too little history"
        z = robust_z(history.log_odds, before.centre, parameters.min_scale)
        if z > -parameters.z_threshold:
            return "within normal movement"
        sold = history.sold(now_ns, self._duration)
        depth_before, depth_now = history.depth_peak(now_ns, self._duration), bid_depth(book)
        swept = (
            sold >= parameters.sweep_volume * depth_before or depth_now <= (1 - parameters.sweep_depth) * depth_before
        )
        if not depth_before or not swept:
            return "no sweep seen"
        return _Crash(drop, expit_rounded(before.centre.median), z, sold, depth_before, depth_now)

    def exit_reason(self, trade: Trade, position: Position, book: OrderBook, now_ns: int) -> str:
        """Sell on the recovery, or when none has begun in time."""
        parameters = self.parameters
        gained = book.best_bid - position.entry_price
        if gained >= exact_micros(parameters.recovery_target):
            return f"recovered: bid {format_micros(book.best_bid)} is {format_micros(gained)} above the entry"
        if trade.confirmed or not book.two_sided:
            return ""
        recovery = self._recovery(trade, book)
        trade.confirmed = recovery >= parameters.confirm_recovery and book.spread <= exact_micros(parameters.max_spread)
        if trade.confirmed or now_ns - trade.started_ns < nanoseconds(parameters.recovery_timeout):
            return ""
        waited = format_duration(parameters.recovery_timeout)
        return f"news, not a crash: {max(recovery, 0):.0%} recovered after {waited} (mid {format_micros(book.mid)})"

    def _recovery(self, trade: Trade, book: OrderBook) -> float:
        """Return which share of the fall the mid has regained, in log-odds."""
        low = logit(trade.low)
        fall = logit(trade.reference) - low
        return (logit(book.mid) - low) / fall if fall > 0 else 0.0
