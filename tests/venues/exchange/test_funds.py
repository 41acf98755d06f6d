"""Collateral, pairs, resolution and payouts."""

import pytest

from domain.fill import FillStatus
from domain.market import MarketStatus
from tests.venues.exchange.invariants import check_all
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


def test_moving_what_orders_reserve_cancels_the_newest_of_them(venue):
    venue.place("bob", BUY, "yes", "0.50", "100", order_id="old")
    venue.place("bob", BUY, "yes", "0.50", "60", order_id="new")
    venue.place("bob", SELL, "no", "0.90", "45", order_id="sale")
    moved = venue.do(c.Withdraw("bob", d("25")))
    assert moved.cash == -d("25")
    (canceled,) = venue.got(e.OrderCanceled)
    assert (canceled.order.id, canceled.order.status) == ("new", e.VenueStatus.CANCELED_NOT_ENOUGH_BALANCE)
    assert venue.do(c.Merge("bob", "m", d("5"))).cash == d("5")
    assert venue.got(e.OrderCanceled) == []
    venue.do(c.Merge("bob", "m", d("1")))
    assert [gone.order.id for gone in venue.got(e.OrderCanceled)] == ["sale"]
    check_all(venue.exchange)


def test_what_is_in_flight_can_be_neither_withdrawn_nor_split_nor_merged_nor_sent(venue):
    venue.place("bob", SELL, "no", "0.50", "45")
    venue.place("ann", BUY, "no", "0.50", "45", order_type=FAK)
    assert isinstance(venue.do(c.Withdraw("ann", d("77.51"))), e.CommandRefused)
    assert isinstance(venue.do(c.Split("ann", "m", d("77.51"))), e.CommandRefused)
    assert isinstance(venue.do(c.Merge("bob", "m", d("5.01"))), e.CommandRefused)
    assert isinstance(venue.do(c.Transfer("bob", "ann", "m:no", d("5.01"))), e.CommandRefused)
    assert venue.do(c.Transfer("bob", "ann", "m:no", d("5"))).tokens == {"m:no": d("5")}


def test_a_transfer_tells_both_sides(venue):
    answer = venue.do(c.Transfer("bob", "eve", "m:yes", d("7")))
    assert answer == e.FundsMoved("eve", e.FundsReason.TRANSFER, "m", 0, {"m:yes": d("7")})
    assert venue.got(e.FundsMoved)[0] == e.FundsMoved("bob", e.FundsReason.TRANSFER, "m", 0, {"m:yes": -d("7")})
    venue.do(c.Transfer("bob", "eve", "", d("30")))
    assert venue.cash("eve").settled == d("30")
    assert isinstance(venue.do(c.Transfer("bob", "bob", "", d("1"))), e.CommandRefused)
    check_all(venue.exchange)


@pytest.mark.parametrize("winner", [0, 1, 2])
@pytest.mark.parametrize("given", [(0,), (0, 2), (0, 1, 2)])
def test_a_conversion_is_worth_the_same_whichever_market_wins(given, winner):
    venue = Venue()
    for name in ("n", "o"):
        venue.do(c.ListMarket(market(name)))
    names = ("m", "n", "o")
    venue.fund("ann", "100")
    for name in names:
        venue.do(c.Split("ann", name, d("10")))
    fee = d("0.4")
    moved = venue.do(c.Convert("ann", "pool", names, given, d("10"), fee))
    others = [name for index, name in enumerate(names) if index not in given]
    assert moved.cash == (len(given) - 1) * d("9.6")
    assert moved.tokens == {f"{names[index]}:no": -d("10") for index in given} | {
        f"{name}:yes": d("9.6") for name in others
    }
    check_all(venue.exchange)
    for index, name in enumerate(names):
        venue.do(c.Resolve(name, 0 if index == winner else 1))
        venue.do(c.RedeemAll(name))
    check_all(venue.exchange)
    lost = (len(given) - 1) * fee + (fee if winner not in given else 0)
    assert venue.cash("ann").settled == d("100") - lost
    assert venue.cash("pool").settled == 2 * d("10") + lost
    assert all(venue.exchange.collateral(name) == 0 for name in names)


@pytest.mark.parametrize(
    ("given", "amount", "fee"),
    [((), "1", "0"), ((3,), "1", "0"), ((0, 0), "1", "0"), ((0,), "0", "0"), ((0,), "10.01", "0"), ((0,), "1", "1.1")],
)
def test_a_conversion_that_cannot_be_changes_nothing(given, amount, fee):
    venue = Venue()
    venue.do(c.ListMarket(market("n")))
    venue.fund("ann", "100", pairs="10")
    before = venue.exchange.state_hash()
    assert isinstance(venue.do(c.Convert("ann", "pool", ("m", "n"), given, d(amount), d(fee))), e.CommandRefused)
    assert venue.exchange.state_hash() == before


def test_one_token_can_be_redeemed_in_parts(venue):
    venue.do(c.Resolve("m", None))
    assert venue.do(c.Redeem("bob", "m", "m:no", d("20"))).cash == d("10")
    assert venue.tokens("bob", "no").settled == d("30")
    assert venue.tokens("bob", "yes").settled == d("50")
    for token, amount in (("m:no", d("30.01")), ("m:no", 0), ("other", d("1"))):
        assert isinstance(venue.do(c.Redeem("bob", "m", token, amount)), e.CommandRefused)
    assert venue.do(c.Redeem("bob", "m")).cash == d("40")
    check_all(venue.exchange)


def test_accounts_that_keep_their_tokens_are_not_paid_with_the_others(venue):
    venue.fund("ann", "10", pairs="10")
    venue.do(c.Resolve("m", 0))
    venue.do(c.RedeemAll("m", ("ann",)))
    assert venue.tokens("ann", "yes").settled == d("10")
    assert venue.tokens("bob", "yes").settled == 0
    assert venue.do(c.Redeem("ann", "m")).cash == d("10")


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
