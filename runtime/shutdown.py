"""The graceful end: strategies, leg groups, orders on their way, open orders, heartbeats, tasks, feeds, lease, journal.

Every step is bounded in time, all of them together stay below five seconds, or below ten when leg groups are on their way: those may come to their
end first, and are otherwise taken up by the next start. A step that fails does not keep the next from running. Orders are
cancelled only while the lease is ours: afterwards they are another trader's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog

from domain.errors import PolybotError
from trading.desk import describe

if TYPE_CHECKING:
    from runtime.kernel import Kernel

CANCEL_SECONDS = 1.5
STEP_SECONDS = 0.6

_log = structlog.get_logger(__name__)


async def shut_down(kernel: Kernel, reason: str) -> None:
    """Stop a kernel, also one whose start failed half-way."""
    _log.info("trader stopping", reason=reason)
    ports, lease = kernel.ports, kernel.lease.lease
    kernel.engine.registry.stop_all()
    groups = await kernel.legs.drain(kernel.config.drain_legs_seconds)
    if groups:
        _log.warning("leg groups still on their way", groups=groups)
        await kernel.legs.abandon()
    left = await kernel.executor.drain(kernel.config.drain_seconds)
    if left:
        _log.warning("orders still on their way", orders=left)
        await kernel.executor.abandon()
    kernel.ready = False
    if kernel.config.mode.places_orders and kernel.lease.valid(ports.clock.monotonic()):
        await _bounded("cancel open orders", lambda: _cancel_open(kernel), CANCEL_SECONDS)
    # Only now: whatever could not be cancelled, or not be seen to be, is cancelled by the venue when the beats stay away.
    kernel.heartbeat.stop()
    await _bounded("tasks", kernel.tasks.stop)
    await _bounded("feeds", lambda: asyncio.gather(ports.account_feed.stop(), ports.feed.stop()))
    if lease is not None:
        await _bounded("lease", lambda: ports.storage.leases(kernel.journal).release(lease))
    await _bounded("journal", kernel.journal.close)


async def _cancel_open(kernel: Kernel) -> None:
    swept = await kernel.withdrawals.sweep(lambda _: True, "the trader stops")
    if swept.left:
        _log.error("orders stay open", orders=swept.left)


async def _bounded(what: str, work: Callable[[], Awaitable[object]], seconds: float = STEP_SECONDS) -> None:
    try:
        async with asyncio.timeout(seconds):
            await work()
    except (TimeoutError, PolybotError, OSError) as error:
        _log.warning("step of the shutdown failed", step=what, error=describe(error))
