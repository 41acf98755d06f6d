"""What fills an order that rests: trades after its place in the queue, trades beyond its price, and a book that moves into it. Nothing else."""

from __future__ import annotations

import dataclasses

import pytest

from domain.market import MarketStatus
from tests.venues.paper.kit import BUY, FAK, GTD, MARKET, SELL, Desk
from venues.exchange import events as e


def quiet() -> Desk:
    desk = Desk()
    desk.book({40: 100, 39: 50}, {60: 100})
    return desk


def test_trades_reach_an_order_after_all_that_was_there_before_it() -> None:
    desk = quiet()
    order = desk.order(BUY, 40, 50)
    filled = []
    for size in (80, 30, 50):
        desk.print(SELL, 40, size)
        filled.append(desk.filled(order))
    assert filled == [0, 10, 50]


@pytest.mark.parametrize("print_first", [True, False])
def test_a_trade_told_twice_as_print_and_as_smaller_level_counts_once(print_first: bool) -> None:
    desk = quiet()
    order = desk.order(BUY, 40, 50)
    steps = [lambda: desk.print(SELL, 40, 80), lambda: desk.level(BUY, 40, 20)]
    for step in steps if print_first else reversed(steps):
        step()
    assert (desk.ahead(order), desk.filled(order)) == (20, 0)
    desk.print(SELL, 40, 25)
    assert desk.filled(order) == 5


def test_cancels_come_from_behind_as_long_as_somebody_is_there() -> None:
    desk = quiet()
    order = desk.order(BUY, 40, 50)
    desk.level(BUY, 40, 160)
    desk.level(BUY, 40, 120)
    desk.after(3)
    desk.level(BUY, 39, 51)
    assert desk.ahead(order) == 100
    desk.level(BUY, 40, 30)
    desk.level(BUY, 39, 52)
    assert desk.ahead(order) == 100  # it may have been a trade whose print is still to come
    desk.after(3)
    desk.level(BUY, 39, 53)
    assert desk.ahead(order) == 30


def test_a_touched_price_is_no_fill() -> None:
    desk = quiet()
    order = desk.order(BUY, 40, 10)
    desk.print(SELL, 40, 99)
    desk.print(BUY, 60, 1_000)
    desk.print(SELL, 41, 1_000)
    assert desk.filled(order) == 0


def test_a_trade_beyond_the_price_would_have_met_the_order_first() -> None:
    desk = quiet()
    order = desk.order(BUY, 40, 50)
    desk.print(SELL, 39, 20)
    assert desk.filled(order) == 20


def test_trades_of_the_other_token_are_the_same_trades_mirrored() -> None:
    desk = quiet()
    order = desk.order(BUY, 40, 50)
    desk.print(BUY, 60, 120, token="no")
    assert desk.filled(order) == 20
    other = desk.order(BUY, 35, 10, token="no")
    desk.print(BUY, 66, 10)
    assert desk.filled(other) == 10


def test_what_one_order_got_the_next_does_not_get_again() -> None:
    desk = quiet()
    first, second = desk.order(BUY, 40, 10), desk.order(BUY, 40, 10)
    desk.print(SELL, 40, 115)
    assert (desk.filled(first), desk.filled(second)) == (10, 5)


def test_a_trade_from_before_the_order_gives_it_nothing() -> None:
    desk = quiet()
    desk.after(1)
    order = desk.order(BUY, 41, 10)
    desk.print(SELL, 40, 500, ago_ms=1)
    assert desk.filled(order) == 0
    desk.print(SELL, 40, 500)
    assert desk.filled(order) == 10


def test_a_trade_that_the_first_book_after_a_gap_already_shows_gives_nothing() -> None:
    desk = quiet()
    order = desk.order(BUY, 40, 10)
    desk.after(1)
    desk.witness.on_gap(["yes"], "test")
    desk.book({40: 5}, {60: 100})
    desk.print(SELL, 40, 95, ago_ms=1)
    assert desk.filled(order) == 0


def test_a_trade_that_was_printed_and_is_still_shown_is_not_waited_for() -> None:
    desk = quiet()
    desk.print(SELL, 40, 80)
    assert desk.ahead(desk.order(BUY, 40, 10)) == 20


def test_a_book_that_moves_into_an_order_fills_it_at_its_own_price_as_far_as_it_goes() -> None:
    desk = quiet()
    order = desk.order(BUY, 40, 50)
    desk.level(BUY, 40, 0)
    desk.level(SELL, 38, 30)
    assert desk.filled(order) == 0  # bids of 39 still stand: a match is being told in several frames
    desk.level(BUY, 39, 0)
    assert desk.filled(order) == 30
    (trade,) = desk.exchange.trades("paper:test")
    assert trade.makers[0].price == 400_000
    desk.level(SELL, 38, 30)
    assert desk.filled(order) == 30
    desk.level(SELL, 38, 45)
    assert desk.filled(order) == 45


def test_a_book_that_moves_into_two_orders_is_shared_by_them_and_not_given_twice() -> None:
    desk = quiet()
    first, second = desk.order(BUY, 40, 20), desk.order(BUY, 40, 20)
    desk.book({30: 10}, {38: 30})
    assert (desk.filled(first), desk.filled(second)) == (20, 10)
    desk.level(SELL, 38, 35)
    assert desk.filled(second) == 15


def test_after_a_gap_an_order_stands_no_further_ahead_than_what_is_shown() -> None:
    desk = quiet()
    order = desk.order(BUY, 40, 10)
    desk.print(SELL, 40, 60)
    desk.witness.on_gap(["yes"], "test")
    desk.book({40: 500}, {60: 100})
    assert desk.ahead(order) == 40
    desk.witness.on_gap(["yes"], "test")
    desk.book({40: 15}, {60: 100})
    assert desk.ahead(order) == 15


def test_an_order_found_again_after_a_restart_waits_for_the_book_and_stands_behind_everybody() -> None:
    desk = quiet()
    order = desk.order(BUY, 40, 10)
    desk.print(SELL, 40, 95)
    assert desk.ahead(order) == 5
    desk.restart()

    desk.print(SELL, 40, 1_000)
    assert desk.filled(order) == 0
    assert desk.ahead(order) is None
    desk.book({40: 70}, {60: 100})
    assert desk.ahead(order) == 70
    desk.print(SELL, 40, 74)
    assert desk.filled(order) == 4


def test_a_trade_beyond_its_price_fills_an_order_whose_place_is_not_known() -> None:
    desk = quiet()
    order = desk.order(BUY, 40, 10)
    desk.restart()
    desk.print(SELL, 39, 3)
    assert desk.filled(order) == 3


def test_makers_pay_no_fee_and_takers_the_markets() -> None:
    desk = quiet()
    desk.order(BUY, 40, 10)
    desk.print(SELL, 39, 10)
    desk.after(5)
    assert desk.cash() == 996
    desk.order(BUY, 60, 10, FAK)
    desk.after(5)
    assert desk.cash() == 990 - MARKET.fees.taker_fee(600_000, 10_000_000) / 1e6


def test_timed_orders_end_and_cancelled_ones_are_filled_no_more() -> None:
    desk = quiet()
    timed = desk.order(BUY, 40, 10, GTD)
    desk.after(181)
    desk.print(SELL, 39, 100)
    view = desk.exchange.order(timed)
    assert (view.status, view.size_matched) == (e.VenueStatus.CANCELED_EXPIRED_ORDER, 0)


def test_a_resolution_cancels_and_pays() -> None:
    desk = quiet()
    desk.order(BUY, 60, 10, FAK)
    resting = desk.order(BUY, 40, 10)
    desk.after(5)
    cash = desk.cash()
    desk.witness.on_market(dataclasses.replace(MARKET, status=MarketStatus.SETTLED, accepting_orders=False, winner=0))
    assert desk.exchange.order(resting).status is e.VenueStatus.CANCELED_MARKET_RESOLVED
    desk.after(9)
    assert desk.cash() == cash + 10
