"""One market's outside book, as the venue's feed tells it, and what follows from it for somebody who only pretends to be there.

Prices are micro-dollars of the market's first token, sizes micro-shares. Depth that a paper order took stays taken until the venue's own level
shrinks by as much. A trade is told twice, as a print and as a smaller level, in either order: the two are matched, so that no share counts twice.
What leaves a level and is not explained by a print within `GRACE_NS` was cancelled.
Pure: no clock, no I/O; the same calls give the same state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

GRACE_NS = 2_000_000_000
"""How long a print may come after the level that it made smaller."""


class _Level:
    """`shown` by the venue; of it `taken` by paper orders. `early` was printed and is still shown, `dropped` has gone without a print so far."""

    __slots__ = ("dropped", "early", "shown", "taken")

    def __init__(self) -> None:
        self.shown = 0
        self.taken = 0
        self.early = 0
        self.dropped: deque[list[int]] = deque()

    def queue(self, now_ns: int) -> int:
        """Return the shares of others that may still stand here."""
        self.forget(now_ns - GRACE_NS)
        return max(0, self.shown + sum(size for _, size in self.dropped) - self.early)

    def forget(self, before_ns: int) -> None:
        """Take what left by then, and no print explains, for cancelled."""
        while self.dropped and self.dropped[0][0] <= before_ns:
            self.dropped.popleft()

    @property
    def empty(self) -> bool:
        return not self.shown and not self.dropped

    def set(self, size: int, now_ns: int) -> None:
        self.forget(now_ns - GRACE_NS)
        gone = self.shown - size
        self.shown = size
        if gone <= 0:
            return
        self.taken = max(0, self.taken - gone)
        explained = min(gone, self.early)
        self.early -= explained
        if gone > explained:
            self.dropped.append([now_ns, gone - explained])
        if not size:
            self.early = 0

    def traded(self, volume: int) -> None:
        while volume and self.dropped:
            entry = self.dropped[0]
            explained = min(volume, entry[1])
            entry[1] -= explained
            volume -= explained
            if not entry[1]:
                self.dropped.popleft()
        self.early += min(volume, self.shown - self.early)


class Ladder:
    """Both sides. `trusted` is False before the first whole book and after a gap; `since_ms` is the venue's time of the book that ended the last."""

    def __init__(self) -> None:
        self.trusted = False
        self.since_ms = 0
        self._sides: tuple[dict[int, _Level], dict[int, _Level]] = ({}, {})

    def distrust(self) -> None:
        """Something was missed: nothing is taken from this book before the next whole one."""
        self.trusted = False

    def replace(
        self, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]], venue_ms: int, now_ns: int
    ) -> None:
        """Take over a whole book of (price, size). After a gap nothing is known of what led to it."""
        begins = not self.trusted
        if begins:
            self.trusted, self.since_ms = True, venue_ms
        for is_bid, levels in ((True, dict(bids)), (False, dict(asks))):
            for price in self._sides[is_bid].keys() | levels.keys():
                self.set(is_bid, price, levels.get(price, 0), now_ns)
                if begins:
                    self._forget_flow(is_bid, price)

    def set(self, is_bid: bool, price: int, size: int, now_ns: int) -> None:
        """Take over the new absolute size of one level."""
        side = self._sides[is_bid]
        level = side.get(price)
        if level is None:
            if not size:
                return
            level = side[price] = _Level()
        level.set(size, now_ns)
        if level.empty:
            del side[price]

    def traded(self, is_bid: bool, price: int, volume: int) -> None:
        """Match a public trade that hit bids (or lifted asks) at `price` with what that level shows."""
        level = self._sides[is_bid].get(price)
        if level is not None:
            level.traded(volume)
            if level.empty:
                del self._sides[is_bid][price]

    def queue(self, is_bid: bool, price: int, now_ns: int) -> int:
        """Return how many shares of others may stand before an order that joins this level now."""
        level = self._sides[is_bid].get(price)
        return level.queue(now_ns) if level is not None else 0

    def depth(self, is_bid: bool) -> Iterator[tuple[int, int]]:
        """Yield (price, shares that can be taken), best first.

        Where the venue's own sides cross, a match is being told in several frames: what it has reached is left out.
        """
        side = self._sides[is_bid]
        other = [price for price, level in self._sides[not is_bid].items() if level.shown]
        beyond = (min(other) if is_bid else max(other)) if other else None
        for price in sorted(side, reverse=is_bid):
            left = side[price].shown - side[price].taken
            if left > 0 and (beyond is None or (price < beyond if is_bid else price > beyond)):
                yield price, left

    def take(self, is_bid: bool, price: int, size: int) -> None:
        """Remember that a paper order took `size` shares of a level."""
        self._sides[is_bid][price].taken += size

    def _forget_flow(self, is_bid: bool, price: int) -> None:
        side = self._sides[is_bid]
        level = side.get(price)
        if level is not None:
            level.early = 0
            level.dropped.clear()
            level.taken = min(level.taken, level.shown)
            if level.empty:
                del side[price]
