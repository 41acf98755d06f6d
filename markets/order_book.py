"""One token's order book: two lists of sizes indexed by tick, with the best index of each side always known.

Public prices and sizes are integers in micro-units and already **net of our own resting orders**, which the trader names with `set_own`; what the
venue itself shows is in the `venue_*` members. An empty side has best bid 0 or best ask 1_000_000 (`NO_BID`, `NO_ASK`), so no price is ever None.
A level that is off the grid or malformed is refused with False and changes nothing; the caller asks the venue for a snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.book import Level, LevelChange
from domain.money import MICRO
from domain.order import OrderSide
from markets.grid import PriceGrid, grid_of

NO_BID = 0
NO_ASK = MICRO

MAX_SIZE = 9e9
"""Shares above which a float no longer holds a micro-unit; larger levels are malformed."""

# Stands at index 0 of the bids and at `top` of the asks: the walk to the next level stops there without a bounds check.
_MARK = -1.0


class OrderBook:
    """The book of `token_id`. `received_ns` is when it last changed or was confirmed, `venue_ms` the venue's time of that.

    `bid_index` and `ask_index` are the grid indices of the venue's best prices, 0 and `grid.top` for empty sides; for reading only.
    `trusted` is False from a gap until the next snapshot: then the book may miss changes. `epoch` grows when the grid is rebuilt.
    `unannounced` is True while listeners have not heard of its last changes, because it was crossed.
    """

    __slots__ = (
        "_asks", "_bids", "_index", "_own_asks", "_own_bids", "ask_index", "bid_index", "epoch", "grid", "market_id", "received_ns", "tick",
        "token_id", "trusted", "unannounced", "venue_ms",
    )  # fmt: skip

    def __init__(self, token_id: str, market_id: str, tick: int) -> None:
        self.token_id = token_id
        self.market_id = market_id
        self.trusted = False
        self.unannounced = False
        self.epoch = 0
        self.received_ns = 0
        self.venue_ms = 0
        self._own_bids: dict[int, int] = {}
        self._own_asks: dict[int, int] = {}
        self._start(grid_of(tick))

    def _start(self, grid: PriceGrid) -> None:
        self.grid = grid
        self.tick = grid.tick
        self._index = grid.index
        self._bids, self.bid_index = _empty(grid, 0), 0
        self._asks, self.ask_index = _empty(grid, grid.top), grid.top

    # What strategies and risk read: integers, net of our own orders.

    @property
    def best_bid(self) -> int:
        """Highest price somebody else bids, `NO_BID` when nobody does."""
        if self._own_bids:
            return self.grid.micros[self._net_best(self._bids, self._own_bids, self.bid_index, -1)]
        return self.bid_index * self.tick

    @property
    def best_ask(self) -> int:
        """Lowest price somebody else asks, `NO_ASK` when nobody does."""
        if self._own_asks:
            return self.grid.micros[self._net_best(self._asks, self._own_asks, self.ask_index, 1)]
        return self.ask_index * self.tick

    @property
    def two_sided(self) -> bool:
        """True when somebody else bids and somebody else asks; `mid` and `spread` mean something only then."""
        return self.best_bid != NO_BID and self.best_ask != NO_ASK

    @property
    def mid(self) -> int:
        """Middle of best bid and best ask; exact, because ticks are even numbers of micro-dollars."""
        return (self.best_bid + self.best_ask) // 2

    @property
    def spread(self) -> int:
        return self.best_ask - self.best_bid

    def bid_size(self, price: int) -> int:
        """Shares others bid at exactly `price`, 0 for none and for a price off the grid."""
        index = self.grid.index_of(price)
        return _net(self._bids[index], self._own_bids.get(index, 0)) if index else 0

    def ask_size(self, price: int) -> int:
        """Shares others ask at exactly `price`, 0 for none and for a price off the grid."""
        index = self.grid.index_of(price)
        return _net(self._asks[index], self._own_asks.get(index, 0)) if index else 0

    def levels(self, side: OrderSide, depth: int = 10) -> list[tuple[int, int]]:
        """Return up to `depth` levels of others as (price, size), best first: BUY the bids, SELL the asks."""
        if side is OrderSide.BUY:
            ladder, own, index, step, end = self._bids, self._own_bids, self.bid_index, -1, 0
        else:
            ladder, own, index, step, end = self._asks, self._own_asks, self.ask_index, 1, self.grid.top
        micros = self.grid.micros
        found: list[tuple[int, int]] = []
        while index != end and len(found) < depth:
            size = ladder[index]
            if size:
                net = _net(size, own.get(index, 0))
                if net:
                    found.append((micros[index], net))
            index += step
        return found

    # What the venue shows, our own orders included.

    @property
    def crossed(self) -> bool:
        """True while the venue's own bids reach its asks: a match is being told in several frames."""
        return self.bid_index >= self.ask_index

    @property
    def usable(self) -> bool:
        """True when decisions may rely on the book: nothing was missed, and it is not crossed."""
        return self.trusted and self.bid_index < self.ask_index

    @property
    def venue_best_bid(self) -> int:
        return self.bid_index * self.tick

    @property
    def venue_best_ask(self) -> int:
        return self.ask_index * self.tick

    def venue_size(self, side: OrderSide, index: int) -> float:
        """Shares the venue shows at a grid index that is a price, our own included."""
        return self._bids[index] if side is OrderSide.BUY else self._asks[index]

    def venue_levels(self, side: OrderSide) -> tuple[list[int], list[float]]:
        """Return all levels as parallel lists of grid index and shares, best first."""
        if side is OrderSide.BUY:
            indices = [i for i in range(self.bid_index, 0, -1) if self._bids[i]]
            return indices, [self._bids[i] for i in indices]
        indices = [i for i in range(self.ask_index, self.grid.top) if self._asks[i]]
        return indices, [self._asks[i] for i in indices]

    # What the feed tells.

    def apply(self, change: LevelChange) -> bool:
        """Set one level to its new absolute size; False when the change is malformed, and nothing changed."""
        try:
            index = self._index[change.price]
            size = float(change.size)
        except (KeyError, ValueError):
            return self._apply_unusual(change)
        if not 0.0 <= size <= MAX_SIZE:
            return False
        # A level at or beyond the best: the best is the nearest level from there that is not empty, often this one.
        if change.side == "BUY":
            bids = self._bids
            bids[index] = size
            if index >= self.bid_index:
                while not bids[index]:
                    index -= 1
                self.bid_index = index
        elif change.side == "SELL":
            asks = self._asks
            asks[index] = size
            if index <= self.ask_index:
                while not asks[index]:
                    index += 1
                self.ask_index = index
        else:
            return False
        return True

    def _apply_unusual(self, change: LevelChange) -> bool:
        """Apply a change whose price is spelled in another way than the venue usually does; refuse one that is malformed."""
        index = 0 if change.price in self._index else self.grid.locate(change.price)
        return bool(index) and self.apply(
            LevelChange(change.token_id, change.side, self.grid.texts[index], change.size)
        )

    def agrees(self, change: LevelChange) -> bool:
        """Tell whether the venue's best prices after `change` are ours; a side the venue does not mention agrees."""
        bid, ask = change.best_bid, change.best_ask
        texts = self.grid.texts
        if texts[self.bid_index] == bid and texts[self.ask_index] == ask:
            return True
        locate = self.grid.locate
        return (not bid or locate(bid) == self.bid_index) and (
            not ask or (locate(ask) or self.grid.top) == self.ask_index
        )

    def replace(self, bids: Sequence[Level], asks: Sequence[Level]) -> bool:
        """Replace the whole book; False when a level is malformed or has two sizes, and nothing changed."""
        new_bids, new_asks = self._ladder(bids, 0), self._ladder(asks, self.grid.top)
        if new_bids is None or new_asks is None:
            return False
        self._bids, indices = new_bids
        self.bid_index = max(indices, default=0)
        self._asks, indices = new_asks
        self.ask_index = min(indices, default=self.grid.top)
        return True

    def same_levels(self, bids: Sequence[Level], asks: Sequence[Level]) -> bool:
        """Tell whether a snapshot names exactly the levels this book holds."""
        new_bids, new_asks = self._ladder(bids, 0), self._ladder(asks, self.grid.top)
        return new_bids is not None and new_asks is not None and new_bids[0] == self._bids and new_asks[0] == self._asks

    def _ladder(self, levels: Sequence[Level], mark: int) -> tuple[list[float], list[int]] | None:
        """Return the ladder of a snapshot's side and its indices, None when a level is malformed or contradicts another."""
        grid, known = self.grid, self._index
        try:
            indices = [known.get(level.price) or grid.locate(level.price) for level in levels]
            sizes = list(map(float, [level.size for level in levels]))
        except ValueError:
            return None
        if not all(indices) or not _all_sizes(sizes):
            return None
        ladder = _empty(grid, mark)
        for index, size in zip(indices, sizes, strict=True):
            ladder[index] = size
        if len(set(indices)) != len(indices) and [ladder[index] for index in indices] != sizes:
            return None
        return ladder, indices if all(sizes) else [index for index in indices if ladder[index]]

    def regrid(self, tick: int) -> bool:
        """Move every level to the grid of `tick` and begin a new epoch; False when a level has no place there, and the book is empty.

        Our own sizes are forgotten: the caller names them again.

        Raises:
            InvalidOrderError: no venue has such a tick.
        """
        old, new = self.grid, grid_of(tick)
        held = [(side, *self.venue_levels(side)) for side in OrderSide]
        self._start(new)
        self.epoch += 1
        self._own_bids, self._own_asks = {}, {}
        moved = [
            (side, new.index_of(old.micros[i]), size)
            for side, indices, sizes in held
            for i, size in zip(indices, sizes, strict=True)
        ]
        if not all(index for _, index, _ in moved):
            return False
        for side, index, size in moved:
            (self._bids if side is OrderSide.BUY else self._asks)[index] = size
        self.bid_index = max((index for side, index, _ in moved if side is OrderSide.BUY), default=0)
        self.ask_index = min((index for side, index, _ in moved if side is OrderSide.SELL), default=new.top)
        return True

    # What the trader tells of our own orders.

    def set_own(self, side: OrderSide, price: int, size: int) -> None:
        """Say that `size` shares at `price` are ours; 0 when none are any more. A price off the grid is nobody's level."""
        index = self.grid.index_of(price)
        own = self._own(side)
        if index and size > 0:
            own[index] = size
        else:
            own.pop(index, None)

    def _own(self, side: OrderSide) -> dict[int, int]:
        return self._own_bids if side is OrderSide.BUY else self._own_asks

    @staticmethod
    def _net_best(ladder: list[float], own: dict[int, int], index: int, step: int) -> int:
        while ladder[index] != _MARK and not _net(ladder[index], own.get(index, 0)):
            index += step
        return index


def _empty(grid: PriceGrid, mark: int) -> list[float]:
    ladder = [0.0] * (grid.top + 1)
    ladder[mark] = _MARK
    return ladder


def _all_sizes(sizes: list[float]) -> bool:
    """Tell whether every entry is a size; the sum unmasks a NaN, which no comparison does."""
    return not sizes or (min(sizes) >= 0.0 and max(sizes) <= MAX_SIZE and sum(sizes) >= 0.0)


def _net(size: float, own: int) -> int:
    """Shares of others in micro-units: our news and the venue's may arrive in either order, so never below zero."""
    return max(0, round(size * MICRO) - own) if size else 0
