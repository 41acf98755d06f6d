"""A replacement: the old order is cancelled and read until it is over, then what it left is placed. There are never two."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from domain.errors import VenueError
from domain.halt import HaltScope
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus, PreparedOrder
from domain.reports import RATE_LIMITED, CancelOutcome, Policy, Rejected, SendOutcome, Trouble, Uncertain
from domain.signal import Cancel, Replace
from tests.trading import factories as f
from tests.trading.kit import SECOND, Rig
from tests.waiting import virtual
from trading.own_orders import OwnOrder

pytestmark = pytest.mark.protocol("3.6", "9.20")

SIZE = 10 * MICRO
MINIMUM = f.market().min_size


class Story:
    """One order that rests at 0.50 and is replaced by one at 0.48, at a venue that does what a test says."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.placed_beside: list[str] = []
        self._send, self._cancel = rig.venue.send, rig.venue.cancel

    async def begin(self) -> OwnOrder:
        self.old = await self.rig.place(price=500_000, size=SIZE)
        self.rig.venue.instead("send", self.send)
        return self.old

    async def send(self, prepared: PreparedOrder, deadline: float) -> SendOutcome:
        """Note when an order leaves while the old one can still be filled."""
        if not self.rig.venue.orders[self.old.id].status.terminal:
            self.placed_beside.append(prepared.order_id)
        return await self._send(prepared, deadline)

    def fill_at_venue(self, size: int) -> None:
        """Fill the old order where only reading shows it."""
        if not size:
            return
        rig, known = self.rig, self.rig.venue.orders[self.old.id]
        rig.venue.reports.append(f.trade(self.old.order, size, matched_ns=rig.clock.now_ns()))
        status = OrderStatus.MATCHED if size == SIZE else known.status
        rig.venue.orders[self.old.id] = replace(known, size_matched=size, status=status)

    def submit(self, *, price: int = 480_000, seconds: float = 5.0, **changes) -> None:
        now = self.rig.clock.now_ns()
        signal = self.rig.signal(price=price, size=SIZE, expires_ns=now + int(seconds * SECOND), **changes)
        intent = Replace(id=f"r{signal.id}", source="test", order_id=self.old.id, signal=signal)
        assert self.rig.executor.submit(intent) is None

    async def pass_time(self, seconds: float) -> None:
        tasks = [asyncio.create_task(work()) for work in (self.rig.resolver.run, self.rig.withdrawals.run)]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def new(self) -> OwnOrder | None:
        return next((own for own in self.rig.portfolio.orders.all() if own.id != self.old.id), None)

    @property
    def resting(self) -> list[str]:
        return [key for key, report in self.rig.venue.orders.items() if not report.status.terminal]


@virtual
async def test_the_old_order_is_over_before_the_new_one_leaves(clock) -> None:
    rig = Rig(clock)
    story = Story(rig)
    old = await story.begin()

    story.submit()
    await story.pass_time(1)

    assert old.status is OrderStatus.CANCELLED
    new = story.new
    assert new is not None
    assert (new.order.draft.price, new.order.draft.size, new.status) == (480_000, SIZE, OrderStatus.LIVE)
    steps = [call[0] for call in rig.venue.log if call[0] in ("cancel", "order", "send")]
    assert [name for name, _ in itertools.groupby(steps)] == ["send", "cancel", "order", "send"]
    assert story.resting == [new.id]


@virtual
async def test_only_what_the_old_order_left_is_placed(clock) -> None:
    story = Story(Rig(clock))
    await story.begin()
    story.rig.venue.before = lambda name: story.fill_at_venue(3 * MICRO) if name == "cancel" else None

    story.submit()
    await story.pass_time(1)

    assert story.new is not None
    assert story.new.order.draft.size == 7 * MICRO


@pytest.mark.parametrize("filled", [SIZE, 6 * MICRO], ids=["whole", "all but less than the minimum"])
@virtual
async def test_what_is_filled_meanwhile_is_not_placed_again(filled, clock) -> None:
    story = Story(Rig(clock))
    await story.begin()
    story.rig.venue.before = lambda name: story.fill_at_venue(filled) if name == "cancel" else None

    story.submit()
    await story.pass_time(10)

    assert story.new is None
    assert story.resting == []


@virtual
async def test_an_order_whose_end_is_not_known_in_time_has_no_successor(clock) -> None:
    story = Story(Rig(clock))
    await story.begin()
    story.rig.venue.down = {"order", "open_orders", "trades"}

    story.submit(seconds=3)
    await story.pass_time(10)
    assert story.new is None
    assert story.rig.executor.counters["replace_unconfirmed"] == 1

    story.rig.venue.down = set()
    await story.pass_time(60)
    assert story.new is None
    assert story.resting == []


@pytest.mark.protocol("9.16")
@virtual
async def test_a_delayed_order_is_cancelled_again_once_its_delay_is_over(clock) -> None:
    story = Story(Rig(clock))
    old = await story.begin()
    rig = story.rig
    rig.venue.orders[old.id] = replace(rig.venue.orders[old.id], status=OrderStatus.DELAYED)
    old.status = OrderStatus.DELAYED

    async def cancel(order_ids):
        if rig.venue.orders[old.id].status is OrderStatus.DELAYED:
            return CancelOutcome(refused={old.id: "cannot cancel because the order is in pending/delayed status"})
        return await story._cancel(order_ids)

    rig.venue.instead("cancel", cancel)
    story.submit()
    await story.pass_time(1)
    assert story.new is None
    rig.venue.orders[old.id] = replace(rig.venue.orders[old.id], status=OrderStatus.LIVE)
    await story.pass_time(3)

    assert old.status is OrderStatus.CANCELLED
    assert story.new is not None
    assert not story.placed_beside


@virtual
async def test_what_is_over_being_cancelled_or_not_ours_is_not_replaced(clock) -> None:
    rig = Rig(clock)
    story = Story(rig)
    old = await story.begin()
    unknown = Replace(id="r0", source="test", order_id="0xnobody", signal=rig.signal())
    rig.executor.submit(unknown)
    story.submit()
    story.submit(price=470_000)
    await story.pass_time(1)
    story.submit(price=460_000)
    await story.pass_time(1)

    assert rig.executor.counters["replace_of_nothing"] == 3
    assert [own.order.draft.price for own in rig.portfolio.orders.all()] == [500_000, 480_000]
    assert old.status is OrderStatus.CANCELLED


@pytest.mark.parametrize(
    "changes",
    [{"token_id": f.NO}, {"side": OrderSide.SELL, "effect": Effect.REDUCE}, {"source": "other"}],
    ids=["token", "side", "strategy"],
)
@virtual
async def test_an_order_is_replaced_by_one_of_its_own_token_side_and_strategy_only(changes, clock) -> None:
    story = Story(Rig(clock))
    old = await story.begin()

    story.submit(**changes)
    await story.pass_time(1)

    assert story.rig.executor.counters["replace_by_another"] == 1
    assert (old.status, story.new) == (OrderStatus.LIVE, None)


@virtual
async def test_the_successor_passes_the_same_risk_as_any_order(clock) -> None:
    story = Story(Rig(clock))
    await story.begin()
    story.submit()
    story.rig.desk.halt(HaltScope.MARKET, "m1", reason="odd", set_by="ada")
    await story.pass_time(1)

    assert story.new is None
    assert story.resting == []
    assert story.rig.decisions[-1][1].refusal == "halted"


@virtual
async def test_nothing_is_placed_any_more_when_the_trader_stops_meanwhile(clock) -> None:
    story = Story(Rig(clock))
    await story.begin()
    story.submit()
    await story.rig.executor.drain(5.0)

    assert story.new is None
    assert story.resting == []


@virtual
async def test_an_order_still_on_its_way_is_replaced_once_it_was_answered(clock) -> None:
    story = Story(Rig(clock))
    rig = story.rig
    rig.venue.before = lambda name: asyncio.sleep(0.3) if name == "send" else None
    rig.book.received_ns = clock.now_ns()  # type: ignore[union-attr]
    rig.executor.submit(rig.signal(price=500_000, size=SIZE))
    await asyncio.sleep(0.1)
    (story.old,) = rig.portfolio.orders.open()
    rig.venue.instead("send", story._send)

    story.submit()
    await story.pass_time(3)

    assert story.new is not None
    assert story.resting == [story.new.id]


# Every fault of every step.

CANCELS = ("done", "lost on the way", "answer lost", "refused", "held back", "done although refused")
READS = ("fine", "order down", "open orders down", "trades down", "all down")
PLACES = ("taken", "refused", "taken, answer lost", "lost on the way")
FILLS = (0, 4 * MICRO, SIZE)


def faulty_cancel(story: Story, fate: str, filled: int):
    """Return a cancel that goes wrong once, at the moment at which the order is filled in part."""
    fates = itertools.chain([fate], itertools.repeat("done"))

    async def cancel(order_ids):
        fate = next(fates)
        if not story.rig.venue.reports:
            story.fill_at_venue(filled)
        ids = tuple(order_ids)
        if fate in ("done", "answer lost", "done although refused"):
            known = await story._cancel(order_ids)
            if fate == "done":
                return known
        trouble = (
            Trouble(code=RATE_LIMITED, policy=Policy.RETRY_AFTER, retry_after=0.5) if fate == "held back" else None
        )
        if fate in ("refused", "held back", "done although refused"):
            return CancelOutcome(refused=dict.fromkeys(ids, fate), trouble=trouble)
        return CancelOutcome(uncertain=ids)

    return cancel


def faulty_send(story: Story, fate: str):
    async def send(prepared: PreparedOrder, deadline: float) -> SendOutcome:
        if fate == "refused":
            return Rejected(order_id=prepared.order_id, code="fak_not_filled")
        outcome = None if fate == "lost on the way" else await story.send(prepared, deadline)
        return outcome if fate == "taken" and outcome else Uncertain(order_id=prepared.order_id, text=fate)

    return send


DOWN = {
    "fine": set(),
    "order down": {"order"},
    "open orders down": {"open_orders"},
    "trades down": {"trades"},
    "all down": {"order", "open_orders", "trades"},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("cancel", CANCELS)
@virtual
async def test_whatever_fails_there_are_never_two_orders_and_never_too_many_shares(cancel, read, place, clock) -> None:
    for filled, heals in itertools.product(FILLS, (1.0, 20.0)):
        rig = Rig(clock)
        story = Story(rig)
        old = await story.begin()
        rig.venue.instead("cancel", faulty_cancel(story, cancel, filled))
        rig.venue.instead("send", faulty_send(story, place))
        rig.venue.down = DOWN[read]

        story.submit()
        await story.pass_time(heals)
        rig.venue.down = set()
        await story.pass_time(30)

        assert not story.placed_beside
        assert len(story.resting) <= 1
        assert old.status.terminal
        assert old.explained
        new = story.new
        at_stake = filled + (new.order.draft.size if new is not None else 0)
        assert at_stake <= SIZE
        rest = SIZE - filled
        if heals < 5 and rest >= MINIMUM:
            assert new is not None, "what failed had healed in time"
            assert new.order.draft.size == rest


@virtual
async def test_a_cancel_of_the_old_order_meanwhile_does_no_harm(clock) -> None:
    story = Story(Rig(clock))
    old = await story.begin()
    story.submit()
    story.rig.executor.submit(Cancel(id="c1", source="test", order_id=old.id))
    await story.pass_time(2)

    assert not story.placed_beside
    assert story.new is not None
    assert story.resting == [story.new.id]


@virtual
async def test_a_venue_that_says_cancelled_and_lists_it_still_gets_no_second_order(clock) -> None:
    story = Story(Rig(clock))
    old = await story.begin()
    rig = story.rig

    async def lie(order_ids):
        return CancelOutcome(cancelled=tuple(order_ids))

    rig.venue.instead("cancel", lie)
    story.submit()
    await story.pass_time(10)

    assert story.new is None
    assert old.status is not OrderStatus.CANCELLED


@virtual
async def test_an_unreadable_venue_is_no_reason_to_fail(clock) -> None:
    story = Story(Rig(clock))
    await story.begin()

    async def explode(_order_id):
        raise VenueError("502")

    story.rig.venue.instead("order", explode)
    story.submit(seconds=2)
    await story.pass_time(5)

    assert not story.rig.broken
    assert story.new is None
