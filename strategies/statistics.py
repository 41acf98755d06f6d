"""Robust statistics of bounded prices: pure functions of plain sequences.

Prices live in (0, 1), so differences are taken in log-odds, where a five-cent fall from 0.10 is larger than one from 0.55. Centre and scale
are median and median absolute deviation, which a crash inside the window cannot drag along. Where a figure does not exist (too few points, no
variation), the function returns None; callers treat that as "no trade".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import exp, log
from typing import NamedTuple

from domain.money import MICRO

MAD_TO_SIGMA = 1.4826
"""The median absolute deviation of a normal variable times this is its standard deviation."""


class Centre(NamedTuple):
    """Median and 1.4826 · MAD of a sample, in the sample's unit."""

    median: float
    scale: float


def logit(price: int) -> float:
    """Return the log-odds of `price` (micro-units), kept within [1e-6, 1 − 1e-6]."""
    clipped = min(max(price, 1), MICRO - 1)
    return log(clipped / (MICRO - clipped))


def expit_rounded(log_odds: float) -> int:
    """Return the price in micro-units whose log-odds are `log_odds`, rounded to the nearest."""
    return round(MICRO / (1 + exp(-log_odds)))


def median(sorted_values: Sequence[float]) -> float:
    """Return the median of a non-empty, ascending sequence."""
    middle = len(sorted_values) // 2
    if len(sorted_values) % 2:
        return sorted_values[middle]
    return (sorted_values[middle - 1] + sorted_values[middle]) / 2


def scale(values: Sequence[float], middle: float) -> float:
    """Return 1.4826 · MAD of `values` around their median `middle`; there is at least one value."""
    return MAD_TO_SIGMA * median(sorted([abs(value - middle) for value in values]))


def centre(values: Sequence[float]) -> Centre:
    """Return median and scale of `values`, of which there is at least one."""
    middle = median(sorted(values))
    return Centre(middle, scale(values, middle))


def robust_z(value: float, of: Centre, floor: float) -> float:
    """Return how many scales `value` lies above the centre; `floor` bounds the scale, because calm series have none."""
    return (value - of.median) / max(of.scale, floor)


def autoregression(residuals: Sequence[float]) -> float | None:
    """Return φ of x_t = φ·x_{t−1} + ε by least squares without intercept, None without variation."""
    denominator = sum(value * value for value in residuals[:-1])
    if not denominator:
        return None
    return sum(before * after for before, after in pairwise(residuals)) / denominator


def half_life(phi: float | None) -> float | None:
    """Return the steps in which a deviation halves, −ln 2 / ln φ; None when nothing reverts (φ ≥ 1).

    A φ at or below zero overshoots within one step: its half-life is 0.
    """
    if phi is None or phi >= 1:
        return None
    return -log(2) / log(phi) if phi > 0 else 0.0


def variance_ratio(values: Sequence[float], steps: int) -> float | None:
    """Return the mean square of `steps`-step changes over `steps` times that of one-step changes, None without variation.

    Below 1 the series reverts, above 1 it trends. Drift is not removed: a steady slope is a trend. Take mids, not trades, whose
    bid–ask bounce looks like reversion.
    """
    single = [after - before for before, after in pairwise(values)]
    several = [after - before for before, after in zip(values, values[steps:], strict=False)]
    base = sum(change * change for change in single)
    if not base or not several:
        return None
    return (sum(change * change for change in several) / len(several)) / (steps * base / len(single))
