"""Long work lets others run: thousands of items do not stall the loop."""

from __future__ import annotations

import asyncio

from domain.order import OrderStatus
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.waiting import virtual
from trading.slices import SLICE, in_slices


async def _turns(counted: list[int]) -> None:
    while True:
        counted[0] += 1
        await asyncio.sleep(0)


async def test_every_item_is_worked_through_in_order_and_others_run_in_between() -> None:
    seen, counted = list[int](), [0]
    turns = asyncio.ensure_future(_turns(counted))
    await in_slices(range(5 * SLICE + 3), seen.append)
    turns.cancel()

    assert seen == list(range(5 * SLICE + 3))
    assert counted[0] >= 5


async def test_a_few_items_do_not_give_the_loop_away() -> None:
    counted = [0]
    turns = asyncio.ensure_future(_turns(counted))
    await in_slices(range(SLICE - 1), lambda _: None)
    turns.cancel()

    assert counted == [0]


@virtual
async def test_reconciling_many_orders_and_trades_lets_others_run(clock) -> None:
    rig = Rig(clock)
    for number in range(10 * SLICE):
        own = rig.track(price=400_000)
        if number % 2:
            rig.venue.orders[own.id] = f.report(own.order, OrderStatus.LIVE)
        else:
            rig.venue.reports.append(f.trade(own.order, own.order.draft.size))
    counted = [0]
    turns = asyncio.ensure_future(_turns(counted))
    before = counted[0]
    await rig.reconciler.run()
    turns.cancel()

    # Five slices of trades, five of listed orders, ten of a look for missing ones.
    assert counted[0] - before >= 15
