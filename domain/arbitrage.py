"""Arbitrage executions: what a leg group was expected to bring, what it brought, and what is left of it. Money is micro-dollars."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.order import OrderSide


class ArbType(StrEnum):
    REBALANCING = "rebalancing"
    COMBINATORIAL = "combinatorial"
    CROSS_PLATFORM = "cross_platform"


class ArbStatus(StrEnum):
    PENDING = "pending"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbExecution:
    """One executed opportunity. `gross_edge_bps` and `expected` are of the plan, before and after worst fees.

    `slippage` is what the fills cost beyond the plan's prices (negative: they were better), `net_pnl` what whole sets and bought-out legs bring at
    least after fees, `residual` the shares that belong to neither, and `residual_cost` what they cost (negative where sales brought money).
    """

    id: str
    account: str
    opportunity_id: str
    arb_type: ArbType
    leg_group_id: str
    strategy: str
    gross_edge_bps: int
    expected: int
    fees: int
    slippage: int
    net_pnl: int
    residual: int
    residual_cost: int
    status: ArbStatus
    started_ns: int
    completed_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbLeg:
    """One leg of an execution. `filled_price` is the average, None before the first fill; `slippage_bps` is against `expected_price`."""

    execution_id: str
    account: str
    number: int
    order_id: str
    market_id: str
    token_id: str
    side: OrderSide
    expected_price: int
    filled_price: int | None
    size: int
    filled: int
    unwound: int
    residual: int
    fee: int
    slippage_bps: int
    status: str
