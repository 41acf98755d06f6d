"""Domain ↔ protobuf, nothing else. Each pair of functions is exact both ways: micro-units, nanoseconds and absent values survive.

Reading an unknown enum value or a message that lacks a required part raises `MappingError`: a reader never gets a made-up default.
Books and public prices are in `proto.market_mapping`, a trader's status in `proto.status_mapping`.
"""

from __future__ import annotations

from domain.fill import Fill, FillKey, FillStatus, Liquidity
from domain.market import Market
from domain.money import to_float
from domain.order import Effect, Order, OrderSide, OrderStatus, OrderType
from domain.ports import OrderState
from domain.position import Position, PositionStatus
from domain.signal import TradeSignal, Urgency
from proto.polybot.v1 import order_pb2, position_pb2, signal_pb2, trade_pb2
from proto.values import EnumPair, nanoseconds, timestamp

SIDES = EnumPair(OrderSide, order_pb2.OrderSide, "ORDER_SIDE")
ORDER_TYPES = EnumPair(OrderType, order_pb2.OrderType, "ORDER_TYPE")
ORDER_STATUSES = EnumPair(OrderStatus, order_pb2.OrderStatus, "ORDER_STATUS")
EFFECTS = EnumPair(Effect, order_pb2.Effect, "EFFECT")
FILL_STATUSES = EnumPair(FillStatus, trade_pb2.FillStatus, "FILL_STATUS")
LIQUIDITIES = EnumPair(Liquidity, trade_pb2.Liquidity, "LIQUIDITY")
POSITION_STATUSES = EnumPair(PositionStatus, position_pb2.PositionStatus, "POSITION_STATUS")
URGENCIES = EnumPair(Urgency, signal_pb2.SignalUrgency, "SIGNAL_URGENCY")


def order_result_to_proto(order: Order, state: OrderState) -> order_pb2.OrderResult:
    """Return an order with its state; the signed bytes stay at home."""
    draft = order.draft
    return order_pb2.OrderResult(
        order=order_pb2.Order(
            id=order.id,
            account=draft.account,
            market_id=draft.market.id,
            token_id=draft.token_id,
            side=SIDES.to_proto(draft.side),
            type=ORDER_TYPES.to_proto(draft.order_type),
            price_micros=draft.price,
            size_micros=draft.size,
            effect=EFFECTS.to_proto(draft.effect),
            post_only=draft.post_only,
            strategy_name=draft.strategy,
            intent_id=draft.intent_id,
            decision_id=draft.decision_id,
            reason=draft.reason,
            take_profit_micros=draft.take_profit,
            stop_loss_micros=draft.stop_loss,
            created_at=timestamp(order.created_ns),
            expires_at=timestamp(draft.expires_ns),
        ),
        status=ORDER_STATUSES.to_proto(state.status),
        filled_micros=state.filled,
        reason=state.reason,
        updated_at=timestamp(state.updated_ns),
    )


def order_state_from_proto(message: order_pb2.OrderResult) -> OrderState:
    """Return the state an order result reports."""
    return OrderState(
        order_id=message.order.id,
        status=ORDER_STATUSES.from_proto(message.status),
        filled=message.filled_micros,
        reason=message.reason,
        updated_ns=nanoseconds(message, "updated_at"),
    )


def fill_to_proto(fill: Fill) -> trade_pb2.Fill:
    return trade_pb2.Fill(
        trade_id=fill.key.trade_id,
        order_id=fill.key.order_id,
        account=fill.account,
        market_id=fill.market_id,
        token_id=fill.token_id,
        side=SIDES.to_proto(fill.side),
        price_micros=fill.price,
        size_micros=fill.size,
        fee_micros=fill.fee,
        fee_rate_micros=fill.fee_rate,
        liquidity=LIQUIDITIES.to_proto(fill.liquidity),
        status=FILL_STATUSES.to_proto(fill.status),
        strategy_name=fill.strategy,
        matched_at=timestamp(fill.matched_ns),
        transaction_hash=fill.transaction_hash,
        position_id=fill.position_id,
    )


def fill_from_proto(message: trade_pb2.Fill) -> Fill:
    return Fill(
        key=FillKey(message.trade_id, message.order_id),
        account=message.account,
        market_id=message.market_id,
        token_id=message.token_id,
        side=SIDES.from_proto(message.side),
        price=message.price_micros,
        size=message.size_micros,
        fee=message.fee_micros,
        fee_rate=message.fee_rate_micros,
        liquidity=LIQUIDITIES.from_proto(message.liquidity),
        status=FILL_STATUSES.from_proto(message.status),
        strategy=message.strategy_name,
        matched_ns=nanoseconds(message, "matched_at"),
        transaction_hash=message.transaction_hash,
        position_id=message.position_id,
    )


def position_to_proto(position: Position) -> position_pb2.Position:
    return position_pb2.Position(
        id=position.id,
        account=position.account,
        market_id=position.market_id,
        token_id=position.token_id,
        strategy_name=position.strategy,
        settled_micros=position.settled,
        unsettled_micros=position.unsettled,
        cost_micros=position.cost,
        realized_micros=position.realised,
        fees_micros=position.fees,
        take_profit_micros=position.take_profit,
        stop_loss_micros=position.stop_loss,
        opened_at=timestamp(position.opened_ns),
        closed_at=timestamp(position.closed_ns),
        exit_price_micros=position.exit_price,
        status=POSITION_STATUSES.to_proto(position.status),
        side=position.side,
        payout_micros=position.payout,
    )


def position_from_proto(message: position_pb2.Position) -> Position:
    return Position(
        id=message.id,
        account=message.account,
        market_id=message.market_id,
        token_id=message.token_id,
        strategy=message.strategy_name,
        settled=message.settled_micros,
        unsettled=message.unsettled_micros,
        cost=message.cost_micros,
        realised=message.realized_micros,
        fees=message.fees_micros,
        take_profit=message.take_profit_micros if message.HasField("take_profit_micros") else None,
        stop_loss=message.stop_loss_micros if message.HasField("stop_loss_micros") else None,
        opened_ns=nanoseconds(message, "opened_at"),
        closed_ns=nanoseconds(message, "closed_at") if message.HasField("closed_at") else None,
        exit_price=message.exit_price_micros if message.HasField("exit_price_micros") else None,
        status=POSITION_STATUSES.from_proto(message.status),
        side=message.side,
        payout=message.payout_micros if message.HasField("payout_micros") else None,
    )


def signal_to_proto(signal: TradeSignal, decision: str, account: str) -> signal_pb2.TradeSignal:
    """Return a signal of an account's trader and what became of it: "accepted" or the reason for the refusal."""
    return signal_pb2.TradeSignal(
        id=signal.id,
        source=signal.source,
        market_id=signal.market.id,
        token_id=signal.token_id,
        side=SIDES.to_proto(signal.side),
        price=to_float(signal.price),
        size=to_float(signal.size),
        urgency=URGENCIES.to_proto(signal.urgency),
        reason=signal.reason,
        metadata=signal.metadata,
        created_at=timestamp(signal.created_ns),
        expires_at=timestamp(signal.expires_ns),
        price_micros=signal.price,
        size_micros=signal.size,
        order_type=ORDER_TYPES.to_proto(signal.order_type),
        effect=EFFECTS.to_proto(signal.effect),
        post_only=signal.post_only,
        take_profit_micros=signal.take_profit,
        stop_loss_micros=signal.stop_loss,
        decision=decision,
        account=account,
    )


def signal_from_proto(message: signal_pb2.TradeSignal, market: Market) -> TradeSignal:
    """Return the signal; `market` is the one `message.market_id` names."""
    return TradeSignal(
        id=message.id,
        source=message.source,
        market=market,
        token_id=message.token_id,
        side=SIDES.from_proto(message.side),
        price=message.price_micros,
        size=message.size_micros,
        effect=EFFECTS.from_proto(message.effect),
        created_ns=nanoseconds(message, "created_at"),
        expires_ns=nanoseconds(message, "expires_at"),
        order_type=ORDER_TYPES.from_proto(message.order_type),
        urgency=URGENCIES.from_proto(message.urgency),
        post_only=message.post_only,
        take_profit=message.take_profit_micros if message.HasField("take_profit_micros") else None,
        stop_loss=message.stop_loss_micros if message.HasField("stop_loss_micros") else None,
        reason=message.reason,
        metadata=dict(message.metadata),
    )
