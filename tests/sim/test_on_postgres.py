"""Seeds with the real journal: PostgreSQL's answers take real time, during which the virtual clock stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import psycopg
import pytest
from psycopg.rows import dict_row

from domain.market import Market
from domain.ports import Journal, JournalRow, Lease, LeaseStore
from markets import store
from runtime.ports import Storage
from tests.sim.crash_points import commits
from tests.sim.ports import SimStorage
from tests.sim.simulation import STEPS, Simulation
from tests.sim.world import ACCOUNT, Dead, World
from trading.journal_load import Connection
from trading.journal_postgres import PostgresJournal
from trading.lease import MemoryLeases

T = TypeVar("T")


class CrashingPostgresJournal(PostgresJournal):
    """The real journal; the trader may die before its rows are written, or before it hears that they were."""

    def __init__(self, simulation: PostgresSimulation, life: Dead, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._simulation = simulation
        self._life = life

    def submit(self, rows: Sequence[JournalRow]) -> asyncio.Future[None]:
        return self._carry(rows, super().submit)

    def record(self, rows: Sequence[JournalRow]) -> asyncio.Future[None]:
        return self._carry(rows, super().record)

    def _carry(
        self, rows: Sequence[JournalRow], write: Callable[[Sequence[JournalRow]], asyncio.Future[None]]
    ) -> asyncio.Future[None]:
        heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        effects = commits(rows)
        if self._life.alive and self._passes("before", effects):
            self._simulation.world.written(rows)
            self._simulation.owed += 1
            write(rows).add_done_callback(lambda written: self._tell(written, heard, effects))
        return heard

    def _passes(self, when: str, effects: Sequence[str]) -> bool:
        return all(self._simulation.world.point(f"{when} {effect}", self._life) for effect in effects)

    def _tell(self, written: asyncio.Future[None], heard: asyncio.Future[None], effects: Sequence[str]) -> None:
        self._simulation.owed -= 1
        error = written.exception()
        if self._passes("after", effects) and self._life.alive and not heard.done():
            if error is None:
                heard.set_result(None)
            else:
                heard.set_exception(error)

    async def call(self, function: Callable[[Connection], T]) -> T:
        self._simulation.owed += 1
        try:
            return await asyncio.shield(super().call(function))
        finally:
            self._simulation.owed -= 1


class EpochsInPostgres(MemoryLeases):
    """Leases in virtual time, with the epoch where the journal's transaction checks it."""

    def __init__(self, world: World, journal: PostgresJournal) -> None:
        super().__init__(world.tables, world.clock, grace=1.0)
        self._journal = journal

    async def acquire(self, account: str, holder: str, ttl: float) -> Lease:
        lease = await super().acquire(account, holder, ttl)
        values = [account, holder, lease.epoch]
        await self._journal.call(
            lambda connection: (
                connection.execute(
                    "INSERT INTO leases (account, holder, epoch, expires_at) VALUES (%s, %s, %s, now()) "
                    "ON CONFLICT (account) DO UPDATE SET holder = EXCLUDED.holder, epoch = EXCLUDED.epoch",
                    values,
                ).rowcount
            )
        )
        return lease


class PostgresSimStorage(SimStorage):
    """The `Storage` port with the real journal."""

    def __init__(self, simulation: PostgresSimulation, life: Dead) -> None:
        super().__init__(simulation.world, life)
        self._simulation = simulation

    def journal(self, epoch: Callable[[], int], market_of: Callable[[str], Market]) -> Journal:
        url = self._simulation.url
        journal = CrashingPostgresJournal(self._simulation, self._life, url, ACCOUNT, epoch=epoch, market_of=market_of)
        self._simulation.journals.append(journal)
        return journal

    def leases(self, journal: Journal) -> LeaseStore:
        assert isinstance(journal, PostgresJournal)
        return EpochsInPostgres(self._world, journal)


class PostgresSimulation(Simulation):
    """A seed whose disk is PostgreSQL."""

    def __init__(self, seed: int, url: str, *, steps: int = STEPS) -> None:
        super().__init__(seed, steps=steps)
        self.url = url
        self.owed = 0
        self.journals: list[PostgresJournal] = []
        self._reader: psycopg.Connection[dict[str, Any]] | None = None
        store.save_markets(self.world.exchange.markets(), [])

    def storage(self, life: Dead) -> Storage:
        return PostgresSimStorage(self, life)

    def external(self) -> bool:
        return self.owed > 0

    def rows(self, table: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()

    def order_row(self, order_id: str) -> dict[str, Any] | None:
        if self._reader is None:
            self._reader = psycopg.connect(self.url, row_factory=dict_row, autocommit=True)
        return self._reader.execute("SELECT * FROM orders WHERE id = %s", [order_id]).fetchone()

    def close(self) -> None:
        for journal in self.journals:
            journal.finish()
        if self._reader is not None:
            self._reader.close()


def check(seed: int, url: str, *, steps: int = STEPS) -> None:
    simulation = PostgresSimulation(seed, url, steps=steps)
    try:
        outcome = simulation.run()
    finally:
        simulation.close()

    assert outcome.violations == []
    assert outcome.orders > 0


@pytest.mark.parametrize("seed", [1, 5])
def test_a_seed_holds_on_postgresql_too(seed: int, committed_database: str) -> None:
    check(seed, committed_database, steps=50)


@pytest.mark.sim
@pytest.mark.parametrize("seed", range(2000, 2020))
def test_twenty_seeds_hold_on_postgresql(seed: int, committed_database: str) -> None:
    check(seed, committed_database)
