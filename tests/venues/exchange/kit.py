"""A venue under test: commands with defaults, and its events sorted by type. Micro-units are written as `d("0.52")`."""

from __future__ import annotations

from itertools import count
from typing import TypeVar

from domain.fees import NO_FEES, FeeSchedule
from domain.fill import FillStatus
from domain.market import Market
from domain.money import MICRO, parse_micros
from domain.order import OrderSide, OrderType
from venues.exchange import Exchange
from venues.exchange import commands as c
from venues.exchange import events as e

BUY, SELL = OrderSide.BUY, OrderSide.SELL
GTC, GTD, FOK, FAK = OrderType.GTC, OrderType.GTD, OrderType.FOK, OrderType.FAK
SECOND = 1_000_000_000
START = 1_800_000_000 * SECOND

EventT = TypeVar("EventT")
d = parse_micros


def market(name: str = "m", **changes) -> Market:
    """A market whose tokens are called after it: "m:yes" and "m:no"."""
    fields = {
        "id": f"id-{name}",
        "venue": "test",
        "question": "?",
        "slug": name,
        "condition_id": name,
        "token_ids": (f"{name}:yes", f"{name}:no"),
    }
    return Market(**(fields | changes))


class Venue:
    """An exchange with a clock that the test moves, and the events of the last step."""

    def __init__(self, fees: FeeSchedule = NO_FEES, venue_id: str = "test-venue", **changes) -> None:
        self.exchange = Exchange(venue_id)
        self.now = START
        self.events: list[e.Event] = []
        self.log: list[tuple[int, c.Command]] = []
        self._ids = count(1)
        self.do(c.ListMarket(market(fees=fees, **changes)))

    def do(self, command: c.Command) -> e.Event | None:
        """Carry out a command; return its answer (the last event)."""
        self.log.append((self.now, command))
        self.events = self.exchange.step(self.now, command)
        return self.events[-1] if self.events else None

    def after(self, seconds: float) -> list[e.Event]:
        self.now += round(seconds * SECOND)
        self.do(c.Advance())
        return self.events

    def fund(self, account: str, cash: str = "1000", pairs: str = "0") -> None:
        """Give an account `cash` and `pairs` of both tokens on top."""
        self.do(c.Deposit(account, d(cash) + d(pairs)))
        if d(pairs):
            self.do(c.Split(account, "m", d(pairs)))

    def place(self, account, side, token, price, size, order_type=GTC, **changes):
        """Place an order of `size` shares at `price`; return its answer."""
        shares = d(size)
        cash = d(price) * shares // MICRO
        maker, taker = (cash, shares) if side is BUY else (shares, cash)
        return self.place_amounts(account, side, token, maker, taker, order_type, **changes)

    def place_amounts(self, account, side, token, maker, taker, order_type=GTC, order_id="", **changes):
        order_id = order_id or f"o{next(self._ids)}"
        return self.do(c.PlaceOrder(order_id, account, f"m:{token}", side, order_type, maker, taker, **changes))

    def settle(self, *statuses: FillStatus) -> None:
        """Move every unsettled trade through `statuses` (confirmed when none is given)."""
        for trade in self.exchange.unsettled_trades():
            for status in statuses or (FillStatus.CONFIRMED,):
                answer = self.do(c.Settle(trade.id, status))
                assert isinstance(answer, e.TradeMoved), answer

    def got(self, kind: type[EventT]) -> list[EventT]:
        """The last step's events of one type."""
        return [event for event in self.events if isinstance(event, kind)]

    def cash(self, account: str) -> e.Balance:
        return self.exchange.balance(account)

    def tokens(self, account: str, token: str) -> e.Balance:
        return self.exchange.balance(account, f"m:{token}")

    def bids(self, token: str = "yes") -> list[tuple[int, int]]:
        return self._book(token).bids

    def asks(self, token: str = "yes") -> list[tuple[int, int]]:
        return self._book(token).asks

    def _book(self, token: str) -> e.BookView:
        book = self.exchange.book(f"m:{token}")
        assert book is not None
        return book
