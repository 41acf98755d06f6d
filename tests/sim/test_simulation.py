"""Nothing is lost and nothing is sent twice, whatever moment the trader dies at and whatever the connections make of it."""

from __future__ import annotations

import json
from functools import cache

import pytest
from django.core.management import CommandError, call_command

from tests.sim import runner
from tests.sim.faults import FAULTS
from tests.sim.invariants import STEP, Invariant
from tests.sim.simulation import EFFECTS, Outcome, Simulation

SEEDS = range(24)
TRADING = range(3)


@cache
def run(seed: int) -> Outcome:
    return Simulation(seed).run()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_with_every_fault_breaks_no_invariant_and_comes_to_rest(seed: int) -> None:
    assert run(seed).violations == []


@pytest.mark.parametrize("seed", TRADING)
def test_without_faults_the_same_steps_trade(seed: int) -> None:
    outcome = Simulation(seed, faults=()).run()

    assert outcome.violations == []
    assert outcome.fills > 5
    assert outcome.faults == {}


def test_the_seeds_together_die_before_and_after_every_effect_and_meet_every_fault() -> None:
    outcomes = [run(seed) for seed in SEEDS]

    points = {point for outcome in outcomes for point in outcome.crashed_at}
    assert len(points) > len(EFFECTS), "crashes stay before one kind of effect"
    met = {fault for outcome in outcomes for fault in outcome.faults} | {"skew", "rival"}
    assert met >= FAULTS.keys()


def test_the_same_seed_gives_the_same_hash_and_another_seed_another() -> None:
    assert Simulation(3).run().state_hash == run(3).state_hash
    assert run(3).state_hash != run(4).state_hash


def test_a_failing_seed_is_shrunk_to_the_steps_and_faults_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    crashes = Invariant("no crash", lambda simulation, _: iter(simulation.world.crashed_at))
    monkeypatch.setattr("tests.sim.simulation.STEP", [*STEP, crashes])

    steps, faults = runner.shrink(1, steps=60, faults=("crash", "tick", "delayed"))

    assert faults == ("crash",)
    assert steps < 60
    assert runner.run_seed(1, steps=steps, faults=faults).violations


def test_the_command_prints_what_it_ran_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("simulate", seeds=2, steps=20, faults="all", jobs=1, json=True)

    found = json.loads(capsys.readouterr().out)
    assert (found["seeds"], found["steps"], found["violations"]) == (2, 40, [])
    assert found.keys() >= {"faults_injected", "crashes", "orders", "fills", "state_hash", "seconds"}


def test_the_command_names_the_faults_there_are() -> None:
    with pytest.raises(CommandError, match="no fault is called sunspots; there are: refused"):
        call_command("simulate", faults="sunspots")


def test_a_failing_seed_ends_the_command_with_the_way_to_replay_it(monkeypatch: pytest.MonkeyPatch) -> None:
    crashes = Invariant("no crash", lambda simulation, _: iter(simulation.world.crashed_at))
    monkeypatch.setattr("tests.sim.simulation.STEP", [*STEP, crashes])

    with pytest.raises(CommandError, match=r"(?s)no crash: .*replay it: manage.py simulate --seed 1 ") as raised:
        call_command("simulate", seed=1, seeds=1, steps=40, faults="crash", jobs=1)

    assert raised.value.returncode == 1


@pytest.mark.sim
@pytest.mark.timeout(600)
def test_a_hundred_seeds_with_every_fault_break_no_invariant() -> None:
    report = runner.run_seeds(range(1000, 1100), steps=150, faults=tuple(FAULTS), jobs=2)

    assert report.violations == []
    assert report.crashes > 100
