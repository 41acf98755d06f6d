"""Equal shares that every venue can express, and exits that stay within what they may lose."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.amounts import marketable_size
from domain.market import Market
from domain.money import MICRO
from domain.order import OrderSide
from domain.ticks import SIZE_STEP
from tests.trading import factories as f
from trading.leg_sizes import dearest_exit, equal_size, exit_order

BUY, SELL = OrderSide.BUY, OrderSide.SELL
PRICES = st.integers(1, 999).map(lambda thousandths: thousandths * 1000)
LEGS = st.lists(st.tuples(st.sampled_from(OrderSide), PRICES), min_size=2, max_size=15)


def test_the_size_fits_the_coarsest_leg() -> None:
    assert equal_size([(BUY, 470_000), (BUY, 500_000)], 10_700_000) == 10 * MICRO
    assert equal_size([(BUY, 500_000), (BUY, 250_000)], 10_700_000) == 10_680_000
    assert equal_size([(SELL, 470_000), (SELL, 333_000)], 10_707_000) == 10_700_000
    assert equal_size([(BUY, 471_300), (BUY, 500_000)], 99 * MICRO) == 0


@given(legs=LEGS, size=st.integers(0, 10_000 * MICRO))
def test_every_leg_can_express_the_equal_size_exactly(legs, size) -> None:
    equal = equal_size(legs, size)

    assert 0 <= equal <= size
    assert equal % SIZE_STEP == 0
    assert all(side is SELL or marketable_size(price, equal) == equal for side, price in legs)


def test_an_exit_spends_what_the_shares_cost_so_that_no_more_are_bought() -> None:
    asks = [(500_000, 4 * MICRO), (600_000, 50 * MICRO)]

    found = exit_order(f.market(), asks, 10 * MICRO, 700_000)

    assert found is not None
    spend = found.price * found.size // MICRO
    assert 5_590_000 <= spend <= 5_600_000
    assert 600_000 <= found.price <= 700_000


def test_without_a_book_the_dearest_price_is_bid() -> None:
    found = exit_order(f.market(), None, 10 * MICRO, 600_000)

    assert found is not None
    assert (found.price, found.size) == (600_000, 10 * MICRO)


def test_what_is_offered_too_dear_or_too_small_is_no_exit() -> None:
    market = f.market()

    assert exit_order(market, [], 10 * MICRO, 600_000) is None
    assert exit_order(market, [(610_000, 50 * MICRO)], 10 * MICRO, 600_000) is None
    assert exit_order(market, [(500_000, 50 * MICRO)], 4 * MICRO, 600_000) is None
    assert exit_order(f.market(min_size=MICRO), [(100_000, 50 * MICRO)], 5 * MICRO, 600_000) is None


@given(entry=PRICES, size=st.integers(5, 5_000).map(lambda shares: shares * MICRO), loss=st.integers(0, 50 * MICRO))
def test_the_dearest_exit_is_the_last_price_within_the_loss(entry, size, loss) -> None:
    market: Market = f.market(tick=1_000)
    price = dearest_exit(market, entry, size, loss)

    def cost(at: int) -> int:
        spend = -(-at * size // MICRO)
        return -(-(entry + at - MICRO) * size // MICRO) + market.fees.worst_spend_fee(spend)

    assert price == 0 or cost(price) <= loss
    assert price == MICRO - market.tick or cost(price + market.tick) > loss


@given(
    asks=st.lists(
        st.tuples(st.integers(1, 99), st.integers(1, 400)), min_size=1, max_size=6, unique_by=lambda ask: ask[0]
    ),
    size=st.integers(5, 300),
    dearest=st.integers(1, 99),
)
def test_an_exit_buys_no_more_than_wanted_from_the_book_it_saw(asks, size, dearest) -> None:
    book = sorted((cents * 10_000, shares * MICRO) for cents, shares in asks)
    found = exit_order(f.market(), book, size * MICRO, dearest * 10_000)
    if found is None:
        return
    money, bought = found.price * found.size, 0
    for price, shares in book:
        if price > found.price:
            break
        taken = min(shares, money // price)
        money, bought = money - taken * price, bought + taken

    assert found.price <= dearest * 10_000
    assert bought <= size * MICRO
