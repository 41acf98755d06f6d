"""What a strategy sees of the world: the time, markets, trusted books, price histories, and its own part of the account.

Strategies never reach past this object: they get facts here and answer with intents. What is not known (no book, no position) is None, and a
strategy that needs it does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from domain.market import Market
from domain.ports import Clock, Ids
from domain.position import Position
from markets.order_book import OrderBook
from strategies.price_tracker import PriceTracker


class Desk(Protocol):
    """The account as a strategy may see it, read from memory and never blocking. Cash and caps are the risk core's business."""

    def position(self, token_id: str, strategy: str) -> Position | None:
        """Return the open position of `strategy` in a token."""

    def positions(self, strategy: str) -> Sequence[Position]:
        """Return all open positions of `strategy`."""

    def working(self, token_id: str, strategy: str) -> bool:
        """Tell whether an order of `strategy` in a token may still be filled; unknown orders may."""

    def available(self, token_id: str, strategy: str) -> int:
        """Return the shares of the strategy's position that can be sold now: settled, and not offered by another order."""


class Context:
    """Shared by all strategies of an engine; `markets` finds a watched market by either of its tokens.

    `exclusive` tells whether at most one market of an event pays YES; it is false for an event that is not known.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        ids: Ids,
        tracker: PriceTracker,
        desk: Desk,
        book_of: Callable[[str], OrderBook | None],
        exclusive: Callable[[str], bool],
    ) -> None:
        self.clock = clock
        self.ids = ids
        self.tracker = tracker
        self.desk = desk
        self.exclusive = exclusive
        self.markets: dict[str, Market] = {}
        self._book_of = book_of

    def book(self, token_id: str) -> OrderBook | None:
        """Return a token's book if it can be relied on, None when it is missing, may lack changes, or is crossed."""
        book = self._book_of(token_id)
        return book if book is not None and book.usable else None

    def has_gap(self, token_id: str) -> bool:
        """Tell whether changes of a token's book may have been missed."""
        book = self._book_of(token_id)
        return book is not None and not book.trusted
