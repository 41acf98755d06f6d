"""The journal on PostgreSQL: one writer thread, one connection, group commit.

What is submitted within one turn of the event loop is handed to the writer (`trading.journal_writer`) together, and joins whatever else is
waiting for the next transaction; nothing waits for more to come. Rows are written in the order submitted, each submission whole or not at all. When
the connection breaks during COMMIT nobody knows what was written: every submission of the batch raises `JournalUncertainError` and nothing may be
sent on its strength. The same thread runs the few other database calls of the trader, in turn.

While nothing can be written (`trading.journal_failures`), what has happened waits in memory and is written in its order as soon as that works again.
Intents do not wait: they fail, or are written past what waits, because no row that waits can speak of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from domain.market import Market
from domain.ports import JournalRow, JournalState, ProfitSpan
from trading.journal_backlog import Submission
from trading.journal_load import Connection, load_profits, load_state
from trading.journal_storage import JournalStorage
from trading.journal_writer import Call, Item, JournalWriter
from trading.row_codec import encode

T = TypeVar("T")


class PostgresJournal:
    """The `Journal` port over the trading tables.

    Args:
        conninfo: libpq connection string.
        account: whose rows these are.
        epoch: returns the lease epoch this trader holds; checked in every transaction.
        market_of: finds a market by id while orders are loaded.
        horizon: returns the moment before which what was final is not loaded any more, UTC nanoseconds.
        now: returns the present; rows that lie in its future are not believed.
    """

    def __init__(
        self,
        conninfo: str,
        account: str,
        *,
        epoch: Callable[[], int],
        market_of: Callable[[str], Market],
        horizon: Callable[[], int] = lambda: 0,
        now: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._account = account
        self._market_of = market_of
        self._horizon = horizon
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._items: list[Item] = []
        self._writer = JournalWriter(JournalStorage(conninfo, account, epoch), self._loop)

    def submit(self, rows: Sequence[JournalRow]) -> asyncio.Future[None]:
        return self._write(rows, kept=False)

    def record(self, rows: Sequence[JournalRow]) -> asyncio.Future[None]:
        return self._write(rows, kept=True)

    def _write(self, rows: Sequence[JournalRow], *, kept: bool) -> asyncio.Future[None]:
        done: asyncio.Future[None] = self._loop.create_future()
        self._add(Submission([encode(row) for row in rows], done, kept))
        return done

    def watch(self, heard: Callable[[str], None]) -> None:
        self._writer.heard = heard

    async def call(self, function: Callable[[Connection], T]) -> T:
        """Run a database function on the writer thread, after everything submitted before it."""
        done: asyncio.Future[T] = self._loop.create_future()
        self._add(Call(function, done))
        return await done

    async def load(self) -> JournalState:
        since_ns, now_ns = self._horizon(), self._now()
        return await self.call(lambda c: load_state(c, self._account, since_ns, self._market_of, now_ns))

    async def profits(self, since_ns: int, limit: str) -> ProfitSpan | None:
        return await self.call(lambda connection: load_profits(connection, self._account, since_ns, limit))

    async def close(self) -> None:
        """Write what was submitted and stop the thread."""
        self._hand_over()
        await asyncio.to_thread(self.finish)

    def finish(self) -> None:
        """The same, waiting for it outside an event loop."""
        self._hand_over()
        self._writer.finish()

    def _add(self, item: Item) -> None:
        if not self._items:
            self._loop.call_soon(self._hand_over)
        self._items.append(item)

    def _hand_over(self) -> None:
        if self._items:
            items, self._items = self._items, []
            self._writer.hand_over(items)
