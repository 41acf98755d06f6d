"""What the journal is given: one type a table, as things were at a moment."""

from __future__ import annotations

from dataclasses import dataclass

from domain.arbitrage import ArbExecution, ArbLeg
from domain.fill import Fill
from domain.halt import Halt
from domain.ledger import LedgerEntry
from domain.legs import LegGroup, LegGroupState
from domain.order import Order, OrderStatus
from domain.position import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """What is known of an order now. `filled` is shares, summed over the fills that have not failed."""

    order_id: str
    status: OrderStatus
    filled: int
    reason: str
    updated_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One line of the audit log: what happened, with details that never hold a secret."""

    event: str
    account: str
    detail: dict[str, str | int | float | bool | None]
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltLifted:
    """A halt ended, by a named person."""

    account: str
    scope: str
    target: str
    set_ns: int
    lifted_by: str
    lifted_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityRecord:
    """Worth of the account at a moment, micro-units; `inventory_value` is held tokens at the best bid, `receivable` payouts on their way.

    Worth minus `deposits` (net of withdrawals) is the profit so far.
    """

    account: str
    cash: int
    inventory_cost: int
    inventory_value: int
    realised: int
    fees: int
    receivable: int = 0
    deposits: int = 0
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRecord:
    """What the venue said the account holds, beside our books after everything explicable was booked; micro-units.

    `tokens` has the tokens on which the two differ: (venue, books).
    """

    account: str
    venue_cash: int
    book_cash: int
    tokens: dict[str, tuple[int, int]]
    at_ns: int


JournalRow = (
    Order
    | OrderState
    | Fill
    | LedgerEntry
    | Position
    | Halt
    | HaltLifted
    | AuditRecord
    | EquityRecord
    | BalanceRecord
    | LegGroup
    | LegGroupState
    | ArbExecution
    | ArbLeg
)
