"""Operators' commands on a running trader: done means done at the venue, refused says why."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.halt import HaltScope
from domain.money import MICRO, format_micros
from domain.order import Effect, OrderSide, OrderStatus, OrderType
from runtime.halting import CommandRefusedError
from runtime.kernel import Kernel
from runtime.status import trader_status
from tests.runtime.kit import House, events_of, gateway_of, open_at_venue, place, rest, signal
from tests.sim.ports import COMMIT_SECONDS
from tests.sim.world import TRADER
from trading.inbox import PendingCommand


@pytest.fixture
def house() -> House:
    return House()


def on(house: House, story: Any) -> None:
    """Run a story on a started kernel."""

    async def main() -> None:
        kernel = house.kernel()
        await kernel.start()
        await asyncio.sleep(0.2)
        await story(kernel)

    house.run(main)


async def command(kernel: Kernel, kind: str, *, id: str = "c-1", by: str = "ada", **payload: Any) -> dict[str, Any]:  # noqa: A002
    return await kernel.operator.handle(PendingCommand(id, kind, payload, by, expired=False))


def audited(house: House) -> list[str]:
    return [row["event"] for row in house.world.tables.rows["audit_log"]]


def order(kernel: Kernel, house: House, **changes: Any) -> dict[str, Any]:
    market = house.market()
    token = market.token_ids[0]
    book = kernel.books.get(token)
    assert book is not None
    facts = {
        "market_id": market.id, "token_id": token, "side": "buy", "price": format_micros(book.best_ask), "size": "10", "order_type": "FAK",
    }  # fmt: skip
    return facts | changes


def test_an_order_goes_through_risk_like_any_other_and_carries_the_operators_name(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        result = await command(kernel, "place", **order(kernel, house))
        await asyncio.sleep(0.2)

        (own,) = kernel.portfolio.orders.all()
        draft = own.order.draft
        assert result == {"signal_id": "c-1", "decision_id": draft.decision_id, "size": "10"}
        assert (draft.strategy, draft.reason, draft.effect, draft.order_type) == (
            "manual", "ordered by ada", Effect.OPEN, OrderType.FAK,
        )  # fmt: skip
        assert own.status is OrderStatus.MATCHED
        kernel.desk.halt(HaltScope.ALL, "", reason="odd", set_by="ada")
        with pytest.raises(CommandRefusedError, match="halted: all: odd"):
            await command(kernel, "place", id="c-2", **order(kernel, house))

    on(house, story)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"market_id": "m99"}, "market m99 is not known"),
        ({"price": "cheap"}, "expected a decimal number"),
        ({"price": 0.5}, "price was 0.5, expected text"),
        ({"size": None}, "size was None, expected text"),
        ({"side": "sideways"}, "sideways"),
        ({"order_type": "IOC"}, "IOC"),
        ({"order_type": "GTD"}, "wrong_expiration"),
        ({"effect": "reduce"}, "reduces_nothing"),
        ({"size": "1"}, "too_small"),
        ({"token_id": "77"}, "token_of_another_market"),
        ({"side": "sell"}, "not_enough_tokens"),
    ],
)
def test_a_bad_order_is_refused_with_what_is_wrong(house: House, changes: dict[str, Any], complaint: str) -> None:
    async def story(kernel: Kernel) -> None:
        with pytest.raises((CommandRefusedError, ValueError), match=complaint):
            await command(kernel, "place", **order(kernel, house, **changes))
        assert len(kernel.portfolio.orders) == 0

    on(house, story)


def test_what_an_operator_was_refused_shows_in_the_status_by_its_reason(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        for size in ("1000000", "1000000", "0.01"):
            with pytest.raises(CommandRefusedError):
                await command(kernel, "place", id=f"c-{size}", **order(kernel, house, size=size))
        counters = trader_status(kernel).counters
        assert {name: count for name, count in counters.items() if name.startswith("manual_")} == {
            "manual_refused_order_cap": 1, "manual_refused_duplicate": 1, "manual_refused_too_small": 1,
        }  # fmt: skip

    on(house, story)


def test_market_data_that_is_not_used_and_intents_that_fail_show_in_the_status(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        kernel.books.counters.unknown_tokens, kernel.books.counters.stale_snapshots = 1, 2
        kernel.engine.skipped_books, kernel.engine.submit_errors = 3, 4
        counted = {"unknown_tokens": 1, "stale_snapshots": 2, "skipped_books": 3, "submit_errors": 4}
        assert counted.items() <= trader_status(kernel).counters.items()

    on(house, story)


def test_a_command_without_a_price_is_refused_and_an_unknown_kind_too(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        payload = order(kernel, house)
        del payload["price"]
        with pytest.raises(KeyError, match="price"):
            await command(kernel, "place", **payload)
        with pytest.raises(CommandRefusedError, match="expected place, cancel"):
            await command(kernel, "explode")

    on(house, story)


def test_a_command_that_is_carried_out_again_after_a_crash_places_no_second_order(house: House) -> None:
    async def main() -> None:
        first = house.kernel()
        await first.start()
        await asyncio.sleep(0.2)
        payload = order(first, house, price="0.02", order_type="GTC", size="20")
        result = await command(first, "place", **payload)
        await asyncio.sleep(0.2)
        await house.kill(first)

        second = house.kernel()
        await second.start()
        again = await command(second, "place", **payload)
        await asyncio.sleep(0.2)

        assert again == result
        assert open_at_venue(house) == 1

    house.run(main)


def test_a_sale_is_taken_from_the_position_that_has_the_most(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        market = house.market()
        await place(kernel, market, source="one", size=20 * MICRO)
        await place(kernel, market, source="two", size=10 * MICRO)
        await house.settle(kernel)
        bid = kernel.books.get(market.token_ids[0]).best_bid

        kernel.desk.halt(HaltScope.ALL, "", reason="odd", set_by="ada")
        sale = order(kernel, house, side="sell", size="25", price=format_micros(bid), effect="open")
        result = await command(kernel, "place", **sale)
        await house.settle(kernel)

        assert result["size"] == "20"
        assert kernel.portfolio.positions.get(market.token_ids[0], "one") is None
        assert kernel.portfolio.positions.get(market.token_ids[0], "two").holding.size == 10 * MICRO
        assert [halt.scope for halt in kernel.halts.active()] == [HaltScope.ALL]
        told = events_of(kernel).signals[-1][0]
        assert (told.side, told.source, told.reason) == (OrderSide.SELL, "one", "ordered by ada")

    on(house, story)


def test_a_cancel_says_what_became_of_the_order(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        own = await rest(kernel, house.market())

        assert await command(kernel, "cancel", order_id=own.id) == {"order_id": own.id, "status": "cancelled"}

        assert own.explained
        with pytest.raises(CommandRefusedError, match="cancelled already"):
            await command(kernel, "cancel", order_id=own.id)
        with pytest.raises(CommandRefusedError, match="not known to the trader"):
            await command(kernel, "cancel", order_id="0xfeed")

    on(house, story)


def test_a_cancel_of_an_order_on_its_way_does_not_come_too_early(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        kernel.executor.submit(signal(kernel, house.market(), price=20_000))
        await asyncio.sleep(COMMIT_SECONDS + 0.01)
        (own,) = kernel.portfolio.orders.open()
        assert own.status is OrderStatus.SUBMITTED

        assert (await command(kernel, "cancel", order_id=own.id))["status"] == "cancelled"
        assert open_at_venue(house) == 0

    on(house, story)


def test_cancelling_everything_leaves_nothing_at_the_venue(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        for number in range(3):
            await rest(kernel, house.market(number))
        market = house.market()
        house.world.place(TRADER, "stranger", market.token_ids[0], OrderSide.BUY, 20_000, 10 * MICRO, OrderType.GTC)
        assert open_at_venue(house) == 4

        assert await command(kernel, "cancel_all") == {"open_before": 3, "open_after": 0, "confirmed": True}

        assert open_at_venue(house) == 0
        assert kernel.portfolio.orders.open() == []

    on(house, story)


def test_a_halt_is_done_when_the_venue_has_listed_no_order_of_its_scope_twice(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        market = house.market()
        await place(kernel, market, order_type=OrderType.FAK)
        await house.settle(kernel)
        opening = await rest(kernel, house.market(1))
        reducing = await place(kernel, market, side=OrderSide.SELL, effect=Effect.REDUCE, price=980_000)
        kernel.executor.submit(signal(kernel, house.market(2), price=20_000))
        house.log.clear()

        result = await command(kernel, "halt", scope="all", reason="storm")

        assert result == {"halted": True, "news": True, "durable": True, "open_after": 0, "confirmed": True}
        assert opening.status is OrderStatus.CANCELLED
        assert reducing.status is OrderStatus.CANCELLED
        assert house.log.count("read open orders") >= 2
        assert open_at_venue(house) == 0
        assert [row["reason"] for row in house.world.tables.rows["halts"]] == ["storm"]
        refused = kernel.executor.submit(signal(kernel, market))
        assert refused is not None
        assert refused.refusal == "halted"

    on(house, story)


def test_a_halt_of_one_market_leaves_the_others_alone_and_a_second_one_is_no_news(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        stopped, going_on = await rest(kernel, house.market(0)), await rest(kernel, house.market(1))

        await command(kernel, "halt", scope="market", target="m0")
        again = await command(kernel, "halt", scope="market", target="m0")

        assert stopped.status is OrderStatus.CANCELLED
        assert going_on.status is OrderStatus.LIVE
        assert again["news"] is False

    on(house, story)


def test_a_halt_tells_when_an_order_could_not_be_taken_back(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        await rest(kernel, house.market())
        gateway_of(kernel).down.add("cancel")

        result = await command(kernel, "halt", scope="all")
        assert (result["open_after"], result["confirmed"]) == (1, False)
        assert "halt_cancelled" not in audited(house)

        gateway_of(kernel).down.clear()
        await asyncio.sleep(10)
        assert open_at_venue(house) == 0
        assert "halt_cancelled" in audited(house)

    on(house, story)


def test_a_halt_that_the_venue_could_not_be_asked_about_is_not_said_to_be_confirmed(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        gateway_of(kernel).down.add("read open orders")

        assert (await command(kernel, "halt", scope="all"))["confirmed"] is False
        assert (await command(kernel, "cancel_all"))["confirmed"] is False

        gateway_of(kernel).down.clear()
        await asyncio.sleep(10)
        assert "halt_cancelled" in audited(house)
        assert (await command(kernel, "cancel_all"))["confirmed"] is True

    on(house, story)


@pytest.mark.parametrize("kind", ["halt", "flatten"])
@pytest.mark.parametrize(
    ("scope", "target", "complaint"),
    [
        ("all", "m0", "takes none"),
        ("arbitrage", "m0", "takes none"),
        ("venue", "", "trades at"),
        ("venue", "kalshi", "trades at"),
        ("market", "", "not known"),
        ("market", "m99", "not known"),
        ("strategy", "", "known are manual, test"),
        ("strategy", "flsh_crash", "known are manual, test"),
    ],
)
def test_what_is_not_there_cannot_be_halted(house: House, kind: str, scope: str, target: str, complaint: str) -> None:
    async def story(kernel: Kernel) -> None:
        await rest(kernel, house.market())
        with pytest.raises(CommandRefusedError, match=complaint):
            await command(kernel, kind, scope=scope, target=target)
        assert kernel.halts.active() == []

    on(house, story)


def test_trading_is_resumed_by_name_and_only_where_it_was_halted(house: House) -> None:
    async def story(kernel: Kernel) -> None:
        await rest(kernel, house.market(1))
        await command(kernel, "halt", scope="strategy", target="test")
        with pytest.raises(CommandRefusedError, match="nothing is halted for all"):
            await command(kernel, "resume", scope="all")
        with pytest.raises(ValueError, match="named person"):
            await command(kernel, "resume", by=" ", scope="strategy", target="test")

        assert await command(kernel, "resume", scope="strategy", target="test") == {"halted": False}
        assert (await rest(kernel, house.market())).status is OrderStatus.LIVE

    on(house, story)
