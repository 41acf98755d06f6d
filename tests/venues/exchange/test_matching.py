"""Who trades with whom, at what price, for how much cash."""

import pytest

from domain.fees import FeeSchedule
from tests.venues.exchange.kit import BUY, FAK, FOK, GTC, SELL, Venue, d
from venues.exchange import commands as c
from venues.exchange import events as e
from venues.exchange.events import MatchKind, RefusalCode, VenueStatus


@pytest.fixture
def venue() -> Venue:
    venue = Venue()
    for account in ("ann", "bob", "cid"):
        venue.fund(account, "1000", pairs="1000")
    return venue


def test_a_buy_and_a_sell_of_one_token_trade_at_the_resting_price(venue):
    venue.place("bob", SELL, "yes", "0.52", "10", order_id="ask")
    answer = venue.place("ann", BUY, "yes", "0.60", "10", order_id="bid")
    assert answer == e.OrderAccepted("bid", "ann", VenueStatus.MATCHED, d("5.2"), d("10"), answer.trade_ids)
    (matched,) = venue.got(e.TradeMatched)
    trade = matched.trade
    assert (trade.price, trade.size, trade.cash, trade.side) == (d("0.52"), d("10"), d("5.2"), BUY)
    assert trade.makers == (
        e.MakerFill("ask", "bob", "m:yes", SELL, d("0.52"), d("10"), d("5.2"), MatchKind.COMPLEMENTARY),
    )


@pytest.mark.protocol("3.4")
def test_two_buys_of_opposite_tokens_mint_a_pair(venue):
    venue.place("bob", BUY, "no", "0.45", "10", order_id="maker")
    venue.place("ann", BUY, "yes", "0.60", "10")
    (matched,) = venue.got(e.TradeMatched)
    assert matched.trade.price == d("0.55")
    assert matched.trade.cash == d("5.5")
    assert matched.trade.makers == (
        e.MakerFill("maker", "bob", "m:no", BUY, d("0.45"), d("10"), d("4.5"), MatchKind.MINT),
    )
    before = venue.exchange.collateral("m")
    venue.settle()
    assert venue.exchange.collateral("m") - before == d("10")
    assert venue.tokens("ann", "yes").settled == d("1010")
    assert venue.tokens("bob", "no").settled == d("1010")


@pytest.mark.protocol("3.4")
def test_two_sells_of_opposite_tokens_merge_a_pair(venue):
    venue.place("bob", SELL, "no", "0.45", "10", order_id="maker")
    venue.place("ann", SELL, "yes", "0.50", "10")
    (matched,) = venue.got(e.TradeMatched)
    assert matched.trade.price == d("0.55")
    assert matched.trade.cash == d("5.5")
    assert matched.trade.makers[0].kind is MatchKind.MERGE
    assert matched.trade.makers[0].cash == d("4.5")
    before = venue.exchange.collateral("m")
    venue.settle()
    assert before - venue.exchange.collateral("m") == d("10")
    assert venue.cash("ann").settled == d("1005.5")
    assert venue.cash("bob").settled == d("1004.5")


@pytest.mark.protocol("3.4")
def test_the_books_of_the_two_tokens_mirror_each_other(venue):
    venue.place("ann", BUY, "yes", "0.48", "10")
    venue.place("ann", SELL, "no", "0.51", "20")
    venue.place("bob", BUY, "no", "0.47", "30")
    venue.place("bob", SELL, "yes", "0.55", "40")
    assert venue.bids("yes") == [(d("0.48"), d("10")), (d("0.49"), d("20"))]
    assert venue.asks("yes") == [(d("0.55"), d("40")), (d("0.53"), d("30"))]
    assert venue.bids("no") == [(d("0.45"), d("40")), (d("0.47"), d("30"))]
    assert venue.asks("no") == [(d("0.52"), d("10")), (d("0.51"), d("20"))]
    assert venue.exchange.best("m:yes") == (d("0.49"), d("0.53"))
    assert venue.exchange.best("m:no") == (d("0.47"), d("0.51"))


def test_an_empty_side_reads_zero_and_one(venue):
    assert venue.exchange.best("m:yes") == (0, d("1"))
    venue.place("ann", BUY, "yes", "0.48", "10")
    assert venue.exchange.best("m:no") == (0, d("0.52"))


@pytest.mark.protocol("3.4")
def test_the_best_price_comes_first_and_the_oldest_order_within_a_price(venue):
    venue.place("bob", SELL, "yes", "0.53", "10", order_id="worse")
    venue.place("bob", SELL, "yes", "0.52", "10", order_id="first")
    venue.place("cid", BUY, "no", "0.48", "10", order_id="second")
    venue.place("bob", SELL, "yes", "0.52", "10", order_id="third")
    venue.place("ann", BUY, "yes", "0.55", "35")
    one, two = (event.trade for event in venue.got(e.TradeMatched))
    assert [(fill.order_id, fill.size) for fill in one.makers] == [
        ("first", d("10")),
        ("second", d("10")),
        ("third", d("10")),
    ]
    assert [fill.kind for fill in one.makers] == [MatchKind.COMPLEMENTARY, MatchKind.MINT, MatchKind.COMPLEMENTARY]
    assert [(fill.order_id, fill.size) for fill in two.makers] == [("worse", d("5"))]
    assert (one.price, two.price) == (d("0.52"), d("0.53"))


def test_a_partly_filled_order_keeps_its_place(venue):
    venue.place("bob", SELL, "yes", "0.52", "20", order_id="first")
    venue.place("cid", SELL, "yes", "0.52", "20", order_id="second")
    venue.place("ann", BUY, "yes", "0.52", "10")
    venue.place("ann", BUY, "yes", "0.52", "20")
    (matched,) = venue.got(e.TradeMatched)
    assert [(fill.order_id, fill.size) for fill in matched.trade.makers] == [("first", d("10")), ("second", d("10"))]


def test_what_does_not_match_rests_at_the_limit(venue):
    venue.place("bob", SELL, "yes", "0.52", "10")
    answer = venue.place("ann", BUY, "yes", "0.55", "30", order_id="bid")
    assert answer.status is VenueStatus.MATCHED
    assert venue.exchange.order("bid").status is VenueStatus.LIVE
    assert venue.bids() == [(d("0.55"), d("20"))]
    assert venue.cash("ann").reserved == d("11")


def test_a_market_buy_spends_a_cash_amount_and_gets_more_shares_at_better_prices(venue):
    venue.place("bob", SELL, "yes", "0.40", "10")
    venue.place("bob", SELL, "yes", "0.50", "100")
    answer = venue.place("ann", BUY, "yes", "0.60", "20", FAK)
    assert answer.making == d("12")
    assert answer.taking == d("26")
    assert answer.taking > d("20")


def test_a_market_buy_spends_every_micro_unit_where_shares_do_not_come_out_even(venue):
    venue.place("bob", SELL, "yes", "0.57", "100", order_id="ask")
    answer = venue.place_amounts("ann", BUY, "yes", d("10"), d("17.5438"), FOK)
    assert answer.making == d("10")
    assert answer.taking == d("17.543859")
    assert venue.asks() == [(d("0.57"), d("82.456141"))]
    venue.settle()
    assert venue.cash("bob").settled - d("1000") == d("10")


def test_a_remainder_below_a_hundredth_of_a_share_ends_the_order(venue):
    venue.place("bob", SELL, "yes", "0.57", "100", order_id="ask")
    venue.place_amounts("ann", BUY, "yes", d("10"), d("17.5438"), FOK)
    venue.place("ann", BUY, "yes", "0.57", "82.45")
    ask = venue.exchange.order("ask")
    assert (ask.status, ask.size_matched) == (VenueStatus.MATCHED, d("99.993859"))
    assert venue.asks() == []
    assert venue.tokens("bob", "yes").reserved == 0


@pytest.mark.protocol("3.4")
def test_a_fak_takes_what_is_there_and_a_fok_all_or_nothing(venue):
    venue.place("bob", SELL, "yes", "0.50", "10")
    answer = venue.place("ann", BUY, "yes", "0.50", "20", FOK)
    assert answer.code is RefusalCode.FOK_NOT_FILLED
    assert venue.asks() == [(d("0.50"), d("10"))]
    answer = venue.place("ann", BUY, "yes", "0.50", "20", FAK, order_id="fak")
    assert (answer.status, answer.making, answer.taking) == (VenueStatus.MATCHED, d("5"), d("10"))
    assert venue.exchange.order("fak").status is VenueStatus.MATCHED
    assert venue.cash("ann").reserved == 0
    assert venue.exchange.open_orders("ann") == []


def test_a_market_sell_fills_shares_down_to_its_limit(venue):
    venue.place("bob", BUY, "yes", "0.50", "10")
    venue.place("bob", BUY, "yes", "0.45", "10")
    venue.place("bob", BUY, "yes", "0.40", "10")
    answer = venue.place("ann", SELL, "yes", "0.45", "30", FAK)
    assert (answer.making, answer.taking) == (d("20"), d("9.5"))
    assert venue.bids() == [(d("0.40"), d("10"))]


def test_orders_of_one_account_match_each_other_like_any_others(venue):
    venue.place("ann", SELL, "yes", "0.50", "10")
    answer = venue.place("ann", BUY, "yes", "0.50", "10")
    assert answer.status is VenueStatus.MATCHED
    venue.settle()
    assert venue.cash("ann").settled == d("1000")
    assert venue.tokens("ann", "yes").settled == d("1000")


@pytest.mark.protocol("9.14")
def test_resting_orders_keep_their_price_through_a_tick_change_and_trade_at_it(venue):
    venue.do(c.SetTick("m", d("0.001")))
    (changed,) = venue.got(e.TickChanged)
    assert (changed.old_tick, changed.new_tick) == (d("0.01"), d("0.001"))
    venue.place("bob", SELL, "yes", "0.523", "10")
    venue.do(c.SetTick("m", d("0.01")))
    assert venue.place("ann", BUY, "yes", "0.523", "10").code is RefusalCode.TICK_SIZE
    venue.place("ann", BUY, "yes", "0.53", "10")
    (matched,) = venue.got(e.TradeMatched)
    assert matched.trade.price == d("0.523")


@pytest.mark.protocol("5.1")
class TestFees:
    @pytest.fixture
    def venue(self) -> Venue:
        venue = Venue(fees=FeeSchedule(rate=40_000))
        for account in ("ann", "bob"):
            venue.fund(account, "1000", pairs="1000")
        return venue

    def test_a_taker_buy_pays_the_fee_on_top_and_the_maker_nothing(self, venue):
        venue.place("bob", SELL, "yes", "0.50", "100")
        answer = venue.place("ann", BUY, "yes", "0.50", "100")
        assert answer.making == d("50")
        assert venue.got(e.TradeMatched)[0].trade.fee == d("1")
        assert venue.cash("ann").available == d("949")
        venue.settle()
        assert venue.cash("ann").settled == d("949")
        assert venue.cash("bob").settled == d("1050")
        assert venue.cash("venue").settled == d("1")

    def test_a_taker_sell_pays_the_fee_out_of_the_proceeds(self, venue):
        venue.place("bob", BUY, "yes", "0.50", "100")
        venue.place("ann", SELL, "yes", "0.50", "100")
        venue.settle()
        assert venue.cash("ann").settled == d("1049")
        assert venue.cash("bob").settled == d("950")

    def test_each_price_level_is_a_trade_with_its_own_fee(self, venue):
        venue.place("bob", SELL, "yes", "0.50", "100")
        venue.place("bob", SELL, "yes", "0.60", "100")
        venue.place("ann", BUY, "yes", "0.60", "200")
        assert [event.trade.fee for event in venue.got(e.TradeMatched)] == [d("1"), d("0.96")]
        assert [event.trade.fee_rate for event in venue.got(e.TradeMatched)] == [40_000, 40_000]

    def test_a_mint_charges_the_taker_alone(self, venue):
        venue.place("bob", BUY, "no", "0.50", "100")
        venue.place("ann", BUY, "yes", "0.50", "100", GTC)
        venue.settle()
        assert venue.cash("ann").settled == d("949")
        assert venue.cash("bob").settled == d("950")
        assert venue.cash("venue").settled == d("1")

    def test_a_fee_never_exceeds_the_proceeds_of_a_sale(self):
        venue = Venue(fees=FeeSchedule(rate=900_000, exponent=0))
        venue.fund("ann", "0", pairs="100")
        venue.fund("bob", "100")
        venue.place("bob", BUY, "yes", "0.50", "100")
        venue.place("ann", SELL, "yes", "0.50", "100")
        venue.settle()
        assert venue.cash("ann").settled == 0
        assert venue.cash("venue").settled == d("50")
