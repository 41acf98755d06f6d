"""The tracker's fast answers equal those of a naive list, and its memory stays bounded."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import MICRO, parse_micros
from domain.order import OrderSide
from strategies.price_tracker import (
    PEAK_HORIZON,
    SAMPLE_HORIZON,
    SECOND,
    PriceTracker,
    TokenHistory,
    WindowMaximum,
)
from strategies.statistics import centre, logit
from tests.strategies.world import World

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/arbitrage_examples.json").read_text())["flash_crash"]

steps = st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(1, 99)), min_size=1, max_size=60)
windows = st.integers(0, 60 * SECOND)


def naive_peak(series, now, window):
    """The largest value that held at any moment of [now − window, now]; a value holds until the next one begins."""
    best = 0
    for position, (begin, value) in enumerate(series):
        end = series[position + 1][0] if position + 1 < len(series) else now
        if begin <= now and end >= now - window:
            best = max(best, value)
    return best


def play(moves, into):
    now, series = 1_000 * SECOND, []
    for wait, value in moves:
        now += wait
        into(now, value)
        series.append((now, value))
    return now, series


@given(steps, windows, st.integers(0, 20 * SECOND))
def test_window_maximum_equals_the_naive_maximum(moves, window, wait):
    maximum = WindowMaximum(60 * SECOND)
    now, series = play(moves, maximum.add)
    now += wait
    assert maximum.over(now, window).value == naive_peak(series, now, window)


@given(steps)
def test_peak_tells_when_the_series_left_it(moves):
    maximum = WindowMaximum(600 * SECOND)
    now, series = play(moves, maximum.add)
    peak = maximum.over(now, 600 * SECOND)
    left = [
        series[position + 1][0] if position + 1 < len(series) else now
        for position, (_, value) in enumerate(series)
        if value == peak.value
    ]
    assert peak.until_ns == max(left)


def naive_samples(series, now, length, lag):
    """The value that held just before each whole second of the window."""
    end, count = (now - lag) // SECOND, max(1, length // SECOND)
    samples = []
    for boundary in range(end - count + 1, end + 1):
        before = [value for begin, value in series if begin < boundary * SECOND]
        if before:
            samples.append(logit(before[-1] * 10_000))
    return samples


@given(steps, st.integers(SECOND, 150 * SECOND), st.integers(0, 20 * SECOND), st.integers(0, 20 * SECOND))
def test_window_equals_naive_sampling(moves, length, lag, wait):
    history = TokenHistory()
    # Two books within one nanosecond do not happen; the last one of an instant would win.
    moves = [(gap + 1, value) for gap, value in moves]
    now, series = play(moves, lambda at, value: history.add_mid(at, value * 10_000))
    now += wait
    expected = naive_samples(series, now, length, lag)
    window = history.window(now, length, lag_ns=lag)
    assert (list(window.samples) if window else []) == expected
    if window:
        assert window.centre == centre(expected[:: -(-len(expected) // 60)])


@given(
    st.lists(st.tuples(st.integers(0, 2 * SECOND), st.integers(1, 1000)), min_size=1, max_size=50),
    st.integers(0, 30 * SECOND),
)
def test_sold_volume_equals_the_naive_sum_to_a_tenth_of_a_second(moves, window):
    history = TokenHistory()
    now, series = play(moves, history.add_sold)
    tenth = SECOND // 10
    oldest = (now - window) // tenth
    assert history.sold(now, window) == sum(size for at, size in series if at // tenth >= oldest)


def test_drop_is_measured_from_the_peak_not_the_first_point():
    vector = VECTORS["peak_vs_endpoint"]
    history, now = TokenHistory(), 50 * SECOND
    prices = [parse_micros(text) for text in vector["prices_in_window"]]
    for price in prices:
        now += SECOND
        history.add_mid(now, price)
    assert prices[0] - history.mid == parse_micros(vector["endpoint_drop"])
    assert history.peak(now, 10 * SECOND).value - history.mid == parse_micros(vector["peak_to_last_drop"])


def test_the_window_ends_before_now_so_a_crash_does_not_excuse_itself():
    history, now = TokenHistory(), 100 * SECOND
    history.add_mid(now, 600_000)
    now += 30 * SECOND
    history.add_mid(now, 300_000)
    window = history.window(now, 20 * SECOND)
    assert window.centre.median == pytest.approx(logit(600_000))


def test_a_quiet_price_still_counts_as_the_price():
    history = TokenHistory()
    history.add_mid(SECOND, 600_000)
    assert history.peak(3600 * SECOND, SECOND).value == 600_000
    assert len(history.window(3600 * SECOND, 60 * SECOND).samples) == 60


def test_memory_is_bounded_however_long_and_wild_the_feed():
    history, now = TokenHistory(), 0
    for step in range(40_000):
        now += SECOND // 4
        history.add_mid(now, 1 + (step * 7919) % (MICRO - 1))
        history.add_depth(now, step % 1000)
        history.add_sold(now, 1)
    assert len(history._samples) <= SAMPLE_HORIZON * 5 // 4
    assert len(history._peaks._former) <= PEAK_HORIZON // (SECOND // 4) + 1
    assert len(history._sold) <= PEAK_HORIZON // (SECOND // 10) + 1


def test_a_long_silence_fills_no_more_than_the_horizon():
    history = TokenHistory()
    history.add_mid(SECOND, 500_000)
    history.add_mid(10**6 * SECOND, 600_000)
    assert len(history._samples) <= SAMPLE_HORIZON


def test_a_window_is_computed_once_until_the_next_sample_however_many_others_are_asked_for():
    history = TokenHistory()
    for second in range(100):
        history.add_mid(second * SECOND, 500_000 + second * 100)
    now = 100 * SECOND
    lengths = [length * SECOND for length in range(10, 90)]
    windows = [history.window(now, length) for length in lengths]
    assert all(history.window(now + 1, length) is window for length, window in zip(lengths, windows, strict=True))
    assert all(
        history.window(now + SECOND, length) is not window for length, window in zip(lengths, windows, strict=True)
    )


def test_selling_a_token_and_buying_its_complement_press_on_the_same_bids():
    world = World()
    world.quote(0.50)
    tracker, now = world.context.tracker, world.clock.ns
    tracker.add_trade(world.yes, world.no, OrderSide.SELL, 30, now)
    tracker.add_trade(world.no, world.yes, OrderSide.BUY, 12, now)
    assert tracker.history(world.yes).sold(now, SECOND) == 42
    assert tracker.history(world.no).sold(now, SECOND) == 0


def test_a_forgotten_token_has_no_history():
    world = World()
    world.quote(0.50)
    world.context.tracker.forget(world.yes)
    assert world.context.tracker.history(world.yes) is None
    assert PriceTracker().history("unknown") is None
