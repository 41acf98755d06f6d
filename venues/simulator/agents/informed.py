"""The informed trader: learns of a jump in a market's value shortly before it happens, and takes every quote that will then be stale.

Whoever quotes loses to it what it earns; it is the cost of being slow, or of quoting too tightly.
"""

from __future__ import annotations

from domain.money import MICRO
from domain.order import OrderSide, OrderType
from domain.ticks import tick_size
from venues.simulator.world.floor import FINE_SIZE_STEP, Floor
from venues.simulator.world.listings import Listing

_EVERY_SECONDS = 15.0
_JUMP = (0.04, 0.09)
_EDGE = 0.01
_LEAD_SECONDS = (0.4, 1.5)
_MOST_SHARES = 2_000
_LOW, _HIGH = 0.08, 0.92


class Informed:
    """One trader with foreknowledge, `account` its own."""

    def __init__(self, floor: Floor, account: str) -> None:
        self._floor = floor
        self.account = account

    def start(self) -> None:
        """Plan the first piece of news."""
        self._plan()

    def learn(self) -> None:
        """Learn of a jump, and trade on it before it happens."""
        self._plan()
        floor, rng = self._floor, self._floor.rng
        jump = rng.uniform(*_JUMP) * rng.choice((-1.0, 1.0))
        fit = [
            listing for listing in floor.calm() if _LOW <= floor.moods[listing.spec.condition_id].fair + jump <= _HIGH
        ]
        if not fit:
            return
        listing = rng.choice(fit)
        value = floor.moods[listing.spec.condition_id].fair + jump
        self._take_stale(listing, value)
        floor.later(rng.uniform(*_LEAD_SECONDS), "strike", listing.spec.condition_id, value)

    def strike(self, condition_id: str, value: float) -> bool:
        """Let the jump happen; tell whether the market was still there."""
        listing = self._floor.trading(condition_id)
        if listing is None:
            return False
        self._floor.values[listing.event.id].news(listing.event.markets.index(listing.spec), value)
        self._floor.refresh(listing.event.id, 0.0)
        return True

    def _take_stale(self, listing: Listing, value: float) -> None:
        """Buy the token that will be worth more, as far as it is offered below that."""
        rises = value > self._floor.moods[listing.spec.condition_id].fair
        token_id = listing.spec.token_ids[0 if rises else 1]
        worth = value if rises else 1.0 - value
        limit = tick_size(listing.tick).floor(int((worth - _EDGE) * MICRO))
        book = self._floor.exchange.book(token_id)
        offered = sum(size for price, size in book.asks if price <= limit) if book else 0
        shares = min(_MOST_SHARES, offered // MICRO) // FINE_SIZE_STEP * FINE_SIZE_STEP
        if shares * limit >= MICRO:
            self._floor.place(self.account, listing, token_id, OrderSide.BUY, limit, shares, OrderType.FAK)

    def _plan(self) -> None:
        floor = self._floor
        floor.later(floor.rng.expovariate(1.0 / _EVERY_SECONDS) / floor.speed, "learn")
