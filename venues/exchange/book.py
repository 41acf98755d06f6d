"""One market's ladder: price-time priority over the orders of both tokens, in terms of the first one.

Buying the second token at p is selling the first at 1 − p, so both are asks at 1 − p here. A side keeps its levels in a dictionary by price
beside a sorted list of keys whose last element is the best; a level keeps its orders in a dictionary, oldest first, so that a cancel is O(1).
"""

from __future__ import annotations

from bisect import bisect_left, insort

from domain.money import MICRO
from venues.exchange.records import OrderRecord


class Level:
    """All orders at one price, oldest first, and the sum of what remains of them."""

    __slots__ = ("orders", "size")

    def __init__(self) -> None:
        self.size = 0
        self.orders: dict[str, OrderRecord] = {}


class BookSide:
    """Levels of one side. A key is the price times `sign` (bids 1, asks −1), so the best level always has the largest key."""

    __slots__ = ("keys", "levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.levels: dict[int, Level] = {}

    def level(self, price: int) -> Level:
        """Return the level at `price`, a new one where there is none yet."""
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = Level()
            insort(self.keys, price * self.sign)
        return level

    def drop(self, price: int) -> None:
        """Forget the empty level at `price`."""
        del self.levels[price]
        key = price * self.sign
        if self.keys[-1] == key:
            self.keys.pop()
        else:
            del self.keys[bisect_left(self.keys, key)]


class MarketBook:
    """Both sides of a ladder. `touched` collects (is bid, price) of every level changed since it was last cleared."""

    __slots__ = ("asks", "bids", "touched")

    def __init__(self) -> None:
        self.bids = BookSide(1)
        self.asks = BookSide(-1)
        self.touched: dict[tuple[bool, int], None] = {}

    @property
    def best_bid(self) -> int:
        """The highest bid, 0 when there is none."""
        return self.bids.keys[-1] if self.bids.keys else 0

    @property
    def best_ask(self) -> int:
        """The lowest ask, one dollar when there is none."""
        return -self.asks.keys[-1] if self.asks.keys else MICRO

    def crossed_by(self, is_bid: bool, price: int) -> bool:
        """Tell whether an order on that side at `price` would match now."""
        keys = self.asks.keys if is_bid else self.bids.keys
        return bool(keys) and keys[-1] >= (-price if is_bid else price)

    def levels(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return (price, size) of all bids and all asks, the best level of each last."""
        bids = [(key, self.bids.levels[key].size) for key in self.bids.keys]
        asks = [(-key, self.asks.levels[-key].size) for key in self.asks.keys]
        return bids, asks

    def size_at(self, is_bid: bool, price: int) -> int:
        level = (self.bids if is_bid else self.asks).levels.get(price)
        return level.size if level is not None else 0

    def add(self, order: OrderRecord) -> None:
        """Let `order` rest behind all others at its price."""
        level = (self.bids if order.is_bid else self.asks).level(order.ladder_price)
        level.orders[order.id] = order
        level.size += order.remaining
        self.touched[order.is_bid, order.ladder_price] = None

    def reduce(self, order: OrderRecord, size: int) -> None:
        """Take `size` from the resting `order`, which keeps its place in time."""
        order.remaining -= size
        (self.bids if order.is_bid else self.asks).levels[order.ladder_price].size -= size
        self.touched[order.is_bid, order.ladder_price] = None

    def remove(self, order: OrderRecord) -> None:
        """Take the resting `order` out, with all that remains of it."""
        side = self.bids if order.is_bid else self.asks
        level = side.levels[order.ladder_price]
        del level.orders[order.id]
        level.size -= order.remaining
        if not level.orders:
            side.drop(order.ladder_price)
        self.touched[order.is_bid, order.ladder_price] = None
