"""What an implementation must do with cancels: what it says is proof, and nothing is cancelled that has traded."""

from __future__ import annotations

from domain.order import OrderSide, OrderStatus, OrderType
from tests.conformance.gateway.bench import CENT, SHARE, UNKNOWN_ID, Bench


async def test_a_cancelled_order_is_gone_and_its_money_is_free(bench: Bench) -> None:
    cash = (await bench.gateway.balances([])).cash
    most = cash * SHARE // (50 * CENT) // SHARE * SHARE
    prepared = await bench.placed(price=50 * CENT, size=most)
    outcome = await bench.gateway.cancel([prepared.order_id])
    assert outcome.cancelled == (prepared.order_id,)
    assert outcome.uncertain == ()
    assert (await bench.report(prepared.order_id)).status is OrderStatus.CANCELLED
    assert await bench.gateway.open_orders() == []
    await bench.placed(price=50 * CENT, size=most)


async def test_the_channel_tells_of_a_cancel(bench: Bench) -> None:
    prepared = await bench.placed()
    await bench.told(prepared.order_id, lambda report: report.status is OrderStatus.LIVE)
    await bench.gateway.cancel([prepared.order_id])
    await bench.told(prepared.order_id, lambda report: report.status is OrderStatus.CANCELLED)


async def test_what_is_over_or_unknown_is_refused_one_by_one(bench: Bench) -> None:
    resting, over = await bench.placed(), await bench.placed()
    await bench.gateway.cancel([over.order_id])
    outcome = await bench.gateway.cancel([over.order_id, resting.order_id, UNKNOWN_ID])
    assert outcome.cancelled == (resting.order_id,)
    assert set(outcome.refused) == {over.order_id, UNKNOWN_ID}


async def test_a_filled_order_is_not_cancelled(bench: Bench) -> None:
    resting = await bench.placed(price=40 * CENT)
    await bench.rival(OrderSide.SELL, 40 * CENT, 10 * SHARE, OrderType.FOK)
    outcome = await bench.gateway.cancel([resting.order_id])
    assert list(outcome.refused) == [resting.order_id]
    assert (await bench.report(resting.order_id)).status is OrderStatus.MATCHED


async def test_a_cancel_keeps_what_was_filled_before_it(bench: Bench) -> None:
    resting = await bench.placed(price=40 * CENT, size=20 * SHARE)
    await bench.rival(OrderSide.SELL, 40 * CENT, 8 * SHARE, OrderType.FOK)
    outcome = await bench.gateway.cancel([resting.order_id])
    assert outcome.cancelled == (resting.order_id,)
    report = await bench.report(resting.order_id)
    assert (report.status, report.size_matched) == (OrderStatus.CANCELLED, 8 * SHARE)
    assert sum(trade.size for trade in await bench.gateway.trades() if trade.order_id == resting.order_id) == 8 * SHARE


async def test_many_orders_are_cancelled_in_one_call(bench: Bench) -> None:
    placed = [(await bench.placed(price=(n + 1) * CENT)).order_id for n in range(20)]
    outcome = await bench.gateway.cancel([*placed, placed[0]])
    assert set(outcome.cancelled) == set(placed)
    assert len(outcome.cancelled) == len(placed)
    assert await bench.gateway.open_orders() == []


async def test_cancelling_nothing_asks_for_nothing(bench: Bench) -> None:
    outcome = await bench.gateway.cancel([])
    assert (outcome.cancelled, dict(outcome.refused), outcome.uncertain) == ((), {}, ())


async def test_cancel_all_ends_every_order_of_the_account_and_nobody_elses(bench: Bench) -> None:
    await bench.rival(OrderSide.BUY, 20 * CENT, 10 * SHARE)
    placed = {(await bench.placed(price=(n + 1) * CENT)).order_id for n in range(3)}
    placed.add((await bench.placed(token_id=bench.no)).order_id)
    outcome = await bench.gateway.cancel_all()
    assert set(outcome.cancelled) == placed
    assert await bench.gateway.open_orders() == []
    await bench.owned(10 * SHARE)
    taken = await bench.placed(side=OrderSide.SELL, order_type=OrderType.FAK, price=20 * CENT)
    assert [trade.price for trade in await bench.gateway.trades() if trade.order_id == taken.order_id] == [20 * CENT]


async def test_the_orders_of_one_token_or_one_market_are_cancelled_alone(bench: Bench) -> None:
    yes, no = await bench.placed(), await bench.placed(token_id=bench.no)
    outcome = await bench.gateway.cancel_market(bench.market.condition_id, bench.no)
    assert outcome.cancelled == (no.order_id,)
    assert [report.order_id for report in await bench.gateway.open_orders()] == [yes.order_id]
    outcome = await bench.gateway.cancel_market(bench.market.condition_id)
    assert outcome.cancelled == (yes.order_id,)
    assert await bench.gateway.open_orders() == []
