"""Taker delays and expiry: what happens by the clock alone, whatever the driver's rhythm."""

import pytest

from domain.fees import FeeSchedule
from tests.venues.exchange.kit import BUY, FAK, FOK, GTC, GTD, SECOND, SELL, START, Venue, d
from venues.exchange import commands as c
from venues.exchange import events as e
from venues.exchange.events import VenueStatus

NOW_S = START // SECOND


@pytest.fixture
def venue() -> Venue:
    venue = Venue(taker_delay_ms=3000, fees=FeeSchedule(rate=40_000))
    venue.fund("ann", "100", pairs="100")
    venue.fund("bob", "1000", pairs="1000")
    venue.place("bob", SELL, "yes", "0.50", "10", order_id="ask")
    return venue


@pytest.mark.protocol("3.5")
def test_a_crossing_order_waits_with_its_funds_and_worst_fee_reserved(venue):
    answer = venue.place("ann", BUY, "yes", "0.50", "10", order_id="o")
    assert (answer.status, answer.making, answer.taking) == (VenueStatus.DELAYED, 0, 0)
    assert venue.got(e.OrderPlaced)[0].order.status is VenueStatus.DELAYED
    assert venue.cash("ann").reserved == d("5.1")
    assert venue.asks() == [(d("0.50"), d("10"))]
    assert venue.exchange.next_due_ns == START + 3 * SECOND


@pytest.mark.protocol("3.5", "9.16")
def test_it_trades_when_the_delay_is_over_and_not_before(venue):
    venue.place("ann", BUY, "yes", "0.50", "10", order_id="o")
    assert venue.after(2.999) == []
    venue.after(0.001)
    assert len(venue.got(e.TradeMatched)) == 1
    assert venue.exchange.order("o").status is VenueStatus.MATCHED
    assert venue.cash("ann") == e.Balance(settled=d("100"), outgoing=d("5.1"))


def test_an_order_that_does_not_cross_rests_at_once(venue):
    assert venue.place("ann", BUY, "yes", "0.49", "10").status is VenueStatus.LIVE


def test_a_delayed_order_whose_counterparty_left_rests(venue):
    venue.place("ann", BUY, "yes", "0.50", "10", order_id="o")
    venue.do(c.CancelAll("bob"))
    venue.after(3)
    assert venue.got(e.OrderUpdated)[0].order.status is VenueStatus.LIVE
    assert venue.bids() == [(d("0.50"), d("10"))]
    assert venue.cash("ann").reserved == d("5")


@pytest.mark.parametrize("order_type", [FOK, FAK])
def test_a_delayed_order_of_a_killed_type_ends_unmatched(venue, order_type):
    venue.place("ann", BUY, "yes", "0.50", "10", order_type, order_id="o")
    venue.do(c.CancelAll("bob"))
    venue.after(3)
    (canceled,) = venue.got(e.OrderCanceled)
    assert canceled.order.status is VenueStatus.UNMATCHED
    assert "killed" in canceled.order.reason
    assert venue.cash("ann") == e.Balance(settled=d("100"))


def test_a_delayed_order_is_cancelled_when_its_market_stopped_accepting(venue):
    venue.place("ann", BUY, "yes", "0.50", "10", order_id="o")
    venue.do(c.SetAccepting("m", False))
    venue.after(3)
    assert venue.exchange.order("o").status is VenueStatus.CANCELED
    assert venue.cash("ann").available == d("100")


def test_a_delayed_order_that_cannot_pay_the_worst_fee_is_refused_at_once(venue):
    venue.do(c.Withdraw("ann", d("94.95")))
    assert venue.place("ann", BUY, "yes", "0.50", "10").code is e.RefusalCode.NOT_ENOUGH_BALANCE


def test_delayed_orders_meet_the_book_in_the_order_of_their_release(venue):
    venue.place("ann", BUY, "yes", "0.50", "8", GTC, order_id="first")
    venue.now += SECOND
    venue.place("ann", BUY, "yes", "0.50", "8", GTC, order_id="second")
    venue.after(60)
    assert venue.exchange.order("first").size_matched == d("8")
    assert venue.exchange.order("second").size_matched == d("2")
    assert venue.exchange.order("second").updated_ns == START + 4 * SECOND


@pytest.mark.protocol("3.4")
def test_gtd_stops_a_minute_before_the_stated_time(venue):
    venue.place("ann", BUY, "yes", "0.40", "10", GTD, expiration_s=NOW_S + 300, order_id="o")
    assert venue.exchange.next_due_ns == START + 240 * SECOND
    assert venue.after(239.9) == []
    venue.after(0.1)
    (canceled,) = venue.got(e.OrderCanceled)
    assert (canceled.order.id, canceled.order.status) == ("o", VenueStatus.CANCELED_EXPIRED_ORDER)
    assert venue.bids() == []
    assert venue.cash("ann").reserved == 0


def test_an_order_expires_at_its_own_time_however_late_the_next_command_comes(venue):
    venue.place("ann", BUY, "yes", "0.40", "10", GTD, expiration_s=NOW_S + 300, order_id="o")
    venue.now += 10_000 * SECOND
    answer = venue.place("bob", SELL, "yes", "0.40", "10")
    assert answer.status is VenueStatus.LIVE
    assert venue.exchange.order("o").updated_ns == START + 240 * SECOND


def test_time_never_goes_back(venue):
    venue.after(10)
    venue.now -= 5 * SECOND
    venue.place("ann", BUY, "yes", "0.40", "10", order_id="o")
    assert venue.exchange.order("o").created_ns == START + 10 * SECOND
    assert venue.exchange.now_ns == START + 10 * SECOND


def test_pruning_drops_the_timers_of_cancelled_orders(venue):
    venue.place("ann", BUY, "yes", "0.40", "10", GTD, expiration_s=NOW_S + 86_400)
    venue.do(c.CancelAll("ann"))
    venue.do(c.Prune(0))
    assert venue.exchange.next_due_ns is None
