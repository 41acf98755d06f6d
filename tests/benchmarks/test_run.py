"""The door of the benchmarks: what it runs, and what it says of what it cannot run."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from benchmarks import bench_reconcile, run
from benchmarks.measure import Result, microseconds


def test_a_name_that_no_benchmark_has_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(SystemExit, match=r"no benchmark is called nonsense; there are: books, cold_start, decide,"):
        run.main(["decide", "nonsense"])


def test_results_are_printed_as_a_table_with_ratios_or_as_json(capsys, monkeypatch) -> None:
    results = [Result("speed", "µs", 2.0, 5.0, "theirs"), Result("rate", "/s", 30.0, 10.0, "theirs", True)]
    monkeypatch.setattr(bench_reconcile, "run", lambda: results)

    assert run.main(["reconcile"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert [line.split() for line in table[1:]] == [
        ["speed", "2.00", "5.00", "2.5×", "µs", "theirs"],
        ["rate", "30.00", "10.00", "3.0×", "/s", "theirs"],
    ]

    assert run.main(["reconcile", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["ours"], row["ratio"]) for row in rows] == [("speed", 2.0, 2.5), ("rate", 30.0, 3.0)]


def test_a_benchmark_that_fails_fails_the_run_and_is_named(capsys, monkeypatch) -> None:
    def fail() -> list[Result]:
        raise AssertionError("broken")

    monkeypatch.setattr(bench_reconcile, "run", fail)

    assert run.main(["reconcile"]) == 1
    assert "failed: benchmarks.bench_reconcile" in capsys.readouterr().err


def test_candidates_take_turns_and_the_best_round_counts() -> None:
    calls: list[str] = []
    took = microseconds(
        {"one": lambda: calls.append("one"), "two": lambda: calls.append("two")}, rounds=2, seconds=0.0001
    )

    assert set(took) == {"one", "two"}
    assert all(each > 0 for each in took.values())
    changes = sum(before != after for before, after in pairwise(calls))
    assert changes >= 4
