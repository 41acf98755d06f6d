"""A paper twin beside an account: what is compared, and that the twin ends when its order does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from domain.fill import FillStatus, Liquidity
from domain.order import OrderSide, PreparedOrder
from domain.reports import Rejected, SendOutcome, TradeReport
from tests.conformance.gateway.bench import CENT, SHARE
from tests.conformance.gateway.paper_bench import MARKET, paper_bench
from tests.venues.simulator.kit import ManualClock
from venues.paper.drift import Drift, Pair, drift
from venues.paper.shadow import Twin


def trade(number: int, price: int, size: int, *, status: FillStatus = FillStatus.CONFIRMED) -> TradeReport:
    return TradeReport(
        trade_id=f"t{number}", order_id="live", condition_id="0xc", token_id=MARKET.token_ids[0], side=OrderSide.BUY, price=price, size=size,
        liquidity=Liquidity.TAKER, status=status, matched_ns=number,
    )  # fmt: skip


def compared(pair: Pair, bid: int) -> Drift:
    return drift([pair], lambda _: bid, account="live:0x1", twin="paper:t", since_ns=0, failures=0)


async def test_profit_fees_and_slippage_are_those_of_the_trades_that_did_not_fail(tmp_path: Path) -> None:
    async with paper_bench(tmp_path) as bench:
        pair = Pair(bench.draft(price=60 * CENT))
    pair.live_trade(trade(1, 50 * CENT, 10 * SHARE))
    pair.live_trade(trade(2, 60 * CENT, 10 * SHARE, status=FillStatus.MATCHED))
    pair.live_trade(trade(2, 60 * CENT, 10 * SHARE, status=FillStatus.FAILED))
    pair.twin.filled, pair.twin.cash = 20 * SHARE, 9 * SHARE

    found = compared(pair, 55 * CENT)

    fee = MARKET.fees.taker_fee(50 * CENT, 10 * SHARE)
    assert (found.filled_live, found.filled_twin, found.filled_only_live, found.filled_only_twin) == (
        10 * SHARE, 20 * SHARE, 0, 10 * SHARE,
    )  # fmt: skip
    # Ten shares that both got: 0.50 live, 0.45 on paper. Worth 0.55 each.
    assert (found.slippage, found.fees_live) == (500_000, fee)
    assert (found.profit_live, found.profit_twin) == (500_000 - fee, 2_000_000)


async def test_what_the_venue_refuses_ends_on_paper_too_though_its_placement_is_still_on_the_way(
    tmp_path: Path,
) -> None:
    async with paper_bench(tmp_path) as bench:
        twin = Twin("live:0x1", bench.paper, ManualClock())
        twin.prepared("live", bench.draft())
        twin.sent("live")
        twin.answered(Rejected(order_id="live", code="closed"))
        while twin._tasks:
            await asyncio.wait(set(twin._tasks))

        found = twin.figures()

        assert found is not None
        assert (found.orders, found.refused_live, found.refused_twin, found.failures) == (1, 1, 0, 0)
        assert await bench.gateway.open_orders() == []


async def test_a_cancel_waits_until_the_twin_of_its_order_is_placed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with paper_bench(tmp_path) as bench:
        arrives, begun, send = asyncio.Event(), asyncio.Event(), bench.gateway.send

        async def slow(prepared: PreparedOrder, deadline: float) -> SendOutcome:
            begun.set()
            await arrives.wait()
            return await send(prepared, deadline)

        monkeypatch.setattr(bench.paper.gateway, "send", slow)
        twin = Twin("live:0x1", bench.paper, ManualClock())
        twin.prepared("live", bench.draft())
        twin.sent("live")
        await begun.wait()
        twin.ended(["live"])
        for _ in range(10):
            await asyncio.sleep(0)
        arrives.set()
        while twin._tasks:
            await asyncio.wait(set(twin._tasks))

        assert twin.failures == 0
        assert await bench.gateway.open_orders() == []
