"""What an implementation must do when orders meet: answers, reads and the channel tell the same story, and the money agrees."""

from __future__ import annotations

import pytest

from domain.fill import FillStatus, Liquidity
from domain.order import OrderSide, OrderStatus, OrderType
from domain.reports import Accepted, Rejected, TradeReport
from tests.conformance.gateway.bench import CENT, NEVER, SHARE, Bench


async def trades_of(bench: Bench, order_id: str) -> list[TradeReport]:
    return [report for report in await bench.gateway.trades() if report.order_id == order_id]


async def test_a_fill_or_kill_order_fills_whole(bench: Bench) -> None:
    await bench.rival(OrderSide.SELL, 60 * CENT, 20 * SHARE)
    prepared = await bench.prepared(order_type=OrderType.FOK, price=60 * CENT)
    outcome = await bench.gateway.send(prepared, NEVER)
    assert isinstance(outcome, Accepted)
    assert outcome.status is OrderStatus.MATCHED
    (trade,) = await trades_of(bench, prepared.order_id)
    assert outcome.trade_ids == (trade.trade_id,)
    assert (trade.token_id, trade.side, trade.price, trade.size, trade.liquidity) == (
        bench.yes, OrderSide.BUY, 60 * CENT, 10 * SHARE, Liquidity.TAKER,
    )  # fmt: skip
    report = await bench.report(prepared.order_id)
    assert (report.status, report.size_matched) == (OrderStatus.MATCHED, 10 * SHARE)


async def test_a_fill_or_kill_order_that_cannot_fill_whole_is_rejected_and_leaves_nothing(bench: Bench) -> None:
    await bench.rival(OrderSide.SELL, 60 * CENT, 5 * SHARE)
    prepared = await bench.prepared(order_type=OrderType.FOK, price=60 * CENT)
    outcome = await bench.gateway.send(prepared, NEVER)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "fok_not_filled"
    assert await bench.gateway.open_orders() == []
    assert await bench.gateway.trades() == []


async def test_a_fill_and_kill_order_takes_what_is_there(bench: Bench) -> None:
    await bench.rival(OrderSide.SELL, 60 * CENT, 6 * SHARE)
    prepared = await bench.placed(order_type=OrderType.FAK, price=60 * CENT)
    assert sum(trade.size for trade in await trades_of(bench, prepared.order_id)) == 6 * SHARE
    assert await bench.gateway.open_orders() == []
    assert (await bench.report(prepared.order_id)).status.terminal


async def test_a_fill_and_kill_order_that_meets_nothing_is_rejected(bench: Bench) -> None:
    outcome = await bench.gateway.send(await bench.prepared(order_type=OrderType.FAK, price=60 * CENT), NEVER)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "fak_not_filled"


async def test_a_post_only_order_rests_or_is_rejected(bench: Bench) -> None:
    await bench.rival(OrderSide.SELL, 60 * CENT, 20 * SHARE)
    crossing = await bench.gateway.send(await bench.prepared(price=60 * CENT, post_only=True), NEVER)
    assert isinstance(crossing, Rejected)
    assert crossing.code == "post_only_would_cross"
    resting = await bench.placed(price=59 * CENT, post_only=True)
    assert [report.order_id for report in await bench.gateway.open_orders()] == [resting.order_id]


async def test_a_taker_gets_the_better_price_of_what_rests(bench: Bench) -> None:
    await bench.rival(OrderSide.SELL, 55 * CENT, 20 * SHARE)
    prepared = await bench.placed(order_type=OrderType.FAK, price=60 * CENT)
    trades = await trades_of(bench, prepared.order_id)
    assert {trade.price for trade in trades} == {55 * CENT}


async def test_a_crossing_limit_order_takes_and_rests_with_what_is_left(bench: Bench) -> None:
    await bench.rival(OrderSide.SELL, 60 * CENT, 6 * SHARE)
    prepared = await bench.placed(price=60 * CENT, size=10 * SHARE)
    report = await bench.report(prepared.order_id)
    assert report.size_matched == 6 * SHARE
    assert [report.order_id for report in await bench.gateway.open_orders()] == [prepared.order_id]
    assert sum(trade.size for trade in await trades_of(bench, prepared.order_id)) == 6 * SHARE


@pytest.mark.parametrize(("side", "token"), [(OrderSide.SELL, 0), (OrderSide.BUY, 1)], ids=["same token", "complement"])
async def test_a_makers_fill_is_told_in_its_own_terms(bench: Bench, side: OrderSide, token: int) -> None:
    resting = await bench.placed(price=40 * CENT)
    rivals_price = 40 * CENT if token == 0 else 60 * CENT
    await bench.rival(side, rivals_price, 10 * SHARE, OrderType.FOK, token=token)
    told = await bench.told_trade(resting.order_id, lambda report: True)
    (read,) = await trades_of(bench, resting.order_id)
    for trade in (told, read):
        assert (trade.order_id, trade.token_id, trade.side, trade.price, trade.size, trade.liquidity) == (
            resting.order_id, bench.yes, OrderSide.BUY, 40 * CENT, 10 * SHARE, Liquidity.MAKER,
        )  # fmt: skip
    assert (await bench.report(resting.order_id)).status is OrderStatus.MATCHED


async def test_several_of_our_orders_in_one_trade_each_get_their_own_part(bench: Bench) -> None:
    first = await bench.placed(price=41 * CENT)
    second = await bench.placed(price=40 * CENT)
    await bench.rival(OrderSide.SELL, 40 * CENT, 20 * SHARE, OrderType.FOK)
    parts = {report.order_id: report for report in await bench.gateway.trades()}
    assert {order_id: (part.price, part.size) for order_id, part in parts.items()} == {
        first.order_id: (41 * CENT, 10 * SHARE),
        second.order_id: (40 * CENT, 10 * SHARE),
    }


async def test_settled_fills_move_the_money_to_the_micro_unit(bench: Bench) -> None:
    before = (await bench.gateway.balances([bench.yes])).cash
    resting = await bench.placed(price=40 * CENT, size=10 * SHARE)
    await bench.rival(OrderSide.SELL, 40 * CENT, 10 * SHARE, OrderType.FOK)
    await bench.pass_time(10)
    confirmed = await bench.told_trade(resting.order_id, lambda report: report.status is FillStatus.CONFIRMED)
    assert confirmed.size == 10 * SHARE
    after = await bench.gateway.balances([bench.yes, bench.no])
    assert after.cash == before - 4_000_000  # a maker pays no fee
    assert after.tokens == {bench.yes: 10 * SHARE, bench.no: 0}


async def test_a_taker_pays_the_fee_of_the_market(bench: Bench) -> None:
    before = (await bench.gateway.balances([])).cash
    await bench.rival(OrderSide.SELL, 50 * CENT, 10 * SHARE)
    await bench.placed(order_type=OrderType.FOK, price=50 * CENT)
    await bench.pass_time(10)
    after = await bench.gateway.balances([bench.yes])
    assert after.cash == before - 5_000_000 - bench.market.fees.taker_fee(50 * CENT, 10 * SHARE)
    assert after.tokens[bench.yes] == 10 * SHARE


async def test_settled_tokens_can_be_sold_and_their_sale_is_cash(bench: Bench) -> None:
    await bench.owned(20 * SHARE)
    before = (await bench.gateway.balances([])).cash
    resting = await bench.placed(side=OrderSide.SELL, price=70 * CENT, size=20 * SHARE)
    await bench.rival(OrderSide.BUY, 70 * CENT, 20 * SHARE, OrderType.FOK)
    await bench.told_trade(resting.order_id, lambda report: True)
    await bench.pass_time(10)
    after = await bench.gateway.balances([bench.yes])
    assert after.cash == before + 14_000_000
    assert after.tokens[bench.yes] == 0


async def test_a_trade_that_fails_is_told_and_leaves_the_money_as_it_was(failing_bench: Bench) -> None:
    bench = failing_bench
    before = await bench.gateway.balances([bench.yes])
    resting = await bench.placed(price=40 * CENT)
    await bench.rival(OrderSide.SELL, 40 * CENT, 10 * SHARE, OrderType.FOK)
    await bench.told_trade(resting.order_id, lambda report: report.status is FillStatus.MATCHED)
    await bench.pass_time(10)
    await bench.told_trade(resting.order_id, lambda report: report.status is FillStatus.FAILED)
    (read,) = await trades_of(bench, resting.order_id)
    assert read.status is FillStatus.FAILED
    assert await bench.gateway.balances([bench.yes]) == before


async def test_trades_are_listed_oldest_first_from_a_moment_on(bench: Bench) -> None:
    orders = []
    for _ in range(3):
        await bench.rival(OrderSide.SELL, 60 * CENT, 10 * SHARE)
        orders.append((await bench.placed(order_type=OrderType.FOK, price=60 * CENT)).order_id)
        await bench.pass_time(5)
    listed = await bench.gateway.trades()
    assert [trade.order_id for trade in listed] == orders
    later = await bench.gateway.trades(listed[2].matched_ns)
    assert [trade.order_id for trade in later] == orders[2:]
