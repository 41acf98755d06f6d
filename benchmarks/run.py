"""The door of `make bench`: runs every `benchmarks/bench_*.py`, prints one table and writes `benchmarks/results/latest.json`.

A bench module offers `run() -> list[Result]` (`benchmarks.measure`). Names given on the command line select modules
(`python -m benchmarks.run feed signing`), `--json` prints rows instead of the table. A name that no module has ends the run at once. A module
that fails makes the whole run fail, after the others have run.
"""

from __future__ import annotations

import argparse
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
    options = _options(arguments)
    modules = _modules(options.names)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polybot_site.settings")
    django.setup()
    results: list[Result] = []
    failed: list[str] = []
    for number, name in enumerate(modules, start=1):
        print(f"… {number}/{len(modules)} {name}", file=sys.stderr, flush=True)
        try:
            results += importlib.import_module(name).run()
        except Exception:  # noqa: BLE001 - the other benches still report, and the exit status says that one failed
            traceback.print_exc()
            failed.append(name)
    print(_json(results) if options.json else _table(results))
    if not options.names and not failed:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(_json(results) + "\n")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description="Measure the hot paths, side by side."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(_known())}; all when none is given")
    parser.add_argument("--json", action="store_true", help="print rows instead of a table")
    return parser.parse_args(arguments)


def _known() -> list[str]:
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name.removeprefix("bench_") for name in found if name.startswith("bench_"))


def _modules(wanted: Sequence[str]) -> list[str]:
    known = _known()
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SystemExit(f"no benchmark is called {' or '.join(unknown)}; there are: {', '.join(known)}")
    return [f"benchmarks.bench_{name}" for name in known if not wanted or name in wanted]


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


def _json(results: Sequence[Result]) -> str:
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
    return json.dumps(rows, indent=1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
