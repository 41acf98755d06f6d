"""Amounts are exact: they survive their texts, never round by themselves, and round in the direction a function names."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import MoneyError
from domain.money import ceil_to, exact_micros, floor_to, format_micros, multiply_ceil, multiply_floor, parse_micros

amounts = st.integers(-(10**24), 10**24)


@given(amounts)
def test_an_amount_survives_its_text(micros):
    assert parse_micros(format_micros(micros)) == micros
    assert exact_micros(Decimal(format_micros(micros))) == micros


@pytest.mark.parametrize("text", ["", "1e3", "0.0000001", "+1", " 1", "1,5", ".5", "nan", "١"])
def test_text_that_is_no_exact_amount_is_refused(text):
    with pytest.raises(MoneyError, match="amount was"):
        parse_micros(text)


@pytest.mark.parametrize("value", ["0.0000001", "NaN", "Infinity"])
def test_a_decimal_that_is_no_exact_amount_is_refused(value):
    with pytest.raises(MoneyError, match="at most 6 decimals"):
        exact_micros(Decimal(value))


@given(amounts, amounts)
def test_products_round_in_the_direction_they_name(left, right):
    assert multiply_floor(left, right) * 1_000_000 <= left * right < (multiply_floor(left, right) + 1) * 1_000_000
    assert multiply_ceil(left, right) == -multiply_floor(-left, right)


@given(amounts, st.integers(1, 10**9))
def test_steps_round_in_the_direction_they_name(value, step):
    low, high = floor_to(value, step), ceil_to(value, step)
    assert low % step == high % step == 0
    assert low <= value <= high
    assert high - low == (0 if value % step == 0 else step)
