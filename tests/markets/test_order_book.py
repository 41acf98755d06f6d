"""The order book against a naive dictionary of levels, and what it does with levels that make no sense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.book import Level
from domain.errors import InvalidOrderError
from domain.money import MICRO, format_micros
from domain.order import OrderSide
from domain.ticks import TICK_SIZES
from markets.order_book import NO_ASK, NO_BID, OrderBook
from tests.markets.builders import change

BUY, SELL = OrderSide.BUY, OrderSide.SELL


def filled_book(tick: int = 10_000) -> OrderBook:
    book = OrderBook("101", "m1", tick)
    assert book.replace([Level("0.4", "10"), Level("0.48", "20.5")], [Level("0.6", "5"), Level("0.52", "100")])
    return book


@st.composite
def histories(draw):
    tick = draw(st.sampled_from(sorted(TICK_SIZES)))
    count = MICRO // tick - 1
    # A narrow band, so that levels are hit again and the best is deleted often.
    low = draw(st.integers(1, count))
    prices = st.integers(low, min(count, low + 12)).map(lambda i: i * tick)
    sizes = st.sampled_from([0, 0, 1, 10_000, 1_234_567, 8_999_999_999_000_000])
    return tick, draw(st.lists(st.tuples(st.sampled_from([BUY, SELL]), prices, sizes), max_size=60))


@given(histories(), st.integers(1, 5))
def test_book_equals_a_naive_dictionary_after_any_changes(history, depth):
    tick, changes = history
    book = OrderBook("101", "m1", tick)
    naive: dict[OrderSide, dict[int, int]] = {BUY: {}, SELL: {}}
    for side, price, size in changes:
        assert book.apply(change(side.upper(), format_micros(price), format_micros(size)))
        naive[side][price] = size
        if not size:
            del naive[side][price]
        assert book.best_bid == max(naive[BUY], default=NO_BID)
        assert book.best_ask == min(naive[SELL], default=NO_ASK)
    bids = sorted(naive[BUY].items(), reverse=True)
    asks = sorted(naive[SELL].items())
    assert book.levels(BUY, 100) == bids
    assert book.levels(SELL, 100) == asks
    assert book.levels(BUY, depth) == bids[:depth]
    assert book.crossed == bool(bids and asks and bids[0][0] >= asks[0][0])
    assert all(book.bid_size(price) == size for price, size in bids)
    assert all(book.ask_size(price) == size for price, size in asks)


@given(histories(), histories())
def test_snapshot_replaces_everything_that_was_there(before, after):
    tick, changes = after
    book = OrderBook("101", "m1", tick)
    for side, price, size in before[1]:
        book.apply(change(side.upper(), format_micros(price), format_micros(size)))
    sides = {side: {price: size for each, price, size in changes if each is side} for side in (BUY, SELL)}
    levels = {
        side: [Level(format_micros(p), format_micros(s)) for p, s in held.items()] for side, held in sides.items()
    }
    assert book.replace(levels[BUY], levels[SELL])
    assert book.levels(BUY, 100) == sorted(((p, s) for p, s in sides[BUY].items() if s), reverse=True)
    assert book.levels(SELL, 100) == sorted((p, s) for p, s in sides[SELL].items() if s)
    assert book.same_levels(levels[BUY], levels[SELL])


def test_an_empty_book_has_no_prices_and_is_not_crossed():
    book = OrderBook("101", "m1", 10_000)
    assert (book.best_bid, book.best_ask) == (NO_BID, NO_ASK)
    assert not book.crossed
    assert not book.two_sided
    assert book.levels(BUY) == book.levels(SELL) == []


def test_mid_and_spread_are_exact_micro_units():
    book = OrderBook("101", "m1", 100)
    book.replace([Level("0.4999", "1")], [Level("0.5002", "1")])
    assert (book.mid, book.spread, book.two_sided) == (500_050, 300, True)


@pytest.mark.parametrize(
    ("side", "price", "size"),
    [
        ("BUY", "0.505", "10"),
        ("BUY", "0", "10"),
        ("BUY", "1", "10"),
        ("BUY", "-0.5", "10"),
        ("BUY", "1.01", "10"),
        ("BUY", "half", "10"),
        ("BUY", "", "10"),
        ("BUY", "nan", "10"),
        ("BUY", "0.5000000001", "10"),
        ("BUY", "0.48", "-1"),
        ("BUY", "0.48", "nan"),
        ("BUY", "0.48", "inf"),
        ("BUY", "0.48", "1e10"),
        ("BUY", "0.48", ""),
        ("SELL", "0.52", "many"),
        ("buy", "0.48", "10"),
        ("", "0.48", "10"),
    ],
)
def test_malformed_changes_are_refused_and_change_nothing(side, price, size):
    book = filled_book()
    before = book.levels(BUY), book.levels(SELL)
    assert not book.apply(change(side, price, size))
    assert (book.levels(BUY), book.levels(SELL)) == before


@pytest.mark.parametrize(
    "bad",
    [
        [Level("0.485", "1")],
        [Level("0", "1")],
        [Level("0.4", "-1")],
        [Level("0.4", "nan"), Level("0.41", "1")],
        [Level("0.41", "1"), Level("0.4", "nan")],
        [Level("0.4", "inf")],
        [Level("0.4", "x")],
        [Level("0.4", "1"), Level("0.40", "2")],
    ],
)
def test_a_snapshot_with_one_malformed_level_is_refused_as_a_whole(bad):
    book = filled_book()
    before = book.levels(BUY), book.levels(SELL)
    assert not book.replace(bad, [Level("0.6", "1")])
    assert not book.replace([Level("0.1", "1")], bad)
    assert (book.levels(BUY), book.levels(SELL)) == before


def test_a_level_repeated_word_for_word_is_one_level():
    book = filled_book()
    assert book.replace([Level("0.4", "1"), Level("0.4", "1")], [])
    assert book.levels(BUY) == [(400_000, 1_000_000)]


def test_other_spellings_of_a_price_mean_the_same_level():
    book = filled_book()
    assert book.apply(change("BUY", "0.480", "7"))
    assert book.apply(change("BUY", "00.4", "0"))
    assert book.levels(BUY) == [(480_000, 7_000_000)]
    assert book.agrees(change("BUY", "0.48", "7", "0.4800", "0.520"))


def test_agreement_compares_only_the_sides_the_venue_mentions():
    book = filled_book()
    assert book.agrees(change("BUY", "0.4", "1", "0.48", "0.52"))
    assert book.agrees(change("BUY", "0.4", "1", "", "0.52"))
    assert book.agrees(change("BUY", "0.4", "1"))
    assert not book.agrees(change("BUY", "0.4", "1", "0.47", "0.52"))
    assert not book.agrees(change("BUY", "0.4", "1", "0.48", "0.51"))
    assert not book.agrees(change("BUY", "0.4", "1", "0", "0.52"))


def test_empty_sides_agree_with_zero_and_one():
    book = OrderBook("101", "m1", 10_000)
    assert book.agrees(change("BUY", "0.4", "0", "0", "1"))
    assert book.agrees(change("BUY", "0.4", "0", "0", "0"))


def test_a_finer_grid_keeps_every_level_and_begins_an_epoch():
    book = filled_book()
    assert book.regrid(1_000)
    assert (book.tick, book.epoch) == (1_000, 1)
    assert book.levels(BUY) == [(480_000, 20_500_000), (400_000, 10_000_000)]
    assert book.levels(SELL) == [(520_000, 100_000_000), (600_000, 5_000_000)]
    assert book.apply(change("BUY", "0.481", "1"))
    assert book.best_bid == 481_000


def test_a_coarser_grid_that_has_no_place_for_a_level_leaves_an_empty_book():
    book = filled_book(1_000)
    book.apply(change("BUY", "0.481", "1"))
    assert not book.regrid(10_000)
    assert (book.tick, book.epoch, book.best_bid, book.best_ask) == (10_000, 1, NO_BID, NO_ASK)


def test_an_unknown_tick_size_is_an_error():
    with pytest.raises(InvalidOrderError, match=r"tick size was 0\.03"):
        OrderBook("101", "m1", 30_000)


def test_our_own_orders_are_not_part_of_the_depth_strategies_see():
    book = filled_book()
    book.set_own(BUY, 480_000, 20_500_000)
    book.set_own(SELL, 520_000, 40_000_000)
    assert book.best_bid == 400_000
    assert book.best_ask == 520_000
    assert book.bid_size(480_000) == 0
    assert book.levels(SELL) == [(520_000, 60_000_000), (600_000, 5_000_000)]
    assert book.venue_best_bid == 480_000
    assert book.venue_size(BUY, 48) == 20.5


def test_own_orders_the_venue_does_not_show_yet_never_make_negative_depth():
    book = filled_book()
    book.set_own(BUY, 400_000, 50_000_000)
    assert book.levels(BUY) == [(480_000, 20_500_000)]
    assert book.bid_size(400_000) == 0
    book.set_own(BUY, 480_000, 50_000_000)
    assert book.best_bid == NO_BID
    assert not book.two_sided


def test_ended_own_orders_leave_the_depth_to_others():
    book = filled_book()
    book.set_own(BUY, 480_000, 20_500_000)
    book.set_own(BUY, 480_000, 0)
    assert book.best_bid == 480_000


@given(
    histories(), st.dictionaries(st.tuples(st.sampled_from([BUY, SELL]), st.integers(0, 20)), st.integers(1, 3_000_000))
)
def test_net_depth_is_the_venues_depth_minus_ours(history, own):
    tick, changes = history
    book = OrderBook("101", "m1", tick)
    for side, price, size in changes:
        book.apply(change(side.upper(), format_micros(price), format_micros(size)))
    gross = {side: dict(book.levels(side, 1000)) for side in (BUY, SELL)}
    low = min((price for _, price, _ in changes), default=tick)
    ours = {(side, low + step * tick): size for (side, step), size in own.items()}
    for (side, price), size in ours.items():
        book.set_own(side, price, size)
    for side, best in ((BUY, NO_BID), (SELL, NO_ASK)):
        net = {p: s - ours.get((side, p), 0) for p, s in gross[side].items() if s > ours.get((side, p), 0)}
        assert dict(book.levels(side, 1000)) == net
        assert (book.best_bid if side is BUY else book.best_ask) == (max if side is BUY else min)(net, default=best)


def test_venue_levels_are_parallel_lists_with_the_best_first():
    book = filled_book()
    assert book.venue_levels(BUY) == ([48, 40], [20.5, 10.0])
    assert book.venue_levels(SELL) == ([52, 60], [100.0, 5.0])
