"""Bad connections and crashes together: answers get lost, orders arrive late, the account channel lies, and nothing is lost or doubled."""

from __future__ import annotations

from functools import cache

import pytest

from tests.sim.faults import FaultySimulation
from tests.sim.simulation import Outcome

SEEDS = range(100, 112)
FAULTS = {
    "cancel_only", "engine_restarting",
    "answer lost", "never left", "late", "cancel lost", "cancel's answer lost", "read failed", "start failed", "dropped", "repeated", "delayed",
}  # fmt: skip


@cache
def run(seed: int) -> tuple[Outcome, frozenset[str]]:
    simulation = FaultySimulation(seed)
    outcome = simulation.run()
    return outcome, frozenset(simulation.world.faults)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_trader_on_bad_connections_ends_with_the_venues_truth(seed: int) -> None:
    outcome, _ = run(seed)

    assert outcome.violations == []
    assert outcome.fills > 3


def test_the_seeds_together_meet_every_fault() -> None:
    assert {fault for seed in SEEDS for fault in run(seed)[1]} == FAULTS
