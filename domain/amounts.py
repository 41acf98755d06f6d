"""Order amounts by integer arithmetic: what the maker gives and wants, in base units of six decimals.

A limit order's price × size always fits the tick's decimals, so nothing is rounded but the size, down to two decimals. Marketable
orders (FOK, FAK) obey a stricter rule of the matching engine: a BUY's maker amount has at most two decimals and its taker amount at
most four, whatever the tick. Source: the venue's order documentation and error catalogue. Impossible input raises `InvalidOrderError`.
"""

from __future__ import annotations

from math import gcd, lcm
from typing import NamedTuple

from domain.errors import InvalidOrderError
from domain.money import CENT, MICRO, floor_to, format_micros, multiply_floor
from domain.order import OrderSide
from domain.ticks import SIZE_STEP, TickSize


class OrderAmounts(NamedTuple):
    """The two signed amounts: BUY gives collateral for shares, SELL gives shares for collateral."""

    maker: int
    taker: int


def limit_amounts(side: OrderSide, price: int, size: int, tick: TickSize) -> OrderAmounts:
    """Return the amounts of a limit order of `size` shares at `price`; the size is floored to two decimals."""
    _require_on_grid(price, tick)
    shares = floor_to(size, SIZE_STEP)
    if shares <= 0:
        raise InvalidOrderError(f"size was {format_micros(size)}, expected at least 0.01 shares")
    notional = multiply_floor(price, shares)
    return OrderAmounts(notional, shares) if side is OrderSide.BUY else OrderAmounts(shares, notional)


def marketable_size(price: int, size: int) -> int:
    """Return the largest size ≤ `size` whose notional at `price` is a whole number of cents (0 when none is)."""
    cents_scale = MICRO * CENT
    step = lcm(cents_scale // gcd(price, cents_scale), SIZE_STEP)
    return floor_to(size, step)


def _require_on_grid(price: int, tick: TickSize) -> None:
    if not tick.contains(price):
        low, high = format_micros(tick.micros), format_micros(MICRO - tick.micros)
        raise InvalidOrderError(
            f"price was {format_micros(price)}, expected a multiple of {low} between {low} and {high}"
        )
