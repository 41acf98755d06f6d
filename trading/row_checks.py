"""What cannot be true of a journaled row: impossible values, columns that contradict each other, times that have not come yet.

Pure functions; '' means plausible. They catch damage, not lies: what a row says of the venue is compared with the venue (`trading.reconcile`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.fill import Fill
from domain.legs import LegGroup, LegGroupState
from domain.money import MICRO
from domain.order import Order, OrderStatus
from domain.ports import OrderState
from domain.position import Position, PositionStatus
from trading.positions import DUST

_ENDED = {"filled_at": (OrderStatus.MATCHED,), "cancelled_at": (OrderStatus.CANCELLED, OrderStatus.EXPIRED)}
"""Columns that are set in these states only."""


def order_wrong(order: Order, state: OrderState, columns: Mapping[str, Any]) -> str:
    """Return what is wrong with an order's row."""
    draft, prepared = order.draft, order.prepared
    if not order.id or draft.token_id not in draft.market.token_ids:
        return f"token_id {draft.token_id[:12]!r} is none of its market's"
    if not 0 < draft.price < MICRO or draft.size <= 0:
        return f"{draft.size} micro-shares at {draft.price} are no order"
    if not prepared.payload or prepared.maker_amount <= 0 or prepared.taker_amount <= 0:
        return "payload, maker_amount or taker_amount is empty: what was sent is not known"
    if state.filled < 0 or (not draft.spends_cash_amount and state.filled > draft.size + DUST):
        return f"filled_units {state.filled} do not fit size_units {draft.size}"
    for column, states in _ENDED.items():
        if columns.get(column) is not None and state.status not in states:
            return f"status {state.status.value} contradicts {column}"
    return ""


def fill_wrong(fill: Fill, token_ids: Sequence[str]) -> str:
    """Return what is wrong with a fill's row; `token_ids` are its market's."""
    if not all(fill.key) or fill.token_id not in token_ids:
        return f"token_id {fill.token_id[:12]!r} is none of its market's"
    if not 0 <= fill.price <= MICRO or fill.size <= 0 or fill.fee < 0:
        return f"{fill.size} micro-shares at {fill.price} for a fee of {fill.fee} are no fill"
    return ""


def position_wrong(position: Position, token_ids: Sequence[str]) -> str:
    """Return what is wrong with a position's row; `token_ids` are its market's."""
    if position.token_id not in token_ids:
        return f"token_id {position.token_id[:12]!r} is none of its market's"
    if position.side != f"token{token_ids.index(position.token_id) + 1}":
        return f"side {position.side!r} is not its token's"
    if position.payout is not None and not 0 <= position.payout <= MICRO:
        return f"payout_ticks {position.payout} is no payout"
    if (position.status is PositionStatus.CLOSED) is (position.closed_ns is None):
        return f"status {position.status.value} contradicts closed_at"
    return ""


def group_wrong(group: LegGroup, state: LegGroupState) -> str:
    """Return what is wrong with a leg group's row."""
    if not group.legs or group.size <= 0 or len(state.residual) != len(group.legs):
        return f"{len(group.legs)} legs of {group.size} micro-shares with {len(state.residual)} residuals are no group"
    for leg in group.legs:
        if leg.token_id not in leg.market.token_ids or not 0 < leg.price < MICRO:
            return f"a leg of {leg.token_id[:12]!r} at {leg.price} is none"
    return ""
