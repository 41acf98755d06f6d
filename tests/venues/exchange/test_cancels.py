"""Cancelling, and the reasons the venue gives for what it did not cancel."""

import pytest

from tests.venues.exchange.kit import BUY, SELL, Venue, d
from venues.exchange import commands as c
from venues.exchange import events as e
from venues.exchange.cancels import ALREADY_DONE, DELAYED, NOT_FOUND
from venues.exchange.events import VenueStatus


@pytest.fixture
def venue() -> Venue:
    venue = Venue()
    venue.fund("ann", "1000", pairs="100")
    venue.fund("bob", "1000", pairs="100")
    return venue


def test_a_cancelled_order_leaves_the_book_and_frees_its_funds(venue):
    venue.place("ann", BUY, "yes", "0.50", "10", order_id="o")
    answer = venue.do(c.CancelOrders("ann", ("o",)))
    assert answer == e.CancelAnswer("ann", ("o",), {})
    (canceled,) = venue.got(e.OrderCanceled)
    assert (canceled.order.id, canceled.order.status) == ("o", VenueStatus.CANCELED)
    assert venue.bids() == []
    assert venue.cash("ann") == e.Balance(settled=d("1000"))


def test_only_the_open_part_of_a_partly_filled_order_is_freed(venue):
    venue.place("ann", BUY, "yes", "0.50", "10", order_id="o")
    venue.place("bob", SELL, "yes", "0.50", "6")
    venue.do(c.CancelOrders("ann", ("o",)))
    assert venue.exchange.order("o").size_matched == d("6")
    assert venue.exchange.order("o").status is VenueStatus.CANCELED
    assert venue.cash("ann") == e.Balance(settled=d("1000"), outgoing=d("3"))


@pytest.mark.protocol("3.6")
def test_each_order_that_cannot_be_cancelled_has_its_reason(venue):
    venue.place("ann", BUY, "yes", "0.50", "10", order_id="mine")
    venue.place("ann", BUY, "yes", "0.49", "10", order_id="done")
    venue.place("bob", BUY, "yes", "0.50", "10", order_id="hers")
    venue.do(c.CancelOrders("ann", ("done",)))
    answer = venue.do(c.CancelOrders("ann", ("mine", "done", "hers", "0xunknown", "mine")))
    assert answer.canceled == ("mine",)
    assert answer.not_canceled == {"done": ALREADY_DONE, "hers": NOT_FOUND, "0xunknown": NOT_FOUND}
    assert venue.exchange.order("hers").status is VenueStatus.LIVE


def test_a_matched_order_cannot_be_cancelled(venue):
    venue.place("ann", BUY, "yes", "0.50", "10", order_id="o")
    venue.place("bob", SELL, "yes", "0.50", "10")
    assert venue.do(c.CancelOrders("ann", ("o",))).not_canceled == {"o": "already canceled or matched"}


def test_cancel_all_spares_the_orders_of_others(venue):
    venue.place("ann", BUY, "yes", "0.50", "10", order_id="a1")
    venue.place("ann", SELL, "no", "0.60", "10", order_id="a2")
    venue.place("bob", BUY, "yes", "0.40", "10", order_id="b1")
    assert venue.do(c.CancelAll("ann")).canceled == ("a1", "a2")
    assert [order.id for order in venue.exchange.open_orders("bob")] == ["b1"]
    assert venue.do(c.CancelAll("ann")) == e.CancelAnswer("ann", (), {})


@pytest.mark.parametrize(
    ("condition", "token", "expected"),
    [("m", "", ("y", "n")), ("", "m:yes", ("y",)), ("m", "m:no", ("n",)), ("other", "", ()), ("other", "m:yes", ())],
)
def test_cancelling_by_market_or_token(venue, condition, token, expected):
    venue.place("ann", BUY, "yes", "0.40", "10", order_id="y")
    venue.place("ann", BUY, "no", "0.40", "10", order_id="n")
    assert venue.do(c.CancelMarketOrders("ann", condition, token)).canceled == expected


@pytest.mark.protocol("3.5", "3.6")
def test_a_delayed_order_cannot_be_cancelled():
    venue = Venue(taker_delay_ms=3000)
    venue.fund("ann")
    venue.fund("bob", pairs="100")
    venue.place("bob", SELL, "yes", "0.50", "10")
    venue.place("ann", BUY, "yes", "0.50", "10", order_id="o")
    reason = {"o": DELAYED}
    assert venue.do(c.CancelOrders("ann", ("o",))).not_canceled == reason
    assert venue.do(c.CancelAll("ann")).not_canceled == reason
    assert venue.do(c.CancelMarketOrders("ann", "m")).not_canceled == reason
    assert DELAYED == "cannot cancel because the order is in pending/delayed status"
