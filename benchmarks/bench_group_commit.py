"""Group commit: intents made durable by the journal on real PostgreSQL, by 1, 8 and 64 tasks at once, next to one commit for each intent.

The peer is the same journal that gets an intent only after the one before is durable. An intent is the row of an order; its latency is from the
submission to the task's next step. The orders are made before a round begins: on the event loop, making them would count as waiting. Both take
turns in many short rounds; each figure is the median of those of the rounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from itertools import islice
from statistics import median, quantiles
from time import perf_counter
from typing import NamedTuple

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
ROUNDS, SECONDS = 15, 0.3
MOST_PER_SECOND = 20_000
"""More intents than any way makes durable in a second; a round ends early when its orders run out."""
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
        rates, middles, slowest = (
            [median(figure(each) for each in way) for way in (mine, other)] for figure in (_rate, _p50, _p99)
        )
        results += [
            Result(f"{what}, rate", "intents/s", rates[0], rates[1], PEER, higher_is_better=True),
            Result(f"{what}, p50", "ms", middles[0] * 1e3, middles[1] * 1e3, PEER),
            Result(f"{what}, p99", "ms", slowest[0] * 1e3, slowest[1] * 1e3, PEER),
        ]
    return results


class Round(NamedTuple):
    """The latencies of every intent of a round, and how long it took until the last was durable."""

    latencies: list[float]
    seconds: float


Rounds = dict[int, list[Round]]
"""By how many tasks there were."""


def _rate(each: Round) -> float:
    return len(each.latencies) / each.seconds


def _p50(each: Round) -> float:
    return median(each.latencies)


def _p99(each: Round) -> float:
    return quantiles(each.latencies, n=100)[98] if len(each.latencies) > 1 else each.latencies[0]


async def _take_turns(conninfo: str, rounds: int, seconds: float) -> tuple[Rounds, Rounds]:
    epoch = 0
    journal = PostgresJournal(conninfo, f.ACCOUNT, epoch=lambda: epoch, market_of=lambda _: f.market())
    epoch = (await PostgresLeases(journal.call, SystemClock(), grace=0.0).acquire(f.ACCOUNT, "bench", 3_600.0)).epoch
    ours: Rounds = {tasks: [] for tasks in AT_ONCE}
    theirs: Rounds = {tasks: [] for tasks in AT_ONCE}
    orders, more = list[Order](), _orders()
    for _ in range(rounds):
        for tasks in AT_ONCE:
            for way, turn in ((ours, nullcontext()), (theirs, asyncio.Lock())):
                orders.extend(islice(more, int(seconds * MOST_PER_SECOND) - len(orders)))
                way[tasks].append(await _round(journal, orders, tasks, seconds, turn))
    await journal.close()
    return ours, theirs


def _orders() -> Iterator[Order]:
    ids = RandomIds()
    while True:
        yield f.order(f.draft(decision_id=ids.uuid(), intent_id=ids.uuid()))


async def _round(
    journal: PostgresJournal,
    orders: list[Order],
    tasks: int,
    seconds: float,
    turn: AbstractAsyncContextManager[object],
) -> Round:
    """Let tasks submit one intent of `orders` after the other until the time is up. `turn` is taken for each."""
    latencies: list[float] = []
    started = perf_counter()

    async def submit() -> None:
        while orders and perf_counter() < started + seconds:
            order = orders.pop()
            begun = perf_counter()
            async with turn:
                await journal.submit([order])
            latencies.append(perf_counter() - begun)

    await asyncio.gather(*(submit() for _ in range(tasks)))
    return Round(latencies, perf_counter() - started)
