"""Nothing is lost and nothing is sent twice, whatever moment the trader dies at."""

from __future__ import annotations

from functools import cache

import pytest

from tests.sim.simulation import EFFECTS, Outcome, Simulation

SEEDS = range(20)


@cache
def run(seed: int) -> Outcome:
    return Simulation(seed).run()


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
    assert Simulation(3).run().state_hash == run(3).state_hash
    assert run(3).state_hash != run(4).state_hash
