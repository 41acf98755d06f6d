"""The lender of a process that is alone at its address: the shared part of every limit is its own, and nobody has to be asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from domain.ports import Clock
from infra.rate_limit_window import LimitWindow


class SoleLender:
    """Lends like `infra.rate_limit_redis`, in memory and at once. Only for a process that shares its address with no other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._on_news: Callable[[], None] = lambda: None
        self._blocks: list[tuple[LimitWindow, deque[tuple[float, int]]]] = []

    def serve(self, windows: Sequence[LimitWindow], on_news: Callable[[], None]) -> None:
        """Begin to lend."""
        self._on_news = on_news
        self._blocks = [(window, deque()) for window in windows]
        for window in windows:
            window.ask_again(self._clock.monotonic())

    def wake(self) -> None:
        """Lend what is wanted now."""
        now = self._clock.monotonic()
        for window, blocks in self._blocks:
            wanted = window.wanted(now)
            if not wanted:
                continue
            while blocks and blocks[0][0] <= now - window.counted_for:
                blocks.popleft()
            lent = min(wanted, window.shared - sum(count for _, count in blocks))
            if lent > 0:
                blocks.append((now, lent))
            window.granted(lent, now, blocks[0][0] + window.counted_for - now)
        self._on_news()

    async def probe(self) -> None:
        """Nothing can be away."""

    async def close(self) -> None:
        """Nothing is open."""
