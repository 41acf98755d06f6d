"""What shall not rest is cancelled until the venue lists none of it."""

from __future__ import annotations

import asyncio

import pytest

from domain.halt import HaltScope
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus
from domain.reports import CancelOutcome
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.waiting import virtual
from trading.withdrawals import AGAIN_SECONDS, LOOK_SECONDS

SELL = {"side": OrderSide.SELL, "effect": Effect.REDUCE}


async def run_for(rig: Rig, seconds: float) -> None:
    async def follow() -> None:
        while True:
            await rig.withdrawals.follow_halts()
            await asyncio.sleep(LOOK_SECONDS)

    tasks = [asyncio.create_task(work()) for work in (rig.resolver.run, rig.withdrawals.run, follow)]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@virtual
async def test_a_cancel_that_did_not_stick_is_repeated(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.venue.cancel_answers = [CancelOutcome(uncertain=(own.id,)), CancelOutcome(refused={own.id: "delayed"})]

    await rig.flow.cancel(own, "enough")
    await run_for(rig, 10)

    assert own.status is OrderStatus.CANCELLED
    assert len(rig.venue.calls("cancel")) == 3


@pytest.mark.parametrize("status", [OrderStatus.LIVE, OrderStatus.UNKNOWN])
@virtual
async def test_a_cancel_that_never_sticks_does_not_flood_the_venue(status: OrderStatus, clock) -> None:
    rig = Rig(clock)
    own = rig.track(status)
    rig.venue.drafts[own.id] = own.order.draft
    if status is OrderStatus.LIVE:
        rig.venue.rest(own.id)
    rig.venue.cancel_answers = [CancelOutcome(refused={own.id: "delayed"}) for _ in range(100)]

    await rig.flow.cancel(own, "enough")
    await run_for(rig, 21)

    assert 5 <= len(rig.venue.calls("cancel")) <= 2 + 20 / AGAIN_SECONDS


@virtual
async def test_an_unwanted_order_that_turns_up_late_is_cancelled(clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.UNKNOWN)
    rig.venue.drafts[own.id] = own.order.draft
    await rig.flow.cancel(own, "enough")
    await run_for(rig, 5)
    assert own.status is OrderStatus.UNKNOWN

    rig.venue.rest(own.id)
    await run_for(rig, 15)

    assert own.status is OrderStatus.CANCELLED
    assert rig.venue.orders[own.id].status is OrderStatus.CANCELLED


@virtual
async def test_a_halt_takes_back_what_opens_in_its_scope_and_leaves_what_reduces(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    opening = await rig.place(price=480_000)
    reducing = await rig.place(**SELL, price=600_000)
    rig.markets["m2"] = other = f.market(id="m2", condition_id="0xc2", token_ids=("2001", "2002"))
    elsewhere = await rig.place(market=other, token_id="2001")

    rig.desk.halt(HaltScope.MARKET, "m1", reason="odd", set_by="polybot")
    await run_for(rig, 3)

    assert (opening.status, opening.reason) == (OrderStatus.CANCELLED, "halted: odd")
    assert reducing.status is OrderStatus.LIVE
    assert elsewhere.status is OrderStatus.LIVE


@virtual
@pytest.mark.parametrize("status", [OrderStatus.UNKNOWN, OrderStatus.DELAYED])
async def test_a_halt_cancels_what_may_be_alive_before_it_is_known_to_be(status: OrderStatus, clock) -> None:
    rig = Rig(clock)
    own = rig.track(status)
    rig.venue.drafts[own.id] = own.order.draft
    rig.venue.rest(own.id)
    rig.venue.down = {"order", "trades"}

    rig.desk.halt(HaltScope.STRATEGY, own.order.draft.strategy, reason="odd", set_by="polybot")
    await run_for(rig, 1)

    assert rig.venue.orders[own.id].status is OrderStatus.CANCELLED


@virtual
@pytest.mark.parametrize("status", [OrderStatus.UNKNOWN, OrderStatus.DELAYED])
async def test_what_may_come_to_rest_is_cancelled_again_without_waiting_for_a_read(status: OrderStatus, clock) -> None:
    rig = Rig(clock)
    own = rig.track(status)
    rig.venue.drafts[own.id] = own.order.draft
    await rig.flow.cancel(own, "enough")
    rig.venue.rest(own.id)
    rig.venue.down = {"order", "open_orders", "trades"}

    await run_for(rig, 3)

    assert rig.venue.orders[own.id].status is OrderStatus.CANCELLED


@virtual
async def test_every_halt_is_followed_until_the_venue_has_listed_none_of_its_orders_twice(clock) -> None:
    rig = Rig(clock)
    await rig.place()
    rig.venue.down = {"open_orders"}

    rig.desk.halt(HaltScope.ALL, "daily_loss", reason="lost", set_by="polybot")
    await run_for(rig, 10)
    assert not rig.audited("halt_cancelled")

    rig.venue.down.clear()
    await run_for(rig, 10)
    assert len(rig.audited("halt_cancelled")) == 1
    listed = len(rig.venue.calls("open_orders"))
    await run_for(rig, 10)
    assert len(rig.venue.calls("open_orders")) == listed


@virtual
async def test_a_halt_of_before_the_restart_is_followed_too(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.desk.halt(HaltScope.MARKET, "m1", reason="odd", set_by="ada")
    await asyncio.sleep(0.1)

    again = Rig(clock, deposit=0, tables=rig.tables)
    again.venue.orders, again.venue.drafts = rig.venue.orders, rig.venue.drafts
    state = await rig.journal.load()
    again.portfolio.restore(state)
    again.halts.restore(state.halts)
    await run_for(again, 5)

    assert again.portfolio.orders.get(own.id).status is OrderStatus.CANCELLED
    assert len(again.audited("halt_cancelled")) == 1


@virtual
async def test_a_quarantined_fill_halts_its_market_and_takes_back_its_orders(clock) -> None:
    rig = Rig(clock)
    own = await rig.place(price=480_000)
    filled = await rig.place(price=470_000)

    rig.fill(filled, 50 * MICRO)
    await run_for(rig, 3)

    assert [halt.target for halt in rig.halts.active()] == ["m1"]
    assert own.status is OrderStatus.CANCELLED
    assert rig.refusal() == "halted"


@virtual
async def test_a_sweep_ends_when_the_venue_has_listed_nothing_twice(clock) -> None:
    rig = Rig(clock)
    orders = [await rig.place(price=price) for price in (480_000, 470_000)]

    swept = await rig.withdrawals.sweep(lambda own: True, "stop")

    assert swept == (0, True)
    assert all(own.explained for own in orders)
    assert len(rig.venue.calls("open_orders")) == 2


@virtual
async def test_a_sweep_waits_for_orders_on_their_way(clock) -> None:
    rig = Rig(clock)
    rig.venue.before = lambda name: asyncio.sleep(1.0) if name == "send" else None
    placing = asyncio.create_task(rig.flow.place(rig.decide().draft))
    await asyncio.sleep(0.1)

    swept = await rig.withdrawals.sweep(lambda own: True, "stop")

    assert placing.done()
    assert swept == (0, True)
    assert [report.status for report in rig.venue.orders.values()] == [OrderStatus.CANCELLED]


@virtual
async def test_a_sweep_tells_what_stays_open_and_does_not_try_for_ever(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.venue.cancel_answers = [CancelOutcome(refused={own.id: "delayed"})] * 50

    assert await rig.withdrawals.sweep(lambda own: True, "stop") == (1, False)
    assert clock.monotonic() < 10


@virtual
async def test_a_venue_that_cannot_be_read_is_not_taken_for_empty(clock) -> None:
    rig = Rig(clock)
    await rig.place()
    rig.venue.down = {"open_orders", "order"}

    swept = await rig.withdrawals.sweep(lambda own: True, "stop", rounds=3)

    assert not swept.confirmed
    assert len(rig.venue.calls("open_orders")) == 3


@virtual
async def test_a_sweep_of_some_orders_leaves_the_others(clock) -> None:
    rig = Rig(clock)
    low, high = await rig.place(price=470_000), await rig.place(price=480_000)

    assert await rig.withdrawals.sweep(lambda own: own is low, "stop") == (0, True)

    assert low.status is OrderStatus.CANCELLED
    assert high.status is OrderStatus.LIVE


@virtual
async def test_a_sweep_of_the_whole_account_takes_orders_nobody_here_knows(clock) -> None:
    rig = Rig(clock)
    rig.venue.foreign = [f.report(f.order(), OrderStatus.LIVE)]

    swept = await rig.withdrawals.sweep(lambda _: True, "stop", whole_account=True)

    assert swept == (0, True)
    assert rig.venue.foreign == []
    assert rig.venue.calls("cancel_all")


@virtual
async def test_the_restart_of_a_trader_finishes_its_cancels(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.venue.cancel_answers = [CancelOutcome(uncertain=(own.id,))]
    await rig.flow.cancel(own, "enough")
    await asyncio.sleep(0.1)

    again = Rig(clock, deposit=0, tables=rig.tables)
    again.venue.orders, again.venue.drafts = rig.venue.orders, rig.venue.drafts
    again.portfolio.restore(await rig.journal.load())
    await run_for(again, 5)

    assert again.portfolio.orders.get(own.id).status is OrderStatus.CANCELLED
    assert not again.broken
