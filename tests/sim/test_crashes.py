"""Nothing is lost and nothing is sent twice, whatever moment the trader dies at."""

from __future__ import annotations

import random
from functools import cache

import pytest

from tests.sim.simulation import Outcome, Simulation
from tests.sim.world import Crash

SEEDS = range(20)
EFFECTS = ("send", "cancel", "commit", "read order", "read open orders", "read trades", "read balances")


@cache
def run(seed: int) -> Outcome:
    rng = random.Random(seed + 10_000)
    points = [f"{when} {effect}" for when in ("before", "after") for effect in EFFECTS]
    return Simulation(seed, [Crash(rng.choice(points), rng.randrange(1, 6)) for _ in range(8)]).run()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_trader_that_dies_at_any_effect_recovers_without_losing_or_repeating_anything(seed: int) -> None:
    outcome = run(seed)

    assert outcome.violations == []
    assert outcome.crashed_at
    assert outcome.fills > 5


def test_the_seeds_together_die_before_and_after_every_effect() -> None:
    crashed_at = {point for seed in SEEDS for point in run(seed).crashed_at}

    assert crashed_at >= {f"{when} {effect}" for when in ("before", "after") for effect in EFFECTS}


def test_the_same_seed_gives_the_same_hash_and_another_seed_another() -> None:
    assert run.__wrapped__(3).state_hash == run(3).state_hash
    assert run(3).state_hash != run(4).state_hash
