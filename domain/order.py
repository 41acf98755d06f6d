"""Orders: what was decided, the exact bytes that leave, and the states evidence may move them through.

An order's id is known before it is sent (the EIP-712 hash on Polymarket), so a lost answer can always be looked up. Evidence may
arrive in any order; `next_status` is the one place that says what a piece of evidence does to a state.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from domain.market import Market


class OrderSide(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    GTC = "GTC"
    GTD = "GTD"
    FOK = "FOK"
    FAK = "FAK"

    rests: bool
    """Whether what is not filled at once stays in the book."""

    def __init__(self, name: str) -> None:
        self.rests = name in ("GTC", "GTD")


class Effect(StrEnum):
    """What an intent does to risk: protections stop `open`, never `reduce`."""

    OPEN = "open"
    REDUCE = "reduce"


class OrderStatus(StrEnum):
    PENDING = "pending"
    SUBMITTED = "submitted"
    LIVE = "live"
    PARTIALLY_FILLED = "partially_filled"
    MATCHED = "matched"
    DELAYED = "delayed"
    UNKNOWN = "unknown"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    terminal: bool
    """Whether an order in this state is over."""

    def __init__(self, name: str) -> None:
        self.terminal = name in ("matched", "cancelled", "rejected", "expired")


TERMINAL_STATUSES = frozenset(status for status in OrderStatus if status.terminal)

_S = OrderStatus
_UNSENT = frozenset(
    {_S.SUBMITTED, _S.UNKNOWN, _S.REJECTED, _S.CANCELLED, _S.LIVE, _S.PARTIALLY_FILLED, _S.MATCHED, _S.DELAYED}
)
_OPEN = frozenset({_S.PARTIALLY_FILLED, _S.MATCHED, _S.CANCELLING, _S.CANCELLED, _S.EXPIRED, _S.UNKNOWN})
_VENUE = frozenset({_S.LIVE, _S.PARTIALLY_FILLED, _S.MATCHED, _S.DELAYED, _S.CANCELLED, _S.EXPIRED, _S.REJECTED})

ORDER_TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    _S.PENDING: _UNSENT | {_S.EXPIRED},
    _S.SUBMITTED: _VENUE | {_S.UNKNOWN, _S.CANCELLING},
    _S.UNKNOWN: _VENUE | {_S.CANCELLING},
    _S.DELAYED: _VENUE | {_S.UNKNOWN, _S.CANCELLING},
    _S.LIVE: _OPEN,
    _S.PARTIALLY_FILLED: _OPEN,
    _S.CANCELLING: frozenset(
        {_S.LIVE, _S.PARTIALLY_FILLED, _S.MATCHED, _S.CANCELLED, _S.EXPIRED, _S.UNKNOWN, _S.REJECTED}
    ),
    # Terminal states reopen only on the venue's own later word (`reopens`), which is audited.
    _S.MATCHED: frozenset(),
    _S.CANCELLED: frozenset({_S.MATCHED}),
    _S.REJECTED: frozenset(),
    _S.EXPIRED: frozenset({_S.MATCHED}),
}


def may_move(current: OrderStatus, wanted: OrderStatus) -> bool:
    """Tell whether evidence may move an order from `current` to `wanted` without reopening a terminal state."""
    return wanted in ORDER_TRANSITIONS[current]


def reopens(current: OrderStatus, wanted: OrderStatus) -> bool:
    """Tell whether venue evidence contradicts a terminal state and therefore reopens it (applied, and audited).

    Cancelled, expired and rejected are one and the same to the account: such an order is over without filling further.
    """
    over = (OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED)
    return current.terminal and wanted in _VENUE and wanted is not current and not (current in over and wanted in over)


class OrderDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A decided order that is not signed yet: everything the gateway needs, and the decision that allowed it.

    `price` and `size` are micro-units and already obey the market's rules. For a marketable BUY (FOK, FAK) the venue treats price × size
    as the amount to spend. `expires_ns` is set for GTD only and is the moment at which the order shall stop trading. `leg_group` is the id of the
    leg group that the order belongs to, "" for an order by itself. A struct, because one is made on the way of every order and a frozen
    dataclass of this size takes seven times as long to make.
    """

    account: str
    decision_id: str
    intent_id: str
    strategy: str
    market: Market
    token_id: str
    side: OrderSide
    order_type: OrderType
    price: int
    size: int
    effect: Effect
    post_only: bool = False
    expires_ns: int | None = None
    take_profit: int | None = None
    stop_loss: int | None = None
    reason: str = ""
    leg_group: str = ""

    @property
    def spends_cash_amount(self) -> bool:
        """True where the venue fills a cash amount instead of a share count."""
        return self.side is OrderSide.BUY and not self.order_type.rests


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedOrder:
    """The exact bytes of an order and its id, before anything is sent. `payload` is the request body, byte for byte."""

    order_id: str
    payload: bytes
    salt: int
    timestamp_ms: int
    maker_amount: int
    taker_amount: int
    signature: str
    signature_type: int = 0
    venue_expiration: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A durable order: decision, bytes, and the lease epoch that may send it. Never changes; its state lives beside it."""

    draft: OrderDraft
    prepared: PreparedOrder
    lease_epoch: int
    created_ns: int

    @property
    def id(self) -> str:
        return self.prepared.order_id
