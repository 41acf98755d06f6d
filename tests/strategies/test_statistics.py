"""The statistics agree with the worked examples, and say None where a figure does not exist."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import MICRO, parse_micros
from strategies.statistics import (
    autoregression,
    centre,
    expit_rounded,
    half_life,
    logit,
    robust_z,
    variance_ratio,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/arbitrage_examples.json").read_text())["flash_crash"]
FLOOR = float(VECTORS["scale_floor"])


def log_odds(texts):
    return [logit(parse_micros(text)) for text in texts]


def test_first_series_has_no_deviation_and_the_floor_decides():
    series = log_odds(VECTORS["prices"])
    calm = centre(series[: VECTORS["window_length"]])
    assert calm.median == pytest.approx(float(VECTORS["logit_median"]), abs=1e-9)
    assert calm.scale == float(VECTORS["scale_1.4826_mad"]) == 0
    assert robust_z(series[7], calm, FLOOR) == pytest.approx(float(VECTORS["z_at_index7"]), abs=1e-8)


def test_second_series_is_measured_by_its_own_deviation():
    vector = VECTORS["robust_z_nonzero_mad"]
    series = log_odds(vector["prices"])
    calm = centre(series[:-1])
    assert calm.median == pytest.approx(float(vector["logit_median"]), abs=1e-9)
    assert calm.scale == pytest.approx(float(vector["scale"]), abs=1e-9)
    assert robust_z(series[-1], calm, FLOOR) == pytest.approx(float(vector["z_last"]), abs=1e-8)


def test_falls_are_larger_in_log_odds_near_the_edges():
    for example in VECTORS["same_abs_drop_different_logit"]:
        before, after = log_odds([example["from"], example["to"]])
        assert before - after == pytest.approx(float(example["dlogit"]), abs=1e-9)


def test_recovery_in_log_odds_matches_the_example():
    series = log_odds(VECTORS["prices"])
    before, low = series[6], series[7]
    assert before - low == pytest.approx(float(VECTORS["drop_logit"]), abs=1e-9)
    assert (series[8] - low) / (before - low) == pytest.approx(float(VECTORS["recovery_index8"]), abs=1e-9)
    assert (series[9] - low) / (before - low) == pytest.approx(float(VECTORS["recovery_index9"]), abs=1e-9)


def test_autoregression_and_half_life_match_the_example():
    phi = autoregression([float(text) for text in VECTORS["ar1"]["residuals"]])
    assert phi == pytest.approx(float(VECTORS["ar1"]["phi"]), abs=1e-9)
    assert half_life(phi) == pytest.approx(float(VECTORS["ar1"]["half_life_steps"]), abs=1e-9)


def test_bid_ask_bounce_has_a_variance_ratio_of_zero():
    vector = VECTORS["variance_ratio_bid_ask_bounce"]
    ratio = variance_ratio([float(text) for text in vector["prices"]], 2)
    assert ratio == pytest.approx(float(vector["vr2"]), abs=1e-9)


def test_a_steady_slope_has_a_variance_ratio_above_one():
    assert variance_ratio([0.1 * step for step in range(20)], 4) == pytest.approx(4.0)


def test_series_without_variation_have_no_figures():
    assert autoregression([0.0, 0.0, 0.0]) is None
    assert variance_ratio([0.3] * 10, 2) is None
    assert variance_ratio([0.3, 0.4], 4) is None


def test_what_does_not_revert_has_no_half_life_and_overshooting_has_none_left():
    assert half_life(None) is None
    assert half_life(1.0) is None
    assert half_life(-0.2) == 0.0


@given(st.integers(0, MICRO))
def test_log_odds_of_any_price_are_finite_and_come_back(price):
    assert expit_rounded(logit(price)) == min(max(price, 1), MICRO - 1)
