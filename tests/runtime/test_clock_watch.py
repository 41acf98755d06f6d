"""A whole trader whose machine's date is set while it trades: nothing that lasts is cut short, and new risk waits for the venue's word."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from domain.errors import VenueError
from domain.order import OrderStatus, OrderType
from infra.clock import SteadyClock
from runtime import clock_watch
from runtime.kernel import Kernel
from runtime.ports import Ports
from runtime.status import trader_status
from tests.runtime.kit import SECOND, SELL, House, gateway_of, place, rest, signal

HOUR = 3600


class Date:
    """The date of the trader's machine: the world's, and what somebody set it by. The venue has the world's, `venue_off` seconds off."""

    def __init__(self, house: House) -> None:
        self.world = house.world.clock
        self.set_by = 0
        self.venue_off: float | None = 0.0
        self.steady = SteadyClock(self)
        self.asked = 0

    def now_ns(self) -> int:
        return self.world.now_ns() + self.set_by * SECOND

    def monotonic(self) -> float:
        return self.world.monotonic()

    def ahead(self) -> float:
        return self.steady.machine_ahead()

    async def venue_seconds(self) -> float:
        self.asked += 1
        await asyncio.sleep(0.5)
        if self.venue_off is None:
            raise VenueError("the venue does not answer")
        return self.world.now_ns() // SECOND + self.venue_off

    def dress(self, ports: Ports) -> Ports:
        return replace(ports, clock=self.steady, machine=self)


@pytest.fixture
def house(monkeypatch) -> House:
    monkeypatch.setattr(clock_watch, "ASK_EVERY_SECONDS", 1.0)
    return House()


@pytest.fixture
def date(house: House) -> Date:
    made = Date(house)
    house.dress = made.dress
    return made


async def started(house: House) -> Kernel:
    kernel = house.kernel()
    await kernel.start()
    await asyncio.sleep(0.5)
    return kernel


def shown(kernel: Kernel) -> str:
    return trader_status(kernel).venue_mode


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 40])
def test_new_risk_waits_until_the_venue_confirms_our_count_and_health_says_that_the_date_is_off(
    house: House, date: Date, jump: int
) -> None:
    async def main() -> None:
        kernel = await started(house)
        date.set_by = jump
        await asyncio.sleep(0.3)

        refused = kernel.executor.submit(signal(kernel, house.market()))
        assert refused is not None
        assert refused.draft is None
        assert f"set by {jump:+d} s" in shown(kernel)

        await asyncio.sleep(2)
        assert shown(kernel) == "normal"
        assert f"{jump:+d} s off" in kernel.clock_watch.trouble
        assert (await rest(kernel, house.market())).status is OrderStatus.LIVE
        assert date.asked == 1

        date.set_by = 0
        await asyncio.sleep(3)
        assert kernel.clock_watch.trouble == ""
        assert shown(kernel) == "normal"
        assert not kernel.stopped.done()

    house.run(main)


def test_what_time_servers_do_all_the_time_is_no_news(house: House, date: Date) -> None:
    async def main() -> None:
        kernel = await started(house)
        date.set_by = 1
        await asyncio.sleep(2)

        assert shown(kernel) == "normal"
        assert date.asked == 0

    house.run(main)


def test_a_date_that_the_venue_confirms_ends_the_kernel_so_that_the_next_one_counts_from_it(
    house: House, date: Date
) -> None:
    async def main() -> None:
        kernel = await started(house)
        date.set_by, date.venue_off = HOUR, float(HOUR)

        reason = await asyncio.wait_for(asyncio.shield(kernel.stopped), 5)

        assert "set by +3600 s" in reason
        assert "agrees with it" in reason

    house.run(main)


@pytest.mark.parametrize("venue_off", [None, 600.0])
def test_as_long_as_the_venue_confirms_neither_new_risk_waits_and_what_is_held_is_sold(
    house: House, date: Date, venue_off: float | None
) -> None:
    async def main() -> None:
        kernel = await started(house)
        market = house.market()
        own = await place(kernel, market, order_type=OrderType.FAK)
        await house.settle(kernel)
        date.set_by, date.venue_off = -HOUR, venue_off
        await asyncio.sleep(6)

        refused = kernel.executor.submit(signal(kernel, market))
        assert refused is not None
        assert refused.draft is None
        assert date.asked > 1
        bid = kernel.books.get(market.token_ids[0]).best_bid
        sold = await place(kernel, market, order_type=OrderType.FAK, price=bid, size=own.filled, **SELL)
        assert sold.filled == own.filled

        date.venue_off = 0.0
        await asyncio.sleep(3)
        assert shown(kernel) == "normal"

    house.run(main)


def test_after_a_jump_forward_nothing_is_sent_before_the_lease_was_renewed(house: House, date: Date) -> None:
    async def main() -> None:
        kernel = await started(house)
        date.set_by = HOUR
        kernel.clock_watch.check()

        assert not kernel.lease.valid(date.steady.monotonic())
        await asyncio.sleep(0.3)
        assert kernel.lease.valid(date.steady.monotonic())

    house.run(main)


def test_an_order_whose_answer_was_lost_is_not_given_up_because_the_date_jumped(house: House, date: Date) -> None:
    async def main() -> None:
        kernel = await started(house)
        gateway = gateway_of(kernel)
        market = house.market()
        intent = signal(kernel, market, price=20_000, order_type=OrderType.GTC)
        gateway.send_many = _lost  # type: ignore[method-assign]
        kernel.executor.submit(intent)
        await asyncio.sleep(1.5)
        own = next(o for o in kernel.portfolio.orders.all() if o.order.draft.intent_id == intent.id)
        assert own.status is OrderStatus.UNKNOWN

        date.set_by = HOUR
        await asyncio.sleep(2.5)
        assert own.status is OrderStatus.UNKNOWN
        assert kernel.portfolio.orders.reserved_cash > 0

        await asyncio.sleep(10)
        assert own.status is OrderStatus.REJECTED

    house.run(main)


async def _lost(prepared, deadline):
    from domain.reports import Uncertain

    return [Uncertain(order_id=order.order_id, code="lost", text="no answer") for order in prepared]
