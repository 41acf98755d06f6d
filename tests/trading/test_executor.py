"""Intents in, orders out: each once, a bounded number at a time, and nothing any more once the trader stops."""

from __future__ import annotations

import asyncio

from domain.errors import InvalidOrderError
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus
from domain.signal import Cancel
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.waiting import virtual
from trading import executor as executor_module
from trading.executor import INTENTS_AT_ONCE, INTENTS_PER_SECOND, MANUAL, MAX_IN_FLIGHT
from trading.risk import Refusal

SELL = {"side": OrderSide.SELL, "effect": Effect.REDUCE}


def submit(rig: Rig, **changes) -> str:
    rig.book.received_ns = rig.clock.now_ns()
    decision = rig.executor.submit(rig.signal(**changes))
    assert decision is not None
    return decision.refusal.value if decision.refusal is not None else ""


@virtual
async def test_a_signal_becomes_an_order_and_its_decision_is_told(clock) -> None:
    rig = Rig(clock)

    assert submit(rig, id="s-1") == ""
    await asyncio.sleep(0.1)

    (own,) = rig.portfolio.orders.open()
    assert own.order.draft.intent_id == "s-1"
    assert own.status is OrderStatus.LIVE
    assert rig.decisions[0][1].draft is own.order.draft
    assert rig.executor.counters == {"accepted": 1}


@virtual
async def test_a_refusal_is_told_and_counted_and_nothing_is_sent(clock) -> None:
    rig = Rig(clock)

    assert submit(rig, size=MICRO) == Refusal.TOO_SMALL
    await asyncio.sleep(0.1)

    assert rig.executor.counters == {"refused_too_small": 1}
    assert rig.decisions[0][1].refusal is Refusal.TOO_SMALL
    assert rig.venue.log == []


@virtual
async def test_an_accepted_order_that_cannot_be_signed_is_told_as_a_refusal_with_the_reason(clock) -> None:
    rig = Rig(clock)
    rig.venue.prepare_error = InvalidOrderError("the signer does not answer")

    assert submit(rig) == ""
    await asyncio.sleep(0.1)

    assert rig.executor.counters == {"accepted": 1, "refused_not_prepared": 1}
    told = rig.decisions[-1][1]
    assert (told.refusal, told.detail) == (Refusal.NOT_PREPARED, "the signer does not answer")
    assert rig.venue.calls("send") == []


@virtual
async def test_the_same_signal_is_decided_once(clock) -> None:
    rig = Rig(clock)
    rig.hold()

    assert submit(rig, id="s-1") == ""
    assert submit(rig, id="s-1", price=300_000) == Refusal.DUPLICATE
    assert submit(rig, id="s-2", **SELL, price=600_000) == ""
    assert submit(rig, id="s-2", **SELL, price=700_000) == Refusal.DUPLICATE


@virtual
async def test_a_strategy_has_one_order_at_a_price_until_it_is_explained(clock) -> None:
    rig = Rig(clock)
    assert submit(rig, price=487_654) == ""
    assert submit(rig, price=487_654) == Refusal.DUPLICATE
    await asyncio.sleep(0.1)
    assert submit(rig, price=480_000) == Refusal.DUPLICATE
    assert submit(rig, price=480_000, source="other") == ""
    assert submit(rig, price=470_000) == ""
    await asyncio.sleep(0.1)

    (own,) = [
        o for o in rig.portfolio.orders.open() if (o.order.draft.price, o.order.draft.strategy) == (480_000, "test")
    ]
    await rig.flow.cancel(own, "enough")
    assert submit(rig, price=480_000) == Refusal.DUPLICATE
    await rig.resolver.read([own])
    assert submit(rig, price=480_000) == ""


@virtual
async def test_an_operator_may_repeat_an_order_and_a_reduction_is_bounded_by_what_is_held(clock) -> None:
    rig = Rig(clock)
    rig.hold(10 * MICRO)

    assert [submit(rig, source=MANUAL) for _ in range(2)] == ["", ""]
    sold = [submit(rig, **SELL, price=600_000, size=5 * MICRO) for _ in range(3)]
    assert sold == ["", "", Refusal.NO_TOKENS]


@virtual
async def test_too_many_orders_on_their_way_refuse_what_opens_and_let_what_reduces_pass(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    rig.venue.before = lambda name: asyncio.sleep(5) if name == "prepare" else None

    refusals = [
        submit(rig, price=10_000 + 1_000 * n, market=f.market(tick=1_000), size=100 * MICRO)
        for n in range(MAX_IN_FLIGHT + 1)
    ]
    assert refusals[:-1] == [""] * MAX_IN_FLIGHT
    assert refusals[-1] == Refusal.BUSY
    assert submit(rig, **SELL, price=600_000) == ""


@virtual
async def test_a_cancel_reaches_the_venue_once(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()

    assert rig.executor.submit(Cancel(id="c-1", source="test", order_id=own.id)) is None
    await asyncio.sleep(0.1)
    rig.executor.submit(Cancel(id="c-2", source="test", order_id=own.id))
    rig.executor.submit(Cancel(id="c-3", source="test", order_id="0xunknown"))
    await asyncio.sleep(0.1)

    assert (own.status, own.reason) == (OrderStatus.CANCELLED, "cancelled by test")
    assert len(rig.venue.calls("cancel")) == 1
    assert rig.executor.counters["cancel_of_nothing"] == 2


@virtual
async def test_a_cancel_with_every_tick_is_one_request_also_of_an_order_that_was_not_answered_yet(clock) -> None:
    rig = Rig(clock)
    answered = asyncio.Event()
    rig.venue.before = lambda name: answered.wait() if name == "send" else None
    submit(rig)
    await asyncio.sleep(0.1)
    (own,) = rig.portfolio.orders.open()
    assert own.status is OrderStatus.SUBMITTED

    for number in range(1_000):
        rig.executor.submit(Cancel(id=f"c-{number}", source="test", order_id=own.id))
    assert submit(rig, price=400_000) == ""
    answered.set()
    await asyncio.sleep(0.1)

    assert own.status is OrderStatus.CANCELLED
    assert len(rig.venue.calls("cancel")) == 1
    assert (rig.executor.counters["cancels"], rig.executor.counters["cancel_of_nothing"]) == (1, 999)


@virtual
async def test_an_order_whose_task_fails_makes_the_state_doubtful(clock) -> None:
    rig = Rig(clock)
    rig.venue.prepare_error = RuntimeError("signer exploded")

    submit(rig)
    await asyncio.sleep(0.1)

    assert rig.broken == ["an order task failed: RuntimeError: signer exploded"]
    assert rig.executor.counters["failed"] == 1


@virtual
async def test_draining_takes_nothing_more_and_waits_for_what_is_on_its_way(clock) -> None:
    rig = Rig(clock)
    rig.venue.before = lambda name: asyncio.sleep(0.5) if name == "send" else None
    submit(rig)
    await asyncio.sleep(0.1)

    assert await rig.executor.drain(2.0) == 0

    assert [own.status for own in rig.portfolio.orders.open()] == [OrderStatus.LIVE]
    assert submit(rig, price=300_000) == Refusal.HALTED
    assert submit(rig, **SELL) == Refusal.HALTED


@virtual
async def test_draining_gives_up_after_its_time_and_abandons_what_is_left(clock) -> None:
    rig = Rig(clock)
    rig.venue.before = lambda name: asyncio.sleep(60) if name == "send" else None
    submit(rig)
    await asyncio.sleep(0.1)

    assert await rig.executor.drain(1.0) == 1
    await rig.executor.abandon()

    assert [own.status for own in rig.portfolio.orders.open()] == [OrderStatus.UNKNOWN]
    assert not rig.broken


@virtual
async def test_two_strategies_do_not_take_the_same_offer_at_once(clock) -> None:
    rig = Rig(clock)

    assert submit(rig, price=480_000) == ""
    assert submit(rig, price=480_000, source="other") == Refusal.DUPLICATE
    assert submit(rig, price=470_000, source="other") == ""
    assert submit(rig, price=480_000, source=MANUAL) == ""


@virtual
async def test_an_offer_is_taken_until_the_first_order_for_it_was_answered(clock) -> None:
    rig = Rig(clock)
    answered = asyncio.Event()
    rig.venue.before = lambda name: answered.wait() if name == "send" else None
    assert submit(rig, price=480_000) == ""
    await asyncio.sleep(0.1)
    (own,) = rig.portfolio.orders.open()
    assert own.status is OrderStatus.SUBMITTED

    assert submit(rig, price=480_000, source="other") == Refusal.DUPLICATE
    answered.set()
    await asyncio.sleep(0.1)
    assert submit(rig, price=480_000, source="other") == ""


@virtual
async def test_so_many_signals_are_remembered_and_no_more(clock, monkeypatch) -> None:
    monkeypatch.setattr(executor_module, "_REMEMBERED_INTENTS", 2)
    rig = Rig(clock)
    for number in range(4):
        submit(rig, id=f"s-{number}", source=MANUAL, price=400_000)

    assert list(rig.executor._seen) == ["s-2", "s-3"]


@virtual
async def test_a_strategy_that_floods_is_held_to_its_rate_and_its_exits_are_not(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    for _ in range(int(INTENTS_AT_ONCE)):
        assert submit(rig, size=MICRO) == Refusal.TOO_SMALL

    assert submit(rig) == Refusal.RATE
    assert rig.executor.counters["refused_too_many_intents"] == 1
    assert submit(rig, source="other", price=450_000) == ""
    assert submit(rig, **SELL, price=600_000) == ""

    await asyncio.sleep(1 / INTENTS_PER_SECOND)
    assert submit(rig) == ""
