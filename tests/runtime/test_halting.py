"""Halts and flattening on a whole kernel: in the right order, down to the last share that somebody bids for, and no cheaper than allowed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from domain.halt import HaltScope
from domain.market import Market
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus, OrderType
from domain.ports import Journal
from domain.reports import TradeReport
from runtime.halting import CommandRefusedError
from runtime.kernel import Kernel
from runtime.ports import Ports
from tests.runtime.kit import Catalog, House, gateway_of, open_at_venue, place, rest, signal
from tests.runtime.test_operator import command, on
from tests.trading import factories as f
from trading.flatten import _slice
from trading.inbox import PendingCommand
from trading.risk import Refusal
from trading.risk.losses import Loss


@pytest.fixture
def house() -> House:
    return House()


def events(house: House) -> list[str]:
    return [row["event"] for row in house.world.tables.rows["audit_log"]]


def held(kernel: Kernel) -> int:
    return sum(position.holding.size for position in kernel.portfolio.positions.open())


async def buy(kernel: Kernel, house: House, number: int = 0, **changes: Any) -> None:
    await place(kernel, house.market(number), order_type=OrderType.FAK, **changes)
    await house.settle(kernel)


def test_flattening_halts_cancels_and_sells_what_the_scope_holds_each_step_audited(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        await buy(kernel, house, 0)
        await buy(kernel, house, 1)
        await rest(kernel, house.market(2))

        result = await command(kernel, "flatten", scope="all", reason="storm")
        await house.settle(kernel)

        assert (result["halted"], result["open_after"], result["flatten"], result["positions_left"]) == (
            True,
            0,
            "flat",
            0,
        )
        assert open_at_venue(house) == 0
        assert held(kernel) == 0
        steps = [event for event in events(house) if event.startswith(("halt", "flatten"))]
        assert [step for step in steps if step != "flatten_slice"] == [
            "halt_set", "halt_durable", "halt_cancelled", "flatten_begun", "flatten_ended",
        ]  # fmt: skip
        assert steps.count("flatten_slice") >= 2
        assert kernel.halts.get(HaltScope.ALL, "") is not None

    on(house, story)


def test_flattening_a_market_leaves_the_others(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        await buy(kernel, house, 0)
        await buy(kernel, house, 1)

        result = await command(kernel, "flatten", scope="market", target="m0")
        await house.settle(kernel)

        assert result["flatten"] == "flat"
        assert [position.market_id for position in kernel.portfolio.positions.open() if position.holding.size] == ["m1"]

    on(house, story)


def test_flattening_a_strategy_leaves_what_others_hold_of_the_same_token(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        await buy(kernel, house, 0)
        await buy(kernel, house, 0, source="other")

        result = await command(kernel, "flatten", scope="strategy", target="other")
        await house.settle(kernel)

        assert result["flatten"] == "flat"
        assert [position.strategy for position in kernel.portfolio.positions.open() if position.holding.size] == [
            "test"
        ]

    on(house, story)


def test_what_cannot_be_sold_is_named_with_its_reason_position_by_position(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        await buy(kernel, house, 0)
        await buy(kernel, house, 0, source="other")
        for book in kernel.books:
            book.trusted = False
        told = []

        async def report(progress: dict[str, Any]) -> None:
            told.append(progress)

        asked = PendingCommand("c-1", "flatten", {"scope": "all"}, "ada", expired=False, report=report)
        result = await kernel.operator.handle(asked)

        assert (result["flatten"], result["positions_left"]) == ("given up", 2)
        assert result["waiting"] == {
            "m0 token1 of test": "nobody can be seen to bid", "m0 token1 of other": "nobody can be seen to bid",
        }  # fmt: skip
        assert told[-1]["waiting"] == result["waiting"]

    on(house, story)


@pytest.mark.parametrize(
    ("bid", "free", "sold"),
    [
        (100, 20, 20),
        (20, 20, 20),
        (18, 20, 15),
        (15, 20, 15),
        (8, 20, 8),
        (7, 9, 7),
        (3, 9, 3),
        (0, 9, 0),
    ],
)
def test_a_slice_leaves_no_rest_that_is_too_small_to_be_sold(bid: int, free: int, sold: int) -> None:
    assert _slice(bid * MICRO, free * MICRO, 5 * MICRO) == sold * MICRO


def test_resuming_stops_a_flattening(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        await buy(kernel, house, 0)
        for book in kernel.books:
            book.trusted = False
        flattening = asyncio.create_task(command(kernel, "flatten", scope="all"))
        await asyncio.sleep(3)
        kernel.desk.resume(HaltScope.ALL, "", lifted_by="ada")

        result = await flattening
        assert (result["flatten"], result["positions_left"]) == ("resumed", 1)

    on(house, story)


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        ({"max_slippage": "0"}, "max_slippage"),
        ({"max_slippage": "1"}, "max_slippage"),
        ({"scope": "arbitrage"}, "hedge each other"),
    ],
)
def test_a_bad_flattening_changes_nothing(house: House, payload: dict[str, str], complaint: str) -> None:
    async def story(kernel: Kernel) -> None:
        with pytest.raises(CommandRefusedError, match=complaint):
            await command(kernel, "flatten", **payload)
        assert kernel.halts.active() == []

    on(house, story)


def test_what_is_on_its_way_when_a_halt_comes_is_waited_for_and_cancelled_or_never_leaves(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        decisions = [kernel.executor.submit(signal(kernel, house.market(n), price=20_000)) for n in range(2)]
        await asyncio.sleep(0.06)
        late = kernel.executor.submit(signal(kernel, house.market(2), price=20_000))

        result = await command(kernel, "halt", scope="all")

        assert all(decision.draft is not None for decision in [*decisions, late])
        assert result["open_after"] == 0
        assert {own.status for own in kernel.portfolio.orders.all()} <= {OrderStatus.CANCELLED, OrderStatus.REJECTED}
        assert open_at_venue(house) == 0
        assert gateway_of(kernel).log.count("read open orders") >= 2

    on(house, story)


def test_while_what_is_held_has_no_price_new_risk_waits_and_what_reduces_goes_on(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        await buy(kernel, house, 0)
        book = kernel.books.get(next(kernel.portfolio.positions.open()).token_id)
        assert book is not None
        kernel.marks._bids.clear()
        book.trusted = False
        await asyncio.sleep(0.5)

        refused = kernel.executor.submit(signal(kernel, house.market(1)))
        assert (refused.refusal, refused.detail) == (Refusal.VENUE, "no price yet for what is held in market m0")
        sale = signal(kernel, house.market(0), side=OrderSide.SELL, effect=Effect.REDUCE, price=book.best_bid)
        assert kernel.executor.submit(sale).draft is not None

        book.trusted = True
        await asyncio.sleep(0.5)
        assert kernel.executor.submit(signal(kernel, house.market(1))).draft is not None

    on(house, story)


def test_a_loss_limit_stops_what_opens_and_lets_what_reduces_go_on(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        await buy(kernel, house, 0)
        position = next(kernel.portfolio.positions.open())
        book = kernel.books.get(position.token_id)
        assert book is not None
        kernel.losses._counts[Loss.DAY].start = 10_000 * MICRO
        await asyncio.sleep(3)

        assert [halt.target for halt in kernel.halts.active()] == ["daily_loss"]
        assert events(house).count("halt_cancelled") == 1
        refused = kernel.executor.submit(signal(kernel, house.market(1)))
        assert refused.refusal is Refusal.HALTED
        assert kernel.news.refusals["test"] == {"halted": 1}
        sale = signal(kernel, house.market(0), side=OrderSide.SELL, effect=Effect.REDUCE, price=book.best_bid)
        assert kernel.executor.submit(sale).draft is not None

    on(house, story)


def test_a_trade_in_a_market_that_is_never_listed_is_booked_and_one_that_cannot_be_is_named_when_its_halt_is_lifted(
    house: House,
) -> None:
    hidden = house.market(0)

    class Listing(Catalog):
        """Lists all markets but one, which it still knows by its condition."""

        async def markets(self) -> Any:
            markets, groups = await super().markets()
            return [market for market in markets if market.id != hidden.id], groups

    def dress(ports: Ports) -> Ports:
        async def nothing(_journal: Journal) -> list[Market]:
            return []

        setattr(ports.storage, "load_markets", nothing)  # noqa: B010
        return replace(ports, catalog=Listing(house.world))

    house.dress = dress

    async def story(kernel: Kernel) -> None:
        now = house.world.clock.now_ns()
        good = f.trade(
            f.order(), 10 * MICRO, condition_id=hidden.condition_id, token_id=hidden.token_ids[0], matched_ns=now
        )
        odd = replace(good, trade_id="odd", condition_id="0xnowhere")

        async def trades(after_ns: int = 0) -> list[TradeReport]:
            return [good, odd]

        setattr(gateway_of(kernel), "trades", trades)  # noqa: B010
        assert kernel.markets.get(hidden.id) is None
        await kernel.reconciler.run()

        assert kernel.portfolio.positions.size(good.token_id) == 10 * MICRO
        assert kernel.markets.committed(hidden.id)
        assert [halt.target for halt in kernel.halts.active()] == ["0xnowhere"]

        result = await command(kernel, "resume", scope="market", target="0xnowhere")
        assert (result["halted"], result["booked"]) == (False, 0)
        assert "trade odd of order" in result["left_out"][0]
        assert "the venue does not know it either" in result["left_out"][0]
        await kernel.reconciler.run()
        assert kernel.halts.active() == []

    on(house, story)
