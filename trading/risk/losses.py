"""Loss limits: the day's loss, the session's loss, and the fall from the session's highest profit. What is reached halts all that opens.

Profit is what the ledger says, realised − fees, and what is held at the best bid − cost; rewards and rebates are left aside. The day is UTC's; a
session goes on over restarts (`trading.session`). Each limit has a halt of its own (scope all, target the limit's name), so that lifting one never
lifts another's. A named person lifts it, and the limit then counts from there; the day's halt ends with the day. Where a count began survives a
restart: it is read from the journaled equity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.halt import Halt, HaltScope
from domain.money import format_micros
from domain.ports import ProfitSpan
from trading.desk import Desk
from trading.limits import RiskLimits

DAY_NS = 86_400_000_000_000
NEXT_DAY = "polybot: the next day has begun"


class Loss(StrEnum):
    """The limits, by the names of their halts."""

    DAY = "daily_loss"
    SESSION = "session_loss"
    DRAWDOWN = "drawdown"


_FIXES = {
    Loss.DAY: "wait for the next day, or see with manage.py report pnl where it was lost",
    Loss.SESSION: "see with manage.py report pnl where it was lost",
    Loss.DRAWDOWN: "see with manage.py report pnl where it was lost",
}
_WORDS = {
    Loss.DAY: "lost ${lost} since midnight UTC",
    Loss.SESSION: "lost ${lost} since the session began",
    Loss.DRAWDOWN: "fell ${lost} below the highest profit of the session",
}


def day_start(now_ns: int) -> int:
    """Return the last midnight in UTC."""
    return now_ns // DAY_NS * DAY_NS


@dataclass(slots=True)
class _Count:
    """From which profit a loss is counted, and whether its limit was found reached."""

    allowed: int
    start: int | None = None
    reached: bool = False


class LossLimits:
    """The loss limits of one account. Call `check` a few times a second.

    Args:
        profit: the account's profit now, micro-dollars.
    """

    def __init__(self, desk: Desk, limits: RiskLimits, profit: Callable[[], int]) -> None:
        self._desk = desk
        self._profit = profit
        self._day_ns = 0
        self._counts = {
            Loss.DAY: _Count(limits.max_daily_loss),
            Loss.SESSION: _Count(limits.max_session_loss),
            Loss.DRAWDOWN: _Count(limits.max_drawdown),
        }

    def restore(self, spans: Mapping[Loss, ProfitSpan | None], now_ns: int) -> None:
        """Go on counting from the profits that were journaled; what has none counts from the first check."""
        self._day_ns = day_start(now_ns)
        for loss, span in spans.items():
            if span is not None:
                self._counts[loss].start = span.highest if loss is Loss.DRAWDOWN else span.first
        for loss, count in self._counts.items():
            count.reached = self._halt_of(loss) is not None

    def check(self) -> None:
        """Compare the profit with every limit; halt where one is reached, and end the day's halt with the day."""
        profit, now_ns = self._profit(), self._desk.clock.now_ns()
        self._begin_day(profit, day_start(now_ns))
        for loss, count in self._counts.items():
            halted = self._halt_of(loss) is not None
            if count.start is None or (count.reached and not halted):
                count.start = profit
            elif loss is Loss.DRAWDOWN:
                count.start = max(count.start, profit)
            count.reached = halted or count.start - profit >= count.allowed
            if count.reached and not halted:
                self._halt(loss, count.start - profit, count.allowed)

    def _begin_day(self, profit: int, day_ns: int) -> None:
        if day_ns != self._day_ns:
            self._day_ns, self._counts[Loss.DAY].start = day_ns, profit
        halt = self._halt_of(Loss.DAY)
        if halt is not None and halt.set_ns < day_ns:
            self._desk.resume(HaltScope.ALL, Loss.DAY, lifted_by=NEXT_DAY)
            self._counts[Loss.DAY].reached = False

    def _halt_of(self, loss: Loss) -> Halt | None:
        return self._desk.halts.get(HaltScope.ALL, loss)

    def _halt(self, loss: Loss, lost: int, allowed: int) -> None:
        words = _WORDS[loss].format(lost=format_micros(lost))
        reason = f"{words}, allowed are less than ${format_micros(allowed)}"
        self._desk.stop(HaltScope.ALL, loss.value, reason=reason, fix=_FIXES[loss])
