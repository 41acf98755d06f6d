"""The six tick sizes of Polymarket and the decimals each allows (venue documentation, order amounts)."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import InvalidOrderError
from domain.money import MICRO, ceil_to, floor_to, format_micros

SIZE_STEP = 10_000
"""Order sizes carry two decimals on every tick."""


@dataclass(frozen=True, slots=True)
class TickSize:
    """A market's price grid: `micros` between two prices, decimals of price × size."""

    micros: int
    amount_decimals: int

    def contains(self, price: int) -> bool:
        """Tell whether `price` lies in [tick, 1 − tick] on the grid."""
        return self.micros <= price <= MICRO - self.micros and price % self.micros == 0

    def floor(self, price: int) -> int:
        """Return the nearest grid price at or below `price`, kept within [tick, 1 − tick]."""
        return min(max(floor_to(price, self.micros), self.micros), MICRO - self.micros)

    def ceil(self, price: int) -> int:
        """Return the nearest grid price at or above `price`, kept within [tick, 1 − tick]."""
        return min(max(ceil_to(price, self.micros), self.micros), MICRO - self.micros)


TICK_SIZES = {
    tick.micros: tick
    for tick in (
        TickSize(100_000, 3),
        TickSize(10_000, 4),
        TickSize(5_000, 5),
        TickSize(2_500, 6),
        TickSize(1_000, 5),
        TickSize(100, 6),
    )
}


def tick_size(micros: int) -> TickSize:
    """Return the tick size of `micros`.

    Raises:
        InvalidOrderError: the venue knows no such tick.
    """
    try:
        return TICK_SIZES[micros]
    except KeyError:
        known = ", ".join(format_micros(m) for m in TICK_SIZES)
        raise InvalidOrderError(f"tick size was {format_micros(micros)}, expected one of {known}") from None
