"""The trader's side of the dead man's switch: no new risk without it, everything read again after a silence, and the order of a stop."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from domain.order import OrderStatus
from runtime.config import Mode
from runtime.kernel import Kernel
from tests.runtime.kit import SELL, House, gateway_of, open_at_venue, place, rest, signal
from tests.sim.world import TRADER
from trading.risk import Refusal
from venues.exchange.commands import CancelAll

pytestmark = pytest.mark.protocol("3.7")


class Switch:
    """A dead man's switch whose beats are answered while `answering`, in the time of the house."""

    lapse_seconds = 10.0

    def __init__(self, house: House) -> None:
        self._house = house
        self.answered_at: float | None = None
        self.lapses = 0
        self.failed = ""
        self.turns: Callable[[], int] | None = None
        self.stopped = False

    def start(self, turns: Callable[[], int]) -> None:
        self.turns = turns

    def stop(self) -> None:
        self.stopped = True
        self._house.log.append("heartbeats stop")

    def answer(self) -> None:
        self.answered_at = self._house.world.clock.monotonic()

    async def go_on(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.answer()
            await asyncio.sleep(1.0)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def switch(house: House) -> Switch:
    return Switch(house)


async def started(house: House, switch: Switch, mode: Mode = Mode.TRADE, **settings: Any) -> Kernel:
    plain = house.kernel(mode, **{"reconcile_every": 3600.0, **settings})
    kernel = Kernel(dataclasses.replace(plain.ports, heartbeat=switch), plain.config)
    await kernel.start()
    await asyncio.sleep(0.5)
    return kernel


def refusal(house: House, kernel: Kernel, **changes: Any) -> tuple[str, str]:
    decision = kernel.executor.submit(signal(kernel, house.market(1), **changes))
    assert decision is not None
    return decision.refusal or "", decision.detail


def test_a_trader_without_its_lease_keeps_nothing_alive(house: House, switch: Switch) -> None:
    async def main() -> None:
        kernel = await started(house, switch)
        assert switch.turns is not None
        before = switch.turns()
        await asyncio.sleep(1.0)
        assert switch.turns() > before

        kernel.lease.doubt()
        before = switch.turns()
        await kernel.heartbeat.pulse()
        assert switch.turns() == before
        await switch.go_on(2.0)
        assert switch.turns() > before

    house.run(main)


def test_new_risk_waits_for_the_first_answer(house: House, switch: Switch) -> None:
    async def main() -> None:
        kernel = await started(house, switch)
        assert refusal(house, kernel) == (Refusal.VENUE, "no heartbeat was answered yet")
        assert kernel.venue_state.text(house.world.clock.monotonic()) == "no heartbeat was answered yet"
        switch.answer()
        await asyncio.sleep(0.5)
        await rest(kernel, house.market())
        await kernel.stop("enough")

    house.run(main)


def test_the_pulse_grows_with_the_loop_and_not_without_it(house: House, switch: Switch) -> None:
    async def main() -> None:
        kernel = await started(house, switch)
        assert switch.turns is not None
        before = switch.turns()
        assert switch.turns() == before
        await asyncio.sleep(1.0)
        assert before < switch.turns() <= before + 5
        await kernel.stop("enough")

    house.run(main)


def test_in_silence_new_risk_waits_and_sales_go_on(house: House, switch: Switch) -> None:
    async def main() -> None:
        kernel = await started(house, switch)
        switch.answer()
        await asyncio.sleep(0.5)
        market = house.market()
        await place(kernel, market)
        await house.settle(kernel)
        switch.answer()
        await asyncio.sleep(9.5)
        assert refusal(house, kernel)[0] != Refusal.VENUE
        await asyncio.sleep(1.5)

        code, detail = refusal(house, kernel)
        assert (code, detail) == (Refusal.VENUE, "no heartbeat was answered for 11 s: the venue cancels every order")
        sale = await place(kernel, market, price=kernel.books.get(market.token_ids[0]).best_bid, **SELL)
        assert sale.status in (OrderStatus.MATCHED, OrderStatus.LIVE)
        await kernel.stop("enough")

    house.run(main)


def test_after_a_lapse_everything_is_read_again_before_new_risk(house: House, switch: Switch) -> None:
    async def main() -> None:
        kernel = await started(house, switch)
        switch.answer()
        await asyncio.sleep(0.5)
        own = await rest(kernel, house.market())
        await asyncio.sleep(11.0)
        # The venue cancels, and the account channel does not tell.
        house.world.exchange.step(house.world.clock.now_ns(), CancelAll(TRADER))
        gateway_of(kernel).down.add("read balances")
        house.log.clear()
        switch.lapses = 1
        await switch.go_on(3)

        late = "heartbeats were late and the venue may have cancelled: the account is read again"
        assert refusal(house, kernel) == (Refusal.VENUE, late)
        gateway_of(kernel).down.clear()
        await switch.go_on(3)

        assert own.status is OrderStatus.CANCELLED
        assert {"read open orders", "read trades", "read balances", "read order"} <= set(house.log)
        await rest(kernel, house.market(1))
        await kernel.stop("enough")

    house.run(main)


def test_orders_that_cannot_be_read_after_a_lapse_keep_new_risk_waiting(house: House, switch: Switch) -> None:
    async def main() -> None:
        kernel = await started(house, switch)
        switch.answer()
        await asyncio.sleep(0.5)
        await rest(kernel, house.market())
        house.world.exchange.step(house.world.clock.now_ns(), CancelAll(TRADER))
        gateway_of(kernel).down.add("read order")
        switch.lapses = 1
        await switch.go_on(3)
        assert refusal(house, kernel)[0] == Refusal.VENUE
        gateway_of(kernel).down.clear()
        await switch.go_on(3)
        await rest(kernel, house.market(1))
        await kernel.stop("enough")

    house.run(main)


def test_a_lapse_during_the_reading_is_read_again(house: House, switch: Switch) -> None:
    async def main() -> None:
        kernel = await started(house, switch)
        kernel.heartbeat.lapses = 2
        kernel.heartbeat.read(1)
        assert kernel.heartbeat.unread
        kernel.heartbeat.read(2)
        assert not kernel.heartbeat.unread
        await kernel.stop("enough")

    house.run(main)


def test_a_switch_that_ended_stops_the_kernel(house: House, switch: Switch) -> None:
    async def main() -> None:
        kernel = await started(house, switch)
        switch.failed = "TypeError: boom"
        reason = await asyncio.wait_for(kernel.stopped, 2.0)
        assert reason == "pulse died: the heartbeat ended: TypeError: boom"
        assert refusal(house, kernel)[0] == Refusal.VENUE
        await kernel.stop(reason)

    house.run(main)


def test_beats_go_on_until_the_cancels_of_a_stop_are_confirmed(house: House, switch: Switch) -> None:
    async def main() -> None:
        kernel = await started(house, switch)
        switch.answer()
        await asyncio.sleep(0.5)
        await rest(kernel, house.market())
        house.log.clear()
        await kernel.stop("enough")

        steps = [step for step in house.log if step in ("cancel", "read open orders", "heartbeats stop", "stop feed")]
        assert steps[0] == "cancel"
        assert steps[-2:] == ["heartbeats stop", "stop feed"]
        assert steps.index("heartbeats stop") > max(i for i, step in enumerate(steps) if step == "read open orders")
        assert open_at_venue(house) == 0

    house.run(main)


def test_beats_stop_also_when_the_cancels_cannot_be_confirmed(house: House, switch: Switch) -> None:
    async def main() -> None:
        kernel = await started(house, switch)
        gateway_of(kernel).slow |= {"cancel", "read open orders"}
        await kernel.stop("enough")
        assert switch.stopped

    house.run(main)


def test_who_only_watches_starts_no_switch(house: House, switch: Switch) -> None:
    async def main() -> None:
        kernel = await started(house, switch, Mode.MONITOR)
        await kernel.stop("enough")
        assert switch.turns is None

    house.run(main)
