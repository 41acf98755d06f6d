"""A whole trader on a real PostgreSQL that takes nothing any more: new risk waits, cancels go on, and nothing that happened is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from domain.fill import FillStatus
from domain.halt import HaltScope
from domain.order import OrderStatus, OrderType
from runtime import storage_watch
from runtime.kernel import Kernel
from runtime.status import trader_status
from runtime.storage import PostgresStorage
from tests.runtime.kit import SELL, signal
from tests.runtime.wire_kit import ACCOUNT, Desk, buy, liquid_market, place, settled
from tests.waiting import until
from trading import journal_writer


class Database:
    """The trader's database, and what an accident may do to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.name = str(conninfo_to_dict(url)["dbname"])

    async def sql(self, *statements: str) -> list[tuple]:
        return await asyncio.to_thread(self._sql, statements)

    def _sql(self, statements: tuple[str, ...]) -> list[tuple]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            cursors = [connection.execute(statement) for statement in statements]
            return cursors[-1].fetchall() if cursors[-1].description else []

    async def turn_read_only(self) -> None:
        await self.sql(
            f'ALTER DATABASE "{self.name}" SET default_transaction_read_only = on',
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )

    async def turn_writable(self) -> None:
        await self.sql(f'ALTER DATABASE "{self.name}" RESET default_transaction_read_only')


@pytest.fixture
async def database(committed_database: str, monkeypatch, desk: Desk) -> AsyncIterator[Database]:
    monkeypatch.setattr(journal_writer, "RETRY_SECONDS", 0.05)
    desk.dress = lambda ports: replace(
        ports, storage=PostgresStorage(committed_database, ACCOUNT, "polymarket", ports.clock, grace=0.0)
    )
    yield Database(committed_database)
    for trader in desk.lives:
        if not trader.over:
            await trader.stop()
        await trader.kernel.journal.close()


def shown(kernel: Kernel) -> str:
    return trader_status(kernel).venue_mode


async def waits(kernel: Kernel) -> bool:
    return "nothing can be journaled" in shown(kernel)


async def trades_again(kernel: Kernel) -> bool:
    return shown(kernel) == "normal"


async def rest(kernel: Kernel, market):
    book = kernel.books.get(market.token_ids[0])
    return await place(kernel, market, order_type=OrderType.GTC, price=book.best_bid - 5 * market.tick)


async def test_a_read_only_database_stops_what_opens_and_not_the_cancels_and_then_trading_goes_on(
    desk: Desk, database: Database
) -> None:
    kernel = (await desk.start()).kernel
    market = liquid_market(kernel)
    resting = await rest(kernel, market)
    bought = await place(kernel, market, order_type=OrderType.FAK)

    await database.turn_read_only()
    desk.venue.pass_time(0.5)
    await settled(desk, kernel)
    await until(lambda: waits(kernel))

    async def named() -> bool:
        refused = kernel.executor.submit(signal(kernel, market))
        assert refused is not None
        assert "nothing can be journaled" in refused.detail
        return "read-only" in refused.detail

    await until(named)  # the first trouble is that its sessions were ended
    await kernel.flow.cancel(resting, "enough")
    assert resting.status is OrderStatus.CANCELLED
    assert await desk.lives[-1].trading.gateway.open_orders() == []
    assert not kernel.stopped.done()

    await database.turn_writable()
    await until(lambda: trades_again(kernel))
    again = await rest(kernel, market)
    assert again.status is OrderStatus.LIVE
    rows = dict(await database.sql("SELECT id, status FROM orders"))
    assert (rows[resting.id], rows[bought.id]) == ("cancelled", "matched")
    assert {status for (status,) in await database.sql("SELECT status FROM fills")} == {"confirmed"}
    events = [event for (event,) in await database.sql("SELECT event FROM audit_log")]
    assert events.count("storage_trouble") == events.count("storage_works_again") == 1


async def test_with_a_missing_table_what_is_held_is_sold_and_what_happened_is_written_when_it_is_back(
    desk: Desk, database: Database
) -> None:
    kernel = (await desk.start()).kernel
    market = liquid_market(kernel)
    own = await buy(desk, kernel, market)
    await database.sql("ALTER TABLE fills RENAME TO lost")

    bid = kernel.books.get(market.token_ids[0]).best_bid
    half = own.filled // 2
    sold = await place(kernel, market, order_type=OrderType.FAK, price=bid, size=half, **SELL)
    await until(lambda: waits(kernel))
    refused = kernel.executor.submit(signal(kernel, market))
    assert refused is not None
    assert "manage.py migrate" in refused.detail
    rest_sold = await place(kernel, market, order_type=OrderType.FAK, price=bid, size=half, **SELL)
    await settled(desk, kernel)
    assert sold.filled == rest_sold.filled == half

    await database.sql("ALTER TABLE lost RENAME TO fills")
    await until(lambda: trades_again(kernel))
    sides = await database.sql("SELECT side, sum(size_units)::bigint FROM fills GROUP BY side ORDER BY side")
    assert sides == [("buy", own.filled), ("sell", 2 * half)]


async def test_nothing_sent_is_forgotten_when_the_trader_dies_while_nothing_could_be_written(
    desk: Desk, database: Database
) -> None:
    first = await desk.start()
    market = liquid_market(first.kernel)
    resting = await rest(first.kernel, market)
    bought = await place(first.kernel, market, order_type=OrderType.FAK)
    await database.turn_read_only()
    await settled(desk, first.kernel)
    await until(lambda: waits(first.kernel))
    size = first.kernel.portfolio.positions.size(market.token_ids[0])
    assert size == bought.filled > 0
    first.over = True
    await first.kernel.tasks.stop()
    await first.kernel.executor.abandon()
    await first.close()
    await first.kernel.journal.close()

    await database.turn_writable()
    await database.sql("UPDATE leases SET expires_at = now() - interval '1 hour'")
    second = (await desk.start()).kernel

    assert second.portfolio.orders.get(resting.id).status is OrderStatus.LIVE
    await until(lambda: _confirmed(second))
    assert second.portfolio.positions.size(market.token_ids[0]) == size
    assert second.halts.active() == []


async def _confirmed(kernel: Kernel) -> bool:
    fills = kernel.portfolio.fills.values()
    return bool(fills) and all(fill.status is FillStatus.CONFIRMED for fill in fills)


async def test_a_halt_counts_and_cancels_also_while_it_cannot_be_written(desk: Desk, database: Database) -> None:
    kernel = (await desk.start()).kernel
    market = liquid_market(kernel)
    await rest(kernel, market)
    await database.turn_read_only()
    await kernel.upkeep._record_equity()
    await until(lambda: waits(kernel))

    said = await kernel.operator._halting.halt({"scope": "all", "reason": "odd"}, "ada")

    assert (said["halted"], said["durable"], said["open_after"]) == (True, False, 0)
    assert kernel.halts.get(HaltScope.ALL, "") is not None
    await database.turn_writable()
    await until(lambda: trades_again(kernel))
    assert await database.sql("SELECT scope, set_by FROM halts") == [("all", "ada")]


async def test_a_database_that_says_nothing_at_all_is_noticed_by_what_waits_for_it(
    desk: Desk, database: Database, monkeypatch
) -> None:
    monkeypatch.setattr(storage_watch, "SILENT_SECONDS", 0.0)
    kernel = (await desk.start()).kernel
    market = liquid_market(kernel)
    locker: psycopg.Connection[Any] = await asyncio.to_thread(psycopg.connect, database.url)
    await asyncio.to_thread(locker.execute, "LOCK TABLE equity_snapshots")

    await kernel.upkeep._record_equity()

    async def noticed() -> bool:
        desk.venue.pass_time(0.1)
        return "does not answer" in shown(kernel)

    await until(noticed)
    assert kernel.executor.submit(signal(kernel, market)).draft is None
    await asyncio.to_thread(locker.close)
    await until(lambda: trades_again(kernel))
