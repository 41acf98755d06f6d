"""Collateral, pairs, resolution and payouts."""

import pytest

from domain.fill import FillStatus
from domain.market import MarketStatus
from tests.venues.exchange.kit import BUY, FAK, SELL, Venue, d, market
from venues.exchange import commands as c
from venues.exchange import events as e


@pytest.fixture
def venue() -> Venue:
    venue = Venue()
    venue.fund("ann", "100")
    venue.fund("bob", "100", pairs="50")
    return venue


def test_splitting_and_merging_keep_every_pair_backed(venue):
    moved = venue.do(c.Split("ann", "m", d("30")))
    assert moved == e.FundsMoved("ann", e.FundsReason.SPLIT, "m", -d("30"), {"m:yes": d("30"), "m:no": d("30")})
    assert venue.exchange.collateral("m") == d("80")
    venue.do(c.Merge("ann", "m", d("10")))
    assert venue.cash("ann").settled == d("80")
    assert venue.tokens("ann", "no").settled == d("20")
    assert venue.exchange.collateral("m") == d("70")


def test_reserved_funds_can_be_neither_withdrawn_nor_split_nor_merged(venue):
    venue.place("bob", BUY, "yes", "0.50", "160")
    venue.place("bob", SELL, "no", "0.90", "45")
    assert isinstance(venue.do(c.Withdraw("bob", d("20.01"))), e.CommandRefused)
    assert isinstance(venue.do(c.Split("bob", "m", d("20.01"))), e.CommandRefused)
    assert isinstance(venue.do(c.Merge("bob", "m", d("5.01"))), e.CommandRefused)
    assert isinstance(venue.do(c.Merge("bob", "m", d("5"))), e.FundsMoved)
    assert venue.do(c.Withdraw("bob", d("25"))).cash == -d("25")


def test_resolution_cancels_open_orders_and_closes_the_book(venue):
    venue.place("ann", BUY, "yes", "0.50", "10", order_id="o")
    answer = venue.do(c.Resolve("m", 0))
    assert answer == e.MarketResolved("m", ("m:yes", "m:no"), 0, (d("1"), 0))
    (canceled,) = venue.got(e.OrderCanceled)
    assert canceled.order.status is e.VenueStatus.CANCELED_MARKET_RESOLVED
    assert venue.cash("ann") == e.Balance(settled=d("100"))
    assert venue.exchange.book("m:yes") is None
    assert venue.exchange.best("m:yes") == (0, d("1"))
    market = venue.exchange.market("m")
    assert (market.status, market.winner, market.tradable) == (MarketStatus.SETTLED, 0, False)
    assert venue.place("ann", BUY, "yes", "0.50", "10").code is e.RefusalCode.NO_ORDERBOOK


def test_a_delayed_order_is_cancelled_by_resolution_too():
    venue = Venue(taker_delay_ms=3000)
    venue.fund("ann", "100", pairs="10")
    venue.place("ann", SELL, "yes", "0.50", "10")
    venue.place("ann", BUY, "yes", "0.50", "10", order_id="o")
    venue.do(c.Resolve("m", 1))
    assert venue.exchange.order("o").status is e.VenueStatus.CANCELED_MARKET_RESOLVED
    assert venue.after(10) == []
    assert venue.cash("ann") == e.Balance(settled=d("100"))


@pytest.mark.parametrize(("winner", "payout"), [(0, "50"), (1, "50"), (None, "50")])
def test_a_pair_always_redeems_for_a_dollar(venue, winner, payout):
    venue.do(c.Resolve("m", winner))
    moved = venue.do(c.Redeem("bob", "m"))
    assert moved.cash == d(payout)
    assert venue.exchange.collateral("m") == 0
    assert isinstance(venue.do(c.Redeem("bob", "m")), e.CommandRefused)


@pytest.mark.parametrize(("winner", "payout"), [(0, "10"), (1, "0"), (None, "5")])
def test_each_token_redeems_for_its_payout(venue, winner, payout):
    venue.place("bob", SELL, "yes", "0.50", "10")
    venue.place("ann", BUY, "yes", "0.50", "10")
    venue.settle()
    venue.do(c.Resolve("m", winner))
    assert venue.exchange.payouts("m") == {0: (d("1"), 0), 1: (0, d("1")), None: (d("0.5"), d("0.5"))}[winner]
    moved = venue.do(c.Redeem("ann", "m"))
    assert (moved.cash, moved.tokens) == (d(payout), {"m:yes": -d("10")})
    assert venue.cash("ann").settled == d("95") + d(payout)


def test_auto_redeem_pays_everyone_and_leaves_no_collateral(venue):
    venue.place("bob", SELL, "yes", "0.50", "10")
    venue.place("ann", BUY, "yes", "0.50", "10")
    venue.settle()
    venue.do(c.Resolve("m", 0))
    venue.do(c.RedeemAll("m"))
    assert {moved.account: moved.cash for moved in venue.got(e.FundsMoved)} == {"ann": d("10"), "bob": d("40")}
    assert venue.exchange.collateral("m") == 0


def test_half_a_micro_unit_is_never_paid_twice(venue):
    venue.place("bob", SELL, "yes", "0.57", "50")
    venue.place_amounts("ann", BUY, "yes", d("10"), d("17.5438"), FAK)
    venue.settle()
    assert venue.tokens("ann", "yes").settled == d("17.543859")
    venue.do(c.Resolve("m", None))
    venue.do(c.RedeemAll("m"))
    assert [moved.cash for moved in venue.got(e.FundsMoved)] == [d("8.771929"), d("41.228070")]
    assert venue.exchange.collateral("m") == 1


@pytest.mark.parametrize("outcome", [FillStatus.CONFIRMED, FillStatus.FAILED])
def test_a_trade_in_flight_at_resolution_still_settles_and_then_redeems(venue, outcome):
    venue.place("bob", SELL, "yes", "0.50", "10")
    venue.place("ann", BUY, "yes", "0.50", "10")
    venue.do(c.Resolve("m", 0))
    venue.do(c.RedeemAll("m"))
    assert venue.tokens("bob", "yes").settled == d("10")
    venue.settle(outcome)
    venue.do(c.RedeemAll("m"))
    holder = "ann" if outcome is FillStatus.CONFIRMED else "bob"
    assert [(moved.account, moved.cash) for moved in venue.got(e.FundsMoved)] == [(holder, d("10"))]
    assert venue.cash("ann").settled + venue.cash("bob").settled == d("250")


def test_a_resolved_market_is_final(venue):
    venue.do(c.Resolve("m", 0))
    for command in (c.Resolve("m", 1), c.SetTick("m", 1000), c.SetAccepting("m", True), c.Split("ann", "m", 5)):
        assert isinstance(venue.do(command), e.CommandRefused)


def test_a_market_is_listed_once_and_only_when_it_makes_sense(venue):
    wrong = [
        market("m"),
        market("x", token_ids=("m:yes", "x:no")),
        market("x", token_ids=("x", "x")),
        market("x", tick=123),
        market("x", status=MarketStatus.CLOSED),
        market("x", min_size=-1),
    ]
    for listed in wrong:
        answer = venue.do(c.ListMarket(listed))
        assert isinstance(answer, e.CommandRefused), listed
    assert venue.do(c.ListMarket(market("x"))) == e.MarketListed(market("x"))
    assert [listed.condition_id for listed in venue.exchange.markets()] == ["m", "x"]
    assert venue.exchange.market_of("x:no") == market("x")
