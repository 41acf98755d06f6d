"""The desk: every change of the account's state passes here on its way to the journal and to everyone who listens.

Alarms become market halts at once. A change that cannot be journaled leaves memory ahead of the disk, so the desk declares itself broken through
`on_broken`: the kernel stops, and start is recovery.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable

import structlog

from domain.errors import JournalUnavailableError, PolybotError
from domain.halt import HaltScope
from domain.order import Effect, OrderDraft
from domain.ports import Clock, Journal, JournalRow
from trading.change import Change
from trading.halts import Halts
from trading.portfolio import Portfolio

_log = structlog.get_logger(__name__)


class Desk:
    """Applies changes for one account.

    Args:
        notify: called synchronously with every change, after its rows were handed to the journal.
        on_broken: called once with the reason when a change could not be journaled.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        halts: Halts,
        journal: Journal,
        clock: Clock,
        *,
        notify: Callable[[Change], None],
        on_broken: Callable[[str], None],
    ) -> None:
        self.portfolio = portfolio
        self.halts = halts
        self.journal = journal
        self.clock = clock
        self.broken = ""
        self._notify = notify
        self._on_broken = on_broken
        self._unwritten: dict[asyncio.Future[None], float] = {}

    def apply(self, change: Change) -> None:
        """Journal a change and tell everyone; returns at once."""
        if not change:
            return
        for alarm in change.alarms:
            self.stop(HaltScope.MARKET, alarm.market_id, reason=alarm.reason, fix=alarm.fix)
        self.write(change.rows)
        self._notify(change)

    def write(self, rows: list[JournalRow]) -> None:
        """Journal rows without waiting; failure breaks the desk. What cannot be written now waits in the journal."""
        if rows and not self.broken:
            done = asyncio.ensure_future(self.journal.record(rows))
            self._unwritten[done] = self.clock.monotonic()
            done.add_done_callback(self._written)

    def _written(self, done: asyncio.Future[None]) -> None:
        self._unwritten.pop(done, None)
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            self.fail(f"a change could not be journaled: {error}")

    @property
    def unwritten(self) -> int:
        """Return how many changes wait to be durable."""
        return len(self._unwritten)

    @property
    def unwritten_since(self) -> float | None:
        """Return the monotonic time since which the oldest change waits to be durable, None when none does."""
        return next(iter(self._unwritten.values()), None)

    def fail(self, reason: str) -> None:
        """Declare the desk broken: nothing more is sent, and the kernel starts again."""
        if not self.broken:
            self.broken = reason
            _log.error("trading desk broke", reason=reason)
            self._on_broken(reason)

    def audit(self, event: str, **detail: str | float | bool | None) -> None:
        self.write(self.portfolio.audit(event, self.clock.now_ns(), **detail).rows)

    async def settle(self, event: str, **detail: str | float | bool | None) -> None:
        """Audit an event and wait until it, and everything written before it, is durable. Raises `JournalError` and its kin when it is not."""
        before = list(self._unwritten)
        await self.journal.submit(self.portfolio.audit(event, self.clock.now_ns(), **detail).rows)
        if not all(each.done() for each in before):
            raise JournalUnavailableError("what was written before waits until the journal can be written again")

    def stop(self, scope: HaltScope, target: str, *, reason: str, fix: str) -> bool:
        """Stop new risk by ourselves. The halt says why, what somebody has to do about it, and the command that lifts it afterwards."""
        lifting = f"manage.py resume {scope.value} {shlex.quote(target)}"
        return self.halt(scope, target, reason=f"{reason}; {fix}, then lift the halt: {lifting}", set_by="polybot")

    def halt(self, scope: HaltScope, target: str, *, reason: str, set_by: str) -> bool:
        """Stop new risk; False when it was stopped before."""
        halt = self.halts.set(scope, target, reason=reason, set_by=set_by, now_ns=self.clock.now_ns())
        if halt is None:
            return False
        _log.warning("halt", scope=scope.value, target=target, reason=reason, by=set_by)
        self.write([halt])
        self.audit("halt_set", scope=scope.value, target=target, reason=reason, by=set_by)
        return True

    def halted(self, draft: OrderDraft) -> str:
        """Return why a halt stops an order, or ''; what reduces risk is never stopped."""
        if draft.effect is not Effect.OPEN:
            return ""
        halt = self.halts.blocking(draft.market, draft.strategy, arbitrage=bool(draft.leg_group))
        return f"halted: {halt.reason}" if halt is not None else ""

    def resume(self, scope: HaltScope, target: str, *, lifted_by: str) -> bool:
        """Allow new risk again; False when there was no halt. Raises `ValueError` without a name."""
        lifted = self.halts.lift(scope, target, lifted_by=lifted_by, now_ns=self.clock.now_ns())
        if lifted is None:
            return False
        self.write([lifted])
        self.audit("halt_lifted", scope=scope.value, target=target, by=lifted_by)
        if scope is HaltScope.MARKET:
            self._deal_with_quarantine(target, lifted_by)
        return True

    def _deal_with_quarantine(self, market_id: str, by: str) -> None:
        """Book what can be booked by now of the trades that halted a market; the rest is dealt with. What that alarms of halts anew."""
        portfolio, now_ns = self.portfolio, self.clock.now_ns()
        for held in portfolio.quarantined_in(market_id):
            self.apply(portfolio.apply_trade(held.report, now_ns=now_ns))
        self.apply(portfolio.dismiss(market_id, by, now_ns))


def describe(error: BaseException) -> str:
    """Return an error for operators: our own errors speak for themselves, others with their type."""
    return str(error) if isinstance(error, PolybotError) else f"{type(error).__name__}: {error}"
