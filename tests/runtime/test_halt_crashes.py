"""Halts at random moments, with crashes in between: nothing opens once a halt counts, the scope ends cancelled, and flattening ends flat."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from domain.order import Effect, OrderSide, OrderType
from runtime.kernel import Kernel
from tests.runtime.kit import House, open_at_venue, signal
from tests.runtime.test_operator import command
from tests.sim.world import TRADER

MARKETS = 4
ON_ITS_WAY_NS = 25_000_000
"""What had left when the halt came arrives a latency later; less than a commit takes."""


def trade(kernel: Kernel, house: House, rng: random.Random) -> None:
    market = house.market(rng.randrange(MARKETS))
    book = kernel.books.get(market.token_ids[0])
    if book is None or not book.two_sided:
        return
    for position in kernel.portfolio.positions.of_token(book.token_id):
        if rng.random() < 0.3 and position.holding.settled >= market.min_size:
            sale = {"side": OrderSide.SELL, "effect": Effect.REDUCE, "source": position.strategy}
            kernel.executor.submit(signal(kernel, market, **sale, price=rng.choice((book.best_bid, book.best_ask))))
            return
    price = rng.choice((20_000, book.best_bid, book.best_ask))
    kind = rng.choice((OrderType.GTC, OrderType.FAK))
    kernel.executor.submit(signal(kernel, market, source=rng.choice(("one", "two")), price=price, order_type=kind))


async def live(kernel: Kernel, house: House, rng: random.Random, seconds: float) -> None:
    end = house.world.clock.monotonic() + seconds
    while house.world.clock.monotonic() < end:
        trade(kernel, house, rng)
        await house.settle(kernel, rng.choice((0.1, 0.2, 0.3)))


def opened_at(house: House) -> list[int]:
    """Return when each order to open came to the venue, by the journal's word on what opens."""
    opening = {row["id"] for row in house.world.tables.rows["orders"] if row["effect"] == "open"}
    return [view.created_ns for view in house.world.exchange.orders(TRADER) if view.id in opening]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_moment_it_dies_at_a_halted_trader_opens_nothing_and_ends_flat(seed: int) -> None:
    house, rng = House(seed), random.Random(seed)
    halt = {"scope": "all"} if seed % 3 else {"scope": "market", "target": "m0"}

    async def main() -> None:
        kernel = house.kernel()
        await kernel.start()
        await live(kernel, house, rng, rng.uniform(2, 6))
        at_ns = house.world.clock.now_ns()
        halting = asyncio.create_task(command(kernel, rng.choice(("halt", "flatten")), **halt))
        trading = asyncio.create_task(live(kernel, house, rng, rng.uniform(0.0, 2.0)))
        await asyncio.sleep(rng.choice((0.0, 0.06, 0.12, 0.2, 0.5, 1.5)))
        halting.cancel()
        trading.cancel()
        await house.kill(kernel)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(halting, trading, return_exceptions=True)
        durable = bool(house.world.tables.rows["halts"])

        kernel = house.kernel()
        await kernel.start()
        assert bool(kernel.halts.active()) == durable
        if not durable:
            at_ns = house.world.clock.now_ns()
        again = asyncio.create_task(command(kernel, "flatten", max_slippage="0.9", **halt))
        await live(kernel, house, rng, 3)
        while not again.done():
            await house.settle(kernel)
        result = again.result()
        await house.settle(kernel)

        assert result["flatten"] == "flat", result
        if halt["scope"] == "all":
            assert [moment for moment in opened_at(house) if moment > at_ns + ON_ITS_WAY_NS] == []
            assert open_at_venue(house) == 0
            rest = [position.holding.size for position in kernel.portfolio.positions.open()]
        else:
            (halted,) = [market for market in house.world.exchange.markets() if market.id == "m0"]
            orders = house.world.exchange.open_orders(TRADER)
            assert [view for view in orders if view.condition_id == halted.condition_id] == []
            rest = [each.holding.size for each in kernel.portfolio.positions.open() if each.market_id == "m0"]
        assert all(size < 5_000_000 for size in rest)

    house.run(main)
