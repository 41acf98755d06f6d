"""Runs many seeds in several processes, adds them up, and shrinks one that fails: what `manage.py simulate` and the tests call.

A run that is interrupted (SIGINT, SIGTERM) reports what was run so far, and says that it is not whole.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

import structlog

from tests.sim.crash_points import POINTS
from tests.sim.faults import FAULTS
from tests.sim.simulation import STEPS, Outcome, Simulation

SHRINKING_RUNS = 60


@dataclass
class Report:
    """What became of the `seeds` that were run. `faults_injected` counts each kind, `crashes_at` the deaths at each of `tests.sim.crash_points`,
    `commands` and `groups` what operators' commands and leg groups came to. `violations` name their seed, `state_hash` is of all seeds in order.
    `interrupted`: there should have been more.
    """

    seeds: int = 0
    steps: int = 0
    faults_injected: dict[str, int] = field(default_factory=dict)
    crashes: int = 0
    crashes_at: dict[str, int] = field(default_factory=dict)
    orders: int = 0
    fills: int = 0
    commands: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    violations: list[dict[str, Any]] = field(default_factory=list)
    state_hash: str = ""
    seconds: float = 0.0
    interrupted: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def chosen_faults(text: str) -> tuple[str, ...]:
    """Return the kinds of faults that "all", "none" or a list with commas names. Raises `ValueError` for one that does not exist."""
    if text in ("all", "none"):
        return tuple(FAULTS) if text == "all" else ()
    kinds = tuple(kind.strip() for kind in text.split(","))
    unknown = [kind for kind in kinds if kind not in FAULTS]
    if unknown:
        named = ", ".join(map(repr, unknown))
        raise ValueError(f"no fault is called {named}; say all, none, or some of: {', '.join(FAULTS)}")
    return kinds


def run_seed(seed: int, *, steps: int = STEPS, faults: Collection[str] = tuple(FAULTS)) -> Outcome:
    """Run one seed. What ends the simulation itself is a violation too: nothing a venue does may raise."""
    simulation = Simulation(seed, steps=steps, faults=faults)
    try:
        return simulation.run()
    except Exception as error:  # noqa: BLE001 - it is told as a violation, with the place where it was raised
        place = traceback.extract_tb(error.__traceback__)[-1]
        wrong = f"nothing raises: {type(error).__name__}: {error} ({place.filename.rpartition('/')[2]}:{place.lineno})"
        world = simulation.world
        return Outcome(seed, simulation.done, dict(world.faults), world.crashed_at, 0, 0, "", [wrong])


def quiet() -> None:
    """Keep the traders' logs out of the way."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def run_seeds(
    seeds: Sequence[int],
    *,
    steps: int,
    faults: Collection[str],
    jobs: int,
    told: Callable[[int, Outcome], None] = lambda *_: None,
) -> Report:
    """Run every seed; `told` hears how many are done, and of the last one."""
    begun, report = perf_counter(), Report()
    counted, points, commands, groups = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    digest = hashlib.sha256()
    try:
        for outcome in _outcomes(seeds, partial(run_seed, steps=steps, faults=faults), jobs):
            report.seeds += 1
            report.steps += outcome.steps
            report.crashes += len(outcome.crashed_at)
            report.orders += outcome.orders
            report.fills += outcome.fills
            points.update(outcome.crashed_at)
            counted.update(outcome.faults)
            commands.update(outcome.commands)
            groups.update(outcome.groups)
            digest.update(outcome.state_hash.encode())
            if outcome.violations:
                report.violations.append({"seed": outcome.seed, "step": outcome.steps, "wrong": outcome.violations})
            told(report.seeds, outcome)
    except KeyboardInterrupt:
        report.interrupted = True
    report.faults_injected = {kind: counted[kind] for kind in FAULTS if kind in counted}
    report.crashes_at = {point: points[point] for point in POINTS if point in points}
    report.commands, report.groups = dict(sorted(commands.items())), dict(sorted(groups.items()))
    report.state_hash, report.seconds = digest.hexdigest(), round(perf_counter() - begun, 1)
    return report


def _outcomes(seeds: Sequence[int], work: Callable[[int], Outcome], jobs: int) -> Iterator[Outcome]:
    if jobs == 1 or len(seeds) == 1:
        quiet()
        yield from map(work, seeds)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin_worker)
    try:
        yield from pool.map(work, seeds, chunksize=4)
    except BaseException:
        # Whoever is in the middle of a seed, or goes round in circles, is not waited for.
        for process in list(pool._processes.values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    """An interruption is the parent's affair."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    quiet()


def shrink(seed: int, *, steps: int, faults: Collection[str]) -> tuple[int, tuple[str, ...]]:
    """Return fewer steps and fewer faults with which a failing seed still fails, the fewest found in a bounded number of runs."""
    quiet()
    kept, runs = tuple(faults), SHRINKING_RUNS

    def steps_to_fail(kinds: Collection[str]) -> int | None:
        outcome = run_seed(seed, steps=steps, faults=kinds)
        return max(outcome.steps, 1) if outcome.violations else None

    for kind in kept:
        fewer = tuple(each for each in kept if each != kind)
        found = steps_to_fail(fewer) if runs > 0 else None
        runs -= 1
        if found is not None:
            kept, steps = fewer, found
    least = 1
    while least < steps and runs > 0:
        middle = (least + steps) // 2
        runs -= 1
        if run_seed(seed, steps=middle, faults=kept).violations:
            steps = middle
        else:
            least = middle + 1
    return steps, kept
