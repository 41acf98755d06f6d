"""Where our resting orders stand among those of others, and what public trades give to them.

An order joins behind everything its level shows. Only trades bring it forward, and cancels that leave nobody else in front: a cancel is taken to
come from behind as long as somebody stands there. A trade at the order's price reaches it after all that is ahead; a trade beyond its price would
have met it first. What one of our orders got, the next does not get again. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class Resting:
    """One order in a market's book, in terms of its first token. `ahead` is None where the book was not known when it joined."""

    order_id: str
    is_bid: bool
    price: int
    remaining: int
    since_ns: int
    ahead: int | None

    def reached_by(self, price: int) -> bool:
        """Tell whether a taker who trades at `price` on our side gets to this order's price."""
        return self.price >= price if self.is_bid else self.price <= price

    def bound(self, queue: int) -> None:
        """No more can be ahead than the level holds."""
        self.ahead = queue if self.ahead is None else min(self.ahead, queue)


@dataclass(frozen=True, slots=True)
class Part:
    """`size` shares of one resting order."""

    order: Resting
    size: int


def by_priority(orders: Iterable[Resting]) -> list[Resting]:
    """Return orders of one side in the order in which a taker meets them; the older first at one price."""
    return sorted(orders, key=lambda each: -each.price if each.is_bid else each.price)


def reached(orders: Iterable[Resting], price: int, volume: int) -> list[Part]:
    """Return what a trade of `volume` shares at `price` gives to `orders` of the side it hit, and move them forward.

    `orders` must have rested before the trade.
    """
    parts = []
    for order in by_priority(each for each in orders if each.reached_by(price)):
        ahead = 0
        if order.price == price:
            if order.ahead is None:
                continue
            ahead, order.ahead = order.ahead, max(0, order.ahead - volume)
        size = min(order.remaining, max(0, volume - ahead))
        if size:
            parts.append(Part(order, size))
            volume -= size
    return parts
