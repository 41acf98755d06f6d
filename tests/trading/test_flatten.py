"""Flattening on a scripted venue: never below the first floor, no more than is bid for, nothing stranded, everything explained."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus
from tests.trading.kit import Rig
from tests.trading.scripted import Book
from tests.waiting import virtual
from trading.flatten import LONGEST_SECONDS, Flatten, Progress

SELL = {"side": OrderSide.SELL, "effect": Effect.REDUCE}


@dataclass
class Deep(Book):
    """A book with bids as (price, size), best first."""

    bids: list[tuple[int, int]] = field(default_factory=list)

    def levels(self, side: OrderSide, depth: int = 100) -> Sequence[tuple[int, int]]:
        assert side is OrderSide.BUY
        return self.bids[:depth]

    def set(self, *bids: tuple[int, int]) -> None:
        self.bids = [(cents * 10_000, shares * MICRO) for cents, shares in bids]
        self.best_bid = self.bids[0][0] if bids else 0


@dataclass
class Flattening:
    """A flattening of everything that runs beside a test, and what it told."""

    rig: Rig
    book: Deep
    told: list[dict[str, Any]] = field(default_factory=list)
    wanted: bool = True

    def start(self, slippage: int = 50_000) -> asyncio.Task[Progress]:
        rig = self.rig
        flatten = Flatten(
            rig.desk,
            rig.risk.reservations,
            rig.ids,
            submit=rig.executor.submit,
            book_of=lambda _: self.book,
            market_of=rig.markets.get,
        )

        async def report(progress: dict[str, object]) -> None:
            self.told.append(progress)

        running = flatten.run(lambda _: True, slippage=slippage, by="ada", goes_on=lambda: self.wanted, report=report)
        return asyncio.create_task(running)

    def sales(self) -> list[tuple[int, int]]:
        """Return price in cents and shares of every sale that was sent."""
        drafts = [self.rig.venue.drafts[order_id] for _, order_id in self.rig.venue.calls("send")]
        return [(each.price // 10_000, each.size // MICRO) for each in drafts if each.side is OrderSide.SELL]

    def take(self, *, size: int | None = None) -> None:
        """Let the venue fill what was sent last, and end the order."""
        own = self.rig.portfolio.orders.open()[-1]
        shares = own.order.draft.size if size is None else size
        self.rig.fill(own, shares)
        self.rig.venue.rest(own.id, OrderStatus.MATCHED, matched=shares)
        self.rig.desk.apply(self.rig.portfolio.acknowledge(own, OrderStatus.MATCHED, (), self.rig.clock.now_ns()))


@virtual
async def test_nothing_is_sold_below_the_floor_of_the_first_look_however_far_bids_fall(clock) -> None:
    rig = Rig(clock)
    rig.hold(30 * MICRO)
    book = Deep()
    book.set((50, 10), (46, 5), (44, 100))
    flattening = Flattening(rig, book)
    task = flattening.start()
    await asyncio.sleep(0.1)
    assert flattening.sales() == [(45, 15)]
    flattening.take()

    book.set((44, 100))
    await asyncio.sleep(5)
    assert len(flattening.sales()) == 1
    assert flattening.told[-1]["waiting"] == {"m1 token1 of test": "less is bid at 0.45 than the market takes"}

    book.set((45, 100))
    await asyncio.sleep(1)
    assert flattening.sales() == [(45, 15), (45, 15)]
    flattening.take()
    progress = await task
    assert (progress.slices, progress.held) == (2, 0)


@virtual
async def test_what_nobody_bids_for_is_given_up_in_time_and_named(clock) -> None:
    rig = Rig(clock)
    rig.hold(10 * MICRO)
    rig.hold(3 * MICRO, strategy="small")
    flattening = Flattening(rig, Deep(best_bid=0))
    began = clock.monotonic()

    progress = await flattening.start()

    assert LONGEST_SECONDS <= clock.monotonic() - began < LONGEST_SECONDS + 2
    assert progress.said() == {
        "slices": 0,
        "positions_left": 1,
        "waiting": {
            "m1 token1 of test": "nobody can be seen to bid",
            "m1 token1 of small": "fewer shares than the market takes",
        },
    }
    assert flattening.told == [progress.said()]


@virtual
async def test_shares_on_offer_at_another_price_are_taken_back_and_sold(clock) -> None:
    rig = Rig(clock)
    rig.hold(10 * MICRO)
    resting = await rig.place(**SELL, price=900_000)
    book = Deep()
    book.set((50, 100))
    flattening = Flattening(rig, book)
    task = flattening.start()
    await asyncio.sleep(0.1)
    assert resting.status is OrderStatus.CANCELLED
    await rig.resolver.read([resting])
    await asyncio.sleep(1)
    assert flattening.sales()[1:] == [(45, 10)]
    flattening.take()
    assert (await task).held == 0
