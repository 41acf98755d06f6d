"""The machine's time. The only module that reads it; everything else takes a `domain.ports.Clock`."""

from __future__ import annotations

import time


class SystemClock:
    """Wall and monotonic time of this machine (implements `domain.ports.Clock`)."""

    def now_ns(self) -> int:
        """Return UTC nanoseconds since the epoch; may jump when the machine's time is set."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()
