"""Rate limits that one process keeps by itself: a token bucket, and at most so many in any window. Pure arithmetic on a clock passed in.

Times are monotonic seconds. Nothing waits here: `wait` says how long it takes, `take` takes, and whoever takes without asking goes into debt.
"""

from __future__ import annotations

from collections import deque

NEVER = float("inf")
_SLOTS = 50
_HAIR = 1e-9
"""Seconds by which a wait is too short when floats round: it is asked again then."""


class TokenBucket:
    """`rate` tokens a second, at most `burst` of them; full at first. May be in debt, which the refill pays off."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._check(rate, burst)
        self.rate, self.burst = rate, burst
        self._tokens, self._at = burst, now

    def tokens(self, now: float) -> float:
        return min(self.burst, self._tokens + (now - self._at) * self.rate)

    def wait(self, now: float, cost: float) -> float:
        """Return the seconds until `cost` tokens are there, `NEVER` when the bucket does not hold so many."""
        if cost > self.burst:
            return NEVER
        missing = cost - self.tokens(now)
        return 0.0 if missing <= _HAIR else missing / self.rate

    def take(self, now: float, cost: float) -> None:
        self.set(now, self.tokens(now) - cost)

    def set(self, now: float, tokens: float) -> None:
        self._tokens, self._at = min(tokens, self.burst), now

    def resize(self, now: float, rate: float, burst: float) -> None:
        """Go on with another rate; tokens beyond the new burst are gone."""
        self._check(rate, burst)
        tokens = self.tokens(now)
        self.rate, self.burst = rate, burst
        self.set(now, tokens)

    @staticmethod
    def _check(rate: float, burst: float) -> None:
        if not 0 < rate < NEVER or not 1 <= burst < NEVER:
            raise ValueError(f"a bucket of {rate} a second, {burst} at once; expected a positive rate and at least 1")


class SlidingCount:
    """At most `limit` in any `seconds`. Counts in slots of a fiftieth: the limit is exact, what is given back comes up to a slot late."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self._seconds = limit, seconds
        self._slot = seconds / _SLOTS
        self._slots: deque[tuple[float, int]] = deque()
        self._used = 0

    def left(self, now: float) -> int:
        slots = self._slots
        while slots and slots[0][0] <= now:
            self._used -= slots.popleft()[1]
        return self.limit - self._used

    def take(self, now: float, count: int = 1) -> None:
        """Count what is used now, also beyond the limit."""
        # A slot begun now holds what comes within its length, and all of it is given back when the last of it is out of the window.
        last = self._slots[-1] if self._slots else None
        if last is not None and now <= last[0] - self._seconds:
            self._slots[-1] = (last[0], last[1] + count)
        else:
            self._slots.append((now + self._slot + self._seconds, count))
        self._used += count

    def wait(self, now: float, keep: int = 0) -> float:
        """Return the seconds until more than `keep` are left, `NEVER` when they never are."""
        missing = keep + 1 - self.left(now)
        if missing <= 0:
            return 0.0
        for given_back, count in self._slots:
            missing -= count
            if missing <= 0:
                return given_back - now
        return NEVER
