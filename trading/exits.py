"""Exits: positions with a take-profit or stop-loss price are sold when the best bid reaches it, one exit per position at a time.

The decision is a pure function of a position and a book; the sale is an ordinary intent that reduces, so no halt or cap stands in its way, and it
shares the free tokens with every other seller. Orders of our own that do stand in its way are cancelled first: those of the position's strategy that
have its shares on offer, and whatever of ours the sale would trade with. What is not settled yet is sold once it is.
"""

from __future__ import annotations

from collections.abc import Callable

from domain.market import Market
from domain.money import format_micros
from domain.order import Effect, OrderSide, OrderType
from domain.ports import Clock, Ids
from domain.signal import Cancel, Intent, TradeSignal, Urgency
from trading.ladder import rung, rung_of
from trading.own_orders import OwnOrder
from trading.portfolio import Portfolio
from trading.positions import OpenPosition
from trading.reservations import Reservations
from trading.risk import BookView

RETRY_NS = 1_000_000_000
VALID_NS = 2_000_000_000


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
        submit: hands an intent to the executor.
        market_of: finds a market by its id.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        reservations: Reservations,
        clock: Clock,
        ids: Ids,
        *,
        submit: Callable[[Intent], object],
        market_of: Callable[[str], Market | None],
    ) -> None:
        self._portfolio = portfolio
        self._reservations = reservations
        self._clock = clock
        self._ids = ids
        self._submit = submit
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
        blocked = self._clear_the_way(position, market, price, reason)
        now = self._clock.now_ns()
        size = self._reservations.sellable(position.token_id, position.strategy)
        if blocked or size < market.min_size or now - self._tried_ns.get(position.id, 0) < RETRY_NS:
            return
        self._tried_ns = {key: tried for key, tried in self._tried_ns.items() if now - tried < RETRY_NS}
        self._tried_ns[position.id] = now
        self._submit(
            TradeSignal(
                id=self._ids.uuid(),
                source=position.strategy,
                market=market,
                token_id=position.token_id,
                side=OrderSide.SELL,
                price=price,
                size=size,
                effect=Effect.REDUCE,
                created_ns=now,
                expires_ns=now + VALID_NS,
                order_type=OrderType.FAK,
                urgency=Urgency.HIGH,
                reason=reason,
            )
        )

    def _clear_the_way(self, position: OpenPosition, market: Market, price: int, reason: str) -> bool:
        """Cancel our own resting orders that keep the sale from happening; True while one of them would trade with it."""
        sale = rung(market, position.token_id, OrderSide.SELL, price)
        resting = [o for o in self._portfolio.orders.open_in_market(market.id) if o.order.draft.order_type.rests]
        opposing = [own for own in resting if own.stands and sale.matches(rung_of(own.order.draft))]
        for own in opposing + [own for own in resting if _offers(own, position)]:
            if not own.unwanted and not own.status.terminal:
                why = f"in the way of a {reason.partition(':')[0]}"
                self._submit(Cancel(id=self._ids.uuid(), source=position.strategy, order_id=own.id, reason=why))
        return bool(opposing)


def _offers(own: OwnOrder, position: OpenPosition) -> bool:
    """Tell whether an order has shares of the position on offer."""
    draft = own.order.draft
    return (draft.token_id, draft.strategy, draft.side) == (position.token_id, position.strategy, OrderSide.SELL)
