"""What becomes of a leg group for every outcome of its legs under every policy, and what is done about what is left."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import InvalidOrderError
from domain.fill import FillStatus
from domain.halt import Halt, HaltScope
from domain.legs import GroupState, LegGroup, LegGroupState, LegPolicy
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus
from tests.sim.virtual_time import VirtualClock, run_virtual
from tests.trading.leg_kit import OTHER, A, B, C, GroupRig
from tests.waiting import virtual
from trading.leg_run import GroupRun
from trading.leg_settings import LegSettings
from trading.risk import Refusal

ALL, BEST, TURN = LegPolicy.ALL_OR_NONE, LegPolicy.BEST_EFFORT, LegPolicy.SEQUENTIAL
NO_EXIT: list[str] = []
TABLE = [
    # policy, fate of A, fate of B, end, residual of A and B, what was bought to be out of it
    (ALL, "filled", "filled", "filled", [0, 0], NO_EXIT),
    (ALL, "refused", "refused", "cancelled", [0, 0], NO_EXIT),
    (ALL, "filled", "refused", "failed", [0, 0], [OTHER[A]]),
    (ALL, "refused", "filled", "failed", [0, 0], [OTHER[B]]),
    (ALL, "filled", "lost", "failed", [0, 0], [OTHER[A]]),
    (ALL, "lost", "lost", "cancelled", [0, 0], NO_EXIT),
    (ALL, "filled", "filled unheard 1", "filled", [0, 0], NO_EXIT),
    (ALL, "filled unheard 1", "filled unheard 1.5", "filled", [0, 0], NO_EXIT),
    (BEST, "filled", "filled", "filled", [0, 0], NO_EXIT),
    (BEST, "refused", "refused", "cancelled", [0, 0], NO_EXIT),
    (BEST, "filled", "refused", "partial", [10, 0], NO_EXIT),
    (BEST, "short 6", "short 6", "filled", [0, 0], NO_EXIT),
    (BEST, "filled", "short 6", "partial", [4, 0], NO_EXIT),
    (BEST, "short 7", "lost", "partial", [7, 0], NO_EXIT),
    (TURN, "filled", "filled", "filled", [0, 0], NO_EXIT),
    (TURN, "refused", "filled", "cancelled", [0, 0], NO_EXIT),
    (TURN, "lost", "filled", "cancelled", [0, 0], NO_EXIT),
    (TURN, "short 6", "filled", "filled", [0, 0], NO_EXIT),
    (TURN, "filled", "refused", "failed", [0, 0], [OTHER[A]]),
    (TURN, "filled", "lost", "failed", [0, 0], [OTHER[A]]),
    (TURN, "filled", "short 4", "failed", [0, 0], [OTHER[A]]),
]


def with_exits(clock, **named) -> GroupRig:
    """Return a rig in which every leg can be left a cent above even."""
    rig = GroupRig(clock, **named)
    rig.asks = {
        OTHER[A]: [(610_000, 100 * MICRO)],
        OTHER[B]: [(510_000, 100 * MICRO)],
        OTHER[C]: [(810_000, 100 * MICRO)],
    }
    return rig


@pytest.mark.parametrize(("policy", "first", "second", "end", "residual", "exits"), TABLE)
@virtual
async def test_each_outcome_of_the_legs_has_its_end(clock, policy, first, second, end, residual, exits) -> None:
    rig = with_exits(clock)
    rig.depth = {A: 1, B: 2}
    rig.fates = {A: [first], B: [second]}

    state = await rig.run(A, B, policy=policy, seconds=140.0)

    assert state == end
    assert rig.residual() == [shares * MICRO for shares in residual]
    assert [token for token in rig.sent if token in OTHER.values()] == exits
    assert rig.broken == []
    assert rig.portfolio.orders.reserved_cash == 0
    assert rig.risk.reservations.free_cash == rig.portfolio.available_cash
    assert rig.halts.active() == []


@virtual
async def test_the_legs_of_a_group_leave_in_one_batch_after_the_groups_row(clock) -> None:
    rig = GroupRig(clock)

    assert await rig.run(A, B, C, policy=ALL, seconds=1.0) == "filled"

    assert len(rig.venue.calls("send_many")) == 1
    kinds = [type(row).__name__ for row in rig.journal.submitted]
    assert kinds.index("LegGroup") < kinds.index("Order")
    assert {row["leg_group"] for row in rig.tables.rows["orders"]} == {rig.row()["id"]}
    assert {row["order_type"] for row in rig.tables.rows["orders"]} == {"FOK"}


@virtual
async def test_what_cannot_be_left_is_residual_inventory_and_stops_its_market(clock) -> None:
    rig = GroupRig(clock)
    rig.asks = {OTHER[A]: [(990_000, 100 * MICRO)]}
    rig.fates = {B: ["refused"]}

    assert await rig.run(A, B, policy=ALL) == "failed"

    assert rig.residual() == [10 * MICRO, 0]
    (halt,) = rig.halts.active()
    assert (halt.scope, halt.target) == (HaltScope.MARKET, "m1")
    assert "10 shares" in halt.reason
    assert halt.reason.endswith("then lift the halt: manage.py resume market m1")
    assert rig.audited("leg_group_residual")[0].detail["shares"] == 10 * MICRO
    assert rig.refusal(market=rig.markets["m1"]) == Refusal.HALTED


@virtual
async def test_a_leg_is_left_in_two_attempts_at_the_most(clock) -> None:
    rig = with_exits(clock)
    rig.fates = {B: ["refused"], OTHER[A]: ["refused", "refused", "filled"]}

    assert await rig.run(A, B, policy=ALL, seconds=20.0) == "failed"

    assert rig.sent.count(OTHER[A]) == 2
    assert rig.residual() == [10 * MICRO, 0]


@virtual
async def test_the_second_attempt_buys_what_the_first_did_not_get(clock) -> None:
    rig = with_exits(clock)
    rig.fates = {B: ["refused"], OTHER[A]: ["short 4", "filled"]}

    assert await rig.run(A, B, policy=ALL, seconds=20.0) == "failed"

    assert rig.residual() == [0, 0]
    assert rig.halts.active() == []


@virtual
async def test_an_attempt_that_is_missing_after_a_restart_is_not_made_again(clock) -> None:
    rig = with_exits(clock)
    rig.fates = {B: ["refused"], OTHER[A]: ["refused", "refused"]}
    await rig.run(A, B, policy=ALL, seconds=20.0)
    (group,) = [row for row in rig.journal.submitted if isinstance(row, LegGroup)]
    second = [own for own in rig.portfolio.orders.all() if own.order.draft.intent_id == group.exit_intent(0, 1)]

    run = GroupRun(group, None, rig.portfolio)
    run.track(second)

    assert len(second) == 1
    assert run.attempts == 2


@virtual
async def test_leaving_costs_no_more_than_is_allowed(clock) -> None:
    rig = with_exits(clock, legs=LegSettings(max_unwind_loss=50_000))
    rig.fates = {B: ["refused"]}

    await rig.run(A, B, policy=ALL)

    assert OTHER[A] not in rig.sent
    assert rig.residual() == [10 * MICRO, 0]


@virtual
async def test_what_the_fees_of_one_exit_may_cost_is_no_budget_of_the_next(clock) -> None:
    rig = with_exits(clock, legs=LegSettings(max_unwind_loss=450_000))
    rig.fates = {C: ["refused"]}

    assert await rig.run(A, B, C, policy=ALL, seconds=20.0) == "failed"

    # Each exit may lose 10 cents and fees of 24 and 20 cents, together 65; 45 are allowed. The second waits for what the first really cost.
    assert len(rig.venue.calls("send_many")) == 1
    assert [token for token in rig.sent if token in OTHER.values()] == [OTHER[A], OTHER[B]]


@pytest.mark.parametrize("policy", [ALL, TURN])
@virtual
async def test_a_leg_that_the_venue_says_is_filled_is_waited_for_and_its_group_not_left(clock, policy) -> None:
    rig = with_exits(clock)
    rig.depth = {A: 1, B: 2}
    rig.venue.down = {"order", "trades", "open_orders"}
    rig.fates = {B: ["late 8"]}

    assert await rig.run(A, B, policy=policy, seconds=30.0) == "filled"

    assert OTHER[A] not in rig.sent
    assert rig.residual() == [0, 0]


@virtual
async def test_a_promised_fill_that_does_not_settle_is_bought_out_of_when_that_is_known(clock) -> None:
    rig = with_exits(clock)
    rig.venue.down = {"order", "trades", "open_orders"}
    rig.fates = {B: ["late 8 failed"]}

    state = await rig.run(A, B, policy=ALL, seconds=7.0)
    assert (state, OTHER[A] in rig.sent) == ("placing", False)
    rig.venue.down = set()
    await asyncio.sleep(30.0)

    assert rig.row()["state"] == "failed"
    assert rig.sent[-1] == OTHER[A]
    assert rig.residual() == [0, 0]


@virtual
async def test_a_group_is_over_only_when_also_its_last_exit_is_explained(clock) -> None:
    rig = with_exits(clock)
    rig.venue.down = {"order", "trades", "open_orders"}
    rig.fates = {B: ["late 8 failed"], OTHER[A]: ["filled unheard 40"]}
    await rig.run(A, B, policy=ALL, seconds=7.0)
    rig.venue.down = set()

    await asyncio.sleep(30.0)
    assert (rig.sent[-1], rig.row()["state"]) == (OTHER[A], "unwinding")
    await asyncio.sleep(60.0)

    assert (rig.row()["state"], rig.residual()) == ("failed", [0, 0])
    assert rig.halts.active() == []
    assert rig.legs.counters["revised"] == 0


@virtual
async def test_an_exit_waits_for_a_book_and_goes_out_blind_only_at_the_end_of_its_time(clock) -> None:
    rig = GroupRig(clock)
    rig.asks = {OTHER[A]: None}
    rig.fates = {B: ["refused"]}

    await rig.run(A, B, policy=ALL, seconds=3.0)
    assert OTHER[A] not in rig.sent
    await asyncio.sleep(3.0)

    assert rig.sent.count(OTHER[A]) == 1
    (order,) = [row for row in rig.tables.rows["orders"] if row["token_id"] == OTHER[A]]
    # A cent more would lose, worst fees of 4 % included, more than the two dollars that are allowed.
    assert order["price_ticks"] == 760_000


@virtual
async def test_an_exit_is_priced_by_the_book_that_comes_in_time(clock) -> None:
    rig = GroupRig(clock)
    rig.asks = {OTHER[A]: None}
    rig.fates = {B: ["refused"]}
    asyncio.get_running_loop().call_later(1.0, rig.asks.update, {OTHER[A]: [(610_000, 100 * MICRO)]})

    await rig.run(A, B, policy=ALL, seconds=3.0)

    (order,) = [row for row in rig.tables.rows["orders"] if row["token_id"] == OTHER[A]]
    assert (order["price_ticks"], rig.residual()) == (610_000, [0, 0])


@virtual
async def test_new_risk_is_stopped_before_a_residual_is_written_and_not_again_once_a_person_allowed_it(clock) -> None:
    rig = GroupRig(clock, settled=False)
    rig.fates = {B: ["refused"]}
    assert await rig.run(A, B, policy=ALL, seconds=20.0) == "failed"
    rows = rig.journal.submitted
    ends = [at for at, row in enumerate(rows) if isinstance(row, LegGroupState) and row.state is GroupState.FAILED]
    assert next(at for at, row in enumerate(rows) if isinstance(row, Halt)) < ends[0]

    rig.desk.resume(HaltScope.MARKET, "m1", lifted_by="me")
    (fill,) = [fill for fill in rig.portfolio.fills.values() if fill.token_id == A]
    own = rig.portfolio.orders.get(fill.key.order_id)
    rig.fill(own, fill.size, trade_id=fill.key.trade_id)
    await asyncio.sleep(1.0)

    assert rig.halts.active() == []
    assert len(rig.audited("leg_group_residual")) == 1


@virtual
async def test_an_exit_is_priced_on_the_grid_that_its_market_has_now(clock) -> None:
    rig = with_exits(clock)
    rig.fates = {B: ["refused"]}
    rig.asks[OTHER[A]] = [(611_000, 100 * MICRO)]
    for signal in rig.legs_of(A, B, policy=ALL):
        rig.executor.submit(signal)
    rig.markets["m1"] = replace(rig.markets["m1"], tick=1_000)
    await asyncio.sleep(20.0)

    (exit_order,) = [row for row in rig.tables.rows["orders"] if row["token_id"] == OTHER[A]]
    assert exit_order["price_ticks"] == 611_000
    assert rig.residual() == [0, 0]


@virtual
async def test_an_exit_that_cannot_be_prepared_is_tried_again_later_and_never_in_a_loop_without_rest(clock) -> None:
    rig = with_exits(clock)
    rig.fates = {B: ["refused"]}
    prepare = rig.venue.prepare

    async def refused(draft):
        if draft.token_id == OTHER[A]:
            raise InvalidOrderError("off the grid")
        return await prepare(draft)

    rig.venue.instead("prepare", refused)

    assert await rig.run(A, B, policy=ALL, seconds=20.0) == "failed"
    assert rig.residual() == [10 * MICRO, 0]
    assert 2 <= len(rig.audited("order_not_prepared")) <= 10
    assert rig.risk.reservations.free_cash == rig.portfolio.available_cash


@virtual
async def test_an_exit_is_not_stopped_by_halts_and_caps(clock) -> None:
    rig = with_exits(clock)
    rig.fates = {B: ["refused"]}
    for signal in rig.legs_of(A, B, policy=ALL):
        rig.executor.submit(signal)
    await asyncio.sleep(0.005)
    rig.desk.halt(HaltScope.ALL, "", reason="enough", set_by="me")
    await asyncio.sleep(20.0)

    assert rig.residual() == [0, 0]
    assert rig.sent[-1] == OTHER[A]


@virtual
async def test_an_exit_does_not_trade_with_an_order_of_ours_that_perhaps_rests(clock) -> None:
    rig = with_exits(clock)
    rig.venue.down = {"order"}
    rig.track(OrderStatus.UNKNOWN, market=rig.markets["m1"], token_id=A, price=450_000)
    rig.fates = {B: ["refused"]}

    await rig.run(A, B, policy=ALL, seconds=20.0)

    assert OTHER[A] not in rig.sent
    assert "rests on the other side" in str(rig.audited("leg_exit_refused")[0].detail["reason"])


@virtual
async def test_a_halt_between_commit_and_write_keeps_the_whole_group_back(clock) -> None:
    rig = GroupRig(clock)
    for signal in rig.legs_of(A, B, policy=ALL):
        rig.executor.submit(signal)
    rig.desk.halt(HaltScope.MARKET, "m2", reason="enough", set_by="me")
    await asyncio.sleep(1.0)

    assert rig.sent == []
    assert rig.row()["state"] == "cancelled"


@virtual
async def test_a_leg_that_fills_after_the_group_went_on_without_it_is_residual(clock) -> None:
    rig = with_exits(clock)
    rig.venue.down = {"order", "trades", "open_orders"}
    rig.fates = {B: ["filled unheard 8"]}

    assert await rig.run(A, B, policy=ALL, seconds=60.0) == "unwinding"
    rig.venue.down = set()
    await asyncio.sleep(60.0)

    assert rig.row()["state"] == "failed"
    assert rig.residual() == [-10 * MICRO, 0]
    assert [halt.target for halt in rig.halts.active()] == ["m1"]


@virtual
async def test_a_settlement_that_fails_takes_the_end_back(clock) -> None:
    rig = GroupRig(clock, settled=False)
    assert await rig.run(A, B, policy=ALL, seconds=1.0) == "filled"
    fill = next(fill for fill in rig.portfolio.fills.values() if fill.token_id == B)
    own = rig.portfolio.orders.get(fill.key.order_id)
    rig.fill(own, fill.size, trade_id=fill.key.trade_id, status=FillStatus.FAILED)
    await asyncio.sleep(0.1)

    assert rig.row()["state"] == "failed"
    assert rig.residual() == [10 * MICRO, 0]
    assert [halt.target for halt in rig.halts.active()] == ["m1"]
    assert rig.legs.counters["revised"] == 1


@virtual
async def test_a_settlement_that_fails_after_days_finds_what_the_other_leg_received(clock) -> None:
    rig = GroupRig(clock, settled=False)
    assert await rig.run(A, B, policy=ALL, seconds=1.0) == "filled"
    first, last = sorted(rig.portfolio.fills.values(), key=lambda fill: fill.token_id)
    orders = rig.portfolio.orders
    rig.fill(orders.get(first.key.order_id), first.size, trade_id=first.key.trade_id)
    rig.portfolio.forget(clock.now_ns() + 1)
    rig.fill(orders.get(last.key.order_id), last.size, trade_id=last.key.trade_id, status=FillStatus.FAILED)
    await asyncio.sleep(0.1)

    assert rig.row()["state"] == "failed"
    assert rig.residual() == [10 * MICRO, 0]


@virtual
async def test_an_exit_without_the_cash_for_it_is_not_bought(clock) -> None:
    rig = with_exits(clock)
    rig.fates = {B: ["refused"]}
    for signal in rig.legs_of(A, B, policy=ALL):
        rig.executor.submit(signal)
    await asyncio.sleep(0.005)
    # Somebody takes cash out of the wallet: the first leg costs four dollars, leaving it six and ten cents.
    rig.deposit(-991 * MICRO)
    await asyncio.sleep(20.0)

    assert OTHER[A] not in rig.sent
    assert "needs $" in str(rig.audited("leg_exit_refused")[0].detail["reason"])
    assert rig.risk.reservations.free_cash >= 0


@virtual
@pytest.mark.parametrize("short", [0, 4, 5])
async def test_what_is_bought_to_leave_a_leg_is_never_more_than_nothing_hedges(clock, short) -> None:
    rig = with_exits(clock)
    rig.fates = {B: [f"short {short}"] if short else ["refused"]}

    await rig.run(A, B, policy=TURN, seconds=20.0)

    bought = [row["size_units"] for row in rig.tables.rows["orders"] if row["token_id"] == OTHER[A]]
    assert bought == [(10 - short) * MICRO]


@virtual
async def test_in_turn_the_thinnest_leg_goes_first_and_the_next_is_for_what_it_received(clock) -> None:
    rig = GroupRig(clock)
    rig.depth = {A: 500, B: 20, C: 100}
    rig.fates = {B: ["short 7"]}

    assert await rig.run(A, B, C, policy=TURN, size=20) == "filled"

    assert rig.sent == [B, C, A]
    sizes = {row["token_id"]: row["size_units"] for row in rig.tables.rows["orders"]}
    assert sizes == {B: 20 * MICRO, C: 7 * MICRO, A: 7 * MICRO}
    assert {row["order_type"] for row in rig.tables.rows["orders"]} == {"FAK"}


@virtual
async def test_a_group_that_one_leg_may_not_join_is_refused_whole(clock) -> None:
    rig = GroupRig(clock)
    rig.desk.halt(HaltScope.MARKET, "m2", reason="enough", set_by="me")

    for signal in rig.legs_of(A, B, policy=ALL):
        rig.executor.submit(signal)
    await asyncio.sleep(1.0)

    assert [decision.refusal for _, decision in rig.decisions] == [Refusal.HALTED] * 2
    assert rig.sent == []
    assert rig.risk.reservations.drafts() == []
    assert rig.legs.counters["refused_halted"] == 1


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"legs": LegSettings(max_unhedged_notional=4 * MICRO)}, Refusal.UNHEDGED_CAP),
        ({"deposit": 10 * MICRO}, Refusal.NO_CASH),
    ],
)
@virtual
async def test_the_worst_of_the_partial_outcomes_must_be_affordable(clock, changes, refusal) -> None:
    rig = GroupRig(clock, **changes)

    for signal in rig.legs_of(A, B, policy=ALL):
        rig.executor.submit(signal)
    await asyncio.sleep(0.1)

    assert rig.decisions[-1][1].refusal == refusal
    assert rig.sent == []
    assert rig.risk.reservations.free_cash == rig.portfolio.available_cash


@virtual
async def test_an_arbitrage_halt_stops_every_group_also_one_that_does_not_say_what_it_is(clock) -> None:
    rig = GroupRig(clock)
    rig.desk.halt(HaltScope.ARBITRAGE, "", reason="enough", set_by="me")

    for signal in rig.legs_of(A, B, policy=ALL, arb_type=""):
        rig.executor.submit(signal)
    await asyncio.sleep(0.1)

    assert rig.decisions[-1][1].refusal == Refusal.HALTED


@virtual
async def test_the_same_legs_are_on_their_way_once(clock) -> None:
    rig = GroupRig(clock)
    for name in ("g", "h"):
        for signal in rig.legs_of(A, B, policy=ALL, leg_group_id=name):
            rig.executor.submit(signal)
    await asyncio.sleep(1.0)

    assert sorted(rig.sent) == [A, B]
    assert rig.legs.counters["refused_duplicate"] == 1


@virtual
async def test_an_incomplete_group_is_dropped_and_audited(clock) -> None:
    rig = GroupRig(clock)
    rig.executor.submit(rig.legs_of(A, B, policy=ALL)[0])
    assert rig.legs.collecting == 1
    await asyncio.sleep(3.0)

    assert rig.legs.collecting == 0
    (row,) = rig.audited("leg_group_dropped")
    assert row.detail["code"] == "incomplete"
    assert "1 of 2 legs" in str(row.detail["reason"])
    assert rig.decisions[0][1].refusal is Refusal.GROUP
    assert rig.sent == []


@virtual
async def test_a_stop_drops_what_is_collected_and_waits_for_what_is_on_its_way(clock) -> None:
    rig = GroupRig(clock)
    rig.executor.submit(rig.legs_of(A, C, policy=ALL, leg_group_id="half")[0])
    for signal in rig.legs_of(A, B, policy=ALL):
        rig.executor.submit(signal)

    assert await rig.legs.drain(5.0) == 0
    await asyncio.sleep(0.01)

    assert rig.row()["state"] == "filled"
    assert rig.audited("leg_group_dropped")[0].detail["code"] == "cancelled"


@virtual
async def test_a_set_that_is_sold_only_in_part_is_bought_back(clock) -> None:
    rig = with_exits(clock)
    rig.asks = {A: [(420_000, 100 * MICRO)]}
    for token in (A, B):
        rig.hold(market=rig._of_token(token), token_id=token, strategy="arb", price=300_000)
    rig.fates = {B: ["refused"]}
    rig.resolving = asyncio.ensure_future(rig.resolver.run())
    for signal in rig.legs_of(A, B, policy=ALL, payoff="-1"):
        rig.executor.submit(replace(signal, side=OrderSide.SELL, effect=Effect.REDUCE))
    await asyncio.sleep(20.0)

    assert rig.row()["state"] == "failed"
    assert rig.residual() == [0, 0]
    assert rig.sent[-1] == A
    assert rig.portfolio.positions.size(A) == 10 * MICRO


@virtual
async def test_a_set_is_not_sold_in_a_smaller_size_than_its_legs_shall_have(clock) -> None:
    rig = GroupRig(clock)
    rig.hold(market=rig._of_token(A), token_id=A, strategy="arb")
    rig.hold(7 * MICRO, market=rig._of_token(B), token_id=B, strategy="arb")
    for signal in rig.legs_of(A, B, policy=ALL):
        rig.executor.submit(replace(signal, side=OrderSide.SELL, effect=Effect.REDUCE))
    await asyncio.sleep(1.0)

    assert rig.decisions[-1][1].refusal is Refusal.NO_TOKENS
    assert rig.sent == []
    assert rig.risk.reservations.drafts() == []


FATES = st.sampled_from(("filled", "refused", "lost", "short 6", "short 7", "filled unheard 1"))
EXITS = st.lists(st.sampled_from(("filled", "refused", "short 3", "lost")), max_size=2)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow])
@given(
    policy=st.sampled_from(list(LegPolicy)), fates=st.tuples(FATES, FATES, FATES), exits=EXITS,
    size=st.integers(5, 60), depths=st.permutations((1, 2, 3)),
)  # fmt: skip
def test_no_group_ends_with_shares_that_nobody_speaks_of(policy, fates, exits, size, depths) -> None:
    clock = VirtualClock()

    async def story() -> None:
        rig = with_exits(clock)
        rig.depth = dict(zip((A, B, C), depths, strict=True))
        rig.fates = {token: [fate] for token, fate in zip((A, B, C), fates, strict=True)}
        for other in OTHER.values():
            rig.fates[other] = list(exits)
        free = rig.risk.reservations.free_cash
        state = await rig.run(A, B, C, policy=policy, size=size, seconds=300.0)

        held = {token: rig.portfolio.positions.size(token) for token in itertools.chain(OTHER, OTHER.values())}
        legs = [leg["token_id"] for leg in _legs(rig)]
        sets = min(held[token] for token in legs)
        assert rig.residual() == [held[token] - sets - held[OTHER[token]] for token in legs]
        unsaid = {leg for leg, left in zip(legs, rig.residual(), strict=True) if abs(left) >= 10_000}
        if state == "failed":
            assert {halt.target for halt in rig.halts.active()} == {rig._of_token(token).id for token in unsaid}
        elif state in ("filled", "cancelled"):
            assert not unsaid
        orders = [row["intent_id"] for row in rig.tables.rows["orders"]]
        assert len(orders) == len(set(orders))
        assert free - rig.portfolio.ledger.cash <= 100 * MICRO
        assert rig.risk.reservations.free_cash == rig.portfolio.available_cash
        assert rig.broken == []

    run_virtual(story, clock)


def _legs(rig: GroupRig) -> list[dict[str, str]]:
    return json.loads(rig.row()["legs"])
