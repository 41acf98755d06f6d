"""What a kernel does again and again while it runs: timers, reconciliation, worth and loss limits, status, forgetting.

A reconciliation that the venue did not answer is tried again after a second. Any other failure is the death of a task, which stops the kernel.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from runtime.status import equity, trader_status
from trading.account_state import REMEMBER_NS
from trading.income import Income
from trading.withdrawals import LOOK_SECONDS

if TYPE_CHECKING:
    from runtime.kernel import Kernel

FORGET_SECONDS = 600.0
SETTLEMENT_SECONDS = 1.0
INCOME_SECONDS = 300.0
NO_MARKS = "marks"
"""The name of the hold on everything while what is held has no price."""

_log = structlog.get_logger(__name__)


class Upkeep:
    """The recurring work of one kernel; it ends with the kernel's tasks."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def begin(self) -> None:
        """Spawn everything. What concerns orders only where orders are placed."""
        kernel = self._kernel
        config, tasks = kernel.config, kernel.tasks
        tasks.every("timer", config.timer_every, self._tick)
        tasks.every("discovery", config.discover_every, kernel.watch.refresh, at_once=False)
        tasks.every("status", config.status_every, self._publish_status)
        if not config.mode.places_orders:
            return
        tasks.spawn("clock", kernel.clock_watch.run)
        kernel.heartbeat.start()
        tasks.every("pulse", config.pulse_every, kernel.heartbeat.pulse)
        tasks.spawn("resolver", kernel.resolver.run)
        tasks.spawn("withdrawals", kernel.withdrawals.run)
        tasks.every("halts", LOOK_SECONDS, kernel.withdrawals.follow_halts)
        tasks.spawn("policies", kernel.policies.run)
        tasks.spawn("reconcile", self._reconcile_when_due)
        tasks.every("equity", config.equity_every, self._record_equity)
        tasks.every("settlement", SETTLEMENT_SECONDS, kernel.settlement.check)
        if kernel.ports.income is not None:
            tasks.every("income", INCOME_SECONDS, Income(kernel.desk, kernel.ports.income).read)
        tasks.every("memory", FORGET_SECONDS, self._forget)

    async def _tick(self) -> None:
        kernel = self._kernel
        kernel.books.check()
        if kernel.ready and kernel.config.mode.places_orders:
            kernel.clock_watch.check()
            kernel.storage.check()
            kernel.balances.check()
            self._value_account()
            kernel.exits.check(kernel.engine.context.book)
        kernel.engine.on_timer()

    def _value_account(self) -> None:
        """Hold the account's worth against the loss limits; as long as it is not known, new risk waits."""
        kernel = self._kernel
        kernel.losses.check()
        if kernel.marks.missing:
            kernel.venue_state.hold(NO_MARKS, f"no price yet for what is held in market {kernel.marks.missing}")
        else:
            kernel.venue_state.release(NO_MARKS)

    async def _reconcile_when_due(self) -> None:
        gap = self._kernel.account_events.gap
        while True:
            try:
                async with asyncio.timeout(self._kernel.config.reconcile_every):
                    await gap.wait()
            except TimeoutError:
                _log.debug("periodic reconciliation")
            gap.clear()
            if not await self._read_account():
                gap.set()
                await asyncio.sleep(1.0)

    async def _read_account(self) -> bool:
        """Bring the account in line with the venue, after a lapse of the heartbeats also orders it does not list; False when it could not be read."""
        kernel = self._kernel
        lapses, troubles = kernel.heartbeat.lapses, kernel.storage.seen
        outcome = await kernel.reconciler.run()
        if outcome.compared:
            kernel.balances.compared()
        if not outcome.complete or (kernel.heartbeat.unread and not await kernel.resolver.explain()):
            return False
        kernel.heartbeat.read(lapses)
        kernel.storage.read(troubles)
        return True

    async def _publish_status(self) -> None:
        kernel = self._kernel
        kernel.ports.events.status(trader_status(kernel))
        for info in kernel.engine.registry.list_info():
            counts = kernel.news.refusals.get(info.name, Counter()) + Counter(info.refusals)
            kernel.ports.events.strategy(replace(info, refusals=counts))

    async def _record_equity(self) -> None:
        self._kernel.desk.write([equity(self._kernel)])

    async def _forget(self) -> None:
        kernel, now = self._kernel, self._kernel.ports.clock.now_ns()
        kernel.portfolio.forget(now - REMEMBER_NS)
        kernel.markets.forget(now, REMEMBER_NS, keep=kernel.stakes.remembered())
