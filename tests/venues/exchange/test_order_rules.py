"""What the exchange refuses, in the venue's words, and that a refusal changes nothing."""

import pytest

from domain.fees import FeeSchedule
from domain.fill import FillStatus
from tests.venues.exchange.kit import BUY, FAK, FOK, GTC, GTD, SECOND, SELL, START, Venue, d
from venues.exchange import commands as c
from venues.exchange import events as e
from venues.exchange.events import RefusalCode


@pytest.fixture
def venue() -> Venue:
    venue = Venue()
    venue.fund("ann", "1000", pairs="1000")
    venue.fund("bob", "1000", pairs="1000")
    return venue


def refused(answer, code: RefusalCode) -> str:
    assert isinstance(answer, e.OrderRefused), answer
    assert answer.code is code
    return answer.text


def test_an_unknown_token_has_no_book(venue):
    answer = venue.place("ann", BUY, "maybe", "0.50", "10")
    assert refused(answer, RefusalCode.NO_ORDERBOOK) == "No orderbook exists for the requested token id"


def test_a_market_that_does_not_accept_orders_refuses_them_but_lets_them_be_cancelled(venue):
    resting = venue.place("ann", BUY, "yes", "0.50", "10")
    venue.do(c.SetAccepting("m", False))
    answer = venue.place("ann", BUY, "yes", "0.50", "10")
    assert refused(answer, RefusalCode.MARKET_NOT_READY) == "the market is not yet ready to process new orders"
    assert venue.do(c.CancelAll("ann")).canceled == (resting.order_id,)


def test_the_same_order_twice_is_a_duplicate_even_after_it_ended(venue):
    venue.place("ann", BUY, "yes", "0.50", "10", order_id="0xabc")
    for _ in range(2):
        answer = venue.place("ann", BUY, "yes", "0.50", "10", order_id="0xabc")
        assert refused(answer, RefusalCode.DUPLICATED) == "order 0xabc is invalid. Duplicated."
        venue.do(c.CancelAll("ann"))


def test_a_refused_order_is_not_remembered_and_may_be_sent_again(venue):
    refused(venue.place("cid", BUY, "yes", "0.50", "10", order_id="0xabc"), RefusalCode.NOT_ENOUGH_BALANCE)
    assert venue.exchange.order("0xabc") is None
    venue.fund("cid", "5")
    assert isinstance(venue.place("cid", BUY, "yes", "0.50", "10", order_id="0xabc"), e.OrderAccepted)


@pytest.mark.parametrize(("maker", "taker"), [(0, d("10")), (d("5"), 0), (-d("5"), d("10")), (10**30, 10**30)])
def test_senseless_amounts_are_an_invalid_payload(venue, maker, taker):
    answer = venue.place_amounts("ann", BUY, "yes", maker, taker)
    assert refused(answer, RefusalCode.INVALID_PAYLOAD) == "Invalid order payload"


@pytest.mark.protocol("3.2")
@pytest.mark.parametrize(
    ("tick", "price", "good"),
    [
        ("0.1", "0.3", True),
        ("0.1", "0.35", False),
        ("0.01", "0.57", True),
        ("0.01", "0.575", False),
        ("0.005", "0.575", True),
        ("0.005", "0.577", False),
        ("0.0025", "0.0275", True),
        ("0.0025", "0.0285", False),
        ("0.001", "0.037", True),
        ("0.001", "0.0375", False),
        ("0.0001", "0.9999", True),
        ("0.001", "0.9999", False),
    ],
)
@pytest.mark.parametrize("side", [BUY, SELL])
def test_prices_lie_on_the_grid_of_each_of_the_six_ticks(tick, price, good, side):
    venue = Venue(tick=d(tick))
    venue.fund("ann", "1000", pairs="1000")
    answer = venue.place("ann", side, "yes", price, "100", order_id="o")
    if good:
        assert venue.exchange.order("o").price == d(price)
    else:
        expected = f"order o is invalid. Price ({price}) breaks minimum tick size rule: {tick}"
        assert refused(answer, RefusalCode.TICK_SIZE) == expected


@pytest.mark.parametrize("shares", [d("10") + 1, d("10.001"), d("9.995")])
def test_resting_orders_carry_two_decimals_of_shares(venue, shares):
    assert "max of 2 decimals" in refused(
        venue.place_amounts("ann", BUY, "yes", shares // 2, shares), RefusalCode.INVALID_AMOUNTS
    )
    assert "sell orders maker amount supports a max accuracy of 2 decimals" in refused(
        venue.place_amounts("ann", SELL, "yes", shares, shares // 2), RefusalCode.INVALID_AMOUNTS
    )


def test_a_ratio_off_by_one_micro_unit_is_refused(venue):
    refused(venue.place_amounts("ann", BUY, "yes", d("5") + 1, d("10")), RefusalCode.INVALID_AMOUNTS)
    refused(venue.place_amounts("ann", SELL, "yes", d("10"), d("5") - 1), RefusalCode.INVALID_AMOUNTS)


@pytest.mark.protocol("3.2", "9.13")
def test_a_market_buy_spends_whole_cents_for_shares_of_at_most_four_decimals():
    venue = Venue(tick=d("0.001"))
    venue.fund("ann")
    text = "invalid amounts, the buy orders maker amount supports a max accuracy of 2 decimals, taker amount a max of 4 decimals"
    assert refused(venue.place("ann", BUY, "yes", "0.037", "21.04", FAK), RefusalCode.INVALID_AMOUNTS) == text
    five_decimals = venue.place_amounts("ann", BUY, "yes", d("10"), d("19.12045"), FAK)
    assert refused(five_decimals, RefusalCode.INVALID_AMOUNTS) == text


def test_a_market_buy_whose_shares_were_cut_to_four_decimals_keeps_the_price_it_meant(venue):
    venue.place("bob", SELL, "yes", "0.57", "100")
    answer = venue.place_amounts("ann", BUY, "yes", d("10"), d("17.5438"), FAK, order_id="cut")
    assert answer.status is e.VenueStatus.MATCHED
    assert venue.exchange.order("cut").price == d("0.57")


def test_a_market_buy_whose_ratio_lies_between_two_prices_is_refused(venue):
    refused(venue.place_amounts("ann", BUY, "yes", d("10"), d("17.4"), FAK), RefusalCode.TICK_SIZE)


@pytest.mark.protocol("3.2")
def test_orders_below_the_minimum_size_are_refused(venue):
    text = refused(venue.place("ann", BUY, "yes", "0.50", "4.99", order_id="o"), RefusalCode.MIN_SIZE)
    assert text == "order o is invalid. Size (4.99) lower than the minimum: 5"
    refused(venue.place("ann", SELL, "yes", "0.50", "4.99", FAK), RefusalCode.MIN_SIZE)


@pytest.mark.protocol("3.2")
def test_a_marketable_buy_is_worth_a_dollar_at_least(venue):
    assert isinstance(venue.place("ann", BUY, "yes", "0.10", "9.80"), e.OrderAccepted)
    text = refused(venue.place("ann", BUY, "yes", "0.14", "7", FAK), RefusalCode.MARKETABLE_MIN)
    assert text == "invalid amount for a marketable BUY order ($0.98), min size: $1"


def test_the_one_dollar_rule_also_meets_a_limit_order_that_crosses():
    venue = Venue()
    venue.fund("ann")
    venue.fund("bob", pairs="100")
    venue.place("bob", SELL, "yes", "0.10", "50")
    refused(venue.place("ann", BUY, "yes", "0.10", "9.80"), RefusalCode.MARKETABLE_MIN)
    assert isinstance(venue.place("ann", BUY, "yes", "0.10", "10"), e.OrderAccepted)


@pytest.mark.protocol("3.4")
def test_post_only_is_for_resting_types_and_never_crosses(venue):
    venue.place("bob", SELL, "yes", "0.60", "10")
    assert (
        refused(venue.place("ann", BUY, "yes", "0.60", "10", FOK, post_only=True), RefusalCode.POST_ONLY_TYPE)
        == "invalid post-only order: only GTC and GTD order types are allowed"
    )
    for side, token, price in [(BUY, "yes", "0.60"), (SELL, "no", "0.40")]:
        answer = venue.place("ann", side, token, price, "10", post_only=True)
        assert refused(answer, RefusalCode.POST_ONLY_WOULD_CROSS) == "invalid post-only order: order crosses book"
    assert isinstance(venue.place("ann", BUY, "yes", "0.59", "10", post_only=True), e.OrderAccepted)


@pytest.mark.protocol("3.4")
@pytest.mark.parametrize(
    ("order_type", "seconds", "good"),
    [(GTC, 0, True), (GTC, 600, False), (FAK, 600, False), (GTD, 0, False), (GTD, 170, False), (GTD, 180, True)],
)
def test_only_gtd_orders_expire_and_not_before_three_minutes(venue, order_type, seconds, good):
    venue.place("bob", SELL, "yes", "0.60", "10")
    expiration = START // SECOND + seconds if seconds else 0
    answer = venue.place("ann", BUY, "yes", "0.60", "10", order_type, expiration_s=expiration)
    if good:
        assert isinstance(answer, e.OrderAccepted)
    else:
        assert refused(answer, RefusalCode.INVALID_EXPIRATION) == "invalid expiration"


@pytest.mark.protocol("3.2")
def test_a_buy_needs_the_collateral_that_open_orders_leave():
    venue = Venue()
    venue.fund("ann", "10")
    venue.place("ann", BUY, "yes", "0.50", "12")
    text = refused(venue.place("ann", BUY, "no", "0.40", "10.01"), RefusalCode.NOT_ENOUGH_BALANCE)
    assert text == (
        "not enough balance / allowance: the balance is not enough -> balance: 4000000, order amount: 4004000"
    )
    assert isinstance(venue.place("ann", BUY, "no", "0.40", "10"), e.OrderAccepted)
    assert venue.cash("ann").available == 0


def test_a_sell_needs_the_tokens_and_there_are_no_shorts():
    venue = Venue()
    venue.fund("ann", "10", pairs="10")
    venue.place("ann", SELL, "yes", "0.50", "6")
    refused(venue.place("ann", SELL, "yes", "0.50", "5"), RefusalCode.NOT_ENOUGH_BALANCE)
    refused(venue.place("bob", SELL, "yes", "0.50", "5"), RefusalCode.NOT_ENOUGH_BALANCE)


def test_a_taker_buy_must_afford_the_fee_on_top():
    venue = Venue(fees=FeeSchedule(rate=40_000))
    venue.fund("bob", pairs="100")
    venue.place("bob", SELL, "yes", "0.50", "100")
    venue.fund("ann", "50.5")
    refused(venue.place("ann", BUY, "yes", "0.50", "100"), RefusalCode.NOT_ENOUGH_BALANCE)
    venue.fund("ann", "0.5")
    assert isinstance(venue.place("ann", BUY, "yes", "0.50", "100"), e.OrderAccepted)
    assert venue.cash("ann").available == 0


def test_a_maker_buy_needs_no_money_for_fees():
    venue = Venue(fees=FeeSchedule(rate=40_000))
    venue.fund("ann", "50")
    assert isinstance(venue.place("ann", BUY, "yes", "0.50", "100"), e.OrderAccepted)


def test_an_order_of_a_killed_type_leaves_only_the_cancellation_the_user_channel_shows(venue):
    before = venue.exchange.state_hash()
    answer = venue.place("ann", BUY, "yes", "0.60", "10", FOK, order_id="fok")
    assert refused(answer, RefusalCode.FOK_NOT_FILLED) == (
        "order couldn't be fully filled. FOK orders are fully filled or killed."
    )
    (canceled,) = venue.got(e.OrderCanceled)
    assert (canceled.order.id, canceled.order.status, canceled.order.size) == ("fok", e.VenueStatus.UNMATCHED, d("6"))
    answer = venue.place("ann", SELL, "yes", "0.60", "10", FAK)
    assert refused(answer, RefusalCode.FAK_NOT_FILLED) == (
        "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found."
    )
    assert venue.exchange.state_hash() == before


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (c.Deposit("ann", 0), "expected 1 to"),
        (c.Deposit("", 5), "no account"),
        (c.Deposit("ann", 10**17), "expected 1 to"),
        (c.Withdraw("ann", d("1000.000001")), "expected 1 to 1000000000"),
        (c.Withdraw("nobody", 1), "expected 1 to 0"),
        (c.Split("ann", "m", d("1001")), "expected 1 to 1000000000"),
        (c.Split("ann", "?", 5), "not known"),
        (c.Merge("ann", "m", d("1001")), "expected 1 to 1000000000"),
        (c.Merge("ann", "m", -1), "expected 1 to"),
        (c.Redeem("ann", "m"), "not resolved"),
        (c.RedeemAll("m"), "not resolved"),
        (c.SetTick("m", 12), "expected one of"),
        (c.SetTick("?", 1000), "not known"),
        (c.SetAccepting("?", True), "not known"),
        (c.Resolve("m", 2), "expected 0, 1 or none"),
        (c.Resolve("?", 0), "not known"),
        (c.Settle("?", FillStatus.CONFIRMED), "not known"),
        (c.CancelMarketOrders("ann"), "expected at least one"),
    ],
)
def test_a_command_that_cannot_be_carried_out_says_why_and_changes_nothing(venue, command, says):
    before = venue.exchange.state_hash()
    answer = venue.do(command)
    assert isinstance(answer, e.CommandRefused)
    assert answer.command == type(command).__name__
    assert says in answer.text
    assert venue.exchange.state_hash() == before


@pytest.mark.protocol("3.2", "3.10", "9.13")
@pytest.mark.parametrize(
    ("side", "maker", "taker", "text"),
    [
        (BUY, "5.2001", "10", "$0.52 order of size 10 should be '10000192' but the value submited is '10000000'"),
        (SELL, "10", "5.1999", "$0.52 order of size 10 should be '5200000' but the value submited is '5199900'"),
    ],
)
def test_amounts_that_miss_a_grid_price_by_a_rounding_error_are_named(venue, side, maker, taker, text):
    venue.fund("ann", pairs="100")
    refused = venue.place_amounts("ann", side, "yes", d(maker), d(taker))
    assert (refused.code, refused.text) == ("invalid_amounts", f"invalid amounts, the taker amount for a {text}")


def test_amounts_clearly_off_the_grid_break_the_tick(venue):
    venue.fund("ann")
    refused = venue.place_amounts("ann", BUY, "yes", d("5.25"), d("10"))
    assert refused.code == "tick_size"
