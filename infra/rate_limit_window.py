"""A process's part of a limit that all processes of an installation share: a small private share, and blocks leased of the rest.

The private share, an eighth for each of up to `PROCESSES` processes, needs nobody; it serves quiet times, the first moments, and the time while
the lender is away. The other half is lent in blocks, ahead of need and to whoever needs them, by something that counts what it lent
(`infra.rate_limit_redis`). A block is used within `life` or not at all, so the lender may count it for the window and its life together, and the sum
stays below the limit in every window, whoever uses what when. Never waits, never asks: `wanted` says what should be leased, `granted` takes it.
"""

from __future__ import annotations

from collections import deque

from infra.rate_limit import NEVER, SlidingCount

PROCESSES = 4
"""Processes that may each use a private share: the trader, a worker of the pipelines or two, and what an operator runs."""
_PRIVATE_PART = 8
_SPREAD = 1.05
"""Requests do not travel equally fast: what left within a window and a twentieth may arrive within one."""
_LIFE_PART = 10
_SMALLEST_PART, _LARGEST_PART = 100, 4
LEASE_SECONDS = 0.05
"""How long an answer of the lender usually takes at most; whoever waits for a block counts with it."""


class LimitWindow:
    """At most `limit` in any `seconds`, of which this process may use its private share and what it leased. `name` says whose limit it is."""

    def __init__(self, name: str, limit: int, seconds: float) -> None:
        private = max(1, limit // _PRIVATE_PART)
        if limit <= PROCESSES * private:
            raise ValueError(f"limit {name} was {limit}, expected more than {PROCESSES} for {PROCESSES} processes")
        self.name, self.limit, self.seconds = name, limit, seconds
        self.shared = limit - PROCESSES * private
        self.life = seconds / _LIFE_PART
        self.counted_for = seconds * _SPREAD + self.life
        self._private = SlidingCount(private, seconds * _SPREAD)
        self._blocks: deque[tuple[float, int]] = deque()
        self._block_size = 0
        self._taken_since_lease = 0
        self._lease_again = NEVER

    @property
    def key(self) -> str:
        """The specification's `rl:{endpoint}:{window}`, with the window in seconds."""
        return f"rl:{self.name}:{self.seconds:g}"

    # What callers do.

    def left(self, now: float) -> int:
        """Return how many may be used right now."""
        return self._leased(now) + max(self._private.left(now), 0)

    def wait(self, now: float, reserve: float = 0.0) -> float:
        """Return the seconds until one may be used that leaves the part `reserve` of the private share to others, 0 for at once."""
        if self._lease(now):
            return 0.0
        keep = int(self._private.limit * reserve)
        return min(self._private.wait(now, keep), max(self._lease_again - now, LEASE_SECONDS))

    def take(self, now: float) -> None:
        """Use one, of a lease if there is one; what was not waited for counts as well."""
        self._taken_since_lease += 1
        if self._lease(now):
            end, left = self._blocks[0]
            self._blocks[0] = (end, left - 1)
        else:
            self._private.take(now)

    # What the keeper of the leases does.

    def wanted(self, now: float) -> int:
        """Return how many to lease now, 0 for none: enough for twice what was used since the last time, before half of that is gone."""
        if now < self._lease_again or self._private.left(now) > self._private.limit // 2:
            return 0
        if self._leased(now) > self._block_size // 2:
            return 0
        smallest, largest = max(1, self.shared // _SMALLEST_PART), max(1, self.shared // _LARGEST_PART)
        return min(max(smallest, 2 * self._taken_since_lease), largest)

    def granted(self, count: int, asked_at: float, again_in: float) -> None:
        """Take a block of `count`, leased at some time after `asked_at`; with nothing granted, ask again in `again_in` seconds."""
        self._taken_since_lease = 0
        if count > 0:
            self._block_size = count
            self._blocks.append((asked_at + self.life, count))
        else:
            self._lease_again = asked_at + max(again_in, LEASE_SECONDS)

    def ask_again(self, at: float) -> None:
        """There is a lender, to be asked from the time `at` on."""
        self._lease_again = at

    def _leased(self, now: float) -> int:
        return sum(left for _, left in self._lease(now))

    def _lease(self, now: float) -> deque[tuple[float, int]]:
        """Return the blocks that can still be used."""
        blocks = self._blocks
        while blocks and (blocks[0][0] <= now or blocks[0][1] <= 0):
            blocks.popleft()
        return blocks
