"""Where a trader may die: before and after each of its seven effects on the world.

What is read of the venue, the two requests that change something there, and the four kinds of rows that decide what is believed after a restart. A
batch of rows may be several kinds of commits at once.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from domain.fill import Fill
from domain.legs import LegGroup, LegGroupState
from domain.order import Order
from domain.ports import JournalRow, OrderState

READ, SEND, CANCEL = "read", "send", "cancel"
INTENT, ANSWER, FILL, GROUP = "intent's commit", "answer's commit", "fill's commit", "group's commit"
EFFECTS = (READ, INTENT, SEND, ANSWER, FILL, CANCEL, GROUP)
POINTS = tuple(f"{when} {effect}" for effect in EFFECTS for when in ("before", "after"))

STEPS_PER_CRASH = 20
MOST_PASSED = 6
"""A crash lets this many passages of its point go by at the most."""

_ROWS: dict[type[object], str] = {
    Order: INTENT,
    OrderState: ANSWER,
    Fill: FILL,
    LegGroup: GROUP,
    LegGroupState: GROUP,
}


@dataclass
class Crash:
    """Die when `point` is passed for the `countdown`th time after `step`."""

    point: str
    countdown: int
    step: int = 0


def commits(rows: Iterable[JournalRow]) -> list[str]:
    """Return which kinds of commits rows are, in the order of `EFFECTS`."""
    found = {_ROWS.get(type(row)) for row in rows}
    return [effect for effect in EFFECTS if effect in found]


def crash_plan(seed: int, steps: int) -> list[Crash]:
    """Return the crashes of a seed, each at another point as long as there are any; which points, and when, is the seed's choice."""
    rng = random.Random(f"{seed}:crashes")
    moments = range(0, steps, STEPS_PER_CRASH)
    rounds = -(-len(moments) // len(POINTS))
    points = [point for _ in range(rounds) for point in rng.sample(POINTS, len(POINTS))]
    return [Crash(point, rng.randrange(1, MOST_PASSED + 1), step) for point, step in zip(points, moments, strict=False)]
