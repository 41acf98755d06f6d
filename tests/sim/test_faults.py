"""Bad connections and crashes together: answers get lost, orders arrive late, the account channel lies, and nothing is lost or doubled."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.sim.faults import FaultySimulation

FAULTS = {
    "start failed",
    "answer lost",
    "never left",
    "late",
    "cancel lost",
    "cancel's answer lost",
    "read failed",
    "dropped",
    "repeated",
    "delayed",
}
seen: Counter[str] = Counter()


@pytest.mark.parametrize("seed", range(100, 112))
def test_a_trader_on_bad_connections_ends_with_the_venues_truth(seed: int) -> None:
    simulation = FaultySimulation(seed)
    outcome = simulation.run()
    seen.update(simulation.world.faults)

    assert outcome.violations == []
    assert outcome.fills > 3


def test_the_seeds_together_meet_every_fault() -> None:
    assert set(seen) == FAULTS
