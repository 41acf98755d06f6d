"""The account's side of the kernel: its channel's news, its own depth in the books, its tasks, and a trader without an account."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from domain.errors import VenueError
from domain.fill import FillStatus
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus, OrderType
from domain.reports import Rejected
from markets.books import Books
from runtime import account_events
from runtime.account_events import AccountEvents
from runtime.no_account import NoAccountFeed, NoGateway
from runtime.own_depth import OwnDepth
from runtime.tasks import Tasks
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.waiting import virtual


@virtual
async def test_news_is_held_back_until_the_venue_was_read_and_then_applied_in_order(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    events = AccountEvents(rig.desk)
    trade = f.trade(own.order, 4 * MICRO)

    events.on_trade(trade)
    events.on_order(f.report(own.order, OrderStatus.CANCELLED, matched=4 * MICRO))
    assert own.status is OrderStatus.LIVE

    events.release()
    assert rig.states(own)[-2:] == [OrderStatus.PARTIALLY_FILLED, OrderStatus.CANCELLED]
    assert own.filled == 4 * MICRO


@virtual
async def test_after_the_release_news_is_applied_at_once_and_twice_told_is_told_once(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    events = AccountEvents(rig.desk)
    events.release()
    trade = f.trade(own.order, 4 * MICRO)

    for _ in range(3):
        events.on_trade(trade)
    events.release()

    assert own.filled == 4 * MICRO
    assert rig.portfolio.positions.size(f.YES) == 4 * MICRO


@virtual
async def test_a_gap_asks_for_a_reconciliation(clock) -> None:
    events = AccountEvents(Rig(clock).desk)
    assert not events.gap.is_set()

    events.on_gap("reconnected")

    assert events.gap.is_set()


@virtual
async def test_a_trade_of_an_unknown_order_counts_only_when_rest_knows_it_too(clock) -> None:
    rig = Rig(clock)
    rig.deposit(MICRO)
    events = AccountEvents(rig.desk)
    events.release()
    made_up, true = f.trade(f.order(), 4 * MICRO), f.trade(f.order(), 3 * MICRO, matched_ns=clock.now_ns())

    events.on_trade(made_up)
    events.on_trade(true)

    assert events.gap.is_set()
    assert not rig.portfolio.fills
    rig.venue.reports = [true]
    await rig.reconciler.run()
    assert [fill.key.trade_id for fill in rig.portfolio.fills.values()] == [true.trade_id]
    events.on_trade(replace(true, status=FillStatus.CONFIRMED))
    assert [fill.status for fill in rig.portfolio.fills.values()] == [FillStatus.CONFIRMED]


@virtual
async def test_what_cannot_be_believed_is_counted_and_audited_without_flooding_and_everything_is_read_again(
    clock,
) -> None:
    rig = Rig(clock)
    events = AccountEvents(rig.desk)

    for number in range(100):
        events.on_refused(f"price was -{number}")

    assert events.gap.is_set()
    assert events.refused == 100
    await asyncio.sleep(1)
    written = rig.audited("evidence_refused")
    assert [row.detail["refused_so_far"] for row in written] == [1, 2, 4, 8, 16, 32, 64]
    assert written[0].detail["reason"] == "price was -0"


@virtual
async def test_more_news_than_can_be_held_breaks_the_desk_instead_of_being_dropped(clock, monkeypatch) -> None:
    monkeypatch.setattr(account_events, "MAX_BUFFERED", 3)
    rig = Rig(clock)
    events = AccountEvents(rig.desk)

    for _ in range(4):
        events.on_trade(f.trade(f.order(), MICRO))

    assert "more than 3 account events" in rig.broken[0]


class Depth:
    """Own orders over real books of one market with bids of 100 at 0.48 and asks of 100 at 0.52 in the YES book."""

    def __init__(self, clock) -> None:
        self.rig = Rig(clock)
        self.books = Books(clock, lambda token: None)
        self.books.watch(f.market())
        self.own = OwnDepth(self.books)

    def changed(self, own, status: OrderStatus | None = None) -> None:
        if status is not None:
            own.status = status
        self.own.order_changed(own)

    def held(self, token: str, side: OrderSide, price: int) -> int:
        return self.books._own.get((token, side, price), 0)


@virtual
async def test_resting_orders_are_our_own_depth_with_what_is_left_of_them(clock) -> None:
    depth = Depth(clock)
    first, second = depth.rig.track(price=480_000), depth.rig.track(price=480_000, size=20 * MICRO)
    depth.changed(first)
    depth.changed(second)
    depth.changed(second)
    assert depth.held(f.YES, OrderSide.BUY, 480_000) == 30 * MICRO

    depth.rig.fill(first, 4 * MICRO)
    depth.changed(first)
    assert depth.held(f.YES, OrderSide.BUY, 480_000) == 26 * MICRO

    depth.changed(first, OrderStatus.CANCELLING)
    assert depth.held(f.YES, OrderSide.BUY, 480_000) == 26 * MICRO
    depth.changed(first, OrderStatus.CANCELLED)
    depth.changed(second, OrderStatus.UNKNOWN)
    assert depth.held(f.YES, OrderSide.BUY, 480_000) == 0
    assert depth.own._levels == depth.own._sizes == {}


@pytest.mark.parametrize("kind", [OrderType.FAK, OrderType.FOK])
@virtual
async def test_orders_that_never_rest_are_no_depth(kind, clock) -> None:
    depth = Depth(clock)
    own = depth.rig.track(order_type=kind, price=480_000)

    depth.changed(own)

    assert depth.held(f.YES, OrderSide.BUY, 480_000) == 0


@virtual
async def test_an_order_that_is_reopened_is_depth_again(clock) -> None:
    depth = Depth(clock)
    own = depth.rig.track(side=OrderSide.SELL, effect=Effect.REDUCE, price=520_000)
    for status, size in ((OrderStatus.LIVE, 10), (OrderStatus.CANCELLED, 0), (OrderStatus.LIVE, 10)):
        depth.changed(own, status)
        assert depth.held(f.YES, OrderSide.SELL, 520_000) == size * MICRO


@virtual
async def test_work_is_repeated_until_the_tasks_are_stopped(clock) -> None:
    deaths: list[str] = []
    tasks, done = Tasks(deaths.append), []

    async def work() -> None:
        done.append(clock.monotonic())

    tasks.every("now", 1.0, work)
    tasks.every("later", 1.0, work, at_once=False)
    await asyncio.sleep(2.5)
    await tasks.stop()
    await asyncio.sleep(5)

    assert len(done) == 5
    assert deaths == []


@virtual
async def test_the_death_of_a_task_is_told_once_with_its_name_and_reason(clock) -> None:
    deaths: list[str] = []
    tasks = Tasks(deaths.append)

    async def fail() -> None:
        await asyncio.sleep(1)
        raise VenueError("away")

    tasks.spawn("listing", fail)
    await asyncio.sleep(2)
    await tasks.stop()

    assert deaths == ["listing died: away"]


@virtual
async def test_what_dies_while_everything_stops_is_no_news(clock) -> None:
    deaths: list[str] = []
    tasks = Tasks(deaths.append)

    async def fail_at_the_end() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise OSError("gone")

    tasks.spawn("socket", fail_at_the_end)
    await asyncio.sleep(1)
    await tasks.stop()

    assert deaths == []


async def test_without_an_account_nothing_is_placed_cancelled_or_read() -> None:
    gateway, feed = NoGateway("monitor:polymarket"), NoAccountFeed()
    assert gateway.account == "monitor:polymarket"
    assert not feed.connected
    await feed.stop()
    refused = await gateway.send(f.order().prepared, 1e9)
    assert isinstance(refused, Rejected)
    assert refused.code == "monitor_mode"
    calls = (
        gateway.prepare(f.draft()), gateway.cancel(["0x1"]), gateway.cancel_all(), gateway.order("0x1"), gateway.open_orders(),
        gateway.trades(), gateway.balances([]), feed.start(AccountEvents(None)),
    )  # fmt: skip
    for call in calls:
        with pytest.raises(VenueError, match="monitor mode has no account"):
            await call
