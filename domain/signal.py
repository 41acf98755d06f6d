"""Intents: what a strategy, an operator or the risk core wants done. Frozen messages; nothing here decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from domain.market import Market
from domain.order import Effect, OrderSide, OrderType


class Urgency(IntEnum):
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    IMMEDIATE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSignal:
    """Buy or sell `size` shares of `token_id` at `price` or better (micro-units), valid until `expires_ns`.

    `rest_until_ns` is given for GTD orders alone: when they shall stop trading. `take_profit` and `stop_loss` are prices at which the
    position this signal opens shall be left again.
    """

    id: str
    source: str
    market: Market
    token_id: str
    side: OrderSide
    price: int
    size: int
    effect: Effect
    created_ns: int
    expires_ns: int
    order_type: OrderType = OrderType.GTC
    urgency: Urgency = Urgency.MEDIUM
    post_only: bool = False
    rest_until_ns: int | None = None
    take_profit: int | None = None
    stop_loss: int | None = None
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Cancel one order."""

    id: str
    source: str
    order_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """Cancel one order and, once it is known to be over, place `signal` in its stead, less what the order was filled.

    `signal` is for the same token and side, its `size` counts what the order has filled already. When the end of the order is not known before
    `signal` expires, nothing is placed: there are never two.
    """

    id: str
    source: str
    order_id: str
    signal: TradeSignal
    reason: str = ""


Intent = TradeSignal | Cancel | Replace
