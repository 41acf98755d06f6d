"""Leg groups and arbitrage executions ↔ their table columns.

The legs of a group lie in one JSON column, because they are decided together and never change. An execution and each of its legs have rows of their
own, replaced whenever more is known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from domain.arbitrage import ArbExecution, ArbLeg
from domain.legs import GroupState, Leg, LegGroup, LegGroupState, LegPolicy
from domain.market import Market
from domain.order import OrderSide
from trading.row_write import JsonText, Verb, Write, to_datetime, to_ns


def _group(row: LegGroup) -> Write:
    legs = [
        {
            "intent_id": leg.intent_id,
            "market_id": leg.market.id,
            "token_id": leg.token_id,
            "side": leg.side.value,
            "price": leg.price,
        }
        for leg in row.legs
    ]
    columns = {
        "id": row.id,
        "account": row.account,
        "name": row.name,
        "strategy_name": row.strategy,
        "policy": row.policy.value,
        "legs": JsonText(json.dumps(legs)),
        "size_units": row.size,
        "payoff_units": row.payoff,
        "arb_type": row.arb_type,
        "opportunity_id": row.opportunity_id,
        "edge_bps": row.edge_bps,
        "state": GroupState.PLACING.value,
        "state_reason": "",
        "residual": JsonText(json.dumps([0] * len(legs))),
        "created_at": to_datetime(row.created_ns),
        "updated_at": to_datetime(row.created_ns),
    }
    return Write(Verb.INSERT, "leg_groups", columns)


def _group_state(row: LegGroupState) -> Write:
    columns = {
        "id": row.group_id,
        "state": row.state.value,
        "state_reason": row.reason,
        "residual": JsonText(json.dumps(list(row.residual))),
        "updated_at": to_datetime(row.updated_ns),
    }
    return Write(Verb.UPDATE, "leg_groups", columns, ("id",))


def _execution(row: ArbExecution) -> Write:
    columns = {
        "id": row.id,
        "account": row.account,
        "opportunity_id": row.opportunity_id,
        "arb_type": row.arb_type.value,
        "leg_group_id": row.leg_group_id,
        "strategy_name": row.strategy,
        "gross_edge_bps": row.gross_edge_bps,
        "expected_units": row.expected,
        "fees_units": row.fees,
        "slippage_units": row.slippage,
        "net_pnl_units": row.net_pnl,
        "residual_units": row.residual,
        "residual_cost_units": row.residual_cost,
        "status": row.status.value,
        "started_at": to_datetime(row.started_ns),
        "completed_at": to_datetime(row.completed_ns),
    }
    return Write(Verb.UPSERT, "arb_executions", columns, ("id",))


def _leg(row: ArbLeg) -> Write:
    columns = {
        "execution_id": row.execution_id,
        "account": row.account,
        "number": row.number,
        "order_id": row.order_id,
        "market_id": row.market_id,
        "token_id": row.token_id,
        "side": row.side.value,
        "expected_price_ticks": row.expected_price,
        "filled_price_ticks": row.filled_price,
        "size_units": row.size,
        "filled_units": row.filled,
        "unwound_units": row.unwound,
        "residual_units": row.residual,
        "fee_units": row.fee,
        "slippage_bps": row.slippage_bps,
        "status": row.status,
    }
    return Write(Verb.UPSERT, "arb_execution_legs", columns, ("execution_id", "number"))


LEG_ENCODERS: dict[type, Callable[[Any], Write]] = {
    LegGroup: _group,
    LegGroupState: _group_state,
    ArbExecution: _execution,
    ArbLeg: _leg,
}


def decode_group(columns: Mapping[str, Any], market_of: Callable[[str], Market]) -> tuple[LegGroup, LegGroupState]:
    """Return a group and its journaled state from a `leg_groups` row."""
    group = LegGroup(
        id=str(columns["id"]),
        account=columns["account"],
        name=columns["name"],
        strategy=columns["strategy_name"],
        policy=LegPolicy(columns["policy"]),
        legs=tuple(_decode_leg(leg, market_of) for leg in _loaded(columns["legs"])),
        size=columns["size_units"],
        payoff=columns["payoff_units"],
        created_ns=to_ns(columns["created_at"]),
        arb_type=columns["arb_type"],
        opportunity_id=columns["opportunity_id"],
        edge_bps=columns["edge_bps"],
    )
    state = LegGroupState(
        group_id=group.id,
        state=GroupState(columns["state"]),
        reason=columns["state_reason"],
        residual=tuple(_loaded(columns["residual"])),
        updated_ns=to_ns(columns["updated_at"]),
    )
    return group, state


def leg_markets(columns: Mapping[str, Any]) -> list[str]:
    """Return the markets of a damaged group's legs; none unless every leg still names one."""
    try:
        return sorted({str(leg["market_id"]) for leg in _loaded(columns["legs"])})
    except (KeyError, ValueError, TypeError):
        return []


def _decode_leg(leg: Mapping[str, Any], market_of: Callable[[str], Market]) -> Leg:
    return Leg(
        intent_id=leg["intent_id"],
        market=market_of(leg["market_id"]),
        token_id=leg["token_id"],
        side=OrderSide(leg["side"]),
        price=leg["price"],
    )


def _loaded(value: Any) -> Any:
    """PostgreSQL's driver has read JSON already; a journal in memory keeps its text."""
    return json.loads(value) if isinstance(value, str) else value
