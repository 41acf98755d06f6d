"""Time, as the core sees it: nothing reads a clock of its own."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Wall and monotonic time. Sleeping is `asyncio.sleep`: the loop itself is injected."""

    def now_ns(self) -> int:
        """Return UTC nanoseconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
