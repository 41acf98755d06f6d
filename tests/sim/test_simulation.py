"""Nothing is lost and nothing is sent twice, whatever moment the trader dies at and whatever the connections make of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache

import pytest
from django.core.management import CommandError, call_command

from domain.halt import HaltScope
from domain.legs import LegPolicy
from strategies.engine import Engine
from tests.sim import runner
from tests.sim.crash_points import POINTS, crash_plan
from tests.sim.faults import FAULTS
from tests.sim.invariants import STEP, Invariant
from tests.sim.mutants import MUTANTS
from tests.sim.simulation import Outcome, Simulation
from trading.executor import Executor
from trading.order_flow import OrderFlow

SEEDS = range(20)
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

    assert {point for outcome in outcomes for point in outcome.crashed_at} == set(POINTS)
    met = {fault for outcome in outcomes for fault in outcome.faults} | {"skew", "rival"}
    assert met >= FAULTS.keys()


def test_the_seeds_together_meet_every_command_every_scope_and_every_policy() -> None:
    commands = {told for seed in SEEDS for told in run(seed).commands}
    groups = {told for seed in SEEDS for told in run(seed).groups}

    assert commands >= {f"{kind} done" for kind in ("place", "cancel", "cancel_all")}
    assert commands >= {f"halt {scope.value} done" for scope in HaltScope}
    assert commands >= {f"resume {scope.value} done" for scope in HaltScope}
    assert {told.split()[-2] for told in commands if told.startswith("flatten") and told.endswith("done")} >= {"flat"}
    assert {told.split()[-1] for told in commands} == {"done", "refused", "expired"}
    assert {told.split()[0] for told in groups} == {policy.value for policy in LegPolicy}
    assert {told.split()[1] for told in groups} == {"filled", "partial", "failed", "cancelled"}


def test_a_seed_plans_its_deaths_at_points_of_its_own_choice() -> None:
    plans = [[crash.point for crash in crash_plan(seed, 150)] for seed in range(3)]

    assert all(len(set(plan)) == len(plan) == 8 for plan in plans)
    assert plans[0] != plans[1] != plans[2]
    assert len(crash_plan(0, 20 * 30)) == 30


def test_the_same_seed_gives_the_same_hash_and_another_seed_another() -> None:
    assert Simulation(3).run().state_hash == run(3).state_hash
    assert run(3).state_hash != run(4).state_hash


def test_the_hash_does_not_depend_on_the_process_that_found_it() -> None:
    program = "from tests.sim import runner; runner.quiet(); print(runner.run_seed(5).state_hash)"
    found = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout.decode()
        for seed in ("1", "2")
    ]

    assert found == [run(5).state_hash + "\n"] * 2


def test_a_bug_is_found_shrunk_to_the_steps_and_faults_it_needs_and_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug: a timeout is taken for a refusal. It shows where an order arrives after its timeout."""
    bug = next(mutant for mutant in MUTANTS if mutant.name == "unknown")
    monkeypatch.setattr(OrderFlow, "_apply_outcome", bug.patch(OrderFlow._apply_outcome))
    faults = ("late", "tick", "delayed")
    failed = next(seed for seed in range(10) if runner.run_seed(seed, steps=60, faults=faults).violations)

    steps, needed = runner.shrink(failed, steps=60, faults=faults)

    assert "late" in needed
    assert set(needed) < set(faults)
    assert steps < 60
    again = [runner.run_seed(failed, steps=steps, faults=needed) for _ in range(2)]
    assert again[0].violations == again[1].violations != []
    monkeypatch.undo()
    assert runner.run_seed(failed, steps=steps, faults=needed).violations == []


def test_what_goes_round_without_end_is_a_violation_and_no_endless_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sweep(self: Executor, _: float) -> int:
        while True:
            self._clock.monotonic()

    monkeypatch.setattr(Executor, "drain", sweep)

    assert "time goes on" in "".join(runner.run_seed(1, steps=20, faults=()).violations)


def test_a_trader_that_dies_of_an_error_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    def on_timer(_: Engine) -> None:
        raise LookupError("gone")

    monkeypatch.setattr(Engine, "on_timer", on_timer)

    assert "nothing dies of itself: timer died: LookupError: gone" in runner.run_seed(1, steps=20, faults=()).violations


def test_the_command_prints_what_it_ran_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("simulate", seeds=2, steps=20, faults="all", jobs=1, json=True)

    found = json.loads(capsys.readouterr().out)
    assert (found["seeds"], found["steps"], found["violations"]) == (2, 40, [])
    assert found.keys() >= {"faults_injected", "crashes", "orders", "fills", "state_hash", "seconds"}
    assert (sum(found["crashes_at"].values()), found["interrupted"]) == (found["crashes"], False)


def test_an_interrupted_run_reports_what_was_run() -> None:
    def interrupt(done: int, _: Outcome) -> None:
        if done == 2:
            raise KeyboardInterrupt

    report = runner.run_seeds(range(4), steps=5, faults=(), jobs=1, told=interrupt)

    assert (report.seeds, report.steps, report.interrupted) == (2, 10, True)


@pytest.mark.parametrize("option", ["--seeds=0", "--steps=-1", "--jobs=two"])
def test_a_number_that_is_none_is_refused(option: str) -> None:
    with pytest.raises(CommandError, match="expected a whole number from 1"):
        call_command("simulate", option)


def test_the_command_names_the_faults_there_are() -> None:
    with pytest.raises(CommandError, match="no fault is called 'sunspots'; say all, none, or some of: refused"):
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
    assert report.crashes > 500
    assert report.crashes_at.keys() == set(POINTS)
    assert report.faults_injected.keys() | {"skew", "rival"} == FAULTS.keys()
