"""Takers: agents that trade against the makers. Some trade for no reason; some panic, and the price falls until others see value again.

A panic sells one outcome through all bids down to a price and leaves a rest there. Either it was nothing, and the perceived price
comes back within seconds, or it was news, and fair value has moved. Swings are slower: the perceived price wanders off and returns.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.money import MICRO, ceil_to
from domain.order import OrderSide, OrderType
from domain.ticks import tick_size
from venues.simulator.world.floor import Displacement, Floor
from venues.simulator.world.listings import Listing


@dataclass(frozen=True, slots=True)
class Temper:
    """How lively the takers are: mean seconds between two events over all markets, and the share of panics that are news."""

    noise_every: float = 0.3
    panic_every: float = 7.0
    swing_every: float = 12.0
    news_share: float = 0.25


_LOW, _HIGH = 0.08, 0.92


class Takers:
    """All takers of the venue; each kind is one account."""

    def __init__(self, floor: Floor, noise_account: str, panic_account: str, temper: Temper) -> None:
        self._floor = floor
        self._noise = noise_account
        self._panic = panic_account
        self._temper = temper

    def start(self) -> None:
        """Plan the first of each kind."""
        self._plan("noise", self._temper.noise_every)
        self._plan("panic", self._temper.panic_every)
        self._plan("swing", self._temper.swing_every)

    def noise(self) -> None:
        """Buy or sell a little of something, at the market."""
        self._plan("noise", self._temper.noise_every)
        floor = self._floor
        markets = floor.listings.open()
        if not markets:
            return
        listing = floor.rng.choice(markets)
        token_id = floor.rng.choice(listing.spec.token_ids)
        side = floor.rng.choice((OrderSide.BUY, OrderSide.SELL))
        bid, ask = floor.exchange.best(token_id)
        price = ask if side is OrderSide.BUY else bid
        shares = floor.shares(20, 90, listing.tick)
        # The venue takes no marketable BUY below one dollar.
        if tick_size(listing.tick).contains(price) and (side is OrderSide.SELL or shares * price >= MICRO):
            floor.place(self._noise, listing, token_id, side, price, shares, OrderType.FAK)

    def panic(self) -> str | None:
        """Crash one outcome of a market that can fall; return its condition, None when no market is fit."""
        self._plan("panic", self._temper.panic_every)
        floor, rng = self._floor, self._floor.rng
        depth = rng.uniform(0.13, 0.24)
        candidates = [
            (listing, index)
            for listing in floor.calm()
            for index in (0, 1)
            if self._value(listing, index) - depth >= _LOW
        ]
        if not candidates:
            return None
        listing, index = rng.choice(candidates)
        condition_id = listing.spec.condition_id
        before = self._value(listing, index)
        low = tick_size(listing.tick).floor(int((before - depth) * MICRO))
        self._sell_down_to(listing, listing.spec.token_ids[index], low)
        sign = -1.0 if index == 0 else 1.0
        if rng.random() < self._temper.news_share:
            floor.values[listing.event.id].news(
                listing.event.markets.index(listing.spec), floor.moods[condition_id].fair + sign * depth
            )
            floor.refresh(listing.event.id, 0.0)
        else:
            floor.moods[condition_id].displacement = Displacement(
                size=sign * depth,
                start_ns=floor.now_ns,
                rise=0.05,
                hold=rng.uniform(1.5, 4.0),
                fall=rng.uniform(4.0, 14.0),
            )
        return condition_id

    def swing(self) -> None:
        """Let the perceived price of a calm market wander off and come back."""
        self._plan("swing", self._temper.swing_every)
        floor, rng = self._floor, self._floor.rng
        size = rng.uniform(0.04, 0.09) * rng.choice((-1.0, 1.0))
        calm = [listing for listing in floor.calm() if _LOW <= self._value(listing, 0) + size <= _HIGH]
        if calm:
            floor.moods[rng.choice(calm).spec.condition_id].displacement = Displacement(
                size=size,
                start_ns=floor.now_ns,
                rise=rng.uniform(12.0, 30.0),
                hold=rng.uniform(2.0, 10.0),
                fall=rng.uniform(20.0, 50.0),
            )

    def calm_down(self, order_id: str) -> None:
        """Take back what a panic left in the book."""
        self._floor.cancel(self._panic, [order_id])

    def _sell_down_to(self, listing: Listing, token_id: str, low: int) -> None:
        floor = self._floor
        book = floor.exchange.book(token_id)
        depth = sum(size for price, size in book.bids if price >= low) if book else 0
        if depth:
            shares = ceil_to(depth, 20 * MICRO) // MICRO
            floor.place(self._panic, listing, token_id, OrderSide.SELL, low, shares, OrderType.FAK)
        rest = floor.place(
            self._panic, listing, token_id, OrderSide.SELL, low, floor.shares(100, 400, listing.tick), OrderType.GTC
        )
        if rest:
            floor.later(floor.rng.uniform(3.0, 7.0), "calm_down", rest)

    def _value(self, listing: Listing, index: int) -> float:
        yes = self._floor.perceived(listing.spec.condition_id)
        return yes if index == 0 else 1.0 - yes

    def _plan(self, name: str, mean_seconds: float) -> None:
        self._floor.later(self._floor.rng.expovariate(1.0 / mean_seconds) / self._floor.speed, name)
