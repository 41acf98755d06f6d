"""What an answer means beyond its own request is acted upon, and audited."""

from __future__ import annotations

import asyncio

import pytest

from domain.halt import HaltScope
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus, OrderType
from domain.reports import (
    CANCEL_ONLY,
    ENGINE_RESTARTING,
    NOT_ENOUGH_BALANCE,
    OFF_GRID,
    POST_ONLY_MODE,
    CancelOutcome,
    Policy,
    Rejected,
    Trouble,
    Uncertain,
)
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.waiting import virtual

pytestmark = pytest.mark.protocol("3.5", "3.10")

ORDER = ""
REDUCE = {"side": OrderSide.SELL, "effect": Effect.REDUCE, "price": 600_000}


def refused(code: str, policy: Policy, **more) -> Rejected:
    return Rejected(order_id=ORDER, code=code, text="so it is", policy=policy, **more)


def restarting(after: float | None = None) -> Uncertain:
    return Uncertain(order_id=ORDER, code=ENGINE_RESTARTING, policy=Policy.RETRY_AFTER, retry_after=after)


@virtual
async def test_an_order_that_was_wrong_by_itself_changes_nothing_else(clock) -> None:
    rig = Rig(clock)
    rig.venue.answers = [refused("fok_not_filled", Policy.REJECT)]

    await rig.place()

    assert rig.refused == [(f.YES, "fok_not_filled")]
    assert rig.refusal() == ""
    assert not rig.halts.active()


@pytest.mark.protocol("9.15")
@virtual
async def test_a_restarting_engine_pauses_new_risk_then_lets_only_resting_orders_open(clock) -> None:
    rig = Rig(clock)
    rig.venue.answers = [restarting()]

    own = await rig.place()

    assert own.status is OrderStatus.UNKNOWN
    decision = rig.decide(price=480_000)
    assert (decision.refusal, decision.detail) == ("venue_not_ready", "paused for 1 s more (engine_restarting)")
    (row,) = rig.audited("venue_mode")
    assert (row.detail["mode"], row.detail["code"]) == ("paused", "engine_restarting")
    await asyncio.sleep(1.1)
    assert rig.refusal(price=480_000) == "venue_not_ready"
    assert rig.refusal(price=480_000, post_only=True) == ""
    await asyncio.sleep(120)
    assert rig.refusal(price=470_000) == ""


@virtual
async def test_an_order_that_is_taken_makes_the_next_pause_short_again(clock) -> None:
    rig = Rig(clock)
    pauses = []
    for taken in (False, False, True, False):
        if taken:
            await rig.place(post_only=True)
            continue
        rig.venue.answers = [restarting()]
        await rig.place(post_only=True, price=480_000)
        pauses.append(rig.decide(price=470_000).detail)
        clock.advance(10)

    assert [pause.split(" ")[2] for pause in pauses] == ["1", "2", "1"]


@virtual
async def test_a_reduction_waits_while_the_engine_restarts_and_not_in_a_mode(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    rig.venue.answers = [restarting()]
    await rig.place(price=480_000)
    assert rig.refusal(**REDUCE) == "venue_not_ready"
    await asyncio.sleep(1.1)
    for code in (POST_ONLY_MODE, CANCEL_ONLY):
        rig.policies.act(Trouble(code=code, policy=Policy.RETRY_AFTER, retry_after=600.0))
    assert rig.refusal(price=470_000) == "venue_not_ready"
    own = await rig.place(**REDUCE)
    assert own.status is OrderStatus.LIVE


@virtual
async def test_an_order_decided_before_the_pause_does_not_leave_into_it(clock) -> None:
    rig = Rig(clock)
    first, second = rig.decide(price=480_000), rig.decide(price=470_000)
    rig.venue.answers = [restarting()]
    assert first.draft is not None
    assert second.draft is not None
    await rig.flow.place(first.draft)

    own = await rig.flow.place(second.draft)

    assert own is not None
    assert own.status is OrderStatus.REJECTED
    assert own.reason.startswith("not sent: paused")
    assert len(rig.venue.calls("send")) == 1


@pytest.mark.protocol("9.14")
@virtual
async def test_what_is_outdated_is_read_again_before_new_risk_enters_the_market(clock) -> None:
    rig = Rig(clock)
    rig.venue.answers = [refused(OFF_GRID, Policy.RESYNC)]
    await rig.place()

    decision = rig.decide(price=480_000)
    assert decision.refusal == "venue_not_ready"
    assert "read again: off_grid" in decision.detail
    assert rig.refusal(price=480_000, market=f.market(id="m2")) != "venue_not_ready"
    assert rig.resyncs == []
    await rig.policies.resync_due()

    assert rig.resyncs == [("m1", OFF_GRID)]
    assert rig.refusal(price=480_000) == ""
    assert [row.detail["code"] for row in rig.audited("market_read_again")] == [OFF_GRID]


@virtual
async def test_a_market_that_cannot_be_read_is_read_until_it_can(clock) -> None:
    rig = Rig(clock)
    working = asyncio.create_task(rig.policies.run())
    rig.venue.down = {"resync"}
    rig.venue.answers = [refused("no_orderbook", Policy.RESYNC)]
    await rig.place()
    await asyncio.sleep(5)
    assert rig.refusal(price=480_000) == "venue_not_ready"
    assert 4 <= len(rig.venue.calls("resync")) <= 6

    rig.venue.down = set()
    await asyncio.sleep(1.1)

    assert rig.refusal(price=480_000) == ""
    working.cancel()


@virtual
async def test_the_same_trouble_over_and_over_is_read_less_and_less_often(clock) -> None:
    rig = Rig(clock)
    working = asyncio.create_task(rig.policies.run())
    began = clock.monotonic()
    while clock.monotonic() < began + 60:
        if rig.refusal(price=480_000) == "":
            rig.venue.answers = [refused(NOT_ENOUGH_BALANCE, Policy.RESYNC)]
            await rig.place(price=470_000)
        await asyncio.sleep(0.1)
    assert len(rig.resyncs) == 6, "at 0, 1, 3, 7, 15 and 31 s"

    await asyncio.sleep(31)
    await rig.place(price=460_000)
    rig.venue.answers = [refused(NOT_ENOUGH_BALANCE, Policy.RESYNC)]
    await rig.place(price=450_000)
    await asyncio.sleep(0.1)

    assert len(rig.resyncs) == 8, "an order that was taken begins the count again"
    working.cancel()


@pytest.mark.parametrize("policy", [Policy.HALT, Policy.OPERATOR])
@virtual
async def test_what_would_fail_alike_halts_the_venue_with_the_fix(policy, clock) -> None:
    rig = Rig(clock)
    rig.hold()
    rig.venue.answers = [refused("closed_only", policy, fix="ask the venue")]

    await rig.place(price=480_000)

    (halt,) = rig.halts.active()
    assert (halt.scope, halt.target, halt.set_by) == (HaltScope.VENUE, "polymarket", "polybot")
    assert halt.reason.startswith("closed_only: so it is; ask the venue, then lift the halt")
    assert rig.refusal(price=470_000) == "halted"
    assert rig.audited("halt_set")
    own = await rig.place(**REDUCE)
    assert own.status is OrderStatus.LIVE


@virtual
async def test_the_trouble_of_a_cancel_is_acted_upon_too(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    trouble = Trouble(code=ENGINE_RESTARTING, policy=Policy.RETRY_AFTER)
    rig.venue.cancel_answers = [CancelOutcome(uncertain=(own.id,), trouble=trouble)]

    await rig.flow.cancel(own, "enough")

    assert rig.refusal(price=480_000) == "venue_not_ready"
    assert own.status is OrderStatus.CANCELLING


@virtual
async def test_a_cancel_whose_trouble_names_no_market_reads_no_market(clock) -> None:
    rig = Rig(clock)
    rig.policies.act(Trouble(code="no_orderbook", policy=Policy.RESYNC))
    await rig.policies.resync_due()
    assert rig.resyncs == []
    assert rig.refusal() == ""


@virtual
async def test_a_batch_is_one_commit_and_one_request_and_each_leg_has_its_own_fate(clock) -> None:
    rig = Rig(clock)
    decisions = [rig.decide(price=price) for price in (480_000, 470_000, 460_000)]
    drafts = [decision.draft for decision in decisions if decision.draft is not None]
    commits = rig.journal.submitted
    rig.venue.answers = [
        refused("fok_not_filled", Policy.REJECT),
        Uncertain(order_id=ORDER, text="reset"),
    ]
    before = len(commits)

    orders = await rig.flow.place_many(drafts)

    assert [own.status for own in orders if own is not None] == [
        OrderStatus.REJECTED, OrderStatus.UNKNOWN, OrderStatus.LIVE,
    ]  # fmt: skip
    assert [type(row).__name__ for row in commits[before : before + 3]] == ["Order"] * 3
    assert len(rig.venue.calls("send_many")) == 1
    assert not rig.flow.in_flight


@virtual
async def test_a_leg_that_may_not_leave_any_more_stays_here_and_the_others_go(clock) -> None:
    rig = Rig(clock)
    rig.markets["m2"] = f.market(id="m2", condition_id="0xc2", token_ids=("2001", "2002"))
    drafts = [rig.decide(price=480_000).draft, rig.decide(market=rig.markets["m2"], token_id="2001").draft]
    rig.desk.halt(HaltScope.MARKET, "m1", reason="odd", set_by="ada")

    orders = await rig.flow.place_many([draft for draft in drafts if draft is not None])

    assert [own.status for own in orders if own is not None] == [OrderStatus.REJECTED, OrderStatus.LIVE]


@virtual
async def test_when_one_leg_fails_to_be_prepared_in_an_unforeseen_way_no_leg_exists(clock) -> None:
    rig = Rig(clock)
    drafts = [
        decision.draft for decision in (rig.decide(price=480_000), rig.decide(price=470_000), rig.decide(price=460_000))
    ]
    prepare, calls = rig.venue.prepare, []

    async def second_explodes(draft):
        calls.append(draft)
        if len(calls) == 2:
            raise RuntimeError("signer exploded")
        return await prepare(draft)

    rig.venue.instead("prepare", second_explodes)

    with pytest.raises(RuntimeError):
        await rig.flow.place_many([draft for draft in drafts if draft is not None])

    assert rig.risk.reservations.free_cash == 1_000 * MICRO
    assert not list(rig.portfolio.orders.all())
    assert rig.venue.calls("send") == []


@virtual
async def test_a_taker_is_not_sent_in_a_post_only_window_but_a_resting_order_is(clock) -> None:
    rig = Rig(clock)
    rig.venue.answers = [refused(POST_ONLY_MODE, Policy.RETRY_AFTER, retry_after=60.0)]
    await rig.place(order_type=OrderType.FAK)
    assert rig.refusal(price=480_000, order_type=OrderType.FAK) == "venue_not_ready"
    own = await rig.place(price=480_000, post_only=True)
    assert own.status is OrderStatus.LIVE
