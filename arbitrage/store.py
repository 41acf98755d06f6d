"""Executions as they were journaled: read for screens, never written here. An account without any has an empty list."""

from __future__ import annotations

from arbitrage import models
from domain.arbitrage import ArbExecution, ArbLeg, ArbStatus, ArbType
from domain.order import OrderSide
from trading.row_write import to_ns


def recent_executions(account: str, *, recent: int) -> list[tuple[ArbExecution, list[ArbLeg]]]:
    """Return the `recent` newest executions of an account with their legs, oldest first."""
    rows = models.ArbExecution.objects.filter(account=account).order_by("-started_at", "-id")
    newest = list(rows.prefetch_related("legs")[:recent])
    return [(_execution(row), [_leg(leg) for leg in row.legs.all()]) for row in reversed(newest)]


def _execution(row: models.ArbExecution) -> ArbExecution:
    return ArbExecution(
        id=str(row.id),
        account=row.account,
        opportunity_id=row.opportunity_id,
        arb_type=ArbType(row.arb_type),
        leg_group_id=row.leg_group_id,
        strategy=row.strategy_name,
        gross_edge_bps=int(row.gross_edge_bps),
        expected=row.expected_units,
        fees=row.fees_units,
        slippage=row.slippage_units,
        net_pnl=row.net_pnl_units,
        residual=row.residual_units,
        residual_cost=row.residual_cost_units,
        status=ArbStatus(row.status),
        started_ns=to_ns(row.started_at),
        completed_ns=to_ns(row.completed_at) if row.completed_at is not None else None,
    )


def _leg(row: models.ArbExecutionLeg) -> ArbLeg:
    return ArbLeg(
        execution_id=str(row.execution_id),
        account=row.account,
        number=row.number,
        order_id=row.order_id,
        market_id=row.market_id,
        token_id=row.token_id,
        side=OrderSide(row.side),
        expected_price=row.expected_price_ticks,
        filled_price=row.filled_price_ticks,
        size=row.size_units,
        filled=row.filled_units,
        unwound=row.unwound_units,
        residual=row.residual_units,
        fee=row.fee_units,
        slippage_bps=int(row.slippage_bps),
        status=row.status,
    )
