"""Equal shares that every leg's venue can express, and the prices at which a leg is left again. Pure integer arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd, lcm
from typing import NamedTuple

from domain.amounts import marketable_size
from domain.fees import FeeSchedule
from domain.market import Market
from domain.money import CENT, MICRO, floor_to, multiply_ceil
from domain.order import OrderSide
from domain.ticks import SIZE_STEP


def size_step(side: OrderSide, price: int) -> int:
    """Return the step of sizes that a taking order at `price` may have: a purchase spends whole cents."""
    if side is OrderSide.SELL:
        return SIZE_STEP
    cents = MICRO * CENT
    return lcm(cents // gcd(price, cents), SIZE_STEP)


def equal_size(sides_and_prices: Iterable[tuple[OrderSide, int]], size: int) -> int:
    """Return the largest size ≤ `size` that every leg can express (0 when there is none)."""
    return floor_to(max(size, 0), lcm(*(size_step(side, price) for side, price in sides_and_prices)))


_LIMITS = 100
"""How many limit prices an exit chooses from."""


class Exit(NamedTuple):
    """A purchase that leaves a leg: limit price and size; it spends price × size at the most."""

    price: int
    size: int


def dearest_exit(market: Market, entry: int, size: int, loss: int) -> int:
    """Return the highest grid price at which buying out of `size` shares costs no more than `loss`, worst fees included; 0 when none does.

    `entry` is what a share of the leg cost, or what selling one left to pay: with the exit it makes one dollar.
    """
    tick = market.tick_size
    low, high = 0, (MICRO - tick.micros) // tick.micros
    while low < high:
        middle = (low + high + 1) // 2
        price = middle * tick.micros
        if exit_loss(market.fees, entry, price, size) <= loss:
            low = middle
        else:
            high = middle - 1
    return low * tick.micros


def exit_loss(fees: FeeSchedule, entry: int, price: int, size: int) -> int:
    """Return what buying out of `size` shares at `price` costs beyond the dollar that each pair is worth, worst fees included."""
    spend = multiply_ceil(price, size)
    return multiply_ceil(entry + price - MICRO, size) + fees.worst_spend_fee(spend)


def exit_order(market: Market, asks: Sequence[tuple[int, int]] | None, size: int, dearest: int) -> Exit | None:
    """Return the purchase of about `size` shares at `dearest` or better, None when no order is large enough.

    A taking purchase spends an amount of money: what the displayed `asks` would cost is spent, at the price of the last level that is needed, so that
    cheaper levels bring no more shares than wanted. Where nothing is known of the offers (None), the dearest price is bid.
    """
    price, cost, missing = dearest, 0, size
    for level, shares in asks or ():
        if missing <= 0 or level > dearest:
            break
        taken = min(shares, missing)
        price, cost, missing = level, cost + level * taken, missing - taken
    if missing == size:
        if asks is not None:
            return None
        cost = dearest * size
    best = max(
        _limits(market, price, dearest), key=lambda limit: limit * marketable_size(limit, cost // limit), default=0
    )
    if not best:
        return None
    wanted = marketable_size(best, cost // best)
    too_small = wanted < market.min_size or multiply_ceil(best, wanted) < MICRO
    return None if too_small else Exit(best, wanted)


def _limits(market: Market, price: int, dearest: int) -> range:
    """Return the limit prices to choose from: the dearer ones may express an amount in whole cents that the nearest cannot."""
    return range(price, min(dearest, price + _LIMITS * market.tick) + 1, market.tick) if price > 0 else range(0)
