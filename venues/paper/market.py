"""One market as a paper account meets it: the outside book, our resting orders in it, and which commands to the exchange follow from both. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from domain.book import TradePrint
from domain.market import Market
from domain.money import MICRO
from domain.order import OrderSide
from venues.exchange.commands import Hit, PlaceOrder, Quote
from venues.exchange.events import OrderView
from venues.paper.ladder import Ladder
from venues.paper.queue import Part, Resting, by_priority, reached

STREET = "street"
"""The exchange's account of everybody else."""


class Wish:
    """What an order would take at once: shares up to a limit on the ladder, or a cash amount of them."""

    __slots__ = ("cash", "id", "is_bid", "is_first", "limit", "shares")

    def __init__(self, market: Market, order: PlaceOrder | OrderView, order_id: str) -> None:
        buys = order.side is OrderSide.BUY
        cash, shares = (order.maker_amount, order.taker_amount)[:: 1 if buys else -1]
        price = cash * MICRO // max(shares, 1)
        self.id = order_id
        self.is_first = order.token_id == market.token_ids[0]
        self.is_bid = buys is self.is_first
        self.limit = price if self.is_first else MICRO - price
        self.shares = shares
        self.cash = cash if buys and not order.order_type.rests else None

    def reaches(self, price: int) -> bool:
        return price <= self.limit if self.is_bid else price >= self.limit

    def size_at(self, price: int, gotten: int, spent: int) -> int:
        """Return how many shares are still wanted at a level when so many were gotten for so much."""
        if self.cash is None:
            return self.shares - gotten
        own = price if self.is_first else MICRO - price
        return -(-(self.cash - spent) * MICRO // own)


class PaperMarket:
    """The outside book of `market`, and the orders of the paper account that rest in it."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.ladder = Ladder()
        self.resting: dict[str, Resting] = {}

    def offers(self, wishes: Iterable[Wish]) -> list[Quote]:
        """Return the outside levels that orders about to meet the book can take, as quotes; a level is offered once."""
        quotes: list[Quote] = []
        left = {is_bid: list(self.ladder.depth(is_bid)) for is_bid in (True, False)}
        for wish in wishes:
            gotten = spent = 0
            levels = left[not wish.is_bid]
            for index, (price, size) in enumerate(levels):
                if not wish.reaches(price):
                    break
                take = min(size, wish.size_at(price, gotten, spent))
                if take <= 0:
                    continue
                levels[index] = (price, size - take)
                gotten += take
                spent += take * (price if wish.is_first else MICRO - price) // MICRO
                quotes.append(self._quote(f"{wish.id}/{len(quotes)}", not wish.is_bid, price, take))
        return quotes

    def _quote(self, order_id: str, is_bid: bool, price: int, size: int) -> Quote:
        """An outside ask is a bid for the second token."""
        first, second = self.market.token_ids
        return Quote(order_id, STREET, first if is_bid else second, price if is_bid else MICRO - price, size)

    def taken(self, token_id: str, price: int, size: int) -> None:
        """A quote was taken."""
        is_bid = token_id == self.market.token_ids[0]
        self.ladder.take(is_bid, price if is_bid else MICRO - price, size)

    def best_bid(self, token_id: str) -> int:
        """Return the best bid of a token that can be taken, 0 when there is none."""
        if token_id == self.market.token_ids[0]:
            return next((price for price, _ in self.ladder.depth(True)), 0)
        return MICRO - next((price for price, _ in self.ladder.depth(False)), MICRO)

    def settle_order(self, order: OrderView, now_ns: int) -> None:
        """An order rests, or rests with less."""
        remaining = order.size - order.size_matched
        known = self.resting.get(order.id)
        if known is not None:
            known.remaining = remaining
            return
        is_first = order.token_id == self.market.token_ids[0]
        is_bid = (order.side is OrderSide.BUY) is is_first
        price = order.price if is_first else MICRO - order.price
        ahead = self.ladder.queue(is_bid, price, now_ns) if self.ladder.trusted else None
        self.resting[order.id] = Resting(order.id, is_bid, price, remaining, now_ns, ahead)

    def traded(self, trade: TradePrint, at_ns: int) -> list[Hit]:
        """Return what a public trade at `at_ns` gives to orders that rested before it."""
        is_first = trade.token_id == self.market.token_ids[0]
        is_bid = (trade.side == "SELL") is is_first
        ladder_price, size = (trade.price if is_first else MICRO - trade.price), trade.size
        if self.ladder.trusted and at_ns < self.ladder.since_ms * 1_000_000:
            return []
        self.ladder.traded(is_bid, ladder_price, size)
        before = (each for each in self.resting.values() if each.is_bid is is_bid and each.since_ns <= at_ns)
        return [_hit(part) for part in reached(before, ladder_price, size)]

    def book_changed(self, now_ns: int) -> list[Hit]:
        """Return the orders that the outside book has moved into, once it is known; what they get is taken from it."""
        if not self.ladder.trusted or not self.resting:
            return []
        hits = []
        for is_bid in (True, False):
            orders = by_priority(each for each in self.resting.values() if each.is_bid is is_bid)
            for order in orders:
                order.bound(self.ladder.queue(is_bid, order.price, now_ns))
            for price, shown in list(self.ladder.depth(not is_bid)) if orders else ():
                left = shown
                for order in orders:
                    size = min(order.remaining, left) if order.reached_by(price) else 0
                    if size:
                        hits.append(_hit(Part(order, size)))
                        self.ladder.take(not is_bid, price, size)
                        order.remaining -= size
                        left -= size
        return hits


def _hit(part: Part) -> Hit:
    order = part.order
    return Hit(f"{order.order_id}/hit/{order.remaining}", STREET, order.order_id, part.size)
