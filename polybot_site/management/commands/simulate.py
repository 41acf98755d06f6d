"""`manage.py simulate`: the whole trader on a virtual clock, with faults, crashes and a rival, for as many seeds as one likes.

The harness is a part of the tests (`tests/sim`) and comes with a checkout, not with an installed package. Ends with exit code 1 when an invariant
did not hold: violations are told as they are found, then the first failing seed is shrunk and printed as the command that replays it. Interrupted,
it reports what was run so far and ends with exit code 1 as well.
"""

from __future__ import annotations

import json
import signal
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

SEEDS = 100


class Command(BaseCommand):
    """Prints a table, or with --json one object: the fields of `tests.sim.runner.Report`."""

    help = (
        "Run the whole trader through faults, crashes and a rival in virtual time. Its invariants are checked after every event and every step; then "
        "the faults stop, and everything must come to rest. The same seed, steps and faults give the same run."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seeds", type=_positive, metavar="N", help=f"how many seeds ({SEEDS})")
        parser.add_argument(
            "--steps", type=_positive, default=150, metavar="M", help="steps of each seed before the faults stop (150)"
        )
        parser.add_argument(
            "--faults", default="all", metavar="LIST", help=f"all, none, or kinds separated by commas (all): {_kinds()}"
        )
        parser.add_argument(
            "--seed", type=int, metavar="S", help="run this seed alone, or begin with it when --seeds is given"
        )
        parser.add_argument("--jobs", type=_positive, default=2, metavar="N", help="processes (2)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            from tests.sim import runner
        except ModuleNotFoundError as error:
            raise CommandError(
                f"the simulation is a part of the tests ({error}): run it in a checkout of polybot"
            ) from error
        try:
            faults = runner.chosen_faults(options["faults"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        first = options["seed"]
        count = options["seeds"] or (SEEDS if first is None else 1)
        seeds = range(first or 0, (first or 0) + count)
        steps = options["steps"]
        terminated = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            told = self._progress(count)
            report = runner.run_seeds(seeds, steps=steps, faults=faults, jobs=options["jobs"], told=told)
        finally:
            signal.signal(signal.SIGTERM, terminated)
        found = report.as_json()
        if options["json"]:
            self.stdout.write(json.dumps(found))
        else:
            for name, value in found.items():
                self.stdout.write(f"{name:>16}  {value}")
        if report.interrupted:
            raise CommandError(f"interrupted: {report.seeds} of {count} seeds were run", returncode=1)
        if report.violations:
            failed = report.violations[0]
            steps, kinds = runner.shrink(failed["seed"], steps=steps, faults=faults)
            replay = (
                f'manage.py simulate --seed {failed["seed"]} --steps {steps} --faults "{",".join(kinds) or "none"}"'
            )
            raise CommandError(f"{failed['wrong'][0]}\nreplay it: {replay}", returncode=1)

    def _progress(self, count: int) -> Any:
        def told(done: int, outcome: Any) -> None:
            for wrong in outcome.violations[:1]:
                self.stderr.write(f"seed {outcome.seed}, step {outcome.steps}: {wrong}")
            if self.stderr.isatty():
                self.stderr.write(f"\r{done}/{count} seeds", ending="\n" if done == count else "")

        return told


def _kinds() -> str:
    try:
        from tests.sim.faults import FAULTS
    except ModuleNotFoundError:
        return "see tests/sim/faults.py"
    return ", ".join(FAULTS)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"was {text!r}, expected a whole number from 1")
    return int(text)
