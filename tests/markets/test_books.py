"""What the feed says goes in; what strategies may believe comes out."""

from __future__ import annotations

import pytest

from domain.book import MarketListed, MarketResolved, TickSizeChange, TradePrint
from domain.market import Market, MarketStatus
from domain.order import OrderSide
from markets.books import Books
from markets.doubts import HELD_CHANGES
from tests.markets.builders import NO, YES, ManualClock, change, delta, make_market, snapshot

BUY, SELL = OrderSide.BUY, OrderSide.SELL


class Recorder:
    """A listener that remembers what it was told and checks that no crossed book ever comes."""

    def __init__(self) -> None:
        self.books: list[tuple[str, bool]] = []
        self.trades: list[TradePrint] = []
        self.ticks: list[Market] = []
        self.resolved: list[Market] = []
        self.listed: list[MarketListed] = []

    def on_book(self, update):
        assert not update.book.crossed
        self.books.append((update.book.token_id, update.whole))

    def on_trade(self, trade):
        self.trades.append(trade)

    def on_tick_size(self, market):
        self.ticks.append(market)

    def on_resolved(self, market):
        self.resolved.append(market)

    def on_listed(self, listed):
        self.listed.append(listed)


class World:
    """Books of one market, a listener, and the snapshots that were asked for."""

    def __init__(self, **details) -> None:
        self.clock = ManualClock()
        self.requests: list[str] = []
        self.told = Recorder()
        self.books = Books(self.clock, self.requests.append)
        self.books.listen(self.told)
        self.market = make_market(**details)
        self.books.watch(self.market)
        self.yes, self.no = self.books.get(YES), self.books.get(NO)

    def open(self) -> World:
        self.books.on_snapshot(snapshot({"0.48": "20"}, {"0.52": "30"}))
        self.books.on_snapshot(snapshot({"0.48": "30"}, {"0.52": "20"}, token_id=NO))
        self.told.books.clear()
        return self

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.books.check()


@pytest.fixture
def world() -> World:
    return World().open()


def test_a_book_is_trusted_from_its_first_snapshot_on():
    world = World()
    assert not world.yes.trusted
    world.books.on_delta(delta(change("BUY", "0.4", "1")))
    assert not world.yes.usable
    world.books.on_snapshot(snapshot({"0.48": "20"}, {"0.52": "30"}, venue_ms=3_000, received_ns=9))
    assert world.yes.usable
    assert (world.yes.venue_ms, world.yes.received_ns) == (3_000, 9)
    assert world.told.books[-1] == (YES, True)


def test_one_message_updates_both_books_before_anybody_is_told(world):
    seen = []
    world.told.on_book = lambda update: seen.append((update.book.token_id, world.yes.best_bid, world.no.best_ask))
    world.books.on_delta(
        delta(change("BUY", "0.49", "5", "0.49", "0.52"), change("SELL", "0.51", "5", "0.48", "0.51", NO))
    )
    assert seen == [(YES, 490_000, 510_000), (NO, 490_000, 510_000)]


def test_two_changes_of_one_token_are_one_update(world):
    world.books.on_delta(delta(change("BUY", "0.49", "5"), change("BUY", "0.47", "5")))
    assert world.told.books == [(YES, False)]


def test_messages_about_unwatched_tokens_are_counted_and_skipped(world):
    world.books.on_delta(delta(change("BUY", "0.49", "5", token_id="999"), change("BUY", "0.49", "5", "0.49", "0.52")))
    world.books.on_snapshot(snapshot({}, {}, token_id="999"))
    world.books.on_tick_size(TickSizeChange("999", "0x", 10_000, 1_000, 1, 1))
    world.books.on_resolved(MarketResolved("0xother", "999", 1, 1))
    assert world.books.counters.unknown_tokens == 3
    assert world.yes.best_bid == 490_000


def test_a_crossed_book_is_not_announced_and_recovers_without_a_request(world):
    world.books.on_delta(delta(change("BUY", "0.53", "5", "0.48", "0.52")))
    assert world.told.books == []
    assert not world.yes.usable
    world.wait(0.9)
    world.books.on_delta(delta(change("BUY", "0.53", "0", "0.48", "0.52")))
    # The crossed message went unheard, so this update is about the whole book; the next is not.
    assert world.told.books == [(YES, True)]
    world.books.on_delta(delta(change("BUY", "0.47", "1", "0.48", "0.52")))
    assert world.told.books == [(YES, True), (YES, False)]
    world.wait(5.0)
    assert (world.requests, world.yes.trusted) == ([], True)


def test_a_book_that_stays_crossed_loses_trust_and_asks_for_a_snapshot(world):
    world.books.on_delta(delta(change("BUY", "0.53", "5", "0.53", "0.54")))
    world.wait(1.1)
    assert (world.requests, world.yes.trusted) == ([YES], False)
    world.books.on_snapshot(snapshot({"0.53": "5"}, {"0.54": "1"}, venue_ms=3_000))
    assert world.yes.usable


def test_disagreement_with_the_venues_best_prices_must_last_before_a_snapshot_is_asked_for(world):
    world.books.on_delta(delta(change("BUY", "0.40", "5", "0.48", "0.51")))
    world.wait(0.9)
    assert world.requests == []
    world.books.on_delta(delta(change("BUY", "0.41", "5", "0.48", "0.51")))
    world.wait(0.2)
    assert (world.requests, world.yes.trusted) == ([YES], False)


def test_agreement_in_between_starts_patience_anew(world):
    for best_ask in ("0.51", "0.52", "0.51"):
        world.books.on_delta(delta(change("BUY", "0.40", "5", "0.48", best_ask)))
        world.wait(0.8)
    assert world.requests == []
    assert world.yes.trusted


@pytest.mark.parametrize("bad", [change("BUY", "0.485", "5"), change("BUY", "0.48", "-5"), change("HOLD", "0.48", "5")])
def test_a_malformed_change_takes_trust_at_once_and_harms_no_neighbour(world, bad):
    world.books.on_delta(delta(bad, change("SELL", "0.51", "5", "0.48", "0.51", NO)))
    assert (world.requests, world.yes.trusted) == ([YES], False)
    assert world.books.counters.malformed == 1
    assert world.no.usable
    assert world.no.best_ask == 510_000


def test_a_malformed_snapshot_takes_trust_and_keeps_the_old_levels(world):
    world.books.on_snapshot(snapshot({"0.4": "nan"}, {}, venue_ms=3_000))
    assert (world.requests, world.yes.trusted) == ([YES], False)
    assert world.yes.best_bid == 480_000


def test_requests_for_one_book_back_off_up_to_a_minute(world):
    world.books.on_delta(delta(change("BUY", "0.485", "5")))
    for _ in range(4 * 300):
        world.wait(0.25)
    assert 9 <= len(world.requests) <= 11


def test_backing_off_survives_snapshots_that_do_not_help(world):
    for second in range(120):
        world.books.on_delta(delta(change("BUY", "0.485", "5")))
        if len(world.requests) and not world.yes.trusted:
            world.books.on_snapshot(snapshot({"0.48": "20"}, {"0.52": "30"}, venue_ms=3_000 + second))
        world.wait(1.0)
    assert len(world.requests) <= 9


def test_changes_newer_than_the_requested_snapshot_are_put_on_top_of_it(world):
    world.books.on_delta(delta(change("BUY", "0.485", "5"), venue_ms=2_000))
    world.books.on_delta(delta(change("BUY", "0.45", "7"), venue_ms=2_500))
    world.books.on_delta(delta(change("BUY", "0.46", "8"), venue_ms=3_500))
    world.books.on_snapshot(snapshot({"0.44": "1"}, {"0.52": "30"}, venue_ms=3_000))
    assert world.yes.levels(BUY) == [(460_000, 8_000_000), (440_000, 1_000_000)]
    assert world.yes.usable
    assert world.yes.venue_ms == 3_500


def test_a_snapshot_that_is_late_beyond_all_held_changes_is_asked_for_again(world):
    world.books.on_delta(delta(change("BUY", "0.485", "5")))
    many = [change("BUY", "0.45", str(size)) for size in range(1, HELD_CHANGES + 2)]
    world.books.on_delta(delta(*many, venue_ms=5_000))
    world.books.on_snapshot(snapshot({"0.44": "1"}, {"0.52": "30"}, venue_ms=3_000))
    assert not world.yes.trusted
    assert world.yes.bid_size(440_000) == 0
    world.wait(2.0)
    assert world.requests == [YES, YES]


def test_a_snapshot_nobody_asked_for_does_not_set_a_newer_book_back(world):
    world.books.on_delta(delta(change("BUY", "0.49", "5", "0.49", "0.52"), venue_ms=9_000))
    world.books.on_snapshot(snapshot({"0.44": "1"}, {"0.52": "30"}, venue_ms=8_000))
    assert world.yes.best_bid == 490_000
    assert world.books.counters.stale_snapshots == 1


def test_a_gap_takes_trust_until_the_next_snapshot_however_old_its_time(world):
    world.books.on_gap([YES, NO, "999"], "reconnected")
    assert not world.yes.trusted
    assert not world.no.trusted
    world.books.on_snapshot(snapshot({"0.30": "1"}, {"0.52": "30"}, venue_ms=1))
    assert world.yes.usable
    assert not world.no.trusted
    assert world.requests == []


def test_a_tick_change_moves_both_books_once_and_tells_the_market(world):
    for token in (YES, NO):
        world.books.on_tick_size(TickSizeChange(token, "0xm1", 10_000, 1_000, 3_000, 9))
    assert [market.tick for market in world.told.ticks] == [1_000]
    assert world.books.market(YES).tick == 1_000
    assert (world.yes.epoch, world.no.epoch) == (1, 1)
    assert world.told.books == [(YES, True), (NO, True)]
    assert world.yes.usable
    world.books.on_delta(delta(change("BUY", "0.481", "1", "0.481", "0.52")))
    assert world.yes.best_bid == 481_000


def test_a_snapshot_that_names_another_tick_moves_the_grid(world):
    world.books.on_snapshot(snapshot({"0.4815": "20"}, {"0.52": "30"}, venue_ms=3_000, tick=100))
    assert (world.yes.tick, world.no.tick, world.yes.best_bid) == (100, 100, 481_500)


def test_a_tick_that_no_venue_has_is_refused(world):
    world.books.on_tick_size(TickSizeChange(YES, "0xm1", 10_000, 30_000, 3_000, 9))
    assert (world.yes.tick, world.yes.trusted, world.requests) == (10_000, False, [YES])


def test_levels_without_a_place_on_a_coarser_grid_cost_trust():
    world = World(tick=1_000)
    world.books.on_snapshot(snapshot({"0.481": "20"}, {"0.52": "30"}))
    world.books.on_tick_size(TickSizeChange(YES, "0xm1", 1_000, 10_000, 3_000, 9))
    assert not world.yes.trusted
    assert world.requests == [YES]


def test_a_listing_that_lags_does_not_take_back_the_tick(world):
    world.books.on_tick_size(TickSizeChange(YES, "0xm1", 10_000, 1_000, 3_000, 9))
    world.books.watch(make_market(question="New words?"))
    assert (world.books.market(YES).tick, world.books.market(YES).question) == (1_000, "New words?")
    assert world.yes.tick == 1_000


def test_a_resolved_market_is_closed_names_its_winner_and_stays_closed(world):
    world.books.on_resolved(MarketResolved("0xm1", NO, 3_000, 9))
    (market,) = world.told.resolved
    assert (market.status, market.accepting_orders, market.winner) == (MarketStatus.SETTLED, False, 1)
    assert not world.yes.trusted
    world.books.watch(world.market)
    assert not world.books.market(YES).tradable


def test_a_market_that_pays_both_halves_has_no_winner(world):
    world.books.on_resolved(MarketResolved("0xm1", "", 3_000, 9))
    assert world.told.resolved[0].winner is None


def test_our_orders_leave_the_depth_of_both_tokens(world):
    world.books.set_own(YES, BUY, 480_000, 12_000_000)
    assert world.yes.bid_size(480_000) == 8_000_000
    assert world.no.ask_size(520_000) == 8_000_000
    world.books.set_own(NO, SELL, 520_000, 8_000_000)
    assert world.yes.bid_size(480_000) == world.no.ask_size(520_000) == 0
    world.books.set_own(YES, BUY, 480_000, 0)
    assert world.yes.bid_size(480_000) == world.no.ask_size(520_000) == 12_000_000


def test_our_orders_are_remembered_over_grids_and_over_not_watching(world):
    world.books.set_own(YES, BUY, 480_000, 12_000_000)
    world.books.on_tick_size(TickSizeChange(YES, "0xm1", 10_000, 1_000, 3_000, 9))
    assert world.yes.bid_size(480_000) == 8_000_000
    world.books.unwatch("m1")
    world.books.set_own(YES, BUY, 480_000, 5_000_000)
    world.books.watch(world.market)
    world.books.on_snapshot(snapshot({"0.48": "20"}, {"0.52": "30"}))
    assert world.books.get(YES).bid_size(480_000) == 15_000_000


def test_unwatched_markets_leave_nothing_behind(world):
    world.books.on_delta(delta(change("BUY", "0.485", "5")))
    world.books.unwatch("m1")
    world.books.unwatch("m1")
    world.wait(5.0)
    assert len(world.books) == 0
    assert list(world.books) == []
    assert world.books.market(YES) is None


def test_complement_is_the_other_tokens_book(world):
    assert world.books.complement(world.yes) is world.no


def test_trades_and_listings_are_passed_on(world):
    trade = TradePrint(YES, "0xm1", "BUY", 500_000, 1_000_000, 1, 1)
    listed = MarketListed("0xm2", ["1", "2"], 1, 1)
    world.books.on_trade(trade)
    world.books.on_listed(listed)
    assert (world.told.trades, world.told.listed) == ([trade], [listed])
