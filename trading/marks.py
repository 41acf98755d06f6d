"""What the held tokens are worth: each at the last best bid that could be believed, net of our own orders.

A book that is away, or that nobody bids in, leaves the last bid standing. What was never seen counts at cost, and `missing` names it while its market
trades: then the worth of the account is not known, and new risk has to wait. Dust of closed positions counts too; nothing waits for its price.
"""

from __future__ import annotations

from collections.abc import Callable

from domain.market import Market
from domain.money import MICRO
from trading.positions import DUST, Positions
from trading.risk.decision import BookView


class Marks:
    """The marks of one account's positions."""

    def __init__(
        self,
        positions: Positions,
        *,
        book_of: Callable[[str], BookView | None],
        market_of: Callable[[str], Market | None],
    ) -> None:
        self._positions = positions
        self._book_of = book_of
        self._market_of = market_of
        self._bids: dict[str, int] = {}
        self.missing = ""

    def value(self) -> int:
        """Return what is held at its marks, micro-dollars, and find out what has none."""
        value, missing = 0, ""
        bids: dict[str, int] = {}
        for position in self._positions.held():
            token_id, holding = position.token_id, position.holding
            bid = bids[token_id] if token_id in bids else self.bid(token_id)
            if bid is None:
                value += holding.cost
                market = self._market_of(position.market_id)
                if market is not None and market.tradable and abs(holding.size) >= DUST:
                    missing = market.id
            else:
                bids[token_id] = bid
                value += holding.size * bid // MICRO
        self._bids, self.missing = bids, missing
        return value

    def bid(self, token_id: str) -> int | None:
        """Return the last best bid for a token that could be believed, 0 when nobody bids, None when its book was never seen."""
        book, last = self._book_of(token_id), self._bids.get(token_id)
        if book is None or not book.trusted:
            return last
        return book.best_bid or last or 0
