"""Evidence from a venue about our own orders, trades and money, already in our terms.

One venue trade may concern several of our orders: each gets its own `TradeReport` with the price, side and size of **our** order's entry, summed per
(trade id, order id). Reports are claims, not state: `trading/` decides what they change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

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


class Policy(StrEnum):
    """What follows from trouble for everything else; the request it came with is over or is being looked up in any case.

    `REJECT`: nothing, this request alone was wrong. `RETRY_AFTER`: the venue takes no such request before some time has passed. `RESYNC`: what
    we believe of the market or of our money is outdated and must be read again. `HALT`: further orders would fail alike, so new risk stops.
    `OPERATOR`: new risk stops until a person has acted.
    """

    REJECT = "reject"
    RETRY_AFTER = "retry_after"
    RESYNC = "resync"
    HALT = "halt"
    OPERATOR = "operator"


POST_ONLY_MODE = "post_only_mode"
CANCEL_ONLY = "cancel_only"
TRADING_DISABLED = "trading_disabled"
RATE_LIMITED = "rate_limited"
OVER_BUDGET = "over_budget"
ENGINE_RESTARTING = "engine_restarting"
OFF_GRID = "off_grid"
NOT_ENOUGH_BALANCE = "not_enough_balance"
"""Codes that mean the same at every venue and are acted upon by name. `OVER_BUDGET` is our own: nothing was sent."""
FOK_NOT_FILLED = "fok_not_filled"
FAK_NOT_FILLED = "fak_not_filled"
WOULD_CROSS = "post_only_would_cross"
DEADLINE = "deadline"
NOT_SENT = "not_sent"
HARMLESS = frozenset({FOK_NOT_FILLED, FAK_NOT_FILLED, WOULD_CROSS, DEADLINE, NOT_SENT})
"""Codes that blame no order: the market had moved on, or nothing had left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a request did not simply succeed.

    `code` is stable and short (`fok_not_filled`, `not_enough_balance`), `text` the venue's own, `fix` what a person can do about it.
    `retry_after` is in seconds, None where the venue named no time.
    """

    code: str
    text: str = ""
    policy: Policy = Policy.REJECT
    retry_after: float | None = None
    fix: str = ""

    @property
    def says(self) -> str:
        """The trouble in one line."""
        return f"{self.code}: {self.text}" if self.text else self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The venue took the order: it rests (`live`), matched at once (`matched`) or waits for a delay (`delayed`).

    `trade_ids` are the trades it took part in at once; the order is fully explained only when each of them is known.
    """

    order_id: str
    status: OrderStatus
    trade_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(Trouble):
    """Proof that the venue did not take the order."""

    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain(Trouble):
    """The order may or may not have been taken (timeout, reset, 425, 5xx, half an answer). Never to be sent again."""

    order_id: str
    code: str = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeReport:
    """A payment by the venue: a reward for liquidity or holdings, or a rebate of fees. `amount` is micro-dollars, `id` never changes."""

    id: str
    rebate: bool
    amount: int
    at_ns: int


SendOutcome = Accepted | Rejected | Uncertain


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOutcome:
    """What the venue said of a cancel: `cancelled` ids, `refused` ids with reasons, `uncertain` where no answer proves either.

    `trouble` is set when a request as a whole failed.
    """

    cancelled: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    uncertain: tuple[str, ...] = ()
    trouble: Trouble | None = None
