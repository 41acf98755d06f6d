"""The benches of trading run, on small accounts: what they measure is not what is tested."""

from __future__ import annotations

import pytest

from benchmarks import bench_cold_start, bench_decide, bench_durable_order, bench_group_commit, bench_reconcile
from benchmarks.measure import Result


def _units(results: list[Result]) -> list[str]:
    assert all(result.ours >= 0 for result in results)
    return [result.unit for result in results]


def test_decisions_are_accepted_and_let_go() -> None:
    account = bench_decide.Account(markets=70, orders=20)
    before = account.risk.reservations.free_cash
    for decide in (
        account.decide(account.purchases(account.markets)),
        account.decide_at_once(account.purchases(account.markets)),
        account.decide(account.sales()),
    ):
        decide()

    assert account.risk.reservations.free_cash == before
    assert account.risk.reservations.drafts() == []


def test_an_order_is_carried_from_the_signal_to_a_venues_door(committed_database: str) -> None:
    results = bench_durable_order.measure(committed_database, orders=4)

    assert _units(results) == ["ms"] * 6
    assert [result.peer is not None for result in results] == [True, True, False, False, False, False]


def test_intents_are_committed_together_and_one_by_one(committed_database: str) -> None:
    results = bench_group_commit.measure(committed_database, rounds=1, seconds=0.1)

    assert _units(results) == ["intents/s", "ms", "ms"] * 3
    assert all(result.peer for result in results)


def test_an_account_is_reconciled() -> None:
    assert _units(bench_reconcile.run(orders=100, rounds=1)) == ["s", "ms"] * 2


def test_a_trader_starts_over_a_past(committed_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A process is started by the real run; here its time is beside the point.
    monkeypatch.setattr(bench_cold_start, "_import_seconds", lambda: 0.1)
    past = bench_cold_start.Past(orders=40, fills=20, still_open=5, markets=20)

    results = bench_cold_start.measure(committed_database, past, rounds=2)
    assert results[0].name == "cold start to reconciled"
    assert len(results) == 8
