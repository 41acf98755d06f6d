"""Exits: positions with a take-profit or stop-loss price are sold when the best bid reaches it, one exit per position at a time.

The decision is a pure function of a position and a book; the sale (`trading.sales`) takes what is bid at the best price. What is not settled yet is
sold once it is.
"""

from __future__ import annotations

from collections.abc import Callable

from domain.market import Market
from domain.money import format_micros
from domain.ports import Clock, Ids
from domain.signal import Intent, Urgency
from trading.portfolio import Portfolio
from trading.positions import OpenPosition
from trading.reservations import Reservations
from trading.risk import BookView, Decision
from trading.sales import Sales

RETRY_NS = 1_000_000_000


def exit_reason(position: OpenPosition, best_bid: int) -> str:
    """Return why the position shall be left at `best_bid` ("take profit: …", "stop loss: …"), or ''."""
    bid = format_micros(best_bid)
    if position.take_profit is not None and best_bid >= position.take_profit:
        return f"take profit: bid {bid} has reached {format_micros(position.take_profit)}"
    if position.stop_loss is not None and 0 < best_bid <= position.stop_loss:
        return f"stop loss: bid {bid} has fallen to {format_micros(position.stop_loss)}"
    return ""


class Exits:
    """Watches the positions of one account.

    Args:
        submit: hands an intent to the executor and returns what was decided on a sale.
        market_of: finds a market by its id.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        reservations: Reservations,
        clock: Clock,
        ids: Ids,
        *,
        submit: Callable[[Intent], Decision | None],
        market_of: Callable[[str], Market | None],
    ) -> None:
        self._portfolio = portfolio
        self._reservations = reservations
        self._clock = clock
        self._sales = Sales(portfolio, clock, ids, submit=submit)
        self._market_of = market_of
        self._tried_ns: dict[str, int] = {}

    def check(self, book_of: Callable[[str], BookView | None]) -> None:
        """Look at every position: what could not be sold when its price came may be sold now, though its book is still.

        `book_of` returns a book that can be relied on, or None.
        """
        for token_id in {position.token_id for position in self._portfolio.positions.open()}:
            book = book_of(token_id)
            if book is not None:
                self.on_book(token_id, book)

    def on_book(self, token_id: str, book: BookView) -> None:
        """Leave positions in `token_id` whose price has come."""
        for position in self._portfolio.positions.of_token(token_id):
            if position.take_profit is None and position.stop_loss is None:
                continue
            reason = exit_reason(position, book.best_bid)
            market = self._market_of(position.market_id) if reason else None
            if market is not None and position.holding.settled >= market.min_size:
                self._leave(position, market, book.best_bid, reason)

    def _leave(self, position: OpenPosition, market: Market, price: int, reason: str) -> None:
        why = f"in the way of a {reason.partition(':')[0]}"
        blocked = self._sales.clear_the_way(position, market, price, why)
        now = self._clock.now_ns()
        size = self._reservations.sellable(position.token_id, position.strategy)
        if blocked or size < market.min_size or now - self._tried_ns.get(position.id, 0) < RETRY_NS:
            return
        self._tried_ns = {key: tried for key, tried in self._tried_ns.items() if now - tried < RETRY_NS}
        self._tried_ns[position.id] = now
        self._sales.sell(position, market, price=price, size=size, urgency=Urgency.HIGH, reason=reason)
