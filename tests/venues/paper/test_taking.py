"""What an order takes when it arrives: the depth that is shown, once."""

from __future__ import annotations

import dataclasses

import pytest

from domain.book import TickSizeChange
from domain.errors import VenueError
from domain.fill import FillStatus
from tests.venues.paper.kit import BUY, FAK, FOK, MARKET, SELL, Desk
from venues.exchange import events as e
from venues.paper.store import PaperStoreError


def deep(**changes) -> Desk:
    desk = Desk(dataclasses.replace(MARKET, **changes))
    desk.book({40: 100, 39: 50}, {60: 10, 61: 20.5, 65: 100})
    return desk


def test_an_order_walks_the_depth_level_by_level() -> None:
    desk = deep()
    order = desk.order(BUY, 61, 40)
    assert desk.prices(order) == [(60, 10), (61, 20.5)]
    assert desk.exchange.order(order).status is e.VenueStatus.LIVE


def test_depth_that_was_taken_stays_taken_until_the_venues_level_shrinks() -> None:
    desk = deep()
    desk.order(BUY, 60, 10, FAK)
    assert desk.send(BUY, 60, 10, FAK).code is e.RefusalCode.FAK_NOT_FILLED
    desk.book({40: 100, 39: 50}, {60: 10, 61: 20.5, 65: 100})
    assert desk.send(BUY, 60, 10, FAK).code is e.RefusalCode.FAK_NOT_FILLED
    desk.level(SELL, 60, 17)
    order = desk.order(BUY, 60, 10, FAK)
    assert desk.prices(order) == [(60, 7)]
    desk.level(SELL, 60, 0)
    desk.level(SELL, 60, 10)
    assert desk.prices(desk.order(BUY, 60, 10, FAK)) == [(60, 10)]


def test_a_level_that_shrinks_gives_back_no_more_than_it_lost() -> None:
    desk = deep()
    desk.order(BUY, 61, 20, FAK)
    desk.level(SELL, 61, 20)  # half a share less, of 10.163934 that were taken there
    assert desk.prices(desk.order(BUY, 61, 40, FAK)) == [(61, 10.336066)]


def test_the_same_depth_is_not_sold_again_through_the_other_token() -> None:
    desk = deep()
    desk.order(BUY, 60, 30, token="no")  # takes the bids of the first token at 40
    assert desk.prices(desk.order(BUY, 60, 100, FAK, token="no")) == [(60, 70)]


def test_fill_or_kill_and_post_only_mean_what_they_mean_at_the_venue() -> None:
    desk = deep()
    assert desk.send(BUY, 61, 40, FOK).code is e.RefusalCode.FOK_NOT_FILLED
    assert desk.send(BUY, 60, 10, post_only=True).code is e.RefusalCode.POST_ONLY_WOULD_CROSS
    assert desk.send(BUY, 60, 2, FAK).code is e.RefusalCode.MIN_SIZE
    assert desk.send(SELL, 40, 10).code is e.RefusalCode.NOT_ENOUGH_BALANCE
    assert desk.exchange.open_orders("paper:test") == []
    # A marketable buy spends its cash: what is saved at 60 buys a little more at 61.
    assert desk.prices(desk.order(BUY, 61, 30, FOK)) == [(60, 10), (61, 20.163934)]


def test_a_sale_takes_bids() -> None:
    desk = deep()
    desk.order(BUY, 61, 30, FOK)
    desk.after(5)
    assert desk.prices(desk.order(SELL, 39, 20, FAK)) == [(40, 20)]


def test_a_taker_delay_lets_an_order_meet_the_book_of_its_end() -> None:
    desk = deep(taker_delay_ms=150)
    order = desk.order(BUY, 60, 10)
    assert desk.exchange.order(order).status is e.VenueStatus.DELAYED
    desk.level(SELL, 60, 4)
    desk.after(0.2)
    assert desk.prices(order) == [(60, 4)]
    assert desk.exchange.order(order).status is e.VenueStatus.LIVE


def test_news_after_the_end_of_a_delay_changes_nothing_of_it() -> None:
    desk = deep(taker_delay_ms=150)
    order = desk.order(BUY, 60, 10)
    desk.clock.move(0.2)
    desk.level(SELL, 60, 0)
    assert desk.prices(order) == [(60, 10)]


def test_two_delayed_orders_do_not_share_one_level() -> None:
    desk = deep(taker_delay_ms=150)
    first, second = desk.order(BUY, 60, 6, FAK), desk.order(BUY, 60, 6, FAK)
    desk.after(0.2)
    assert (desk.prices(first), desk.prices(second)) == ([(60, 6)], [(60, 4)])


def test_without_a_trusted_book_nothing_is_taken_on() -> None:
    desk = Desk()
    assert desk.send(BUY, 40, 10).code is e.RefusalCode.NO_ORDERBOOK
    desk.book({40: 10}, {60: 10})
    desk.order(BUY, 40, 10)
    desk.witness.on_gap(["yes", "no"], "test")
    assert desk.send(BUY, 40, 10).code is e.RefusalCode.NO_ORDERBOOK


def test_a_level_that_the_venues_own_bids_have_reached_is_not_taken() -> None:
    desk = deep()
    desk.level(BUY, 60, 5)
    assert desk.prices(desk.order(BUY, 61, 15, FAK)) == [(61, 15)]


def test_terms_of_the_catalogue_and_ticks_of_the_feed_count() -> None:
    desk = deep()
    desk.order(BUY, 40, 10)
    desk.witness.on_market(dataclasses.replace(MARKET, min_size=20_000_000))
    assert desk.send(BUY, 40, 10).code is e.RefusalCode.MIN_SIZE
    desk.witness.on_market(dataclasses.replace(MARKET, accepting_orders=False))
    assert desk.send(BUY, 40, 30).code is e.RefusalCode.MARKET_NOT_READY


def test_a_memory_that_fails_ends_the_venue_before_anything_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = deep()
    resting = desk.order(BUY, 40, 10)

    def full(turn: object) -> None:
        raise PaperStoreError("the disk is full")

    object.__setattr__(desk.memory, "append", full)
    desk.print(SELL, 39, 10)
    assert (desk.filled(resting), desk.witness.failures) == (0, 1)
    with pytest.raises(VenueError, match="the disk is full"):
        desk.send(BUY, 40, 10)


def test_shares_whose_trade_has_not_settled_are_paid_out_when_it_has() -> None:
    desk = Desk()
    desk.restart(settles=((20.0, FillStatus.CONFIRMED),))
    desk.book({40: 100}, {60: 100})
    desk.order(BUY, 60, 10, FAK)
    desk.paper.resolve("c", 0)
    desk.after(15)
    assert desk.cash() == 1_000
    desk.after(6)
    desk.after(1)
    assert desk.cash() == pytest.approx(1_004 - MARKET.fees.taker_fee(600_000, 10_000_000) / 1e6)


def test_a_tick_that_the_feed_told_is_not_taken_back_by_an_older_catalogue() -> None:
    desk = Desk()
    desk.book({40: 100}, {60: 100})
    desk.order(BUY, 30, 10)
    desk.witness.on_tick_size(TickSizeChange("yes", "c", 10_000, 1_000, 1, 1))
    desk.witness.on_market(MARKET)
    listed = desk.exchange.market("c")
    assert listed is not None
    assert listed.tick == 1_000
