"""The database's clock is set back or forward under leases and commands."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import psycopg
import pytest

from infra.clock import SystemClock
from tests.trading import factories as f
from trading import commands
from trading.inbox import Inbox, PendingCommand
from trading.journal_postgres import PostgresJournal
from trading.lease import PostgresLeases


@pytest.fixture
async def journal(committed_database: str):
    made = PostgresJournal(committed_database, f.ACCOUNT, epoch=lambda: 0, market_of=lambda _: f.market())
    yield made
    await made.close()


def _changed(statement: str, connection: psycopg.Connection[Any]) -> int:
    return connection.execute(statement.encode()).rowcount


async def set_back(journal: PostgresJournal, seconds: int) -> None:
    """Move what was written into the future, as if the clock had been set back since."""
    ahead = f"interval '{seconds} seconds'"
    for statement in (
        f"UPDATE leases SET expires_at = expires_at + {ahead}",
        f"UPDATE commands SET issued_at = issued_at + {ahead}, expires_at = expires_at + {ahead}",
    ):
        await journal.call(partial(_changed, statement))


async def test_a_lease_of_a_dead_trader_is_taken_after_a_term_also_when_the_clock_was_set_back(journal) -> None:
    leases = PostgresLeases(journal.call, SystemClock(), grace=0.1)
    await leases.acquire(f.ACCOUNT, "dead", 0.4)
    await set_back(journal, 3600)
    begun = SystemClock().monotonic()

    async with asyncio.timeout(10):
        lease = await leases.acquire(f.ACCOUNT, "new", 0.4)

    assert lease.epoch == 2
    assert SystemClock().monotonic() - begun >= 0.5


async def test_a_lease_that_is_renewed_is_not_taken_however_far_ahead_it_ends(journal) -> None:
    leases = PostgresLeases(journal.call, SystemClock(), grace=0.1)
    held = await leases.acquire(f.ACCOUNT, "alive", 0.4)

    async def renew() -> None:
        nonlocal held
        while True:
            held = await leases.renew(held, 0.4)
            await set_back(journal, 3600)
            await asyncio.sleep(0.1)

    renewing = asyncio.create_task(renew())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5):
            await leases.acquire(f.ACCOUNT, "rival", 0.4)
    renewing.cancel()


async def test_a_command_that_was_issued_in_the_future_is_not_carried_out(journal, committed_database: str) -> None:
    seen: list[PendingCommand] = []

    async def handle(command: PendingCommand) -> dict:
        seen.append(command)
        return {}

    def issue() -> None:
        from django.db import connection

        commands.issue(account=f.ACCOUNT, kind="place", payload={"n": 1}, issued_by="ada")
        connection.close()

    await asyncio.to_thread(issue)
    await set_back(journal, 3600)

    await Inbox(committed_database, journal.call, handle, account=f.ACCOUNT).serve_pending()

    status = await journal.call(lambda c: c.execute("SELECT status FROM commands").fetchone())
    assert (seen, status["status"]) == ([], "expired")
