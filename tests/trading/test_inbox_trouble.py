"""Commands while the database takes no answers: each is carried out once all the same, and its answer is written later."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from domain.errors import JournalUnavailableError
from infra.endings import end_tasks
from tests.trading import factories as f
from tests.trading.test_journal_trouble import FULL_DISK
from tests.waiting import until
from trading import commands, inbox
from trading.inbox import Inbox, PendingCommand
from trading.journal_postgres import PostgresJournal


@pytest.fixture
async def journal(committed_database: str):
    made = PostgresJournal(committed_database, f.ACCOUNT, epoch=lambda: 0, market_of=lambda _: f.market())
    yield made
    await made.close()


def issue() -> str:
    from django.db import connection

    try:
        command = commands.issue(account=f.ACCOUNT, kind="place", payload={"n": 1}, issued_by="ada", ttl_seconds=60)
        return str(command.id)
    finally:
        connection.close()


async def test_a_command_whose_answer_cannot_be_written_is_carried_out_once_and_answered_later(
    journal, committed_database: str, monkeypatch
) -> None:
    monkeypatch.setattr(inbox, "POLL_SECONDS", 0.05)
    seen: list[PendingCommand] = []

    async def handle(command: PendingCommand) -> dict:
        seen.append(command)
        return {"ok": True}

    def sql(*statements: str) -> list[tuple]:
        with psycopg.connect(committed_database, autocommit=True) as connection:
            cursors = [connection.execute(statement) for statement in statements]
            return cursors[-1].fetchall() if cursors[-1].description else []

    served = Inbox(committed_database, journal.call, handle, account=f.ACCOUNT)
    await asyncio.to_thread(
        sql, FULL_DISK, "CREATE TRIGGER full_disk BEFORE UPDATE ON commands EXECUTE FUNCTION full_disk()"
    )
    command = await asyncio.to_thread(issue)
    task = asyncio.create_task(served.run())

    async def away() -> bool:
        return served._away

    await until(away)
    await asyncio.sleep(0.2)
    assert [each.id for each in seen] == [command]
    assert not task.done()

    await asyncio.to_thread(sql, "DROP TRIGGER full_disk ON commands")

    async def answered() -> bool:
        return await asyncio.to_thread(sql, "SELECT status FROM commands") == [("done",)]

    await until(answered)
    assert [each.id for each in seen] == [command]
    await end_tasks((task,))


async def test_an_answer_that_is_written_twice_at_once_stops_nobody() -> None:
    written, seconds = [], [0.02, 0.01]

    class Connection:
        def execute(self, _: str, values: list) -> None:
            written.append(values)

    async def call(function):
        await asyncio.sleep(seconds.pop(0))
        return function(Connection())

    async def handle(_command: PendingCommand) -> dict:
        raise AssertionError("there is no command")

    served = Inbox("", call, handle, account=f.ACCOUNT)
    await asyncio.gather(served._answer("c", "done", {}), served._write_answers())

    assert len(written) == 2
    assert served._unanswered == {}


async def test_a_missing_table_of_commands_is_an_error_the_inbox_lives_with(
    journal, committed_database: str, monkeypatch
) -> None:
    monkeypatch.setattr(inbox, "POLL_SECONDS", 0.05)

    async def handle(_command: PendingCommand) -> dict:
        raise AssertionError("there is no command")

    await journal.call(lambda c: c.execute("ALTER TABLE commands RENAME TO elsewhere").rowcount)
    served = Inbox(committed_database, journal.call, handle, account=f.ACCOUNT)
    with pytest.raises(JournalUnavailableError, match=r"manage\.py migrate"):
        await served.serve_pending()

    task = asyncio.create_task(served.run())
    await asyncio.sleep(0.2)

    assert not task.done()
    await end_tasks((task,))
