"""The machine's time. The only module that reads it; everything else takes a `domain.ports.Clock`."""

from __future__ import annotations

import time

from domain.ports import Clock

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock that counts the time a machine was suspended too: what was due while it slept is overdue when it wakes."""


class SystemClock:
    """Wall and monotonic time of this machine (implements `domain.ports.Clock`)."""

    def now_ns(self) -> int:
        """Return UTC nanoseconds since the epoch; may jump when the machine's time is set."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.clock_gettime(_SINCE_BOOT)


class SteadyClock:
    """UTC that does not jump: the machine's date when this was made, and from there on its monotonic time (implements `domain.ports.Clock`).

    Whoever trades by it keeps its order of events and its durations when somebody sets the machine's date. Whether the date or this count is
    right then, only others can tell (`runtime.clock_watch`).
    """

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._began_ns = machine.now_ns() - int(machine.monotonic() * 1e9)

    def now_ns(self) -> int:
        """Return UTC nanoseconds since the epoch."""
        return self._began_ns + int(self._machine.monotonic() * 1e9)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._machine.monotonic()

    def machine_ahead(self) -> float:
        """Return how many seconds the machine's date is ahead of this clock, negative when it is behind."""
        return (self._machine.now_ns() - self.now_ns()) / 1e9
