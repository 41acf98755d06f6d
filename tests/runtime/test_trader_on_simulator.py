"""The whole trader over real sockets: kernel and Polymarket client against the simulated venue, which shares no code with them."""

from __future__ import annotations

import asyncio

import pytest

from domain.ledger import LedgerAccount
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus, OrderType
from domain.signal import Cancel
from tests.runtime.wire_kit import DEPOSIT, Desk, buy, done, equal_to_the_venue, liquid_market, place, settled
from tests.waiting import until


async def test_an_order_becomes_a_fill_a_position_and_ledger_entries_equal_to_the_venues(desk: Desk) -> None:
    trader = await desk.start()
    kernel = trader.kernel
    market = liquid_market(kernel)

    own = await buy(desk, kernel, market)

    assert own.status is OrderStatus.MATCHED
    position = kernel.portfolio.positions.get(market.token_ids[0], "test")
    assert position is not None
    assert position.holding.settled >= own.order.draft.size
    assert kernel.portfolio.ledger.balance(LedgerAccount.FEES) >= 0
    await equal_to_the_venue(desk, trader, market)

    sale = await place(
        kernel, market, side=OrderSide.SELL, effect=Effect.REDUCE, order_type=OrderType.FAK,
        price=kernel.books.get(market.token_ids[0]).best_bid, size=position.holding.settled,
    )  # fmt: skip
    await settled(desk, kernel)

    assert sale.filled > 0
    await equal_to_the_venue(desk, trader, market)
    assert {row["kind"] for row in desk.disk.tables.rows["ledger_entries"]} <= {"deposit", "buy", "sell", "rounding"}


async def test_a_cancel_takes_a_resting_order_back_and_frees_its_cash(desk: Desk) -> None:
    kernel = (await desk.start()).kernel
    market = liquid_market(kernel)
    own = await place(kernel, market, price=20_000, size=50 * MICRO)
    assert own.status is OrderStatus.LIVE
    assert kernel.risk.reservations.free_cash < DEPOSIT

    kernel.executor.submit(Cancel(id="c-1", source="test", order_id=own.id, reason="enough"))

    await until(lambda: done(own))
    assert (own.status, own.reason) == (OrderStatus.CANCELLED, "enough")
    assert kernel.risk.reservations.free_cash == DEPOSIT
    assert await kernel.ports.gateway.open_orders() == []


async def test_what_the_venue_refuses_is_rejected_and_costs_nothing(desk: Desk) -> None:
    kernel = (await desk.start()).kernel
    market = liquid_market(kernel)
    book = kernel.books.get(market.token_ids[0])
    assert book is not None

    own = await place(kernel, market, price=book.best_ask, post_only=True)

    assert own.status is OrderStatus.REJECTED
    assert own.reason.startswith("post_only_would_cross")
    assert kernel.risk.reservations.free_cash == DEPOSIT


@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_a_restart_goes_on_where_the_last_trader_ended(desk: Desk, how: str) -> None:
    first = await desk.start()
    market = liquid_market(first.kernel)
    await buy(desk, first.kernel, market)
    resting = await place(first.kernel, market, price=20_000, size=50 * MICRO)
    await equal_to_the_venue(desk, first, market)
    await (first.kill(desk.disk) if how == "killed" else first.stop())
    desk.venue.pass_time(20, step=0.5)

    second = await desk.start()

    portfolio = second.kernel.portfolio
    found = portfolio.orders.get(resting.id)
    assert found is not None
    assert found.status is (OrderStatus.LIVE if how == "killed" else OrderStatus.CANCELLED)
    assert portfolio.positions.size(market.token_ids[0]) == first.kernel.portfolio.positions.size(market.token_ids[0])
    assert second.kernel.lease.epoch == first.kernel.lease.epoch + 1
    await equal_to_the_venue(desk, second, market)


async def test_a_fill_that_happened_while_no_trader_ran_is_found_at_the_start(desk: Desk) -> None:
    first = await desk.start()
    market = liquid_market(first.kernel)
    book = first.kernel.books.get(market.token_ids[0])
    assert book is not None
    own = await place(first.kernel, market, price=book.best_bid, size=10 * MICRO)
    assert own.status is OrderStatus.LIVE
    await first.kill(desk.disk)
    for _ in range(200):
        desk.venue.pass_time(1.0)
        if desk.venue.venue.world.exchange.order(own.id).size_matched:
            break
        await asyncio.sleep(0)
    else:
        pytest.fail("nobody sold to this order in the next 200 seconds of the venue")

    second = await desk.start()
    await settled(desk, second.kernel)

    assert second.kernel.portfolio.positions.size(market.token_ids[0]) > 0
    await equal_to_the_venue(desk, second, market)
