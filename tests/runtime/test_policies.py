"""What the venue's refusals set in motion in a whole kernel: markets, books and balances read again, and everybody told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.halt import HaltScope
from domain.order import OrderStatus, PreparedOrder
from domain.reports import NOT_ENOUGH_BALANCE, OFF_GRID, POST_ONLY_MODE, Policy, Rejected, SendOutcome
from domain.signal import Replace
from runtime.config import Mode
from runtime.kernel import Kernel
from tests.runtime.kit import House, events_of, gateway_of, place, rest, signal
from trading.risk import Refusal
from venues.exchange import commands as c

pytestmark = pytest.mark.protocol("3.10")


@pytest.fixture
def house() -> House:
    return House()


async def started(house: House, mode: Mode = Mode.TRADE) -> Kernel:
    kernel = house.kernel(mode)
    await kernel.start()
    await asyncio.sleep(0.2)
    return kernel


def refuse_next(kernel: Kernel, code: str, policy: Policy, **more: Any) -> None:
    """Let the venue refuse the next order, and no other."""
    gateway = gateway_of(kernel)
    true = gateway.send

    async def refuse(prepared: PreparedOrder, deadline: float) -> SendOutcome:
        setattr(gateway, "send", true)  # noqa: B010
        return Rejected(order_id=prepared.order_id, code=code, policy=policy, **more)

    setattr(gateway, "send", refuse)  # noqa: B010


def test_money_that_is_not_there_is_read_again_by_the_venue_and_by_us(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)
        gateway, market = gateway_of(kernel), house.market()
        refreshed: list[Any] = []

        async def refresh(token_ids: Any) -> None:
            refreshed.append(tuple(token_ids))

        setattr(gateway, "refresh_balances", refresh)  # noqa: B010
        refuse_next(kernel, NOT_ENOUGH_BALANCE, Policy.RESYNC)
        house.log.clear()

        own = await place(kernel, market, price=20_000)
        await asyncio.sleep(0.5)

        assert own.status is OrderStatus.REJECTED
        assert refreshed == [market.token_ids]
        assert "read balances" in house.log
        assert (await rest(kernel, market)).status is OrderStatus.LIVE

    house.run(main)


def test_a_tick_that_nobody_told_of_is_found_and_the_strategy_is_told(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)
        market = house.market()
        assert market.tick == 10_000
        told: list[tuple[str, str, str]] = []
        setattr(kernel.engine, "on_refused", lambda *refused: told.append(refused))  # noqa: B010
        house.world.exchange.step(house.world.clock.now_ns(), c.SetTick(market.condition_id, 1_000))
        refuse_next(kernel, OFF_GRID, Policy.RESYNC)

        await place(kernel, market, price=20_000)
        await asyncio.sleep(0.5)

        assert told == [("test", market.token_ids[0], OFF_GRID)]
        known = kernel.markets.get(market.id)
        watched = kernel.books.market(market.token_ids[0])
        assert known is not None
        assert watched is not None
        assert (known.tick, watched.tick) == (1_000, 1_000)
        assert {kernel.engine.context.markets[token].tick for token in market.token_ids} == {1_000}
        own = await rest(kernel, known, price=23_000)
        assert own.status is OrderStatus.LIVE

    house.run(main)


def test_a_market_that_lost_its_book_takes_no_more_orders(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)
        market = house.market()
        catalog: Any = kernel.ports.catalog

        async def gone(_condition_id: str) -> None:
            return None

        setattr(catalog, "market", gone)  # noqa: B010
        refuse_next(kernel, "no_orderbook", Policy.RESYNC)

        await place(kernel, market, price=20_000)
        await asyncio.sleep(0.5)

        known = kernel.markets.get(market.id)
        assert known is not None
        assert not known.tradable
        decision = kernel.executor.submit(signal(kernel, known, price=20_000))
        assert decision is not None
        assert decision.refusal is Refusal.NOT_TRADABLE

    house.run(main)


def test_the_status_shows_what_the_venue_takes_and_a_halt_its_fix(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)
        refuse_next(kernel, POST_ONLY_MODE, Policy.RETRY_AFTER, retry_after=90.0)
        await place(kernel, house.market(), price=20_000)
        await asyncio.sleep(1.0)
        assert events_of(kernel).statuses[-1].venue_mode.startswith("post-only for 8")
        refuse_next(kernel, "closed_only", Policy.OPERATOR, fix="ask the venue")
        await place(kernel, house.market(), price=20_000, post_only=True)
        await asyncio.sleep(1.1)
        (halt,) = events_of(kernel).statuses[-1].halts
        assert (halt.scope, halt.target) == (HaltScope.VENUE, "simulator")
        assert halt.reason.startswith("closed_only; ask the venue, then lift the halt")

    house.run(main)


def test_a_replacement_runs_through_the_whole_trader(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)
        market = house.market()
        old = await rest(kernel, market)
        better = signal(kernel, market, price=30_000)

        kernel._submit(Replace(id="r", source="test", order_id=old.id, signal=better))
        await asyncio.sleep(1.0)

        (left,) = house.world.exchange.open_orders("trader")
        assert (left.price, left.size) == (30_000, old.order.draft.size)
        assert old.status is OrderStatus.CANCELLED

    house.run(main)


def test_a_replacement_is_only_shown_where_no_orders_are_placed(house: House) -> None:
    async def main() -> None:
        kernel = await started(house, Mode.MONITOR)
        shown = signal(kernel, house.market(), price=30_000)
        kernel._submit(Replace(id="r", source="test", order_id="0x1", signal=shown))
        assert [(each.id, decision) for each, decision in events_of(kernel).signals] == [(shown.id, "monitor")]

    house.run(main)
