"""Periodic checks of what polybot depends on, and what they last said.

A check is healthy only while its last run succeeded and is recent: never run, failed, or older than three intervals all count as unhealthy.
A probe that raises or exceeds its timeout is a failed check, never a failed process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from domain.ports import Clock
from infra.endings import end_tasks

_STALE_AFTER_INTERVALS = 3

Probe = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStatus:
    """One check now. `age` is seconds since the last success, None before the first; `last_error` is "" when the last run succeeded."""

    name: str
    ok: bool
    interval: float
    age: float | None
    last_error: str


class _Check:
    def __init__(self, name: str, interval: float, probe: Probe) -> None:
        self.name = name
        self.interval = interval
        self.probe = probe
        self.last_ok: float | None = None
        self.last_error = "not checked yet"


class HealthMonitor:
    """Runs registered probes, each at its own interval (seconds), and reports their state at any time."""

    def __init__(self, clock: Clock, *, timeout: float = 5.0) -> None:
        self._clock = clock
        self._timeout = timeout
        self._checks: list[_Check] = []
        self._tasks: list[asyncio.Task[None]] = []

    def register(self, name: str, interval: float, probe: Probe) -> None:
        """Add a check before `start`; `probe` returns when healthy and raises with the reason when not."""
        self._checks.append(_Check(name, interval, probe))

    def start(self) -> None:
        """Begin checking, every check at once and then at its interval, in the running loop."""
        self._tasks = [asyncio.create_task(self._repeat(check), name=f"health:{check.name}") for check in self._checks]

    async def stop(self) -> None:
        """End all checks; their last words stay readable."""
        await end_tasks(self._tasks)
        self._tasks = []

    def statuses(self) -> list[CheckStatus]:
        """Return every check in the order of registration."""
        now = self._clock.monotonic()
        return [self._status(check, now) for check in self._checks]

    async def run_once(self) -> list[CheckStatus]:
        """Run every probe now and return what they said."""
        await asyncio.gather(*(self._run(check) for check in self._checks))
        return self.statuses()

    def _status(self, check: _Check, now: float) -> CheckStatus:
        age = None if check.last_ok is None else now - check.last_ok
        stale = age is None or age > check.interval * _STALE_AFTER_INTERVALS
        error = check.last_error or (f"last success {age:.0f} s ago" if stale else "")
        return CheckStatus(name=check.name, ok=not error, interval=check.interval, age=age, last_error=error)

    async def _repeat(self, check: _Check) -> None:
        while True:
            await self._run(check)
            await asyncio.sleep(check.interval)

    async def _run(self, check: _Check) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await check.probe()
        except TimeoutError:
            check.last_error = f"no answer within {self._timeout:g} s"
        except Exception as error:  # noqa: BLE001 - whatever a probe raises is its verdict
            check.last_error = str(error) or type(error).__name__
        else:
            check.last_ok, check.last_error = self._clock.monotonic(), ""
