"""The journal while PostgreSQL takes nothing: what has happened waits in its order, intents fail, and it is said once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import psycopg
import pytest

from domain.errors import JournalError, JournalUnavailableError, LeaseLostError
from domain.order import OrderStatus
from domain.ports import AuditRecord, OrderState
from infra.clock import SystemClock
from markets import store
from tests.trading import factories as f
from tests.waiting import until
from trading import journal_backlog, journal_connection, journal_writer
from trading.journal_connection import connect_journal
from trading.journal_postgres import PostgresJournal
from trading.lease import PostgresLeases

FULL_DISK = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
"""
END_JOURNAL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE application_name = 'polybot-journal' AND datname = current_database()"
)


class Trader:
    """A journal with its lease, and everything it said of its troubles."""

    def __init__(self, conninfo: str) -> None:
        self.conninfo, self.epoch, self.heard = conninfo, 0, list[str]()
        self.journal = PostgresJournal(conninfo, f.ACCOUNT, epoch=lambda: self.epoch, market_of=lambda _: f.market())
        self.journal.watch(self.heard.append)

    async def begin(self) -> None:
        leases = PostgresLeases(self.journal.call, SystemClock(), grace=0.1)
        self.epoch = (await leases.acquire(f.ACCOUNT, "me", 60.0)).epoch

    async def sql(self, *statements: str) -> None:
        """Do something to the database behind the trader's back."""
        await asyncio.to_thread(self._sql, statements)

    def _sql(self, statements: tuple[str, ...]) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    async def troubled(self) -> str:
        async def said() -> bool:
            return bool(self.heard)

        await until(said)
        return self.heard[0]

    async def healed(self) -> None:
        async def well() -> bool:
            return self.heard[-1] == ""

        await until(well)


@pytest.fixture
async def trader(committed_database: str, monkeypatch):
    monkeypatch.setattr(journal_writer, "RETRY_SECONDS", 0.05)
    await asyncio.to_thread(_save_market)
    made = Trader(committed_database)
    await made.begin()
    yield made
    await made.journal.close()


def _save_market() -> None:
    from django.db import connection

    store.save_markets([f.market()], [])
    connection.close()


def audit(number: int) -> AuditRecord:
    return AuditRecord(event=f"event {number}", account=f.ACCOUNT, detail={}, at_ns=f.NOW)


def live(order, filled: int) -> OrderState:
    return OrderState(order_id=order.id, status=OrderStatus.LIVE, filled=filled, reason="", updated_ns=f.NOW)


async def events(trader: Trader) -> list[str]:
    rows = await trader.journal.call(lambda c: c.execute("SELECT event FROM audit_log ORDER BY id").fetchall())
    return [row["event"] for row in rows]


async def read_only(trader: Trader, setting: str) -> None:
    """Make the database read-only for every session that begins, or writable again."""
    name = psycopg.conninfo.conninfo_to_dict(trader.conninfo)["dbname"]
    own = "SET default_transaction_read_only = off"
    await trader.sql(own, f'ALTER DATABASE "{name}" {setting}')


async def test_what_has_happened_waits_for_a_read_only_database_and_is_written_in_its_order(trader: Trader) -> None:
    await read_only(trader, "SET default_transaction_read_only = on")
    await trader.sql(END_JOURNAL)
    first = trader.journal.record([audit(0)])
    await trader.troubled()

    waiting = [first, *(trader.journal.record([audit(number)]) for number in range(1, 6))]
    with pytest.raises(JournalUnavailableError, match="read-only"):
        await trader.journal.submit([f.order()])
    assert not any(each.done() for each in waiting)

    await read_only(trader, "RESET default_transaction_read_only")
    await asyncio.wait_for(asyncio.gather(*waiting), 10)
    await trader.healed()
    assert await events(trader) == [f"event {number}" for number in range(6)]
    assert (await trader.journal.load()).orders == ()
    await trader.journal.submit([f.order()])


async def test_a_full_disk_is_named_with_its_fix_and_told_once(trader: Trader) -> None:
    await trader.sql(FULL_DISK, "CREATE TRIGGER full_disk BEFORE INSERT ON audit_log EXECUTE FUNCTION full_disk()")

    waiting = [trader.journal.record([audit(number)]) for number in range(3)]
    reason = await trader.troubled()
    await asyncio.sleep(0.3)

    assert "No space left" in reason
    assert "free space" in reason
    assert trader.heard == [reason]
    await trader.sql("DROP TRIGGER full_disk ON audit_log")
    await asyncio.gather(*waiting)
    await trader.healed()
    assert len(trader.heard) == 2


async def test_what_reduces_risk_is_written_past_a_missing_table_and_what_happened_never_overtakes(
    trader: Trader,
) -> None:
    order = f.order()
    await trader.journal.submit([order])
    await trader.sql("ALTER TABLE audit_log RENAME TO elsewhere")

    waiting = [
        trader.journal.record([live(order, 1), audit(1)]),
        trader.journal.record([live(order, 2)]),
        trader.journal.record([live(order, 3), audit(3)]),
    ]
    assert "manage.py migrate" in await trader.troubled()
    second = f.order()
    await trader.journal.submit([second])

    rows = await trader.journal.call(lambda c: c.execute("SELECT id, filled_units FROM orders").fetchall())
    assert {row["id"]: row["filled_units"] for row in rows} == {order.id: 0, second.id: 0}
    await trader.sql("ALTER TABLE elsewhere RENAME TO audit_log")
    await asyncio.gather(*waiting)
    assert {found.id: how.filled for found, how in (await trader.journal.load()).orders} == {order.id: 3, second.id: 0}


async def test_an_intent_that_failed_for_the_storage_is_tried_out_without_effect_until_it_would_be_written(
    trader: Trader,
) -> None:
    await trader.sql(FULL_DISK, "CREATE TRIGGER full_disk BEFORE INSERT ON orders EXECUTE FUNCTION full_disk()")
    with pytest.raises(JournalUnavailableError, match="No space left"):
        await trader.journal.submit([f.order()])
    await trader.troubled()
    await asyncio.sleep(0.2)
    assert len(trader.heard) == 1

    await trader.sql("DROP TRIGGER full_disk ON orders")
    await trader.healed()

    assert (await trader.journal.load()).orders == ()


async def test_a_server_that_goes_away_loses_nothing_that_happened(trader: Trader, postgres_server) -> None:
    await trader.journal.record([audit(0)])
    name = psycopg.conninfo.conninfo_to_dict(trader.conninfo)["dbname"]
    server = postgres_server.url

    def admin(allow: str) -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS {allow}')
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

    await asyncio.to_thread(admin, "false")
    waiting = [trader.journal.record([audit(number)]) for number in range(1, 4)]
    await trader.troubled()
    with pytest.raises(JournalUnavailableError):
        await trader.journal.call(lambda c: c.execute("SELECT 1").fetchone())
    await asyncio.to_thread(admin, "true")

    await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert await events(trader) == [f"event {number}" for number in range(4)]


async def test_more_than_there_is_room_for_fails_so_that_the_trader_recovers(trader: Trader) -> None:
    trader.journal._writer._backlog = journal_backlog.Backlog(most=3)
    await trader.sql("ALTER TABLE audit_log RENAME TO elsewhere")

    answers = await asyncio.gather(
        *(trader.journal.record([audit(number)]) for number in range(4)), return_exceptions=True
    )

    assert all("more than 3 changes wait" in str(answer) for answer in answers)
    assert {type(answer) for answer in answers} == {JournalError}


async def test_a_row_that_is_wrong_in_itself_fails_at_once_also_when_it_has_happened(trader: Trader) -> None:
    nobody = replace(live(f.order(), 1), order_id="0xnobody")

    with pytest.raises(JournalError) as caught:
        await trader.journal.record([nobody])

    assert not isinstance(caught.value, JournalUnavailableError)
    assert trader.heard == []


async def test_closing_in_trouble_ends_and_says_what_was_not_written(trader: Trader) -> None:
    await trader.sql("ALTER TABLE audit_log RENAME TO elsewhere")
    waiting = trader.journal.record([audit(0)])
    await trader.troubled()

    await asyncio.wait_for(trader.journal.close(), 10)

    with pytest.raises(JournalUnavailableError):
        await waiting


async def test_a_lock_that_somebody_keeps_stops_an_intent_and_nothing_for_ever(trader: Trader, monkeypatch) -> None:
    monkeypatch.setattr(journal_connection, "LOCK_MS", 200)
    await trader.sql(END_JOURNAL)
    await trader.journal.record([audit(0)])
    other = await psycopg.AsyncConnection.connect(trader.conninfo)
    async with other:
        await other.execute("LOCK TABLE audit_log IN ACCESS EXCLUSIVE MODE")
        happened = trader.journal.record([audit(1)])
        with pytest.raises(JournalUnavailableError, match="lock timeout"):
            await trader.journal.submit([audit(2)])
        assert not happened.done()

    await trader.healed()
    await happened
    assert await events(trader) == ["event 0", "event 1"]


async def test_a_server_that_never_answers_is_an_error_within_the_time_to_connect() -> None:
    async def mute(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(psycopg.OperationalError, match="timeout"):
        await asyncio.to_thread(connect_journal, f"postgresql://polybot@127.0.0.1:{port}/polybot?connect_timeout=2")
    server.close()


async def test_a_lease_that_was_lost_while_nothing_could_be_written_is_told_to_all_that_waits_and_to_who_writes_next(
    trader: Trader,
) -> None:
    await trader.sql(
        FULL_DISK,
        "CREATE TRIGGER full_disk BEFORE INSERT ON orders EXECUTE FUNCTION full_disk()",
        "CREATE TRIGGER full_disk BEFORE INSERT ON audit_log EXECUTE FUNCTION full_disk()",
    )
    waiting = trader.journal.record([audit(0)])
    with pytest.raises(JournalUnavailableError):
        await trader.journal.submit([f.order()])
    await trader.troubled()

    await trader.sql(
        "UPDATE leases SET epoch = epoch + 1",
        "DROP TRIGGER full_disk ON orders",
        "DROP TRIGGER full_disk ON audit_log",
    )

    with pytest.raises(LeaseLostError):
        await asyncio.wait_for(waiting, 10)
    with pytest.raises(LeaseLostError):
        await asyncio.wait_for(trader.journal.submit([f.order()]), 10)
