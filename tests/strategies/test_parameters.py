"""Parameters: one declaration gives defaults, ranges, errors, JSON and a schema."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import exact_micros
from strategies.catalog import CATALOG
from strategies.flash_crash import FlashCrashParameters
from strategies.mean_reversion import MeanReversionParameters
from strategies.parameter_fields import nanoseconds
from strategies.parameters import ParameterError, parse, schema


def test_defaults_are_the_specifications():
    crash, reversion = FlashCrashParameters(), MeanReversionParameters()
    assert (crash.drop_threshold, crash.recovery_target) == (Decimal("0.10"), Decimal("0.05"))
    assert (reversion.std_dev_threshold, reversion.lookback_window) == (2.0, timedelta(minutes=5))


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("drop_threshold", 5, "a number from 0.001 to 0.99"),
        ("drop_threshold", -0.1, "a number from 0.001 to 0.99"),
        ("drop_threshold", float("nan"), "a number from 0.001 to 0.99"),
        ("drop_threshold", float("inf"), "a number from 0.001 to 0.99"),
        ("drop_threshold", "0.1", "a number from 0.001 to 0.99"),
        ("drop_threshold", True, "a number from 0.001 to 0.99"),
        ("drop_threshold", None, "a number from 0.001 to 0.99"),
        ("drop_threshold", 0.10000001, "a number from 0.001 to 0.99"),
        ("drop_threshold", {"a": 1}, "a number from 0.001 to 0.99"),
        ("max_positions", 1.5, "a whole number from 1 to 1000"),
        ("max_positions", 0, "a whole number from 1 to 1000"),
        ("z_threshold", "6", "a number from 1 to 100"),
        ("max_duration", 10, "a duration from 100ms to 1m"),
        ("max_duration", "2h", "a duration from 100ms to 1m"),
        ("max_duration", "soon", "a duration from 100ms to 1m"),
        ("max_duration", "999999999d999999999d", "a duration from 100ms to 1m"),
    ],
)
def test_a_bad_value_is_refused_with_key_value_and_range(key, value, allowed):
    with pytest.raises(ParameterError) as caught:
        parse(FlashCrashParameters, {key: value}, strategy="flash_crash")
    assert str(caught.value).startswith(f"flash_crash.{key} was {value!r}"[:40])
    assert str(caught.value).endswith(f", allowed: {allowed}")
    assert caught.value.key == key


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(
        ParameterError, match=r"flash_crash.drop_treshold is not a parameter, allowed: size, .*drop_threshold"
    ):
        parse(FlashCrashParameters, {"drop_treshold": 0.2}, strategy="flash_crash")


def test_a_long_value_does_not_flood_the_message():
    with pytest.raises(ParameterError) as caught:
        parse(FlashCrashParameters, {"size": "9" * 10_000}, strategy="flash_crash")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("kind", [entry.parameters_type for entry in CATALOG.values()])
def test_json_values_come_back_unchanged(kind):
    values = kind().to_json()
    assert parse(kind, json.loads(json.dumps(values)), strategy="x") == kind()


@given(st.integers(1_000, 990_000))
def test_dollars_survive_json_exactly(units):
    value = Decimal(units) / 1_000_000
    parameters = parse(FlashCrashParameters, {"drop_threshold": value}, strategy="x")
    again = parse(FlashCrashParameters, json.loads(json.dumps(parameters.to_json())), strategy="x")
    assert exact_micros(again.drop_threshold) == units


@given(st.integers(0, 10 * 365 * 86_400_000))
def test_durations_become_exact_nanoseconds(milliseconds):
    assert nanoseconds(timedelta(milliseconds=milliseconds)) == milliseconds * 1_000_000


@pytest.mark.parametrize("kind", [entry.parameters_type for entry in CATALOG.values()])
def test_the_schema_describes_every_parameter_for_a_form(kind):
    described = schema(kind)["properties"]
    assert list(described) == list(kind.model_fields)
    for name, entry in described.items():
        assert {"title", "description", "default"} <= set(entry), name
        assert ("minimum" in entry and "maximum" in entry) or ("formatMinimum" in entry and "formatMaximum" in entry), (
            name
        )
    json.dumps(schema(kind))


def test_the_schema_gives_type_range_unit_and_help():
    described = schema(MeanReversionParameters)["properties"]
    assert described["lookback_window"] == {
        "title": "Lookback",
        "description": "History that the middle is taken from; a fifth of it must have been seen",
        "type": "string",
        "format": "duration",
        "default": "5m",
        "formatMinimum": "10s",
        "formatMaximum": "1h",
    }
    assert described["std_dev_threshold"] | {} == {
        "title": "Deviation",
        "description": "Distance below the middle that is bought",
        "type": "number",
        "default": 2.0,
        "minimum": 0.5,
        "maximum": 20,
        "unit": "standard deviations",
    }
