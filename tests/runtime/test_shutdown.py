"""The graceful end: in the safe order, within its time, whatever hangs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.order import OrderStatus
from domain.ports import Lease
from runtime.kernel import Kernel
from strategies.registry import Registry
from tests.runtime.kit import House, gateway_of, logged, open_at_venue, rest, signal
from tests.sim.world import ACCOUNT

WHOLE_STOP_SECONDS = 5.0


@pytest.fixture
def house() -> House:
    return House()


async def started(house: House, **settings: Any) -> Kernel:
    kernel = house.kernel(**settings)
    await kernel.start()
    await asyncio.sleep(0.2)
    house.log.clear()
    return kernel


def test_a_stop_goes_from_strategies_over_orders_and_feeds_to_lease_and_journal(house: House, monkeypatch) -> None:
    stop_all = Registry.stop_all

    def noted_stop_all(registry: Registry) -> None:
        house.log.append("strategies")
        stop_all(registry)

    async def main() -> None:
        kernel = await started(house)
        own = await rest(kernel, house.market())
        house.log.clear()
        monkeypatch.setattr(Registry, "stop_all", noted_stop_all)
        monkeypatch.setattr(kernel.journal, "close", logged(house.log, "journal", kernel.journal.close))
        release = type(kernel.ports.storage.leases(kernel.journal)).release

        async def noted_release(store: Any, lease: Lease) -> None:
            house.log.append("lease")
            await release(store, lease)

        monkeypatch.setattr("trading.lease.MemoryLeases.release", noted_release)

        await kernel.stop("enough")

        steps = list(dict.fromkeys(house.log))
        order = ["strategies", "cancel", "stop account feed", "stop feed", "lease", "journal"]
        assert [step for step in steps if step in order] == order
        assert own.status is OrderStatus.CANCELLED
        assert open_at_venue(house) == 0
        assert kernel.stopped.result() == "enough"

    house.run(main)


def test_the_cancels_of_a_stop_are_in_the_journal(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)
        own = await rest(kernel, house.market())
        await kernel.stop("enough")

        rows = {row["id"]: row for row in house.world.tables.rows["orders"]}
        assert (rows[own.id]["status"], rows[own.id]["status_reason"]) == ("cancelled", "the trader stops")

    house.run(main)


def test_orders_on_their_way_are_waited_for_and_cancelled(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)
        decision = kernel.executor.submit(signal(kernel, house.market(), price=20_000))
        assert decision is not None
        assert decision.draft is not None

        await kernel.stop("enough")

        assert house.log.count("send") == 1
        assert open_at_venue(house) == 0
        assert [row["status"] for row in house.world.tables.rows["orders"]] == ["cancelled"]

    house.run(main)


@pytest.mark.parametrize("slow", ["send", "cancel", "read open orders", "read order"])
def test_a_venue_that_does_not_answer_cannot_hold_the_stop_up(house: House, slow: str) -> None:
    async def main() -> None:
        kernel = await started(house)
        await rest(kernel, house.market())
        gateway_of(kernel).slow.add(slow)
        kernel.executor.submit(signal(kernel, house.market(1), price=20_000))
        await asyncio.sleep(0.1)
        begun = house.world.clock.monotonic()

        await kernel.stop("enough")

        assert house.world.clock.monotonic() - begun < WHOLE_STOP_SECONDS
        assert kernel.stopped.done()

    house.run(main)


def test_everything_that_can_hang_together_stays_within_the_time(house: House, monkeypatch) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        kernel = await started(house)
        await rest(kernel, house.market())
        gateway_of(kernel).slow |= {"send", "cancel", "read open orders", "read order"}
        kernel.executor.submit(signal(kernel, house.market(1), price=20_000))
        await asyncio.sleep(0.1)
        for port in (kernel.ports.feed, kernel.ports.account_feed):
            monkeypatch.setattr(port, "stop", hang)
        monkeypatch.setattr(kernel.journal, "close", hang)
        monkeypatch.setattr("trading.lease.MemoryLeases.release", hang)
        begun = house.world.clock.monotonic()

        await kernel.stop("enough")

        assert house.world.clock.monotonic() - begun < WHOLE_STOP_SECONDS
        assert kernel.stopped.result() == "enough"

    house.run(main)


def test_a_step_that_fails_does_not_keep_the_next_from_running(house: House, monkeypatch) -> None:
    async def fail() -> None:
        raise OSError("socket is gone")

    async def main() -> None:
        kernel = await started(house)
        monkeypatch.setattr(kernel.ports.account_feed, "stop", fail)

        await kernel.stop("enough")

        assert house.world.tables.lease_ends[ACCOUNT] == float("-inf")

    house.run(main)


def test_without_the_lease_no_order_is_touched(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)
        await rest(kernel, house.market())
        kernel.lease.lease = Lease(ACCOUNT, "life-1", 1, house.world.clock.monotonic())
        house.log.clear()

        await kernel.stop("the lease ran out")

        assert "cancel" not in house.log
        assert open_at_venue(house) == 1

    house.run(main)


def test_a_trader_that_cannot_write_any_more_still_takes_its_orders_back(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)
        await rest(kernel, house.market())
        kernel.desk.fail("a change could not be journaled: disk full")

        await kernel.stop("broken")

        assert open_at_venue(house) == 0

    house.run(main)


def test_after_the_stop_nothing_runs_any_more(house: House) -> None:
    async def main() -> None:
        before = len(asyncio.all_tasks())
        kernel = await started(house)
        await kernel.stop("enough")
        await asyncio.sleep(1)

        assert len(asyncio.all_tasks()) == before
        decision = kernel.executor.submit(signal(kernel, house.market()))
        assert decision is not None
        assert decision.refusal == "halted"

    house.run(main)
