"""Evidence from a venue about our own orders, trades and money, already in our terms.

One venue trade may concern several of our orders: each gets its own `TradeReport` with the price, side and size of **our** order's entry, summed per
(trade id, order id). Reports are claims, not state: `trading/` decides what they change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.fill import FillStatus, Liquidity
from domain.order import OrderSide, OrderStatus, OrderType


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """The venue's word on one order. `size_matched` is cumulative shares; None where the venue left it empty."""

    order_id: str
    status: OrderStatus
    condition_id: str
    token_id: str
    side: OrderSide
    price: int
    original_size: int
    size_matched: int | None
    order_type: OrderType = OrderType.GTC
    trade_ids: tuple[str, ...] = ()
    reason: str = ""
    at_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeReport:
    """The venue's word on our part of one trade. `price` and `size` are micro-units of our own token."""

    trade_id: str
    order_id: str
    condition_id: str
    token_id: str
    side: OrderSide
    price: int
    size: int
    liquidity: Liquidity
    status: FillStatus
    matched_ns: int
    transaction_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    """What the wallet holds at the venue: collateral and shares per token id, micro-units."""

    cash: int
    tokens: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The venue took the order: it rests (`live`), matched at once (`matched`) or waits for a delay (`delayed`).

    `trade_ids` are the trades it took part in at once; the order is fully explained only when each of them is known.
    """

    order_id: str
    status: OrderStatus
    trade_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Proof that the venue did not take the order. `code` is stable and short (`fok_not_filled`, `not_enough_balance`), `text` the venue's own."""

    order_id: str
    code: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """The order may or may not have been taken (timeout, reset, 425, 5xx, half an answer). Never to be sent again."""

    order_id: str
    reason: str


SendOutcome = Accepted | Rejected | Uncertain


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOutcome:
    """What the venue said of a cancel: `cancelled` ids, `refused` ids with reasons, `uncertain` where no answer proves either."""

    cancelled: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    uncertain: tuple[str, ...] = ()
