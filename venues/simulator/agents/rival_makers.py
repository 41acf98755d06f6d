"""Rivals: small makers that quote against each other in some markets. Each tries to be first by a tick, as long as an edge is left.

At the edge a rival now and then falls back and the race begins anew. When somebody who knows more hits a market, rivals take their quotes
out of it and stay away for some seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.money import MICRO
from domain.order import OrderSide, OrderType
from domain.ticks import TickSize, tick_size
from venues.simulator.world.floor import Floor
from venues.simulator.world.listings import Listing
from venues.simulator.world.universe import NANOS

_MARKETS_OF_EVENT = 2
_EDGE = 0.004
_GIVE_UP_SHARE = 0.15
_GIVE_UP_TICKS = 3
_SHARES = (20, 60)
_WAKE = (0.4, 1.3)
_AWAY_SECONDS = (3.0, 8.0)


@dataclass(slots=True)
class Quote:
    """A rival's resting order on one side of a market."""

    order_id: str
    price: int


class RivalMakers:
    """All rivals in all markets they share; `accounts` are theirs."""

    def __init__(self, floor: Floor, accounts: tuple[str, ...]) -> None:
        self._floor = floor
        self._accounts = accounts
        self._quotes: dict[str, list[dict[bool, Quote]]] = {}
        self._away_until: dict[str, int] = {}

    def enter(self, condition_id: str) -> None:
        """Begin to race in a market, if it is one of an event with exclusive outcomes."""
        listing = self._floor.trading(condition_id)
        if listing and listing.spec.neg_risk and listing.event.markets.index(listing.spec) < _MARKETS_OF_EVENT:
            self._quotes[condition_id] = [{} for _ in self._accounts]
            for number in range(len(self._accounts)):
                self._floor.soon(*_WAKE, "rival", number, condition_id)

    def leave(self, condition_id: str) -> None:
        """Forget a market that is over; the orders are gone with it."""
        self._quotes.pop(condition_id, None)
        self._away_until.pop(condition_id, None)

    def look(self, number: int, condition_id: str) -> None:
        """Let one rival look at one market, and plan its next look."""
        if condition_id not in self._quotes:
            return
        listing = self._floor.trading(condition_id)
        if listing and self._floor.now_ns >= self._away_until.get(condition_id, 0):
            for is_bid in (True, False):
                self._race(number, listing, is_bid)
        self._floor.soon(*_WAKE, "rival", number, condition_id)

    def pull(self, condition_id: str) -> None:
        """Take all quotes out of a market for a while."""
        if condition_id not in self._quotes:
            return
        for account, quotes in zip(self._accounts, self._quotes[condition_id], strict=True):
            self._floor.cancel(account, [quote.order_id for quote in quotes.values()])
            quotes.clear()
        away = self._floor.rng.uniform(*_AWAY_SECONDS) / self._floor.speed
        self._away_until[condition_id] = self._floor.now_ns + int(away * NANOS)

    def _race(self, number: int, listing: Listing, is_bid: bool) -> None:
        quotes = self._quotes[listing.spec.condition_id][number]
        quote = quotes.get(is_bid)
        if quote and not self._floor.rests(quote.order_id):
            del quotes[is_bid]
            quote = None
        price = self._wanted(listing, is_bid, quote)
        if quote and price == quote.price:
            return
        if quote:
            self._floor.cancel(self._accounts[number], [quotes.pop(is_bid).order_id])
        if price is None:
            return
        side = OrderSide.BUY if is_bid else OrderSide.SELL
        shares = self._floor.shares(*_SHARES, listing.tick)
        order_id = self._floor.place(
            self._accounts[number], listing, listing.spec.token_ids[0], side, price, shares, OrderType.GTC
        )
        if order_id:
            quotes[is_bid] = Quote(order_id, price)

    def _wanted(self, listing: Listing, is_bid: bool, quote: Quote | None) -> int | None:
        """Return the price to quote at: the present one while it leads, one tick better than who leads, or a step back; None to stay out."""
        tick = tick_size(listing.tick)
        bid, ask = self._floor.exchange.best(listing.spec.token_ids[0])
        limit = self._limit(listing, is_bid, tick)
        leads, sign = (bid, 1) if is_bid else (ask, -1)
        if quote and quote.price == leads and sign * (limit - leads) >= 0:
            return leads
        better = leads + sign * tick.micros
        if sign * (better - limit) > 0:
            gives_up = self._floor.rng.random() < _GIVE_UP_SHARE
            better = limit - sign * tick.micros * (_GIVE_UP_TICKS if gives_up else 0)
        crosses = better >= ask if is_bid else better <= bid
        return better if tick.contains(better) and not crosses else None

    def _limit(self, listing: Listing, is_bid: bool, tick: TickSize) -> int:
        """Return the best price that still leaves an edge."""
        value = self._floor.perceived(listing.spec.condition_id)
        if is_bid:
            return tick.floor(int((value - _EDGE) * MICRO))
        return MICRO - tick.floor(int((1.0 - value - _EDGE) * MICRO))
