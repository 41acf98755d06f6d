"""What an implementation of `AccountFeed` must tell, and in which order."""

from __future__ import annotations

from domain.fill import FillStatus
from domain.order import OrderSide, OrderStatus, OrderType
from domain.reports import OrderReport, TradeReport
from tests.conformance.gateway.bench import CENT, SHARE, Bench


async def test_a_channel_begins_by_saying_that_what_was_before_must_be_read(bench: Bench) -> None:
    assert bench.account_feed.connected
    assert isinstance(bench.diary.events[0], str)


async def test_a_placement_is_told(bench: Bench) -> None:
    prepared = await bench.placed()
    told = await bench.told(prepared.order_id, lambda report: True)
    assert (told.status, told.token_id, told.side, told.price, told.original_size, told.size_matched) == (
        OrderStatus.LIVE, bench.yes, OrderSide.BUY, 30 * CENT, 10 * SHARE, 0,
    )  # fmt: skip


async def test_partial_fills_are_told_cumulatively(bench: Bench) -> None:
    resting = await bench.placed(price=40 * CENT, size=20 * SHARE)
    for _ in range(2):
        await bench.rival(OrderSide.SELL, 40 * CENT, 8 * SHARE, OrderType.FOK)
    await bench.told(resting.order_id, lambda report: report.size_matched == 16 * SHARE)
    matched = [r.size_matched for r in bench.diary.of(OrderReport) if r.order_id == resting.order_id]
    assert matched == sorted(matched)


async def test_a_trade_is_told_at_each_step_of_its_settlement(bench: Bench) -> None:
    resting = await bench.placed(price=40 * CENT)
    await bench.rival(OrderSide.SELL, 40 * CENT, 10 * SHARE, OrderType.FOK)
    await bench.told_trade(resting.order_id, lambda report: report.status is FillStatus.MATCHED)
    await bench.pass_time(10)
    await bench.told_trade(resting.order_id, lambda report: report.status is FillStatus.CONFIRMED)
    told = [report for report in bench.diary.of(TradeReport) if report.order_id == resting.order_id]
    assert len({report.trade_id for report in told}) == 1
    steps = [report.status for report in told if report.status is not FillStatus.RETRYING]
    assert list(dict.fromkeys(steps)) == [FillStatus.MATCHED, FillStatus.MINED, FillStatus.CONFIRMED]


async def test_strangers_orders_and_trades_are_never_told(bench: Bench) -> None:
    await bench.rival(OrderSide.SELL, 60 * CENT, 10 * SHARE)
    await bench.rival(OrderSide.BUY, 60 * CENT, 10 * SHARE, OrderType.FAK)
    own = await bench.placed()
    await bench.told(own.order_id, lambda report: True)
    assert {report.order_id for report in bench.diary.of(OrderReport)} == {own.order_id}
    assert bench.diary.of(TradeReport) == []
