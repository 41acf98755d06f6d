"""What is not known is read until it is: absence is believed only after a healthy venue has denied an order long enough."""

from __future__ import annotations

import asyncio

import pytest

from domain.errors import VenueError
from domain.fill import FillStatus
from domain.halt import HaltScope
from domain.money import MICRO
from domain.order import OrderStatus, OrderType
from tests.trading import factories as f
from tests.trading.kit import ABSENCE, Rig
from tests.waiting import virtual
from trading.resolver import CONCURRENT_READS


async def resolve_for(rig: Rig, seconds: float) -> None:
    """Let the resolver run for a while."""
    running = asyncio.create_task(rig.resolver.run())
    await asyncio.sleep(seconds)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@virtual
async def test_an_unknown_order_that_rests_is_found_by_its_id(clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.UNKNOWN)
    rig.venue.drafts[own.id] = own.order.draft
    rig.venue.rest(own.id)

    await resolve_for(rig, 0.1)

    assert own.status is OrderStatus.LIVE


@virtual
async def test_an_order_accepted_late_is_found_though_it_was_denied_before(clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.UNKNOWN)
    rig.venue.drafts[own.id] = own.order.draft

    await resolve_for(rig, ABSENCE - 5)
    assert own.status is OrderStatus.UNKNOWN
    rig.venue.rest(own.id)
    await resolve_for(rig, 15)

    assert own.status is OrderStatus.LIVE


@virtual
async def test_an_order_nobody_knows_counts_as_never_taken_only_after_the_absence_time(clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.UNKNOWN)
    held = own.reserved_cash

    await resolve_for(rig, ABSENCE - 1)
    assert own.status is OrderStatus.UNKNOWN
    assert rig.portfolio.orders.reserved_cash == held > 0

    await resolve_for(rig, 15)
    assert (own.status, own.reason) == (OrderStatus.REJECTED, "absent: the venue never took it")
    assert rig.portfolio.orders.reserved_cash == 0
    assert rig.audited("order_concluded")[0].detail["status"] == "rejected"


@virtual
async def test_absence_counts_from_the_last_moment_at_which_the_order_may_have_left(clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.UNKNOWN)
    own.last_send_ns = clock.now_ns() + 60_000_000_000

    await resolve_for(rig, ABSENCE + 55)
    assert own.status is OrderStatus.UNKNOWN

    await resolve_for(rig, 20)
    assert own.status is OrderStatus.REJECTED


@virtual
async def test_one_denial_long_after_the_send_is_not_enough(clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.UNKNOWN)
    clock.advance(10 * ABSENCE)

    await rig.resolver.read([own])

    assert own.status is OrderStatus.UNKNOWN


@pytest.mark.parametrize("call", ["order", "open_orders", "trades"])
@virtual
async def test_a_read_that_fails_proves_nothing(call, clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.UNKNOWN)
    rig.venue.down = {call}

    await resolve_for(rig, 3 * ABSENCE)
    assert own.status is OrderStatus.UNKNOWN
    assert own.absent_since_ns is None

    rig.venue.down = set()
    await resolve_for(rig, ABSENCE - 11)
    assert own.status is OrderStatus.UNKNOWN
    await resolve_for(rig, 25)
    assert own.status is OrderStatus.REJECTED


@virtual
async def test_an_order_that_only_the_list_of_open_orders_shows_is_there(clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.UNKNOWN)
    rig.venue.foreign = [f.report(own.order, OrderStatus.LIVE)]

    await rig.resolver.read([own])

    assert own.status is OrderStatus.LIVE


@virtual
async def test_a_trade_proves_that_an_order_was_taken(clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.UNKNOWN)
    rig.venue.reports = [f.trade(own.order, 10 * MICRO, matched_ns=clock.now_ns())]

    await resolve_for(rig, 2 * ABSENCE)

    assert own.status is OrderStatus.MATCHED
    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO


@virtual
async def test_denials_before_a_fill_do_not_count_after_it(clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.UNKNOWN)
    await resolve_for(rig, ABSENCE - 10)
    rig.fill(own, 4 * MICRO)

    await resolve_for(rig, ABSENCE - 10)
    assert own.status is OrderStatus.PARTIALLY_FILLED

    own.needs_read = True
    await resolve_for(rig, ABSENCE + 15)
    assert (own.status, own.reason) == (OrderStatus.CANCELLED, "gone from the venue")
    assert own.filled == 4 * MICRO


@virtual
async def test_reads_slow_down_while_nothing_is_found_and_start_fresh_for_the_next_doubt(clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.UNKNOWN)
    await resolve_for(rig, 60)
    reads = len(rig.venue.calls("order"))
    assert 5 < reads < 15

    rig.venue.drafts[own.id] = own.order.draft
    rig.venue.rest(own.id)
    await resolve_for(rig, 11)
    assert own.status is OrderStatus.LIVE
    await rig.flow.cancel(own, "enough")
    await resolve_for(rig, 0.6)
    assert own.explained


@virtual
async def test_an_order_whose_answer_is_awaited_is_left_alone(clock) -> None:
    rig = Rig(clock)
    rig.venue.before = lambda name: asyncio.sleep(30) if name == "send" else None
    placing = asyncio.create_task(rig.flow.place(rig.decide().draft))

    await resolve_for(rig, 20)
    assert rig.venue.calls("order") == []

    placing.cancel()


@pytest.mark.parametrize("status", [OrderStatus.SUBMITTED, OrderStatus.DELAYED, OrderStatus.CANCELLING])
@virtual
async def test_an_order_that_stays_in_passing_is_looked_up(status, clock) -> None:
    rig = Rig(clock)
    own = rig.track(status)
    rig.venue.drafts[own.id] = own.order.draft
    rig.venue.rest(own.id)

    await resolve_for(rig, 2.5)
    assert rig.venue.calls("order") == []
    await resolve_for(rig, 2)

    assert own.status is OrderStatus.LIVE


@virtual
async def test_a_named_trade_that_does_not_come_is_fetched(clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.SUBMITTED, order_type=OrderType.FAK)
    rig.portfolio.acknowledge(own, OrderStatus.MATCHED, ("t-1",), clock.now_ns())
    rig.venue.drafts[own.id] = own.order.draft
    rig.venue.rest(own.id, OrderStatus.MATCHED, matched=10 * MICRO)
    rig.venue.reports = [
        f.trade(own.order, 10 * MICRO, trade_id="t-1", matched_ns=clock.now_ns(), status=FillStatus.CONFIRMED)
    ]

    await resolve_for(rig, 4)

    assert own.explained
    assert rig.portfolio.positions.settled(f.YES) == 10 * MICRO


@virtual
async def test_a_match_of_which_no_trade_is_ever_known_halts_its_market(clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.SUBMITTED, order_type=OrderType.FAK)
    rig.portfolio.acknowledge(own, OrderStatus.MATCHED, (), clock.now_ns())

    await resolve_for(rig, ABSENCE + 20)

    assert own.explained
    assert [(halt.scope, halt.target) for halt in rig.halts.active()] == [(HaltScope.MARKET, "m1")]


@virtual
async def test_an_order_the_venue_cancelled_and_dropped_is_over_after_a_moment(clock) -> None:
    rig = Rig(clock)
    own = rig.track()
    rig.portfolio.move(own, OrderStatus.CANCELLED, "enough", clock.now_ns())
    own.needs_read = True
    rig.portfolio.orders.refresh(own)

    await resolve_for(rig, 5)
    assert own.reserved_cash > 0
    await resolve_for(rig, 25)

    assert own.explained
    assert own.status is OrderStatus.CANCELLED


@virtual
async def test_news_that_comes_during_a_read_is_not_overruled_by_it(clock) -> None:
    rig = Rig(clock)
    own = rig.track()
    rig.venue.drafts[own.id] = own.order.draft
    rig.venue.rest(own.id)

    def cancelled_meanwhile(name: str):
        if name != "trades":
            return None
        report = f.report(own.order, OrderStatus.CANCELLED)
        rig.desk.apply(rig.portfolio.apply_order(report, now_ns=clock.now_ns() + 1, fresh=False))
        return asyncio.sleep(0.01)

    rig.venue.before = cancelled_meanwhile
    clock.advance(0.1)
    await rig.resolver.read([own])

    assert own.status is OrderStatus.CANCELLED
    assert own.needs_read


@virtual
async def test_a_contradiction_that_comes_during_a_read_is_not_settled_by_it(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    await rig.flow.cancel(own, "enough")
    await rig.resolver.read([own])
    assert own.explained

    def contradicted(name: str):
        if name == "trades":
            report = f.report(own.order, OrderStatus.LIVE)
            rig.desk.apply(rig.portfolio.apply_order(report, now_ns=clock.now_ns(), fresh=False))
        return asyncio.sleep(0.01)

    rig.venue.before = contradicted
    await rig.resolver.read([own])
    assert own.needs_read

    rig.venue.before = None
    clock.advance(0.1)
    await rig.resolver.read([own])
    assert own.explained


@virtual
async def test_many_orders_are_read_side_by_side(clock) -> None:
    rig = Rig(clock)
    orders = [rig.track(OrderStatus.UNKNOWN, price=10_000 * n) for n in range(1, 25)]
    rig.venue.before = lambda name: asyncio.sleep(0.1) if name == "order" else None

    assert await rig.resolver.read(orders)

    assert clock.monotonic() < 0.5
    assert len(rig.venue.calls("order")) == 24


@virtual
async def test_an_order_that_cannot_be_read_keeps_no_other_from_being_read(clock) -> None:
    rig = Rig(clock)
    orders = [rig.track(OrderStatus.UNKNOWN, price=10_000 * n) for n in range(1, 10)]
    for own in orders[:-1]:
        rig.venue.drafts[own.id] = own.order.draft
        rig.venue.rest(own.id)
    read = rig.venue.order

    async def broken(order_id: str):
        if order_id == orders[-1].id:
            raise VenueError("the record of this order is malformed")
        return await read(order_id)

    rig.venue.instead("order", broken)

    assert not await rig.resolver.read(orders)

    assert {own.status for own in orders[:-1]} == {OrderStatus.LIVE}
    assert orders[-1].status is OrderStatus.UNKNOWN
    assert orders[-1].absent_since_ns is None


@virtual
async def test_a_venue_that_answers_nothing_is_not_asked_for_every_order(clock) -> None:
    rig = Rig(clock)
    orders = [rig.track(OrderStatus.UNKNOWN, price=10_000 * n) for n in range(1, 90)]
    rig.venue.down = {"order"}

    assert not await rig.resolver.read(orders)

    assert len(rig.venue.calls("order")) == CONCURRENT_READS


@virtual
async def test_orders_that_are_known_to_rest_are_not_read_one_by_one(clock) -> None:
    rig = Rig(clock)
    for n in range(1, 30):
        rig.track(OrderStatus.LIVE, price=10_000 * n)
    doubtful = rig.track(OrderStatus.LIVE)
    doubtful.needs_read = True
    unknown = rig.track(OrderStatus.UNKNOWN)

    assert await rig.resolver.explain()

    assert {order_id for _, order_id in rig.venue.calls("order")} == {doubtful.id, unknown.id}


@virtual
async def test_an_order_is_not_absent_before_it_has_left(clock) -> None:
    rig = Rig(clock)
    decision = rig.decide()
    written = rig.journal.submit

    async def slowly(rows):
        await asyncio.sleep(2 * ABSENCE)
        await written(rows)

    rig.journal.submit = lambda rows: asyncio.ensure_future(slowly(rows))  # type: ignore[method-assign]
    placing = asyncio.create_task(rig.flow.place(decision.draft))
    await asyncio.sleep(1)
    (own,) = rig.portfolio.orders.open()
    for _ in range(15):
        await rig.resolver.read([own])
        await asyncio.sleep(10)
    assert own.status is OrderStatus.PENDING

    await placing

    assert own.status is OrderStatus.LIVE


@virtual
async def test_a_trade_in_quarantine_proves_that_its_order_was_taken(clock) -> None:
    rig = Rig(clock)
    own = rig.track(OrderStatus.UNKNOWN)
    rig.venue.reports = [
        f.trade(own.order, 10 * MICRO, price=own.order.draft.price + 10_000, matched_ns=clock.now_ns())
    ]

    await resolve_for(rig, ABSENCE + 20)

    assert rig.portfolio.quarantine
    assert own.status is OrderStatus.CANCELLED


@virtual
async def test_reads_of_orders_that_are_over_are_not_remembered(clock) -> None:
    rig = Rig(clock)
    for _ in range(5):
        rig.track(OrderStatus.UNKNOWN)
    await resolve_for(rig, ABSENCE + 20)

    await rig.resolver.resolve_due()

    assert rig.resolver._next_read == {}
