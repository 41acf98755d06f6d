"""A duration is written as it is read."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.durations import format_duration, parse_duration


@given(st.integers(0, 10 * 365 * 86_400_000))
def test_a_duration_survives_its_text(milliseconds):
    value = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(value)) == value


@pytest.mark.parametrize(("text", "seconds"), [("5m", 300), ("1h30m", 5400), ("250ms", 0.25), ("2d", 172_800)])
def test_units_add_up(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", ["", "5", "5 m", "-5m", "1.5h", "soon", 5, None, True, "3651d", "999999999d999999999d"]
)
def test_what_is_no_duration_is_refused(value):
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(value)
