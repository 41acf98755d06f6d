"""All orders of a market on one YES ladder: buying NO at p is selling YES at 1 − p, and the venue matches both alike."""

from __future__ import annotations

from typing import NamedTuple

from domain.market import Market
from domain.money import MICRO
from domain.order import OrderDraft, OrderSide


class Rung(NamedTuple):
    """Where an order stands: `price` is that of the YES token, micro-dollars."""

    market_id: str
    buys_yes: bool
    price: int

    def matches(self, other: Rung) -> bool:
        """Tell whether two orders would trade with each other."""
        if self.market_id != other.market_id or self.buys_yes == other.buys_yes:
            return False
        return self.price >= other.price if self.buys_yes else self.price <= other.price


def rung(market: Market, token_id: str, side: OrderSide, price: int) -> Rung:
    """Return where an order on either token of `market` stands; `KeyError` when the token is of another market."""
    if market.token_index(token_id) == 0:
        return Rung(market.id, side is OrderSide.BUY, price)
    return Rung(market.id, side is OrderSide.SELL, MICRO - price)


def rung_of(draft: OrderDraft) -> Rung:
    return rung(draft.market, draft.token_id, draft.side, draft.price)
