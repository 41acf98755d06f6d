"""Take-profit and stop-loss: one exit a position, of settled shares, with our own orders out of its way."""

from __future__ import annotations

import asyncio

import pytest

from domain.halt import HaltScope
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus, OrderType
from domain.reports import Rejected, Uncertain
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.trading.scripted import Book
from tests.waiting import virtual
from trading.exits import exit_reason
from trading.positions import OpenPosition

SELL = {"side": OrderSide.SELL, "effect": Effect.REDUCE}


def position(**levels) -> OpenPosition:
    return OpenPosition("p", f.ACCOUNT, "m1", f.YES, "token1", "test", f.NOW, **levels)


@pytest.mark.parametrize(
    ("levels", "bid", "reason"),
    [
        ({"take_profit": 600_000}, 599_999, ""),
        ({"take_profit": 600_000}, 600_000, "take profit"),
        ({"stop_loss": 400_000}, 400_001, ""),
        ({"stop_loss": 400_000}, 400_000, "stop loss"),
        ({"stop_loss": 400_000}, 0, ""),
        ({"take_profit": 600_000, "stop_loss": 400_000}, 500_000, ""),
        ({}, 990_000, ""),
    ],
)
def test_a_position_is_left_when_the_bid_reaches_its_price_and_never_into_an_empty_book(levels, bid, reason) -> None:
    assert exit_reason(position(**levels), bid).partition(":")[0] == reason


def sales(rig: Rig) -> list:
    return [signal for signal, _ in rig.decisions if signal.side is OrderSide.SELL]


async def look(rig: Rig, bid: int, *, seconds: float = 0.2) -> None:
    rig.book = Book(best_bid=bid, best_ask=bid + 20_000, received_ns=rig.clock.now_ns())
    rig.exits.on_book(f.YES, rig.book)
    await asyncio.sleep(seconds)


@virtual
async def test_a_stop_loss_sells_the_whole_position_at_the_bid_whatever_is_halted(clock) -> None:
    rig = Rig(clock)
    rig.hold(stop_loss=400_000)
    rig.desk.halt(HaltScope.ALL, "", reason="odd", set_by="ada")

    await look(rig, 390_000)

    (sale,) = sales(rig)
    assert (sale.price, sale.size, sale.order_type, sale.effect, sale.source) == (
        390_000, 10 * MICRO, OrderType.FAK, Effect.REDUCE, "test",
    )  # fmt: skip
    assert rig.decisions[-1][1].draft is not None


@virtual
async def test_one_exit_at_a_time(clock) -> None:
    rig = Rig(clock)
    rig.hold(take_profit=600_000)
    rig.venue.answers = [Uncertain(order_id="", text="timeout")]

    for _ in range(10):
        await look(rig, 610_000, seconds=0.3)

    assert len(sales(rig)) == 1


@virtual
async def test_an_exit_that_did_not_fill_is_tried_again_after_a_second(clock) -> None:
    rig = Rig(clock)
    rig.hold(take_profit=600_000)
    killed = Rejected(order_id="", code="fak_not_filled")
    rig.venue.answers = [killed] * 10

    for _ in range(20):
        await look(rig, 610_000, seconds=0.1)

    assert len(sales(rig)) == 2


@virtual
async def test_what_is_not_settled_is_sold_once_it_is_though_the_book_is_still(clock) -> None:
    rig = Rig(clock)
    own = rig.track(stop_loss=400_000)
    bought = rig.fill(own, 10 * MICRO, settled=False, trade_id="t-1")
    await look(rig, 390_000)
    assert sales(rig) == []

    rig.fill(own, 10 * MICRO, trade_id=bought.trade_id)
    rig.exits.check(lambda _: rig.book)

    assert [sale.size for sale in sales(rig)] == [10 * MICRO]


@virtual
async def test_without_a_book_to_rely_on_nothing_is_triggered(clock) -> None:
    rig = Rig(clock)
    rig.hold(stop_loss=400_000)

    rig.exits.check(lambda _: None)

    assert sales(rig) == []


@virtual
async def test_what_is_too_small_for_the_market_stays(clock) -> None:
    rig = Rig(clock)
    rig.hold(4 * MICRO, stop_loss=400_000)

    await look(rig, 390_000)

    assert rig.decisions == []


@virtual
async def test_a_resting_sale_of_the_same_strategy_is_cancelled_before_the_stop_loss_sells(clock) -> None:
    rig = Rig(clock)
    rig.hold(stop_loss=400_000)
    resting = await rig.place(**SELL, price=700_000)

    await look(rig, 390_000)
    assert resting.status is OrderStatus.CANCELLED
    assert "stop loss" in resting.reason
    await rig.resolver.resolve_due()
    await look(rig, 390_000)

    assert [sale.size for sale in sales(rig)] == [10 * MICRO]


@virtual
async def test_the_free_part_is_sold_at_once_while_a_resting_sale_holds_the_rest(clock) -> None:
    rig = Rig(clock)
    rig.hold(stop_loss=400_000)
    await rig.place(**SELL, price=700_000, size=5 * MICRO)

    await look(rig, 390_000, seconds=0.0)

    assert [sale.size for sale in sales(rig)] == [5 * MICRO]


@virtual
async def test_a_resting_sale_of_another_strategy_stays(clock) -> None:
    rig = Rig(clock)
    rig.hold(stop_loss=400_000)
    rig.hold(strategy="other")
    other = await rig.place(**SELL, source="other", price=700_000)

    await look(rig, 390_000)

    assert other.status is OrderStatus.LIVE
    assert [sale.size for sale in sales(rig)] == [10 * MICRO]


@pytest.mark.parametrize("opposing", [{"price": 390_000}, {"token_id": f.NO, "side": OrderSide.SELL, "price": 610_000}])
@virtual
async def test_an_order_of_ours_that_the_exit_would_trade_with_is_cancelled_first(opposing, clock) -> None:
    rig = Rig(clock)
    rig.hold(stop_loss=400_000)
    own = rig.track(**{"strategy": "other"} | opposing)
    rig.venue.drafts[own.id] = own.order.draft
    rig.venue.rest(own.id)

    await look(rig, 390_000)
    assert own.status is OrderStatus.CANCELLED
    assert sales(rig) == []
    await rig.resolver.resolve_due()
    await look(rig, 390_000)

    assert len(sales(rig)) == 1
    assert rig.decisions[-1][1].draft is not None


@virtual
async def test_an_opposing_order_that_perhaps_exists_does_not_hold_the_exit_up(clock) -> None:
    rig = Rig(clock)
    rig.hold(stop_loss=400_000)
    rig.track(OrderStatus.UNKNOWN, strategy="other", price=390_000)

    await look(rig, 390_000)

    assert rig.decisions[-1][1].draft is not None


@virtual
async def test_the_obstacle_is_cancelled_once_not_with_every_book(clock) -> None:
    rig = Rig(clock)
    rig.hold(stop_loss=400_000)
    await rig.place(**SELL, price=700_000)
    rig.venue.before = lambda name: asyncio.sleep(1.0) if name == "cancel" else None

    for _ in range(5):
        await look(rig, 390_000, seconds=0.05)

    assert len(rig.venue.calls("cancel")) == 1


@virtual
async def test_positions_of_a_market_that_is_not_known_are_left_alone(clock) -> None:
    rig = Rig(clock)
    rig.hold(stop_loss=400_000)
    rig.markets.clear()

    await look(rig, 390_000)

    assert rig.decisions == []


@virtual
async def test_times_of_attempts_do_not_pile_up(clock) -> None:
    rig = Rig(clock)
    for number in range(5):
        token = f"{number}0"
        rig.markets["m1"] = f.market(token_ids=(token, f"{number}1"))
        rig.hold(token_id=token, stop_loss=400_000, market=rig.markets["m1"])
        rig.exits.on_book(token, Book(best_bid=390_000))
        clock.advance(2)

    assert len(rig.exits._tried_ns) == 1
