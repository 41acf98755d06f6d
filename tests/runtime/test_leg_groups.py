"""Leg groups through the whole trader: bought at the simulated exchange, written down, taken up again after a death at any moment."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from domain.legs import LegPolicy
from domain.money import MICRO
from domain.order import OrderSide, OrderType
from runtime.kernel import Kernel
from tests.runtime.kit import House, events_of, gateway_of
from tests.runtime.leg_kit import clear, group_signals, groups_on_disk, offer, over, submit
from tests.sim.crash_points import Crash

ALL = LegPolicy.ALL_OR_NONE


class Fair(House):
    """Two markets in which only what a test offers is for sale: ten shares of each leg, and the way out of the first."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = self.market(0), self.market(2)
        self.first, self.second = self.a.token_ids[0], self.b.token_ids[0]
        for each in (self.a, self.b):
            clear(self, each)

    def offer_legs(self, *, second: bool = True, way_out: bool = True) -> None:
        offer(self, self.a, self.first, 400_000, 10)
        if second:
            offer(self, self.b, self.second, 500_000, 10)
        if way_out:
            offer(self, self.a, self.a.token_ids[1], 620_000, 50)

    def signals(self, kernel: Kernel, policy: LegPolicy = ALL, **named: Any) -> list[Any]:
        legs = [(self.a, self.first, 400_000), (self.b, self.second, 500_000)]
        return group_signals(kernel, legs, policy, **named)

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self.world.tables.rows[table]

    def held(self, kernel: Kernel) -> tuple[int, int, int]:
        tokens = (self.first, self.second, self.a.token_ids[1])
        first, second, out = (kernel.portfolio.positions.size(token) // MICRO for token in tokens)
        return first, second, out


async def ready(house: Fair, **changes: Any) -> Kernel:
    kernel = house.kernel(**changes)
    await kernel.start()
    await asyncio.sleep(0.5)
    return kernel


@pytest.mark.parametrize("policy", list(LegPolicy))
def test_a_basket_is_bought_and_its_execution_written(policy) -> None:
    house = Fair()

    async def story() -> None:
        house.offer_legs()
        kernel = await ready(house)
        submit(kernel, house.signals(kernel, policy))
        row = await over(house)
        await kernel.stop("done")

        assert row["state"] == "filled"
        assert house.held(kernel) == (10, 10, 0)
        (execution,) = house.rows("arb_executions")
        assert (execution["status"], execution["net_pnl_units"], execution["expected_units"]) == (
            "filled",
            825_000,
            825_000,
        )
        assert [leg["filled_units"] for leg in house.rows("arb_execution_legs")] == [10 * MICRO] * 2
        assert events_of(kernel).arb_sessions[0][0] == 0
        assert events_of(kernel).arb_sessions[-1][2:] == (1, 1, 0)

    house.run(story)


def test_a_leg_that_nothing_answers_is_left_by_the_other_outcome_and_the_group_has_failed() -> None:
    house = Fair()

    async def story() -> None:
        house.offer_legs(second=False)
        kernel = await ready(house)
        submit(kernel, house.signals(kernel))
        row = await over(house)

        assert row["state"] == "failed"
        assert json.loads(row["residual"]) == [0, 0]
        assert house.held(kernel) == (10, 0, 10)
        (execution,) = house.rows("arb_executions")
        assert (execution["status"], execution["net_pnl_units"]) == ("failed", -200_000)
        assert kernel.halts.active() == []
        await kernel.stop("done")

    house.run(story)


def test_what_cannot_be_left_halts_its_market_and_stays_in_the_books() -> None:
    house = Fair()

    async def story() -> None:
        house.offer_legs(second=False, way_out=False)
        kernel = await ready(house)
        submit(kernel, house.signals(kernel))
        row = await over(house, seconds=60.0)

        assert row["state"] == "failed"
        assert json.loads(row["residual"]) == [10 * MICRO, 0]
        assert [halt.target for halt in kernel.halts.active()] == [house.a.id]
        (execution,) = house.rows("arb_executions")
        assert (execution["residual_units"], execution["residual_cost_units"]) == (10 * MICRO, 4 * MICRO)
        await kernel.stop("done")

    house.run(story)


@pytest.mark.parametrize(
    "moment", ["before intent's commit", "after intent's commit", "after group's commit", "before send", "after send"]
)
@pytest.mark.parametrize("which", [1, 2, 3, 4])
@pytest.mark.parametrize("policy", [LegPolicy.ALL_OR_NONE, LegPolicy.SEQUENTIAL])
def test_a_trader_that_dies_with_a_group_on_its_way_brings_it_to_its_end(moment, which, policy) -> None:
    house = Fair()

    async def story() -> None:
        house.offer_legs(second=False)
        kernel = await ready(house)
        house.world.plan.append(Crash(moment, which))
        submit(kernel, house.signals(kernel, policy))
        for _ in range(150):
            await asyncio.sleep(0.0 if house.world.crashed_at else 0.1)
        await house.kill(kernel)
        house.world.plan.clear()
        second = await ready(house)
        await asyncio.sleep(30.0)

        assert all(row["state"] in ("failed", "cancelled") for row in groups_on_disk(house))
        first, nothing, out = house.held(second)
        assert nothing == 0
        assert first == out
        assert all(json.loads(row["residual"]) == [0, 0] for row in groups_on_disk(house))
        intents = [row["intent_id"] for row in house.rows("orders")]
        assert len(intents) == len(set(intents))
        assert second.portfolio.orders.open() == []
        await second.stop("done")

    house.run(story)


def test_nothing_more_of_a_group_is_placed_by_the_next_life() -> None:
    house = Fair()

    async def story() -> None:
        house.offer_legs()
        kernel = await ready(house)
        submit(kernel, house.signals(kernel, LegPolicy.SEQUENTIAL))
        for _ in range(500):
            await asyncio.sleep(0.0 if house.rows("orders") else 0.01)
        await house.kill(kernel)
        second = await ready(house)
        await asyncio.sleep(30.0)

        placed = {row["intent_id"] for row in house.rows("orders")}
        second_leg = json.loads(groups_on_disk(house)[0]["legs"])[1]["intent_id"]
        assert second_leg not in placed
        assert second.legs.counters["resumed"] == 1
        assert groups_on_disk(house)[0]["state"] in ("failed", "cancelled")
        await second.stop("done")

    house.run(story)


def test_a_stop_gives_groups_on_their_way_five_seconds_and_the_next_life_ends_the_rest() -> None:
    house = Fair()

    async def story() -> None:
        house.offer_legs()
        kernel = await ready(house)
        gateway_of(kernel).slow.add("send")
        submit(kernel, house.signals(kernel))
        kernel.executor.submit(house.signals(kernel, name="half")[0])
        await asyncio.sleep(0.2)
        begun = house.world.clock.monotonic()
        await kernel.stop("enough")

        assert 5.0 <= house.world.clock.monotonic() - begun < 10.0
        assert groups_on_disk(house)[0]["state"] == "placing"
        assert [row["event"] for row in house.rows("audit_log")].count("leg_group_dropped") == 1
        second = await ready(house)
        assert (await over(house))["state"] == "cancelled"
        await second.stop("done")

    house.run(story)


def test_a_group_is_drained_before_the_trader_stops() -> None:
    house = Fair()

    async def story() -> None:
        house.offer_legs()
        kernel = await ready(house)
        submit(kernel, house.signals(kernel))
        await kernel.stop("enough")

        assert groups_on_disk(house)[0]["state"] == "filled"

    house.run(story)


def test_a_leg_takes_and_never_rests_whatever_its_signal_says() -> None:
    house = Fair()

    async def story() -> None:
        house.offer_legs()
        kernel = await ready(house)
        signals = house.signals(kernel, LegPolicy.BEST_EFFORT)
        assert {signal.order_type for signal in signals} == {OrderType.GTC}
        submit(kernel, signals)
        await over(house)

        assert {row["order_type"] for row in house.rows("orders")} == {"FAK"}
        assert {row["side"] for row in house.rows("orders")} == {OrderSide.BUY.value}
        await kernel.stop("done")

    house.run(story)


def test_a_session_counts_what_ended_in_it() -> None:
    house = Fair()

    async def story() -> None:
        house.offer_legs()
        kernel = await ready(house)
        submit(kernel, house.signals(kernel))
        await over(house)
        await kernel.stop("done")
        same = await ready(house)
        await house.settle(same, 3.0)
        await same.stop("done")
        second = await ready(house, session_ns=house.world.clock.now_ns())
        await house.settle(second, 3.0)

        assert events_of(kernel).arb_sessions[-1][2:] == (1, 1, 0)
        assert {figures[2:] for figures in events_of(same).arb_sessions} == {(1, 1, 0)}
        assert {figures[2:] for figures in events_of(second).arb_sessions} == {(0, 0, 0)}
        assert len(house.rows("arb_executions")) == 1
        await second.stop("done")

    house.run(story)
