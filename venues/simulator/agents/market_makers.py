"""Makers: agents that quote both sides of every market on several levels around the price they perceive.

Each keeps its ladder near its centre, moved by inventory (who is long quotes lower), replaces only what is out of place, and quotes the
other side either by selling its tokens or by buying the opposite outcome, so that all three kinds of matches occur.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.money import MICRO
from domain.order import OrderSide, OrderType
from domain.ticks import tick_size
from venues.exchange.commands import Merge
from venues.simulator.world.floor import Floor
from venues.simulator.world.listings import Listing

_REFRESH_SHARE = 0.6
"""How often a maker that looks at a market renews one of its orders with another size."""
_SKEW = 0.01
_FULL_SKEW_SHARES = 3000 * MICRO
_MERGE_FROM = 60_000 * MICRO


@dataclass(frozen=True, slots=True)
class Style:
    """How one maker quotes. Prices are dollars, `wake` seconds between two looks at a market, `fast` the same while it moves."""

    account: str
    half_spread: float
    step: float
    levels: int
    shares: tuple[int, int]
    tolerance: float
    wake: tuple[float, float]
    fast: tuple[float, float]
    buys_no: bool


@dataclass(slots=True)
class Quotes:
    """A maker's resting orders in one market: (is a bid, YES price) → order id, and the centre they were put around."""

    centre: float = -1.0
    orders: dict[tuple[bool, int], str] = field(default_factory=dict)


class MarketMaker:
    """One maker in all markets."""

    def __init__(self, floor: Floor, number: int, style: Style) -> None:
        self._floor = floor
        self._number = number
        self.style = style
        self._quotes: dict[str, Quotes] = {}
        self._places: dict[str, tuple[str, tuple[bool, int]]] = {}

    def enter(self, condition_id: str) -> None:
        """Begin to quote a market, soon."""
        self._quotes[condition_id] = Quotes()
        self._floor.soon(0.0, self.style.wake[1], "quote", self._number, condition_id)

    def leave(self, condition_id: str) -> None:
        """Forget a market that is over; its orders are gone with it."""
        for order_id in self._quotes.pop(condition_id, Quotes()).orders.values():
            self._places.pop(order_id, None)

    def order_ended(self, order_id: str) -> None:
        """Hear that an order of ours rests no longer."""
        place = self._places.pop(order_id, None)
        if place and place[0] in self._quotes:
            self._quotes[place[0]].orders.pop(place[1], None)

    def quote(self, condition_id: str) -> None:
        """Look at one market: bring the ladder into place and plan the next look."""
        if condition_id not in self._quotes:
            return
        quotes = self._quotes[condition_id]
        listing = self._floor.trading(condition_id)
        if listing:
            if quotes.orders and self._floor.rng.random() < _REFRESH_SHARE:
                self._floor.cancel(self.style.account, [self._floor.rng.choice(list(quotes.orders.values()))])
            self._requote(listing, quotes)
        moving = self._floor.moods[condition_id].displacement is not None
        self._floor.soon(*(self.style.fast if moving else self.style.wake), "quote", self._number, condition_id)

    def hurry(self, condition_id: str) -> None:
        """Look again at once: something happened to the price."""
        self._floor.soon(*self.style.fast, "glance", self._number, condition_id)

    def glance(self, condition_id: str) -> None:
        """Bring the ladder into place without planning another look."""
        listing = self._floor.trading(condition_id)
        if listing and condition_id in self._quotes:
            self._requote(listing, self._quotes[condition_id])

    def _requote(self, listing: Listing, quotes: Quotes) -> None:
        centre = self._floor.perceived(listing.spec.condition_id) - self._lean(listing)
        if abs(centre - quotes.centre) >= self.style.tolerance:
            quotes.centre = centre
        wanted = self._ladder(listing, quotes.centre)
        stale = [order_id for place, order_id in quotes.orders.items() if place not in wanted]
        self._floor.cancel(self.style.account, stale)
        for place in wanted:
            if place not in quotes.orders:
                self._place(listing, quotes, place)

    def _ladder(self, listing: Listing, centre: float) -> list[tuple[bool, int]]:
        """Return the places a full ladder has; levels that fall off the grid are left out."""
        tick = tick_size(listing.tick)
        places: dict[tuple[bool, int], None] = {}
        for level in range(self.style.levels):
            away = self.style.half_spread + level * self.style.step
            bid, ask = int((centre - away) * MICRO), int((centre + away) * MICRO)
            bid -= bid % tick.micros
            ask += -ask % tick.micros
            if tick.contains(bid):
                places[True, bid] = None
            if tick.contains(ask):
                places[False, ask] = None
        return list(places)

    def _place(self, listing: Listing, quotes: Quotes, place: tuple[bool, int]) -> None:
        is_bid, price = place
        yes, no = listing.spec.token_ids
        shares = self._floor.shares(*self.style.shares, listing.tick)
        if is_bid:
            token, side, own_price = yes, OrderSide.BUY, price
        elif self.style.buys_no:
            token, side, own_price = no, OrderSide.BUY, MICRO - price
        else:
            token, side, own_price = yes, OrderSide.SELL, price
        order_id = self._floor.place(self.style.account, listing, token, side, own_price, shares, OrderType.GTC)
        # An order that was filled on arrival has ended before this line.
        if order_id and self._floor.rests(order_id):
            quotes.orders[place] = order_id
            self._places[order_id] = (listing.spec.condition_id, place)

    def _lean(self, listing: Listing) -> float:
        """Return how far below its perception the maker quotes, by its inventory; matched pairs are turned back into cash."""
        exchange, account = self._floor.exchange, self.style.account
        yes, no = (exchange.balance(account, token_id) for token_id in listing.spec.token_ids)
        pairs = min(yes.available, no.available)
        if pairs > _MERGE_FROM:
            self._floor.do(Merge(account, listing.spec.condition_id, pairs - _MERGE_FROM // 2))
        net = yes.settled + yes.incoming - no.settled - no.incoming
        return _SKEW * min(1.0, max(-1.0, net / _FULL_SKEW_SHARES))
