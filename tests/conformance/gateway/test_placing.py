"""What an implementation of `OrderGateway` must do with an order before it trades."""

from __future__ import annotations

import dataclasses

import pytest

from domain.errors import InvalidOrderError, WrongAccountError
from domain.order import OrderSide, OrderStatus, OrderType
from domain.reports import Accepted, Rejected
from tests.conformance.gateway.bench import CENT, NEVER, SHARE, UNKNOWN_ID, Bench


async def test_an_order_of_another_account_is_not_prepared(bench: Bench) -> None:
    with pytest.raises(WrongAccountError):
        await bench.prepared(account="live:0x01")


async def test_a_price_off_the_grid_a_size_below_the_minimum_and_a_closed_market_are_not_prepared(bench: Bench) -> None:
    for wrong in (
        {"price": 30 * CENT + 1},
        {"price": 0},
        {"price": 100 * CENT},
        {"size": bench.market.min_size - SHARE},
        {"market": dataclasses.replace(bench.market, accepting_orders=False)},
    ):
        with pytest.raises(InvalidOrderError):
            await bench.prepared(**wrong)


async def test_preparing_sends_nothing(bench: Bench) -> None:
    prepared = await bench.prepared()
    assert await bench.gateway.open_orders() == []
    assert await bench.gateway.order(prepared.order_id) is None


async def test_the_id_is_known_before_the_order_is_sent(bench: Bench) -> None:
    prepared = await bench.prepared()
    outcome = await bench.gateway.send(prepared, NEVER)
    assert outcome == Accepted(order_id=prepared.order_id, status=OrderStatus.LIVE)


async def test_the_same_draft_twice_is_two_orders(bench: Bench) -> None:
    first, second = await bench.placed(), await bench.placed()
    assert first.order_id != second.order_id
    assert {report.order_id for report in await bench.gateway.open_orders()} == {first.order_id, second.order_id}


async def test_the_same_bytes_twice_are_one_order(bench: Bench) -> None:
    prepared = await bench.placed()
    outcome = await bench.gateway.send(prepared, NEVER)
    assert not isinstance(outcome, Accepted)
    assert [report.order_id for report in await bench.gateway.open_orders()] == [prepared.order_id]


async def test_a_resting_order_is_read_as_it_was_placed(bench: Bench) -> None:
    for draft in (bench.draft(), bench.draft(token_id=bench.no, price=41 * CENT, size=25 * SHARE)):
        prepared = await bench.gateway.prepare(draft)
        await bench.gateway.send(prepared, NEVER)
        report = await bench.report(prepared.order_id)
        assert (report.status, report.condition_id, report.token_id, report.side, report.price) == (
            OrderStatus.LIVE, bench.market.condition_id, draft.token_id, draft.side, draft.price,
        )  # fmt: skip
        assert (report.original_size, report.size_matched, report.order_type) == (draft.size, 0, OrderType.GTC)
        assert report.trade_ids == ()


async def test_nothing_leaves_after_the_deadline(bench: Bench) -> None:
    prepared = await bench.prepared()
    outcome = await bench.gateway.send(prepared, -1.0)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "deadline"
    assert await bench.gateway.order(prepared.order_id) is None


async def test_more_than_the_account_holds_is_rejected(bench: Bench) -> None:
    outcome = await bench.gateway.send(await bench.prepared(size=1_000_000 * SHARE), NEVER)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "not_enough_balance"


async def test_tokens_that_are_not_held_cannot_be_sold(bench: Bench) -> None:
    outcome = await bench.gateway.send(await bench.prepared(side=OrderSide.SELL), NEVER)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "not_enough_balance"


async def test_resting_orders_hold_their_money(bench: Bench) -> None:
    cash = (await bench.gateway.balances([])).cash
    most = cash * SHARE // (50 * CENT) // SHARE * SHARE
    await bench.placed(price=50 * CENT, size=most)
    outcome = await bench.gateway.send(await bench.prepared(price=50 * CENT), NEVER)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "not_enough_balance"
    assert (await bench.gateway.balances([])).cash == cash


async def test_an_order_nobody_placed_is_unknown(bench: Bench) -> None:
    assert await bench.gateway.order(UNKNOWN_ID) is None


async def test_a_timed_order_ends_at_its_time_and_not_before(bench: Bench) -> None:
    prepared = await bench.placed(order_type=OrderType.GTD, expires_ns=bench.now_ns() + 150_000_000_000)
    await bench.pass_time(140)
    assert (await bench.report(prepared.order_id)).status is OrderStatus.LIVE
    await bench.pass_time(15)
    assert (await bench.report(prepared.order_id)).status in (OrderStatus.EXPIRED, OrderStatus.CANCELLED)
    assert await bench.gateway.open_orders() == []


async def test_a_batch_is_judged_leg_by_leg(bench: Bench) -> None:
    good, another = await bench.prepared(), await bench.prepared(token_id=bench.no)
    poor = await bench.prepared(size=1_000_000 * SHARE)
    first, second, third = await bench.gateway.send_many([good, poor, another], NEVER)
    assert isinstance(second, Rejected)
    assert second.order_id == poor.order_id
    assert second.code == "not_enough_balance"
    assert (first, third) == tuple(Accepted(order_id=leg.order_id, status=OrderStatus.LIVE) for leg in (good, another))
    assert {report.order_id for report in await bench.gateway.open_orders()} == {good.order_id, another.order_id}


async def test_no_leg_of_a_batch_leaves_after_the_deadline(bench: Bench) -> None:
    legs = [await bench.prepared(), await bench.prepared()]
    outcomes = await bench.gateway.send_many(legs, -1.0)
    assert [(outcome.order_id, outcome.code) for outcome in outcomes if isinstance(outcome, Rejected)] == [
        (leg.order_id, "deadline") for leg in legs
    ]
    assert await bench.gateway.open_orders() == []
