"""A leg group over real sockets: two FOK orders in one batch to the simulated venue, whole or left again, and equal to the venue's books."""

from __future__ import annotations

from domain.legs import LegPolicy
from domain.market import Market
from domain.money import MICRO
from domain.order import OrderSide
from runtime.kernel import Kernel
from tests.runtime.leg_kit import group_signals, submit
from tests.runtime.wire_kit import Desk, equal_to_the_venue, settled
from tests.waiting import until


def cheapest_legs(kernel: Kernel) -> list[tuple[Market, str, int]]:
    """Return purchases in the two markets with the most shares at the best ask, two ticks above it."""
    offers = []
    for market in kernel.markets.most_traded(300):
        book = kernel.books.get(market.token_ids[0])
        if (
            not market.taker_delay_ms
            and book is not None
            and book.two_sided
            and market.tick == 10_000
            and book.best_ask < 900_000
        ):
            ((price, shares),) = book.levels(OrderSide.SELL, 1)
            offers.append((shares, market.id, (market, market.token_ids[0], price + 2 * market.tick)))
    return [leg for _, _, leg in sorted(offers, reverse=True)[:2]]


async def test_a_basket_goes_out_in_one_batch_and_ends_equal_to_the_venue(desk: Desk) -> None:
    trader = await desk.start()
    kernel = trader.kernel
    legs = cheapest_legs(kernel)
    submit(kernel, group_signals(kernel, legs, LegPolicy.ALL_OR_NONE, size=10))

    async def over() -> bool:
        desk.venue.pass_time(0.1)
        return bool(rows) and rows[-1]["state"] not in ("placing", "unwinding")

    rows = desk.disk.tables.rows["leg_groups"]
    await until(over, seconds=20.0)
    await settled(desk, kernel)

    orders = [row for row in desk.disk.tables.rows["orders"] if row["leg_group"] == rows[-1]["id"]]
    assert rows[-1]["state"] == "filled"
    assert {row["order_type"] for row in orders} == {"FOK"}
    assert all(row["filled_units"] >= 10 * MICRO - 10_000 for row in orders)
    (execution,) = desk.disk.tables.rows["arb_executions"]
    assert execution["status"] == "filled"
    for market, _, _ in legs:
        await equal_to_the_venue(desk, trader, market)
