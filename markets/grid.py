"""The price grid of one tick size: price text to index, index to price.

Index i stands for the price i × tick. The indices 0 and `top` (price 1) are no prices: as a best bid or best ask they mean "nobody".
Grids are shared by all books of a tick size. A text that is not a price on the grid has no index; nothing is ever rounded onto it.
"""

from __future__ import annotations

from functools import cache

from domain.errors import MoneyError
from domain.money import MICRO, format_micros, parse_micros
from domain.ticks import tick_size

_SPELLINGS_LEARNED = 4
"""How many spellings of a price ("0.5", "0.50", "0.500") are remembered, on average; more are parsed each time."""


class PriceGrid:
    """`index` finds a price's text, `texts` and `micros` are its inverse; `tick` is in micro-dollars."""

    __slots__ = ("_limit", "index", "micros", "texts", "tick", "top")

    def __init__(self, tick: int) -> None:
        self.tick = tick
        self.top = MICRO // tick
        self.micros = [i * tick for i in range(self.top + 1)]
        self.texts = [format_micros(price) for price in self.micros]
        self.index = {self.texts[i]: i for i in range(1, self.top)}
        self._limit = self.top * _SPELLINGS_LEARNED

    def locate(self, text: str) -> int:
        """Return the index of a price in any spelling, 0 when it is no price of this grid."""
        known = self.index.get(text)
        if known is not None:
            return known
        try:
            index, rest = divmod(parse_micros(text), self.tick)
        except MoneyError:
            return 0
        if rest or not 0 < index < self.top:
            return 0
        if len(self.index) < self._limit:
            self.index[text] = index
        return index

    def index_of(self, price: int) -> int:
        """Return the index of a price in micro-dollars, 0 when it is no price of this grid."""
        index, rest = divmod(price, self.tick)
        return 0 if rest or not 0 < index < self.top else index


@cache
def grid_of(tick: int) -> PriceGrid:
    """Return the shared grid of a tick size in micro-dollars; `InvalidOrderError` when no venue has such a tick."""
    return PriceGrid(tick_size(tick).micros)
