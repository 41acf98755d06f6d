"""What the world outside does to an account that pretends to trade there."""

from __future__ import annotations

from tests.venues.exchange.kit import BUY, FAK, GTC, SELL, Venue, d, market
from venues.exchange import commands as c
from venues.exchange import events as e


def venue(**changes) -> Venue:
    made = Venue(**changes)
    for account in ("us", "street"):
        made.do(c.Deposit(account, d("1000")))
    return made


def test_a_quote_may_have_any_size_and_is_taken_like_any_order() -> None:
    made = venue()
    assert isinstance(made.do(c.Quote("q", "street", "m:no", d("0.4"), d("3.141592"))), e.OrderAccepted)
    answer = made.do(c.PlaceOrder("o", "us", "m:yes", BUY, FAK, d("6"), d("10")))
    assert isinstance(answer, e.OrderAccepted)
    assert answer.taking == d("3.141592")
    assert made.exchange.collateral("m") == 0  # nothing is minted before the trade settles


def test_a_quote_that_would_match_or_cannot_be_paid_is_refused() -> None:
    made = venue()
    made.do(c.PlaceOrder("o", "us", "m:yes", BUY, GTC, d("4"), d("10")))
    for wrong in (
        c.Quote("q", "street", "m:no", d("0.6"), d("1")),
        c.Quote("q", "street", "m:yes", d("0.6"), d("100000")),
        c.Quote("o", "street", "m:yes", d("0.3"), d("1")),
        c.Quote("q", "street", "m:yes", d("1"), d("1")),
        c.Quote("q", "street", "elsewhere", d("0.3"), d("1")),
    ):
        assert isinstance(made.do(wrong), e.CommandRefused)


def test_a_hit_fills_a_resting_order_at_its_price_without_a_fee() -> None:
    made = venue()
    made.do(c.PlaceOrder("o", "us", "m:yes", BUY, GTC, d("4"), d("10")))
    made.do(c.Hit("h", "street", "o", d("2.5")))
    order = made.exchange.order("o")
    assert order is not None
    assert (order.size_matched, order.cash_matched) == (d("2.5"), d("1"))
    assert isinstance(made.do(c.Hit("h2", "street", "o", d("7.6"))), e.CommandRefused)
    assert isinstance(made.do(c.Hit("h3", "street", "h", d("1"))), e.CommandRefused)


def test_a_sale_is_hit_too() -> None:
    made = venue()
    made.do(c.Split("us", "m", d("10")))
    made.do(c.PlaceOrder("o", "us", "m:no", SELL, GTC, d("10"), d("7")))
    made.do(c.Hit("h", "street", "o", d("10")))
    (trade,) = made.exchange.trades("us")
    assert (trade.token_id, trade.price, trade.size, trade.cash) == ("m:no", d("0.7"), d("10"), d("7"))


def test_terms_change_while_orders_rest() -> None:
    made = venue()
    made.do(c.PlaceOrder("o", "us", "m:yes", BUY, GTC, d("4"), d("10")))
    made.do(c.SetTerms(market(tick=1_000, min_size=d("20"), accepting_orders=True)))
    assert made.exchange.market("m").tick == 1_000
    refused = made.do(c.PlaceOrder("p", "us", "m:yes", BUY, GTC, d("4"), d("10")))
    assert isinstance(refused, e.OrderRefused)
    assert len(made.exchange.open_orders("us")) == 1
    assert isinstance(made.do(c.SetTerms(market(tick=3))), e.CommandRefused)
