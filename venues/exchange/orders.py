"""Placing orders: checks, delay, matching, resting.

An order that is refused leaves no trace but its answer (and, for a FOK or FAK that found too little, the cancellation the user channel shows).
An order that crosses in a market with a taker delay is held as DELAYED, its funds and the worst fee reserved, and meets the book when the
delay ends. Orders of one account match each other like any others: the venue documents no self-trade prevention.
"""

from __future__ import annotations

from domain.money import MICRO, multiply_ceil
from domain.order import OrderSide
from domain.ticks import SIZE_STEP
from venues.exchange import rules
from venues.exchange.clearing import open_trade
from venues.exchange.commands import PlaceOrder
from venues.exchange.events import (
    Event,
    OrderAccepted,
    OrderCanceled,
    OrderPlaced,
    OrderRefused,
    OrderUpdated,
    RefusalCode,
    TradeMatched,
    VenueStatus,
)
from venues.exchange.matching import LevelPlan, Plan, plan_matches
from venues.exchange.records import OrderRecord, TradeRecord
from venues.exchange.rules import Refusal
from venues.exchange.state import MarketRecord, State
from venues.exchange.vault import COLLATERAL

_KILLS = (RefusalCode.FOK_NOT_FILLED, RefusalCode.FAK_NOT_FILLED)
_MS_NS = 1_000_000


def place(state: State, command: PlaceOrder, events: list[Event]) -> OrderAccepted | OrderRefused:
    """Take or refuse an order; return the answer, append what happened to `events`."""
    record = state.by_token.get(command.token_id)
    if record is None or not record.readable:
        return _refused(command, rules.NO_ORDERBOOK)
    price = rules.check_order(command, record.market, command.order_id in state.orders, state.now_ns)
    if isinstance(price, Refusal):
        return _refused(command, price)
    order = new_order(state, command, record, price)
    crosses = record.book.crossed_by(order.is_bid, order.ladder_price)
    refusal = rules.check_marketable(command, crosses)
    if refusal is not None:
        return _refused(command, refusal)
    if crosses and record.market.taker_delay_ms:
        return _delay(state, record, order, events)
    plan = plan_matches(record.book, order, record.market.fees) if crosses else Plan([], order.remaining)
    refusal = _objection(state, order, plan)
    if refusal is not None:
        if refusal.code in _KILLS:
            _kill(order, VenueStatus.UNMATCHED, refusal.text, events)
        return _refused(command, refusal)
    admit(state, order, events)
    if crosses:
        execute(state, record, order, plan, events)
    else:
        rest(state, record, order)
    return accepted(order)


def release(state: State, order: OrderRecord, events: list[Event]) -> None:
    """Let a delayed order meet the book."""
    record = state.markets[order.condition_id]
    state.reserve(order, 0)
    order.due_ns = 0
    order.updated_ns = state.now_ns
    if not (record.market.accepting_orders and record.has_book):
        state.close_order(order)
        _kill(order, VenueStatus.CANCELED, "the market does not accept orders", events)
        return
    plan = plan_matches(record.book, order, record.market.fees)
    refusal = _objection(state, order, plan)
    if refusal is not None:
        state.close_order(order)
        status = VenueStatus.UNMATCHED if refusal.code in _KILLS else VenueStatus.CANCELED
        _kill(order, status, refusal.text, events)
        return
    order.status = VenueStatus.LIVE
    execute(state, record, order, plan, events)


def end_order(state: State, order: OrderRecord, status: VenueStatus, reason: str, events: list[Event]) -> None:
    """Take an open order out of the book and close it without a match."""
    _leave(state, order)
    order.updated_ns = state.now_ns
    _kill(order, status, reason, events)


def drop_order(state: State, order: OrderRecord) -> None:
    """Forget an open order altogether; its funds are free again."""
    _leave(state, order)
    state.forget_order(order)


def _leave(state: State, order: OrderRecord) -> None:
    record = state.markets[order.condition_id]
    if order.status is VenueStatus.LIVE:
        record.book.remove(order)
        state.dirty[order.condition_id] = record
    state.close_order(order)


def new_order(state: State, command: PlaceOrder, record: MarketRecord, price: int) -> OrderRecord:
    """Return the record of an order that nothing knows of yet."""
    is_first = command.token_id == record.market.token_ids[0]
    buys = command.side is OrderSide.BUY
    rests = command.order_type.rests
    return OrderRecord(
        number=state.orders_seen + 1,
        id=command.order_id,
        account=command.account,
        condition_id=record.market.condition_id,
        token_id=command.token_id,
        side=command.side,
        order_type=command.order_type,
        post_only=command.post_only,
        maker_amount=command.maker_amount,
        taker_amount=command.taker_amount,
        expiration_s=command.expiration_s,
        price=price,
        asset=COLLATERAL if buys else command.token_id,
        rests=rests,
        spends_cash=buys and not rests,
        is_first=is_first,
        is_bid=buys is is_first,
        ladder_price=price if is_first else MICRO - price,
        remaining=command.taker_amount if buys and rests else command.maker_amount,
        status=VenueStatus.LIVE,
        created_ns=state.now_ns,
        updated_ns=state.now_ns,
    )


def _objection(state: State, order: OrderRecord, plan: Plan) -> Refusal | None:
    """Check that the plan satisfies the order type and that the account can afford it."""
    needed = order.maker_amount
    if plan.levels and order.side is OrderSide.BUY:
        unmatched = multiply_ceil(order.price, plan.remaining) if order.rests else 0
        needed = max(needed, plan.cost + unmatched)
    refusal = rules.check_balance(state.vault.available(order.account, order.asset), needed)
    if refusal is None and not order.rests:
        refusal = rules.check_filled(order.order_type, bool(plan.levels), plan.remaining == 0)
    return refusal


def _delay(state: State, record: MarketRecord, order: OrderRecord, events: list[Event]) -> OrderAccepted | OrderRefused:
    """Hold a crossing order until its market's taker delay has passed."""
    needed = order.maker_amount
    if order.side is OrderSide.BUY:
        fees = record.market.fees
        needed += (
            fees.worst_spend_fee(order.maker_amount)
            if order.spends_cash
            else fees.worst_buy_fee(order.price, order.taker_amount)
        )
    refusal = rules.check_balance(state.vault.available(order.account, order.asset), needed)
    if refusal is not None:
        return OrderRefused(order.id, order.account, refusal.code, refusal.text)
    order.status = VenueStatus.DELAYED
    order.due_ns = state.now_ns + record.market.taker_delay_ms * _MS_NS
    admit(state, order, events)
    state.reserve(order, needed)
    return accepted(order)


def admit(state: State, order: OrderRecord, events: list[Event]) -> None:
    """Remember an order that is taken."""
    state.orders_seen += 1
    state.add_order(order)
    events.append(OrderPlaced(order.view()))


def execute(state: State, record: MarketRecord, order: OrderRecord, plan: Plan, events: list[Event]) -> None:
    """Trade what the plan says, then let the rest of the order rest or end it."""
    state.dirty[order.condition_id] = record
    for level in plan.levels:
        trade = open_trade(state, record, order, level)
        order.trade_ids.append(trade.id)
        order.size_matched += level.size
        order.cash_matched += level.cash
        events.append(TradeMatched(trade.view()))
        _fill_makers(state, record, level, trade, events)
    order.remaining = plan.remaining
    order.updated_ns = state.now_ns
    if order.rests and order.remaining >= SIZE_STEP:
        rest(state, record, order)
    else:
        order.status = VenueStatus.MATCHED
        state.close_order(order)
    events.append(OrderUpdated(order.view()))


def _fill_makers(state: State, record: MarketRecord, level: LevelPlan, trade: TradeRecord, events: list[Event]) -> None:
    for (maker, size, _), fill in zip(level.parts, trade.makers, strict=True):
        maker.trade_ids.append(trade.id)
        maker.updated_ns = state.now_ns
        maker.size_matched += size
        maker.cash_matched += fill.cash
        record.book.reduce(maker, size)
        # Less than a hundredth of a share cannot be traded: such an order is done.
        if maker.remaining < SIZE_STEP:
            record.book.remove(maker)
            maker.status = VenueStatus.MATCHED
            state.close_order(maker)
        else:
            state.reserve(maker, maker.open_amount())
        events.append(OrderUpdated(maker.view()))


def rest(state: State, record: MarketRecord, order: OrderRecord) -> None:
    """Put an order into the book, behind all others at its price."""
    state.rests_seen += 1
    order.rest_sequence = state.rests_seen
    record.book.add(order)
    state.dirty[order.condition_id] = record
    state.reserve(order, order.open_amount())


def _kill(order: OrderRecord, status: VenueStatus, reason: str, events: list[Event]) -> None:
    order.status = status
    order.reason = reason
    events.append(OrderCanceled(order.view()))


def accepted(order: OrderRecord) -> OrderAccepted:
    """Return the answer to an order that was taken."""
    buys = order.side is OrderSide.BUY
    making, taking = (order.cash_matched, order.size_matched) if buys else (order.size_matched, order.cash_matched)
    status = VenueStatus.MATCHED if order.trade_ids else order.status
    return OrderAccepted(order.id, order.account, status, making, taking, tuple(order.trade_ids))


def _refused(command: PlaceOrder, refusal: Refusal) -> OrderRefused:
    return OrderRefused(command.order_id, command.account, refusal.code, refusal.text)
