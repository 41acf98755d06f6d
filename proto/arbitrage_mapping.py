"""Arbitrage executions ↔ protobuf, exact both ways. Reading an unknown enum value or a message without its start raises `MappingError`."""

from __future__ import annotations

from collections.abc import Sequence

from domain.arbitrage import ArbExecution, ArbLeg, ArbStatus, ArbType
from proto.mapping import SIDES
from proto.polybot.v1 import arbitrage_pb2
from proto.values import EnumPair, nanoseconds, timestamp

ARB_TYPES = EnumPair(ArbType, arbitrage_pb2.ArbType, "ARB_TYPE")
ARB_STATUSES = EnumPair(ArbStatus, arbitrage_pb2.ArbStatus, "ARB_STATUS")


def execution_to_proto(execution: ArbExecution, legs: Sequence[ArbLeg]) -> arbitrage_pb2.ArbExecution:
    return arbitrage_pb2.ArbExecution(
        id=execution.id,
        account=execution.account,
        opportunity_id=execution.opportunity_id,
        arb_type=ARB_TYPES.to_proto(execution.arb_type),
        leg_group_id=execution.leg_group_id,
        strategy_name=execution.strategy,
        gross_edge_bps=execution.gross_edge_bps,
        expected_micros=execution.expected,
        fees_micros=execution.fees,
        slippage_micros=execution.slippage,
        net_pnl_micros=execution.net_pnl,
        residual_micros=execution.residual,
        residual_cost_micros=execution.residual_cost,
        status=ARB_STATUSES.to_proto(execution.status),
        started_at=timestamp(execution.started_ns),
        completed_at=timestamp(execution.completed_ns),
        legs=map(_leg_to_proto, legs),
    )


def execution_from_proto(message: arbitrage_pb2.ArbExecution) -> tuple[ArbExecution, tuple[ArbLeg, ...]]:
    """Return the execution and its legs."""
    execution = ArbExecution(
        id=message.id,
        account=message.account,
        opportunity_id=message.opportunity_id,
        arb_type=ARB_TYPES.from_proto(message.arb_type),
        leg_group_id=message.leg_group_id,
        strategy=message.strategy_name,
        gross_edge_bps=message.gross_edge_bps,
        expected=message.expected_micros,
        fees=message.fees_micros,
        slippage=message.slippage_micros,
        net_pnl=message.net_pnl_micros,
        residual=message.residual_micros,
        residual_cost=message.residual_cost_micros,
        status=ARB_STATUSES.from_proto(message.status),
        started_ns=nanoseconds(message, "started_at"),
        completed_ns=nanoseconds(message, "completed_at") if message.HasField("completed_at") else None,
    )
    return execution, tuple(_leg_from_proto(leg, message) for leg in message.legs)


def _leg_to_proto(leg: ArbLeg) -> arbitrage_pb2.ArbLeg:
    return arbitrage_pb2.ArbLeg(
        number=leg.number,
        order_id=leg.order_id,
        market_id=leg.market_id,
        token_id=leg.token_id,
        side=SIDES.to_proto(leg.side),
        expected_price_micros=leg.expected_price,
        filled_price_micros=leg.filled_price,
        size_micros=leg.size,
        filled_micros=leg.filled,
        unwound_micros=leg.unwound,
        residual_micros=leg.residual,
        fee_micros=leg.fee,
        slippage_bps=leg.slippage_bps,
        status=leg.status,
    )


def _leg_from_proto(leg: arbitrage_pb2.ArbLeg, execution: arbitrage_pb2.ArbExecution) -> ArbLeg:
    return ArbLeg(
        execution_id=execution.id,
        account=execution.account,
        number=leg.number,
        order_id=leg.order_id,
        market_id=leg.market_id,
        token_id=leg.token_id,
        side=SIDES.from_proto(leg.side),
        expected_price=leg.expected_price_micros,
        filled_price=leg.filled_price_micros if leg.HasField("filled_price_micros") else None,
        size=leg.size_micros,
        filled=leg.filled_micros,
        unwound=leg.unwound_micros,
        residual=leg.residual_micros,
        fee=leg.fee_micros,
        slippage_bps=leg.slippage_bps,
        status=leg.status,
    )
