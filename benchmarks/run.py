"""The door of `make bench`: runs every `benchmarks/bench_*.py`, prints one table and writes `benchmarks/results/latest.json`.

A bench module offers `run() -> list[Result]` (`benchmarks.measure`). Names given on the command line select modules
(`python -m benchmarks.run feed signing`). A module that fails makes the whole run fail, after the others have run.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import django

import benchmarks
from benchmarks.measure import Result

RESULTS = Path(__file__).parent / "results" / "latest.json"


def main(arguments: Sequence[str]) -> int:
    results: list[Result] = []
    failed: list[str] = []
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polybot_site.settings")
    django.setup()
    for name in _modules(arguments):
        print(f"… {name}", file=sys.stderr)
        try:
            results += importlib.import_module(name).run()
        except Exception:  # noqa: BLE001 - the other benches still report, and the exit status says that one failed
            traceback.print_exc()
            failed.append(name)
    print(_table(results))
    if not arguments:
        _write(results)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _modules(wanted: Sequence[str]) -> list[str]:
    found = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name.startswith("bench_"))
    chosen = [name for name in found if not wanted or name.removeprefix("bench_") in wanted]
    if not chosen:
        known = ", ".join(name.removeprefix("bench_") for name in found)
        raise SystemExit(f"no benchmark is called {' or '.join(wanted)}; there are: {known}")
    return [f"benchmarks.{name}" for name in chosen]


def _table(results: Sequence[Result]) -> str:
    rows = [("what", "ours", "peer", "ratio", "unit", "peer is")]
    for result in results:
        peer = "" if result.peer is None else f"{result.peer:,.2f}"
        ratio = "" if result.ratio is None else f"{result.ratio:.1f}×"
        rows.append((result.name, f"{result.ours:,.2f}", peer, ratio, result.unit, result.peer_name))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (1, 2, 3)
    return "  ".join(
        cell.rjust(width) if i in numbers else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ).rstrip()


def _write(results: Sequence[Result]) -> None:
    rows = [
        {
            "name": r.name,
            "unit": r.unit,
            "ours": round(r.ours, 4),
            "peer": None if r.peer is None else round(r.peer, 4),
            "peer_name": r.peer_name,
            "ratio": None if r.ratio is None else round(r.ratio, 3),
        }
        for r in results
    ]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
