"""Orders ↔ their table columns: the row holds everything that is needed to repeat the bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.market import Market
from domain.order import Effect, Order, OrderDraft, OrderSide, OrderStatus, OrderType, PreparedOrder
from domain.ports import OrderState
from trading.row_write import Verb, Write, optional_ns, to_datetime, to_ns


def _order(row: Order) -> Write:
    draft, prepared = row.draft, row.prepared
    columns = {
        "id": row.id,
        "account": draft.account,
        "wallet": draft.account.partition(":")[2],
        "market_id": draft.market.id,
        "token_id": draft.token_id,
        "side": draft.side.value,
        "order_type": draft.order_type.value,
        "effect": draft.effect.value,
        "price_ticks": draft.price,
        "size_units": draft.size,
        "filled_units": 0,
        "status": OrderStatus.PENDING.value,
        "reason": draft.reason,
        "status_reason": "",
        "strategy_name": draft.strategy,
        "intent_id": draft.intent_id,
        "decision_id": draft.decision_id,
        "leg_group": draft.leg_group,
        "lease_epoch": row.lease_epoch,
        "post_only": draft.post_only,
        "take_profit_ticks": draft.take_profit,
        "stop_loss_ticks": draft.stop_loss,
        "salt": prepared.salt,
        "timestamp_ms": prepared.timestamp_ms,
        "maker_amount": prepared.maker_amount,
        "taker_amount": prepared.taker_amount,
        "signature": prepared.signature,
        "signature_type": prepared.signature_type,
        "venue_expiration": prepared.venue_expiration,
        "payload": prepared.payload,
        "expires_at": to_datetime(draft.expires_ns),
        "created_at": to_datetime(row.created_ns),
        "updated_at": to_datetime(row.created_ns),
    }
    return Write(Verb.INSERT, "orders", columns)


def _order_state(row: OrderState) -> Write:
    moment = to_datetime(row.updated_ns)
    columns = {
        "id": row.order_id,
        "status": row.status.value,
        "filled_units": row.filled,
        "status_reason": row.reason,
        "updated_at": moment,
        "filled_at": moment if row.status is OrderStatus.MATCHED else None,
        "cancelled_at": moment if row.status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED) else None,
    }
    return Write(Verb.UPDATE, "orders", columns, ("id",))


ORDER_ENCODERS: dict[type, Callable[[Any], Write]] = {Order: _order, OrderState: _order_state}


def decode_order(columns: Mapping[str, Any], market_of: Callable[[str], Market]) -> tuple[Order, OrderState]:
    """Return an order and its journaled state from an `orders` row."""
    draft = OrderDraft(
        account=columns["account"],
        decision_id=columns["decision_id"],
        intent_id=columns["intent_id"],
        strategy=columns["strategy_name"],
        market=market_of(columns["market_id"]),
        token_id=columns["token_id"],
        side=OrderSide(columns["side"]),
        order_type=OrderType(columns["order_type"]),
        price=columns["price_ticks"],
        size=columns["size_units"],
        effect=Effect(columns["effect"]),
        post_only=columns["post_only"],
        expires_ns=optional_ns(columns["expires_at"]),
        take_profit=columns["take_profit_ticks"],
        stop_loss=columns["stop_loss_ticks"],
        reason=columns["reason"],
        leg_group=columns["leg_group"],
    )
    prepared = PreparedOrder(
        order_id=columns["id"],
        payload=bytes(columns["payload"]),
        salt=columns["salt"],
        timestamp_ms=columns["timestamp_ms"],
        maker_amount=columns["maker_amount"],
        taker_amount=columns["taker_amount"],
        signature=columns["signature"],
        signature_type=columns["signature_type"],
        venue_expiration=columns["venue_expiration"],
    )
    order = Order(
        draft=draft,
        prepared=prepared,
        lease_epoch=columns["lease_epoch"],
        created_ns=to_ns(columns["created_at"]),
    )
    state = OrderState(
        order_id=order.id,
        status=OrderStatus(columns["status"]),
        filled=columns["filled_units"],
        reason=columns["status_reason"],
        updated_ns=to_ns(columns["updated_at"]),
    )
    return order, state
