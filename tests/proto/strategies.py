"""Hypothesis strategies that build domain values for the protobuf tests."""

from __future__ import annotations

from hypothesis import strategies as st

from domain.arbitrage import ArbExecution, ArbLeg, ArbStatus, ArbType
from domain.fees import FeeSchedule
from domain.fill import Fill, FillKey, FillStatus, Liquidity
from domain.halt import Halt, HaltScope
from domain.market import ConditionGroup, Market, MarketStatus
from domain.order import Effect, Order, OrderDraft, OrderSide, OrderStatus, OrderType, PreparedOrder
from domain.ports import OrderState
from domain.position import Position, PositionStatus
from domain.signal import TradeSignal, Urgency
from domain.status import StrategyInfo, StrategyState, TraderStatus
from domain.ticks import TICK_SIZES

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text(alphabet="abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)
micros = st.integers(-(2**62), 2**62)
prices = st.integers(0, 1_000_000)
instants = st.integers(0, 4_000_000_000 * 1_000_000_000)
counts = st.integers(0, 2**31 - 1)


def optional(strategy):
    return st.none() | strategy


fee_schedules = st.builds(
    FeeSchedule,
    rate=prices,
    exponent=st.integers(0, 4),
    taker_only=st.booleans(),
    rebate=prices,
)
markets = st.builds(
    Market,
    id=texts,
    venue=texts,
    question=texts,
    slug=texts,
    condition_id=texts,
    token_ids=st.tuples(texts, texts),
    outcomes=st.tuples(texts, texts),
    tick=st.sampled_from(sorted(TICK_SIZES)),
    min_size=micros,
    neg_risk=st.booleans(),
    status=st.sampled_from(MarketStatus),
    accepting_orders=st.booleans(),
    fees=fee_schedules,
    category=texts,
    group_id=optional(texts),
    volume=micros,
    volume_24h=micros,
    taker_delay_ms=counts,
    rules_hash=texts,
    end_ns=optional(instants),
    created_ns=optional(instants),
    closed_ns=optional(instants),
    winner=optional(st.integers(0, 1)),
)
groups = st.builds(
    ConditionGroup,
    id=texts,
    title=texts,
    market_ids=st.lists(texts, max_size=4).map(tuple),
    status=st.sampled_from(MarketStatus),
    exclusive=st.booleans(),
    augmented=st.booleans(),
    category=texts,
)
drafts = st.builds(
    OrderDraft,
    account=texts,
    decision_id=texts,
    intent_id=texts,
    strategy=texts,
    market=markets,
    token_id=texts,
    side=st.sampled_from(OrderSide),
    order_type=st.sampled_from(OrderType),
    price=micros,
    size=micros,
    effect=st.sampled_from(Effect),
    post_only=st.booleans(),
    expires_ns=optional(instants),
    take_profit=optional(micros),
    stop_loss=optional(micros),
    reason=texts,
)
prepared_orders = st.builds(
    PreparedOrder,
    order_id=texts,
    payload=st.binary(max_size=20),
    salt=counts,
    timestamp_ms=counts,
    maker_amount=counts,
    taker_amount=counts,
    signature=texts,
)
orders = st.builds(Order, draft=drafts, prepared=prepared_orders, lease_epoch=counts, created_ns=instants)
order_states = st.builds(
    OrderState,
    order_id=texts,
    status=st.sampled_from(OrderStatus),
    filled=micros,
    reason=texts,
    updated_ns=instants,
)
fills = st.builds(
    Fill,
    key=st.builds(FillKey, texts, texts),
    account=texts,
    market_id=texts,
    token_id=texts,
    side=st.sampled_from(OrderSide),
    price=micros,
    size=micros,
    fee=micros,
    fee_rate=micros,
    liquidity=st.sampled_from(Liquidity),
    status=st.sampled_from(FillStatus),
    strategy=texts,
    matched_ns=instants,
    transaction_hash=texts,
    position_id=texts,
)
positions = st.builds(
    Position,
    id=texts,
    account=texts,
    market_id=texts,
    token_id=texts,
    strategy=texts,
    settled=micros,
    unsettled=micros,
    cost=micros,
    realised=micros,
    fees=micros,
    take_profit=optional(micros),
    stop_loss=optional(micros),
    opened_ns=instants,
    closed_ns=optional(instants),
    exit_price=optional(micros),
    status=st.sampled_from(PositionStatus),
    side=st.sampled_from(["token1", "token2"]),
    payout=optional(prices),
)
signals = st.builds(
    TradeSignal,
    id=texts,
    source=texts,
    market=markets,
    token_id=texts,
    side=st.sampled_from(OrderSide),
    price=micros,
    size=micros,
    effect=st.sampled_from(Effect),
    created_ns=instants,
    expires_ns=instants,
    order_type=st.sampled_from(OrderType),
    urgency=st.sampled_from(Urgency),
    post_only=st.booleans(),
    take_profit=optional(micros),
    stop_loss=optional(micros),
    reason=texts,
    metadata=st.dictionaries(texts, texts, max_size=3),
)
halts = st.builds(
    Halt,
    account=texts,
    scope=st.sampled_from(HaltScope),
    target=texts,
    reason=texts,
    set_by=texts,
    set_ns=instants,
)
trader_statuses = st.builds(
    TraderStatus,
    mode=texts,
    account=texts,
    venue=texts,
    ready=st.booleans(),
    feed_connected=st.booleans(),
    user_feed_connected=st.booleans(),
    last_message_ns=instants,
    uptime_seconds=counts,
    epoch=counts,
    open_orders=counts,
    unknown_orders=counts,
    open_positions=counts,
    watched_markets=counts,
    venue_mode=texts,
    refused_frames=counts,
    counters=st.dictionaries(names, counts, max_size=3),
    leg_groups=counts,
    session_ns=st.integers(1, 4_000_000_000) | st.just(0),
    active_strategies=st.lists(names, max_size=3).map(tuple),
    halts=st.lists(halts, max_size=2).map(tuple),
    cash=micros,
    realised=micros,
    unrealised=micros,
    fees=micros,
)
strategy_infos = st.builds(
    StrategyInfo,
    name=texts,
    state=st.sampled_from(StrategyState),
    enabled=st.booleans(),
    signals_sent=counts,
    error_count=counts,
    budget_overruns=counts,
    last_signal_ns=optional(instants),
    last_error=texts,
    parameters=st.dictionaries(
        texts, texts | counts | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=3
    ),
    refusals=st.dictionaries(texts, counts, max_size=3),
)
arb_executions = st.builds(
    ArbExecution,
    id=texts,
    account=texts,
    opportunity_id=texts,
    arb_type=st.sampled_from(ArbType),
    leg_group_id=texts,
    strategy=texts,
    gross_edge_bps=micros,
    expected=micros,
    fees=micros,
    slippage=micros,
    net_pnl=micros,
    residual=micros,
    residual_cost=micros,
    status=st.sampled_from(ArbStatus),
    started_ns=instants,
    completed_ns=optional(instants),
)
arb_legs = st.builds(
    ArbLeg,
    execution_id=texts,
    account=texts,
    number=st.integers(0, 14),
    order_id=texts,
    market_id=texts,
    token_id=texts,
    side=st.sampled_from(OrderSide),
    expected_price=prices,
    filled_price=optional(prices),
    size=micros,
    filled=micros,
    unwound=micros,
    residual=micros,
    fee=micros,
    slippage_bps=micros,
    status=texts,
)
