"""Group commit: intents made durable by the journal on real PostgreSQL, by 1, 8 and 64 tasks at once, next to one commit for each intent.

The peer is the same journal that gets an intent only after the one before is durable. An intent is the row of an order; its latency is from the
submission to the task's next step. Both take turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from statistics import median, quantiles
from time import perf_counter

import uvloop

from benchmarks.database import migrated_database
from benchmarks.measure import Result
from domain.order import Order
from infra.clock import SystemClock
from infra.ids import RandomIds
from markets.store import save_markets
from tests.trading import factories as f
from trading.journal_postgres import PostgresJournal
from trading.lease import PostgresLeases

AT_ONCE = (1, 8, 64)
ROUNDS, SECONDS = 5, 0.5
PEER = "one commit an intent"


def run() -> list[Result]:
    with migrated_database() as conninfo:
        return measure(conninfo, rounds=ROUNDS, seconds=SECONDS)


def measure(conninfo: str, *, rounds: int, seconds: float) -> list[Result]:
    """Measure on a migrated database, `rounds` times for `seconds` each way."""
    save_markets([f.market()], [])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        ours, theirs = runner.run(_take_turns(conninfo, rounds, seconds))
    results = []
    for tasks in AT_ONCE:
        what, mine, other = f"group commit, {tasks} at once", ours[tasks], theirs[tasks]
        rates = [max(len(each) / seconds for each in way) for way in (mine, other)]
        every, others = (sorted(took for each in way for took in each) for way in (mine, other))
        results += [
            Result(f"{what}, rate", "intents/s", rates[0], rates[1], PEER, higher_is_better=True),
            Result(f"{what}, p50", "ms", median(every) * 1e3, median(others) * 1e3, PEER),
            Result(f"{what}, p99", "ms", _p99(every) * 1e3, _p99(others) * 1e3, PEER),
        ]
    return results


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]


Rounds = dict[int, list[list[float]]]
"""The latencies of every intent of every round, by how many tasks there were."""


async def _take_turns(conninfo: str, rounds: int, seconds: float) -> tuple[Rounds, Rounds]:
    epoch = 0
    journal = PostgresJournal(conninfo, f.ACCOUNT, epoch=lambda: epoch, market_of=lambda _: f.market())
    epoch = (await PostgresLeases(journal.call, SystemClock(), grace=0.0).acquire(f.ACCOUNT, "bench", 3_600.0)).epoch
    ours: Rounds = {tasks: [] for tasks in AT_ONCE}
    theirs: Rounds = {tasks: [] for tasks in AT_ONCE}
    orders = _orders()
    for _ in range(rounds):
        for tasks in AT_ONCE:
            ours[tasks].append(await _round(journal, orders, tasks, seconds, nullcontext()))
            theirs[tasks].append(await _round(journal, orders, tasks, seconds, asyncio.Lock()))
    await journal.close()
    return ours, theirs


def _orders() -> Iterator[Order]:
    ids = RandomIds()
    while True:
        yield f.order(f.draft(decision_id=ids.uuid(), intent_id=ids.uuid()))


async def _round(
    journal: PostgresJournal,
    orders: Iterator[Order],
    tasks: int,
    seconds: float,
    turn: AbstractAsyncContextManager[object],
) -> list[float]:
    """Let tasks submit one intent after the other; return the latencies of those that became durable in time. `turn` is taken for each."""
    latencies: list[float] = []
    end = perf_counter() + seconds

    async def submit() -> None:
        while perf_counter() < end:
            order = next(orders)
            begun = perf_counter()
            async with turn:
                await journal.submit([order])
            if (now := perf_counter()) < end:
                latencies.append(now - begun)

    await asyncio.gather(*(submit() for _ in range(tasks)))
    return latencies
