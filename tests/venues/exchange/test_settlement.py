"""From matched to confirmed or failed: who may spend what, and when."""

import pytest

from domain.fees import FeeSchedule
from domain.fill import FillStatus
from tests.venues.exchange.kit import BUY, SELL, Venue, d, market
from venues.exchange import commands as c
from venues.exchange import events as e

MINED, CONFIRMED, RETRYING, FAILED = (
    FillStatus.MINED,
    FillStatus.CONFIRMED,
    FillStatus.RETRYING,
    FillStatus.FAILED,
)


@pytest.fixture
def venue() -> Venue:
    """ann has bought ten YES of bob at 0.50; the trade is matched."""
    venue = Venue(fees=FeeSchedule(rate=40_000))
    venue.fund("ann", "100")
    venue.fund("bob", "100", pairs="10")
    venue.place("bob", SELL, "yes", "0.50", "10", order_id="ask")
    venue.place("ann", BUY, "yes", "0.50", "10", order_id="bid")
    return venue


def test_matched_funds_are_bound_but_not_delivered(venue):
    assert venue.cash("ann") == e.Balance(settled=d("100"), outgoing=d("5.1"))
    assert venue.tokens("ann", "yes") == e.Balance(incoming=d("10"))
    assert venue.tokens("bob", "yes") == e.Balance(settled=d("10"), outgoing=d("10"))
    assert venue.cash("bob") == e.Balance(settled=d("100"), incoming=d("5"))
    assert venue.cash("venue") == e.Balance(incoming=d("0.1"))


def test_incoming_tokens_cannot_be_sold_before_they_are_confirmed(venue):
    assert venue.place("ann", SELL, "yes", "0.60", "10").code is e.RefusalCode.NOT_ENOUGH_BALANCE
    venue.settle(MINED)
    assert venue.place("ann", SELL, "yes", "0.60", "10").code is e.RefusalCode.NOT_ENOUGH_BALANCE
    venue.settle(CONFIRMED)
    assert isinstance(venue.place("ann", SELL, "yes", "0.60", "10"), e.OrderAccepted)


def test_confirmed_delivers_both_sides(venue):
    venue.settle(MINED, CONFIRMED)
    assert venue.cash("ann") == e.Balance(settled=d("94.9"))
    assert venue.tokens("ann", "yes") == e.Balance(settled=d("10"))
    assert venue.tokens("bob", "yes") == e.Balance()
    assert venue.cash("bob") == e.Balance(settled=d("105"))
    assert venue.exchange.unsettled_trades() == []


@pytest.mark.protocol("9.4")
@pytest.mark.parametrize("path", [(FAILED,), (MINED, FAILED), (RETRYING, FAILED), (MINED, RETRYING, FAILED)])
def test_failed_gives_both_sides_back_exactly(venue, path):
    venue.settle(*path)
    assert venue.exchange.balances("ann") == {"": e.Balance(settled=d("100")), "m:yes": e.Balance()}
    assert venue.cash("bob") == e.Balance(settled=d("100"))
    assert venue.tokens("bob", "yes") == e.Balance(settled=d("10"))
    assert venue.cash("venue") == e.Balance()


def test_a_failed_trade_does_not_reopen_its_orders(venue):
    venue.settle(FAILED)
    assert venue.exchange.order("ask").status is e.VenueStatus.MATCHED
    assert venue.exchange.order("ask").size_matched == d("10")
    assert venue.asks() == []


@pytest.mark.parametrize(
    ("path", "next_status"),
    [
        ((CONFIRMED,), FAILED),
        ((FAILED,), CONFIRMED),
        ((MINED,), FillStatus.MATCHED),
        ((MINED,), MINED),
        ((CONFIRMED,), CONFIRMED),
    ],
)
def test_a_settlement_never_goes_back_and_ends_once(venue, path, next_status):
    (trade,) = venue.exchange.unsettled_trades()
    venue.settle(*path)
    before = venue.exchange.state_hash()
    answer = venue.do(c.Settle(trade.id, next_status))
    assert isinstance(answer, e.CommandRefused)
    assert venue.exchange.state_hash() == before


@pytest.mark.protocol("3.8")
def test_the_transaction_hash_comes_with_mining_and_changes_with_a_retry(venue):
    (trade,) = venue.exchange.unsettled_trades()
    assert trade.transaction_hash == ""
    hashes = []
    for status in (MINED, RETRYING, MINED, CONFIRMED):
        hashes.append(venue.do(c.Settle(trade.id, status)).trade.transaction_hash)
    first, none, second, last = hashes
    assert none == ""
    assert len({first, second}) == 2
    assert second == last
    assert first.startswith("0x")
    assert len(first) == 66


def test_trades_are_found_by_every_account_that_took_part(venue):
    (trade,) = venue.exchange.unsettled_trades()
    assert venue.exchange.trades("ann") == venue.exchange.trades("bob") == [trade]
    assert venue.exchange.trades("ann", venue.now) == [trade]
    assert venue.exchange.trades("ann", venue.now + 1) == []
    assert venue.exchange.trade(trade.id) == trade
    assert venue.exchange.order("bid").trade_ids == venue.exchange.order("ask").trade_ids == (trade.id,)


def test_pruning_forgets_what_ended_and_keeps_what_is_open_or_unsettled(venue):
    venue.place("ann", BUY, "yes", "0.10", "20", order_id="open")
    venue.now += 100
    assert venue.do(c.Prune(venue.now)) == e.Pruned(("ask", "bid"), (), ())
    (trade,) = venue.exchange.unsettled_trades()
    venue.settle()
    venue.now += 100
    assert venue.do(c.Prune(venue.now)) == e.Pruned((), (trade.id,), ())
    assert [order.id for order in venue.exchange.orders("ann")] == ["open"]
    assert venue.exchange.orders("bob") == venue.exchange.trades("ann") == []
    assert venue.exchange.balance("ann", "m:yes").settled == d("10")


def test_pruning_spares_what_ended_at_or_after_the_given_time(venue):
    assert venue.do(c.Prune(venue.now)) == e.Pruned((), (), ())


def test_two_venues_never_share_a_trade_id():
    ids = set()
    for venue_id in ("one", "two"):
        venue = Venue(venue_id=venue_id)
        venue.fund("ann", "100", pairs="10")
        venue.place("ann", SELL, "yes", "0.50", "10")
        ids.update(venue.place("ann", BUY, "yes", "0.50", "10").trade_ids)
    assert len(ids) == 2


def test_a_resolved_market_is_forgotten_once_nobody_holds_or_remembers_anything_of_it() -> None:
    venue = Venue()
    venue.fund("maker", pairs="20")
    venue.fund("taker")
    venue.place("maker", SELL, "yes", "0.5", "10")
    venue.place("taker", BUY, "yes", "0.5", "10")
    venue.do(c.Resolve("m", 0))
    venue.after(1)
    assert venue.do(c.Prune(venue.now)).condition_ids == ()  # a trade is in flight
    venue.settle()
    venue.after(1)
    venue.do(c.Prune(venue.now))
    venue.do(c.Redeem("taker", "m"))
    assert venue.do(c.Prune(venue.now)).condition_ids == ()  # the maker still holds
    venue.do(c.RedeemAll("m"))
    deposited = venue.exchange.deposited
    assert venue.do(c.Prune(venue.now)).condition_ids == ("m",)
    assert venue.exchange.markets() == []
    assert venue.exchange.market_of("m:yes") is None
    assert venue.exchange.best("m:yes") == (0, d("1"))
    assert venue.cash("maker").settled + venue.cash("taker").settled == deposited
    assert isinstance(venue.do(c.ListMarket(market())), e.MarketListed)


def test_a_market_that_trades_is_never_forgotten() -> None:
    venue = Venue()
    venue.after(1)
    assert venue.do(c.Prune(venue.now)) == e.Pruned((), (), ())
    assert len(venue.exchange.markets()) == 1
