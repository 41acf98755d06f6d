"""The trader's news as it arrives in Redis, read from a real Valkey."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import redis.asyncio

from domain.arbitrage import ArbExecution, ArbLeg, ArbStatus, ArbType
from domain.fill import Fill, FillKey, FillStatus, Liquidity
from domain.halt import Halt, HaltScope
from domain.money import MICRO
from domain.order import OrderSide, OrderStatus
from domain.ports import OrderState
from domain.position import Position, PositionStatus
from domain.status import BudgetFigure, StrategyInfo, StrategyState, TraderStatus
from infra.clock import SystemClock
from infra.health import CheckStatus
from infra.ids import RandomIds
from infra.redis_pipe import RedisPipe
from proto.arbitrage_mapping import execution_from_proto
from proto.envelope import EventEncoder
from proto.mapping import (
    fill_from_proto,
    order_state_from_proto,
    position_from_proto,
    signal_from_proto,
)
from proto.polybot.v1 import events_pb2, position_pb2, strategy_pb2
from proto.status_mapping import status_from_proto, strategy_from_proto
from tests.trading import factories as f
from tests.waiting import until
from trading.publisher import SCRIPTS, STREAM_LENGTH, EventPublisher


@pytest.fixture
async def pipe(redis_url):
    pipe = RedisPipe(redis_url, SystemClock(), scripts=SCRIPTS)
    pipe.start()
    yield pipe
    await pipe.stop()


@pytest.fixture
async def broker(redis_url):
    client = redis.asyncio.Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def publisher(pipe):
    return EventPublisher(pipe, EventEncoder(SystemClock(), RandomIds(), epoch=3), f.ACCOUNT)


@pytest.fixture
async def listen(broker):
    """Listen to a channel: `heard = await listen("ch:order")`, then `await heard()` for each event."""
    subscriptions = []

    async def start(channel):
        pubsub = broker.pubsub(ignore_subscribe_messages=True)
        await pubsub.subscribe(channel)
        assert await pubsub.get_message(timeout=10) is None
        subscriptions.append(pubsub)

        async def heard():
            message = await pubsub.get_message(timeout=10)
            return events_pb2.Event.FromString(message["data"])

        return heard

    yield start
    for pubsub in subscriptions:
        await pubsub.aclose()


async def entries(broker, stream, count):
    """Wait until `stream` has `count` entries and return them as (id, event)."""
    async with asyncio.timeout(10):
        while await broker.xlen(stream) < count:  # noqa: ASYNC110 - another process writes
            await asyncio.sleep(0.005)
    found = await broker.xrange(stream)
    return [(entry_id.decode(), events_pb2.Event.FromString(fields[b"event"])) for entry_id, fields in found]


async def value_of(broker, key):
    async with asyncio.timeout(10):
        while (value := await broker.get(key)) is None:  # noqa: ASYNC110 - another process writes
            await asyncio.sleep(0.005)
    return value


def state_of(order, status):
    return OrderState(order_id=order.id, status=status, filled=0, reason="", updated_ns=f.NOW)


def a_fill():
    return Fill(
        key=FillKey("t1", "0x1"),
        account=f.ACCOUNT,
        market_id="m1",
        token_id=f.YES,
        side=OrderSide.BUY,
        price=500_000,
        size=MICRO,
        fee=10,
        fee_rate=40_000,
        liquidity=Liquidity.MAKER,
        status=FillStatus.MATCHED,
        strategy="test",
        matched_ns=f.NOW,
    )


def a_position():
    return Position(
        id="p1",
        account=f.ACCOUNT,
        market_id="m1",
        token_id=f.YES,
        side="token1",
        strategy="test",
        settled=MICRO,
        unsettled=0,
        cost=500_000,
        realised=0,
        fees=0,
        take_profit=None,
        stop_loss=None,
        opened_ns=f.NOW,
        closed_ns=None,
        exit_price=None,
        status=PositionStatus.OPEN,
    )


def an_execution():
    execution = ArbExecution(
        id="e1",
        account=f.ACCOUNT,
        opportunity_id="",
        arb_type=ArbType.REBALANCING,
        leg_group_id="g",
        strategy="arb",
        gross_edge_bps=100,
        expected=50_000,
        fees=1_000,
        slippage=-10,
        net_pnl=40_000,
        residual=0,
        residual_cost=0,
        status=ArbStatus.FILLED,
        started_ns=f.NOW,
        completed_ns=f.NOW + 1,
    )
    leg = ArbLeg(
        execution_id="e1",
        account=f.ACCOUNT,
        number=0,
        order_id="0x1",
        market_id="m1",
        token_id=f.YES,
        side=OrderSide.BUY,
        expected_price=400_000,
        filled_price=None,
        size=MICRO,
        filled=0,
        unwound=0,
        residual=0,
        fee=0,
        slippage_bps=0,
        status="live",
    )
    return execution, (leg,)


async def test_an_order_is_kept_in_its_stream_and_published_with_its_stream_id(publisher, broker, listen):
    heard = await listen("ch:order")
    order = f.order()
    for status in (OrderStatus.SUBMITTED, OrderStatus.LIVE):
        publisher.order(order, state_of(order, status))
    kept = await entries(broker, "stream:orders", 2)
    published = [await heard(), await heard()]
    assert [event.stream_id for event in published] == [entry_id for entry_id, _ in kept]
    for event, (_, stored) in zip(published, kept, strict=True):
        event.ClearField("stream_id")
        assert event == stored
    states = [order_state_from_proto(event.order_result) for event in published]
    assert states == [state_of(order, OrderStatus.SUBMITTED), state_of(order, OrderStatus.LIVE)]
    assert published[0].sequence < published[1].sequence
    assert published[0].sequence >> 40 == 3


async def test_signals_carry_what_became_of_them(publisher, broker, listen):
    heard = await listen("ch:signal")
    signal = f.signal(reason="far below the middle", metadata={"z": "-3.1"})
    publisher.signal(signal, "max_order_notional: 60 is more than 50")
    event = await heard()
    assert signal_from_proto(event.trade_signal, signal.market) == signal
    assert event.trade_signal.decision == "max_order_notional: 60 is more than 50"
    assert len(await entries(broker, "stream:signals", 1)) == 1


async def test_fills_are_kept_in_their_stream(publisher, broker):
    publisher.fill(a_fill())
    ((_, event),) = await entries(broker, "stream:fills", 1)
    assert fill_from_proto(event.fill) == a_fill()


async def test_an_open_position_can_be_looked_up_until_it_is_closed(publisher, broker, listen):
    heard = await listen("ch:position")
    publisher.position(a_position())
    assert position_from_proto((await heard()).position_update.position) == a_position()
    raw = await value_of(broker, f"pos:{f.ACCOUNT}:p1")
    assert position_from_proto(position_pb2.Position.FromString(raw)) == a_position()
    publisher.position(replace(a_position(), status=PositionStatus.CLOSED, settled=0, cost=0, closed_ns=f.NOW))
    assert (await heard()).position_update.position.status == position_pb2.POSITION_STATUS_CLOSED
    await entries(broker, "stream:positions", 2)
    assert await broker.get(f"pos:{f.ACCOUNT}:p1") is None


async def test_the_status_is_published_and_kept_while_the_trader_speaks(publisher, broker, listen):
    heard = await listen("ch:status")
    status = TraderStatus(
        mode="full",
        account=f.ACCOUNT,
        venue="simulator",
        ready=True,
        feed_connected=True,
        user_feed_connected=False,
        last_message_ns=f.NOW,
        uptime_seconds=7,
        epoch=3,
        open_orders=1,
        unknown_orders=0,
        open_positions=2,
        watched_markets=30,
        halts=(Halt(account=f.ACCOUNT, scope=HaltScope.ALL, target="", reason="r", set_by="me", set_ns=f.NOW),),
    )
    publisher.status(status)
    event = await heard()
    assert status_from_proto(event.bot_status) == replace(status, counters={"events_dropped": 0, "events_waiting": 0})
    assert events_pb2.Event.FromString(await value_of(broker, f"status:{f.ACCOUNT}")) == event
    assert 0 < await broker.ttl(f"status:{f.ACCOUNT}") <= 10


async def test_health_is_what_the_checks_say(publisher, broker, listen):
    heard = await listen("ch:status")
    publisher.health(
        [
            CheckStatus(name="polymarket_ws", ok=True, interval=10, age=0.5, last_error=""),
            CheckStatus(name="polymarket_clob", ok=False, interval=30, age=None, last_error="refused"),
        ],
        [BudgetFigure(name="orders", left=3, limit=45, requests=9, waits=2, refusals=1, too_many=4)],
    )
    health = (await heard()).health_status
    assert (health.ok, health.account) == (False, f.ACCOUNT)
    assert [(check.name, check.ok, check.last_error) for check in health.checks] == [
        ("polymarket_ws", True, ""),
        ("polymarket_clob", False, "refused"),
    ]
    assert [check.HasField("age_seconds") for check in health.checks] == [True, False]
    (orders,) = health.budgets
    assert (orders.name, orders.left, orders.limit, orders.requests) == ("orders", 3, 45, 9)
    assert (orders.waits, orders.refusals, orders.too_many) == (2, 1, 4)
    assert 0 < await broker.ttl(f"health:{f.ACCOUNT}") <= 60


async def test_a_strategy_says_what_it_does_on_its_own_channel(publisher, broker, listen):
    heard = await listen("ch:strategy:flash_crash")
    info = StrategyInfo(
        name="flash_crash",
        state=StrategyState.RUNNING,
        enabled=True,
        signals_sent=4,
        error_count=1,
        budget_overruns=0,
        last_signal_ns=f.NOW,
        last_error="division by zero",
        parameters={"drop_threshold": "0.1"},
    )
    publisher.strategy(info)
    told = (await heard()).strategy_status
    assert (strategy_from_proto(told), told.account) == (info, f.ACCOUNT)
    raw = await value_of(broker, f"strategy:status:{f.ACCOUNT}:flash_crash")
    assert strategy_from_proto(strategy_pb2.StrategyStatus.FromString(raw)) == info
    assert 0 < await broker.ttl(f"strategy:status:{f.ACCOUNT}:flash_crash") <= 30


async def test_streams_do_not_grow_for_ever(publisher, broker):
    order = f.order()
    state = state_of(order, OrderStatus.LIVE)
    for _ in range(STREAM_LENGTH + 2000):
        publisher.order(order, state)
        publisher.arb_execution(*an_execution())
        publisher.fill(a_fill())
    last = f.order()
    publisher.order(last, state_of(last, OrderStatus.LIVE))
    async with asyncio.timeout(30):
        while True:
            newest = await broker.xrevrange("stream:orders", count=1)
            if newest and events_pb2.Event.FromString(newest[0][1][b"event"]).order_result.order.id == last.id:
                break
            await asyncio.sleep(0.01)
    assert STREAM_LENGTH <= await broker.xlen("stream:orders") < STREAM_LENGTH + 500
    assert STREAM_LENGTH <= await broker.xlen("stream:fills") < STREAM_LENGTH + 500
    assert STREAM_LENGTH <= await broker.xlen("stream:arb:exec") < STREAM_LENGTH + 500


async def test_an_arbitrage_execution_is_kept_in_its_stream_and_published_as_profit(publisher, broker, listen):
    heard = await listen("ch:arb:profit")
    execution, legs = an_execution()
    publisher.arb_execution(execution, legs)
    event = await heard()
    assert event.type == "arb_execution"
    assert execution_from_proto(event.arb_execution) == (execution, legs)
    ((entry_id, _),) = await entries(broker, "stream:arb:exec", 1)
    assert event.stream_id == entry_id


async def test_the_sessions_arbitrage_figures_lie_under_their_names(publisher, broker):
    publisher.arb_session(
        -250_000, {"rebalancing": 1_000_000, "combinatorial": 0, "cross_platform": -1_250_000}, 3, 1, 2
    )
    wanted = {
        b"arb:session:account": f.ACCOUNT.encode(),
        b"arb:session:pnl": b"-0.25",
        b"arb:session:pnl:rebal": b"1",
        b"arb:session:pnl:combo": b"0",
        b"arb:session:pnl:xplat": b"-1.25",
        b"arb:session:count": b"3",
        b"arb:session:count:win": b"1",
        b"arb:session:count:loss": b"2",
    }

    async def shown():
        return {key: await broker.get(key) for key in await broker.keys("arb:session:*")} == wanted

    await until(shown)


async def test_two_traders_on_one_redis_do_not_mix_what_they_say(pipe, broker):
    paper, live = (
        EventPublisher(pipe, EventEncoder(SystemClock(), RandomIds(), epoch=3), account)
        for account in ("paper:a", "live:0x1")
    )
    for publisher, state in ((paper, StrategyState.RUNNING), (live, StrategyState.ERROR)):
        publisher.strategy(
            StrategyInfo(name="s", state=state, enabled=True, signals_sent=0, error_count=0, budget_overruns=0)
        )
    for account, state in (("paper:a", StrategyState.RUNNING), ("live:0x1", StrategyState.ERROR)):
        raw = await value_of(broker, f"strategy:status:{account}:s")
        assert strategy_from_proto(strategy_pb2.StrategyStatus.FromString(raw)).state is state


@pytest.mark.parametrize(
    ("owner", "runs", "told", "shown"),
    [
        ("live:0x1", True, "paper:a", "live:0x1"),
        ("live:0x1", False, "paper:a", "paper:a"),
        ("paper:a", True, "live:0x1", "live:0x1"),
        ("paper:a", True, "paper:b", "paper:a"),
        ("sim:x", True, "paper:a", "paper:a"),
        ("paper:a", True, "paper:a", "paper:a"),
    ],
)
async def test_the_sessions_figures_are_those_of_one_running_account_real_money_first(
    pipe, broker, owner, runs, told, shown
):
    await broker.mset({"arb:session:account": owner, "arb:session:count": "7"})
    if runs:
        await broker.set(f"status:{owner}", b"...")
    types = dict.fromkeys(("rebalancing", "combinatorial", "cross_platform"), 0)
    EventPublisher(pipe, EventEncoder(SystemClock(), RandomIds(), epoch=3), told).arb_session(0, types, 3, 1, 2)
    await until(lambda: _idle(pipe))
    assert await broker.get("arb:session:account") == shown.encode()
    assert await broker.get("arb:session:count") == (b"3" if shown == told else b"7")


async def _idle(pipe):
    return pipe.connected and not pipe.waiting
