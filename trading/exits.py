"""Exits: positions with a take-profit or stop-loss price are sold when the best bid reaches it, one exit per position at a time.

The decision is a pure function of a position and a book; the sale is an ordinary intent that reduces, so no halt or cap stands in its way, and it
shares the free tokens with every other seller.
"""

from __future__ import annotations

from collections.abc import Callable

from domain.market import Market
from domain.order import Effect, OrderSide, OrderType
from domain.ports import Clock, Ids
from domain.signal import TradeSignal, Urgency
from trading.portfolio import Portfolio
from trading.positions import OpenPosition
from trading.risk import BookView

RETRY_NS = 1_000_000_000
VALID_NS = 2_000_000_000


def exit_reason(position: OpenPosition, best_bid: int) -> str:
    """Return why the position shall be left at `best_bid` ("take profit at …", "stop loss at …"), or ''."""
    if position.take_profit is not None and best_bid >= position.take_profit:
        return f"take profit: bid {best_bid / 1e6:.4g} has reached {position.take_profit / 1e6:.4g}"
    if position.stop_loss is not None and 0 < best_bid <= position.stop_loss:
        return f"stop loss: bid {best_bid / 1e6:.4g} has fallen to {position.stop_loss / 1e6:.4g}"
    return ""


class Exits:
    """Watches the positions of one account.

    Args:
        submit: hands an intent to the executor.
        market_of: finds a market by its id.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        clock: Clock,
        ids: Ids,
        *,
        submit: Callable[[TradeSignal], object],
        market_of: Callable[[str], Market | None],
    ) -> None:
        self._portfolio = portfolio
        self._clock = clock
        self._ids = ids
        self._submit = submit
        self._market_of = market_of
        self._tried_ns: dict[str, int] = {}

    def on_book(self, token_id: str, book: BookView) -> None:
        """Leave positions in `token_id` whose price has come."""
        for position in self._portfolio.positions.of_token(token_id):
            if position.take_profit is None and position.stop_loss is None:
                continue
            reason = exit_reason(position, book.best_bid)
            if reason and self._may_try(position):
                self._exit(position, book.best_bid, reason)

    def _may_try(self, position: OpenPosition) -> bool:
        market = self._market_of(position.market_id)
        free = self._portfolio.available_tokens(position.token_id)
        if market is None or min(free, position.holding.settled) < market.min_size:
            return False
        return self._clock.now_ns() - self._tried_ns.get(position.id, 0) >= RETRY_NS

    def _exit(self, position: OpenPosition, price: int, reason: str) -> None:
        market = self._market_of(position.market_id)
        if market is None:
            return
        now = self._clock.now_ns()
        self._tried_ns[position.id] = now
        self._submit(
            TradeSignal(
                id=self._ids.uuid(),
                source=position.strategy,
                market=market,
                token_id=position.token_id,
                side=OrderSide.SELL,
                price=price,
                size=position.holding.settled,
                effect=Effect.REDUCE,
                created_ns=now,
                expires_ns=now + VALID_NS,
                order_type=OrderType.FAK,
                urgency=Urgency.HIGH,
                reason=reason,
            )
        )
