"""The sale that leaves a position, whoever wants it: exits, flattening.

It reduces, so no halt or cap stands in its way; it takes at once what it finds at its price or better, and shares the free tokens with every other
seller. Orders of our own that stand in its way are cancelled first: those of the position's strategy that have its shares on offer, and whatever of
ours the sale would trade with.
"""

from __future__ import annotations

from collections.abc import Callable

from domain.market import Market
from domain.order import Effect, OrderSide, OrderType
from domain.ports import Clock, Ids
from domain.signal import Cancel, Intent, TradeSignal, Urgency
from trading.ladder import rung, rung_of
from trading.own_orders import OwnOrder
from trading.portfolio import Portfolio
from trading.positions import OpenPosition
from trading.risk import Decision

VALID_NS = 2_000_000_000


class Sales:
    """Sells for one account; `submit` hands an intent to the executor and returns what was decided on a sale."""

    def __init__(
        self, portfolio: Portfolio, clock: Clock, ids: Ids, *, submit: Callable[[Intent], Decision | None]
    ) -> None:
        self._portfolio = portfolio
        self._clock = clock
        self._ids = ids
        self._submit = submit

    def sell(
        self, position: OpenPosition, market: Market, *, price: int, size: int, urgency: Urgency, reason: str
    ) -> Decision | None:
        """Sell `size` shares of a position at `price` or better."""
        now = self._clock.now_ns()
        return self._submit(
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
                urgency=urgency,
                reason=reason,
            )
        )

    def clear_the_way(self, position: OpenPosition, market: Market, price: int, why: str) -> bool:
        """Cancel our own resting orders that keep a sale at `price` from happening; True while one of them would trade with it."""
        sale = rung(market, position.token_id, OrderSide.SELL, price)
        resting = [o for o in self._portfolio.orders.open_in_market(market.id) if o.order.draft.order_type.rests]
        opposing = [own for own in resting if own.stands and sale.matches(rung_of(own.order.draft))]
        for own in opposing + [own for own in resting if _offers(own, position)]:
            if not own.unwanted and not own.status.terminal:
                self._submit(Cancel(id=self._ids.uuid(), source=position.strategy, order_id=own.id, reason=why))
        return bool(opposing)


def _offers(own: OwnOrder, position: OpenPosition) -> bool:
    """Tell whether an order has shares of the position on offer."""
    draft = own.order.draft
    return (draft.token_id, draft.strategy, draft.side) == (position.token_id, position.strategy, OrderSide.SELL)
