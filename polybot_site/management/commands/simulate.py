"""`manage.py simulate`: the whole trader on a virtual clock, with faults, crashes and a rival, for as many seeds as one likes.

The harness is a part of the tests (`tests/sim`) and comes with a checkout, not with an installed package. Ends with exit code 1 when an invariant
did not hold: the first failing seed is shrunk and printed as the command that replays it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    """Prints a table, or with --json one object: seeds, steps, faults_injected, crashes, orders, fills, violations, state_hash, seconds."""

    help = "Run the trader through faults and crashes in virtual time, and check its invariants after every step"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seeds", type=_positive, default=100, help="how many seeds (100)")
        parser.add_argument(
            "--steps", type=_positive, default=150, help="steps of each seed before the faults stop (150)"
        )
        parser.add_argument("--faults", default="all", help="all, none, or kinds separated by commas (all)")
        parser.add_argument("--seed", type=int, help="run this seed alone, or the first of --seeds")
        parser.add_argument("--jobs", type=_positive, default=2, help="processes (2)")
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
        count = 1 if first is not None and "--seeds" not in sys.argv else options["seeds"]
        seeds = range(first or 0, (first or 0) + count)
        steps = options["steps"]
        report = runner.run_seeds(seeds, steps=steps, faults=faults, jobs=options["jobs"], told=self._progress(count))
        found = report.as_json()
        if options["json"]:
            self.stdout.write(json.dumps(found))
        else:
            for name, value in found.items():
                self.stdout.write(f"{name:>16}  {value}")
        if report.violations:
            failed = report.violations[0]
            steps, kinds = runner.shrink(failed["seed"], steps=steps, faults=faults)
            replay = (
                f'manage.py simulate --seed {failed["seed"]} --steps {steps} --faults "{",".join(kinds) or "none"}"'
            )
            raise CommandError(f"{failed['wrong'][0]}\nreplay it: {replay}", returncode=1)

    def _progress(self, count: int) -> Any:
        def told(done: int) -> None:
            if self.stderr.isatty():
                self.stderr.write(f"\r{done}/{count} seeds", ending="\n" if done == count else "")

        return told


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("expected 1 or more")
    return number
