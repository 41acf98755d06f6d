"""An order is durable before it leaves, leaves at most once, and is unknown until something proves what became of it."""

from __future__ import annotations

import asyncio

import pytest

from domain.errors import InvalidOrderError, JournalError, JournalUncertainError, LeaseLostError, WrongAccountError
from domain.halt import HaltScope
from domain.money import MICRO
from domain.order import Effect, Order, OrderSide, OrderStatus, OrderType
from domain.ports import Lease
from domain.reports import Accepted, CancelOutcome, Rejected, Uncertain
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.waiting import virtual

ORDER = ""


def free_cash(rig: Rig) -> int:
    return rig.risk.reservations.free_cash


@virtual
async def test_an_order_is_journaled_before_it_is_sent(clock) -> None:
    rig = Rig(clock)
    durable_when_sent: list[bool] = []
    rig.venue.before = lambda name: (
        durable_when_sent.append(bool(rig.tables.rows["orders"])) if name == "send" else None
    )

    own = await rig.place()

    assert durable_when_sent == [True]
    assert own.status is OrderStatus.LIVE
    assert own.order.lease_epoch == 1
    assert rig.tables.rows["orders"][0]["payload"] == own.order.prepared.payload


@virtual
async def test_an_order_without_a_decision_is_a_bug_and_never_prepared(clock) -> None:
    rig = Rig(clock)

    with pytest.raises(AssertionError, match="without a decision"):
        await rig.flow.place(f.draft())

    assert rig.venue.log == []


@virtual
async def test_the_reservation_goes_over_to_the_order_without_a_gap(clock) -> None:
    rig = Rig(clock)
    held = []
    rig.venue.before = lambda name: held.append((name, free_cash(rig)))

    await rig.place(price=500_000, size=10 * MICRO)

    fee = f.market().fees.worst_buy_fee(500_000, 10 * MICRO)
    assert held == [(name, 1_000 * MICRO - 5 * MICRO - fee) for name in ("prepare", "send")]
    assert free_cash(rig) == 1_000 * MICRO - 5 * MICRO - fee


@pytest.mark.parametrize("error", [InvalidOrderError("off the grid"), WrongAccountError("another's")])
@virtual
async def test_what_cannot_be_prepared_is_audited_and_releases_its_reservation(error, clock) -> None:
    rig = Rig(clock)
    rig.venue.prepare_error = error
    decision = rig.decide()

    assert await rig.flow.place(decision.draft) is None

    assert free_cash(rig) == 1_000 * MICRO
    assert str(error) in str(rig.audited("order_not_prepared")[0].detail)
    assert not rig.broken


@virtual
async def test_an_unforeseen_error_while_preparing_releases_the_reservation_and_goes_on(clock) -> None:
    rig = Rig(clock)
    rig.venue.prepare_error = RuntimeError("signer exploded")
    decision = rig.decide()

    with pytest.raises(RuntimeError):
        await rig.flow.place(decision.draft)

    assert free_cash(rig) == 1_000 * MICRO


@virtual
async def test_an_id_that_exists_already_is_not_placed_again(clock) -> None:
    rig = Rig(clock)
    first = await rig.place()
    prepare = rig.venue.prepare

    async def same_bytes(draft):
        await prepare(draft)
        return first.order.prepared

    rig.venue.instead("prepare", same_bytes)
    decision = rig.decide(price=480_000)

    assert await rig.flow.place(decision.draft) is None
    assert len(rig.venue.calls("send")) == 1


@virtual
async def test_a_rejection_ends_the_order_and_frees_its_cash(clock) -> None:
    rig = Rig(clock)
    rig.venue.answers = [Rejected(order_id=ORDER, code="not_enough_balance", text="not enough")]

    own = await rig.place()
    await asyncio.sleep(0.1)

    assert (own.status, own.reason) == (OrderStatus.REJECTED, "not_enough_balance: not enough")
    assert free_cash(rig) == 1_000 * MICRO
    assert rig.tables.rows["orders"][0]["status"] == "rejected"


@virtual
async def test_an_uncertain_answer_leaves_the_order_unknown_and_holding_its_cash(clock) -> None:
    rig = Rig(clock)
    rig.venue.answers = [Uncertain(order_id=ORDER, text="timeout")]

    own = await rig.place()

    assert (own.status, own.reason) == (OrderStatus.UNKNOWN, "unanswered: timeout")
    assert free_cash(rig) == 1_000 * MICRO - own.reserved_cash < 1_000 * MICRO
    await asyncio.sleep(1)
    assert len(rig.venue.calls("send")) == 1


@virtual
async def test_an_order_may_arrive_until_its_answer_is_given_up(clock) -> None:
    rig = Rig(clock)
    rig.venue.before = lambda name: asyncio.sleep(10) if name == "send" else None
    rig.venue.answers = [Uncertain(order_id=ORDER, text="timed out")]

    own = await rig.place()

    assert own.last_send_ns == clock.now_ns()


@virtual
async def test_a_match_at_once_waits_for_its_trades(clock) -> None:
    rig = Rig(clock)
    rig.venue.answers = [Accepted(order_id=ORDER, status=OrderStatus.MATCHED, trade_ids=("t-1",))]

    own = await rig.place(order_type=OrderType.FAK)
    assert own.status is OrderStatus.MATCHED
    assert own.reserved_cash > 0

    rig.fill(own, 10 * MICRO, trade_id="t-1")
    assert own.reserved_cash == 0


@virtual
async def test_an_order_that_cannot_be_written_before_its_deadline_was_not_sent(clock) -> None:
    rig = Rig(clock)
    deadlines = []
    send = rig.venue.send

    async def slow_to_write(prepared, deadline):
        deadlines.append(deadline - clock.monotonic())
        await asyncio.sleep(2.5)
        return await send(prepared, deadline)

    rig.venue.instead("send", slow_to_write)
    own = await rig.place()

    assert deadlines == [2.0]
    assert (own.status, own.reason) == (OrderStatus.REJECTED, "deadline")
    assert rig.venue.calls("send") == []


@virtual
async def test_the_deadline_never_lies_beyond_the_lease(clock) -> None:
    rig = Rig(clock)
    rig.lease.lease = Lease(f.ACCOUNT, "me", 1, clock.monotonic() + 0.5)
    deadlines = []
    rig.venue.answers = [lambda prepared: Rejected(order_id=prepared.order_id, code="x")]
    send = rig.venue.send

    async def look(prepared, deadline):
        deadlines.append(deadline)
        return await send(prepared, deadline)

    rig.venue.instead("send", look)
    await rig.place()

    assert deadlines == [rig.lease.lease.deadline]


@virtual
async def test_an_intent_that_was_definitely_not_journaled_never_existed(clock) -> None:
    rig = Rig(clock)
    rig.journal.refuse = lambda rows: JournalError("disk full") if isinstance(rows[0], Order) else None

    own = await rig.place()

    assert rig.venue.calls("send") == []
    assert free_cash(rig) == 1_000 * MICRO
    assert own.id not in rig.portfolio.orders
    assert not rig.broken


@pytest.mark.parametrize("error", [JournalUncertainError("commit broke off"), LeaseLostError("another trader")])
@virtual
async def test_an_intent_that_may_have_been_journaled_is_not_sent_and_breaks_the_desk(error, clock) -> None:
    rig = Rig(clock)
    rig.journal.refuse = lambda rows: error if isinstance(rows[0], Order) else None

    own = await rig.place()

    assert rig.venue.calls("send") == []
    assert str(error) in rig.broken[0]
    assert own.id in rig.portfolio.orders
    assert own.reserved_cash > 0
    rig.journal.refuse = lambda rows: None
    await rig.place(price=480_000)
    assert rig.venue.calls("send") == []


@virtual
async def test_a_broken_desk_writes_down_no_intent_that_it_would_keep_back(clock) -> None:
    rig = Rig(clock)
    rig.desk.fail("a change could not be journaled")

    own = await rig.place()

    assert own.status is OrderStatus.REJECTED
    assert rig.tables.rows["orders"] == []
    assert free_cash(rig) == 1_000 * MICRO


@virtual
async def test_a_change_that_cannot_be_journaled_breaks_the_desk_once(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.journal.refuse = lambda rows: JournalError("disk full")

    rig.fill(own, 4 * MICRO)
    rig.fill(own, 2 * MICRO)
    await asyncio.sleep(0.1)

    assert rig.broken == ["a change could not be journaled: disk full"]


def between_commit_and_send(rig: Rig, happens) -> None:
    """Let something happen while the intent is being committed."""
    submit = rig.journal.submit

    def submit_then(rows):
        done = submit(rows)
        if isinstance(rows[0], Order):
            done.add_done_callback(lambda _: happens())
        return done

    setattr(rig.journal, "submit", submit_then)  # noqa: B010


@virtual
async def test_a_halt_between_commit_and_send_keeps_the_order_here(clock) -> None:
    rig = Rig(clock)
    between_commit_and_send(rig, lambda: rig.desk.halt(HaltScope.MARKET, "m1", reason="odd", set_by="ada"))

    own = await rig.place()

    assert rig.venue.calls("send") == []
    assert (own.status, own.reason) == (OrderStatus.REJECTED, "not sent: halted: odd")
    assert free_cash(rig) == 1_000 * MICRO


@virtual
async def test_a_halt_between_commit_and_send_does_not_stop_a_reduction(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    between_commit_and_send(rig, lambda: rig.desk.halt(HaltScope.ALL, "", reason="odd", set_by="ada"))

    own = await rig.place(side=OrderSide.SELL, effect=Effect.REDUCE, price=600_000)

    assert own.status is OrderStatus.LIVE


@virtual
async def test_a_lease_that_runs_out_between_commit_and_send_keeps_the_order_here(clock) -> None:
    rig = Rig(clock)

    def lose() -> None:
        rig.lease.lease = Lease(f.ACCOUNT, "me", 1, clock.monotonic())

    between_commit_and_send(rig, lose)

    own = await rig.place()

    assert rig.venue.calls("send") == []
    assert own.reason == "not sent: the lease ran out"


@virtual
async def test_a_cancel_while_the_intent_is_committed_keeps_the_order_here(clock) -> None:
    rig = Rig(clock)
    decision = rig.decide()
    placing = asyncio.create_task(rig.flow.place(decision.draft))
    await asyncio.sleep(0.0005)
    (own,) = rig.portfolio.orders.open()
    assert own.status is OrderStatus.PENDING

    await rig.flow.cancel(own, "cancelled by ada")
    await placing

    assert rig.venue.calls("send") == []
    assert (own.status, own.reason) == (OrderStatus.CANCELLED, "not sent: cancelled by ada")
    assert free_cash(rig) == 1_000 * MICRO


@virtual
async def test_a_cancel_of_an_order_on_its_way_waits_for_the_answer(clock) -> None:
    rig = Rig(clock)
    rig.venue.before = lambda name: asyncio.sleep(0.3) if name == "send" else None
    decision = rig.decide()
    placing = asyncio.create_task(rig.flow.place(decision.draft))
    await asyncio.sleep(0.1)
    (own,) = rig.portfolio.orders.open()
    assert own.status is OrderStatus.SUBMITTED

    await rig.flow.cancel(own, "cancelled by ada")

    assert placing.done()
    assert [call[0] for call in rig.venue.log] == ["prepare", "send", "cancel"]
    assert own.status is OrderStatus.CANCELLED


@virtual
async def test_a_cancel_does_not_wait_for_an_answer_for_ever(clock) -> None:
    rig = Rig(clock)
    rig.venue.before = lambda name: asyncio.sleep(60) if name == "send" else None
    decision = rig.decide()
    placing = asyncio.create_task(rig.flow.place(decision.draft))
    await asyncio.sleep(0.1)
    (own,) = rig.portfolio.orders.open()

    await rig.flow.cancel(own, "cancelled by ada")

    assert clock.monotonic() < 10
    assert rig.venue.calls("cancel") == [("cancel", own.id)]
    placing.cancel()


@virtual
async def test_a_stop_while_the_answer_is_awaited_leaves_the_order_unknown(clock) -> None:
    rig = Rig(clock)
    rig.venue.before = lambda name: asyncio.sleep(60) if name == "send" else None
    decision = rig.decide()
    placing = asyncio.create_task(rig.flow.place(decision.draft))
    await asyncio.sleep(0.1)
    placing.cancel()
    await asyncio.gather(placing, return_exceptions=True)

    (own,) = rig.portfolio.orders.open()
    assert own.status is OrderStatus.UNKNOWN
    assert own.last_send_ns >= clock.now_ns()
    assert own.reserved_cash > 0
    assert rig.states(own) == [OrderStatus.UNKNOWN]
    assert not rig.flow.in_flight


@virtual
async def test_an_order_that_waits_for_its_neighbours_signature_is_in_flight(clock) -> None:
    rig = Rig(clock)
    drafts = [decision.draft for price in (480_000, 490_000) if (decision := rig.decide(price=price)).draft]
    signed: list[str] = []
    rig.venue.before = lambda name: (
        asyncio.sleep(5 * len(rig.venue.calls("prepare")) - 5) if name == "prepare" else None
    )
    placing = asyncio.create_task(rig.flow.place_many(drafts))
    await asyncio.sleep(1)
    (first,) = rig.portfolio.orders.open()
    signed += rig.flow.in_flight

    await rig.flow.cancel(first, "enough")
    await placing

    assert signed == [first.id]
    assert first.status is OrderStatus.CANCELLED
    assert len(rig.venue.calls("send")) == 1
    assert rig.venue.calls("cancel") == []
    assert not rig.flow.in_flight


@virtual
async def test_a_stop_while_the_intent_is_committed_sends_nothing_and_leaves_the_row(clock) -> None:
    rig = Rig(clock)
    decision = rig.decide()
    placing = asyncio.create_task(rig.flow.place(decision.draft))
    await asyncio.sleep(0.0005)
    placing.cancel()
    await asyncio.gather(placing, return_exceptions=True)
    await asyncio.sleep(0.1)

    assert rig.venue.calls("send") == []
    assert [row["status"] for row in rig.tables.rows["orders"]] == ["pending"]
    assert not rig.flow.in_flight


@virtual
async def test_whoever_hears_of_a_cancel_finds_the_orders_cash_held(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    heard: list[tuple[OrderStatus, bool]] = []
    rig.desk._notify = lambda change: heard.extend((own.status, own.explained) for own in change.orders)

    await rig.flow.cancel(own, "cancelled by ada")

    assert heard == [(OrderStatus.CANCELLING, False), (OrderStatus.CANCELLED, False)]


@virtual
async def test_a_cancel_that_worked_ends_the_order_but_holds_its_cash_until_it_was_read(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()

    await rig.flow.cancel(own, "enough")

    assert rig.states(own)[-2:] == [OrderStatus.CANCELLING, OrderStatus.CANCELLED]
    assert own.needs_read
    assert own.reserved_cash > 0
    await rig.resolver.read([own])
    assert own.explained
    assert free_cash(rig) == 1_000 * MICRO


@pytest.mark.parametrize("how", ["refused", "uncertain"])
@virtual
async def test_a_cancel_that_was_refused_or_lost_is_read_and_proves_nothing(how, clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    outcome = (
        CancelOutcome(refused={own.id: "already matched"}) if how == "refused" else CancelOutcome(uncertain=(own.id,))
    )
    rig.venue.cancel_answers = [outcome]

    await rig.flow.cancel(own, "enough")

    assert own.status is OrderStatus.CANCELLING
    assert own.needs_read
    await rig.resolver.read([own])
    assert own.status is OrderStatus.LIVE


@virtual
async def test_a_fill_during_the_cancel_is_not_lost(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()

    def fill(name: str) -> None:
        if name == "cancel":
            rig.fill(own, 4 * MICRO, trade_id="t-race")

    rig.venue.before = fill

    await rig.flow.cancel(own, "enough")

    assert own.status is OrderStatus.CANCELLED
    assert own.filled == 4 * MICRO
    assert own.needs_read


@virtual
async def test_what_is_over_is_not_cancelled_again(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    await rig.flow.cancel(own, "enough")

    await rig.flow.cancel(own, "enough")

    assert len(rig.venue.calls("cancel")) == 1


@virtual
async def test_an_unknown_order_is_cancelled_by_its_id(clock) -> None:
    rig = Rig(clock)
    rig.venue.answers = [Uncertain(order_id=ORDER, text="reset")]
    own = await rig.place()
    rig.venue.rest(own.id)

    await rig.flow.cancel(own, "enough")

    assert own.status is OrderStatus.CANCELLED


@virtual
async def test_a_read_that_began_before_the_cancels_answer_does_not_overrule_it(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.venue.cancel_answers = [CancelOutcome(refused={own.id: "already matched"})]
    rig.venue.before = lambda name: asyncio.sleep(0.3 if name == "cancel" else 0.5 if name == "trades" else 0.0)
    cancelling = asyncio.create_task(rig.flow.cancel(own, "enough"))
    await asyncio.sleep(0.1)

    await rig.resolver.read([own])

    assert cancelling.done()
    assert own.status is OrderStatus.CANCELLING
    assert own.needs_read
