"""An armed fault: whose turn it is, and how often it struck so far.

Each draws from a generator of its own, seeded with the plan's seed and its name, so that the same seed and the same requests are struck alike,
whatever else is armed.
"""

from __future__ import annotations

import random
from typing import Any

from venues.simulator.faults.model import Fault

_SECOND_NS = 1_000_000_000


class Armed:
    """One fault at work. `seen` counts what it chose from until it was over, `struck` what it did strike; `last` says what.

    `markets` holds the condition and both token ids of the market it is bound to, nothing when it is bound to none.
    """

    def __init__(self, fault: Fault, seed: int, now_ns: int, markets: frozenset[str] = frozenset()) -> None:
        self.fault = fault
        self.markets = markets
        self.rng = random.Random(f"{seed}/{fault.name}")
        self.seen = 0
        self.struck = 0
        self.last = ""
        self.disarmed = False
        when = fault.when
        self.from_ns = now_ns + int(when.after * _SECOND_NS)
        self._until_ns = None if when.during is None else self.from_ns + int(when.during * _SECOND_NS)

    def strikes(self, now_ns: int, what: str) -> bool:
        """Count something that fits, and tell whether it is struck."""
        if self.over(now_ns) or now_ns < self.from_ns:
            return False
        when = self.fault.when
        self.seen += 1
        if self.seen <= when.skip or (when.share < 1 and self.rng.random() >= when.share):
            return False
        self.struck += 1
        self.last = what
        return True

    def over(self, now_ns: int) -> bool:
        """Tell whether it will never strike again."""
        times = self.fault.when.times
        exhausted = times is not None and self.struck >= times
        return exhausted or self.disarmed or (self._until_ns is not None and now_ns >= self._until_ns)

    def view(self, now_ns: int) -> dict[str, Any]:
        """Return what /admin/faults shows."""
        return {
            "name": self.fault.name,
            "fault": self.fault,
            "seen": self.seen,
            "struck": self.struck,
            "last": self.last,
            "over": self.over(now_ns),
        }
