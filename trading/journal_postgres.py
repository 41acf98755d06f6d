"""The journal on PostgreSQL: one writer thread, one connection, group commit.

Everything submitted while a transaction was on its way is committed in the next one, in the order submitted. The transaction first checks that the
lease still has our epoch. A batch that definitely failed is written again submission by submission, so one bad row harms no neighbour. When the
connection breaks during COMMIT nobody knows what was written: every submission of the batch raises `JournalUncertainError` and nothing may be
sent on its strength. The same thread runs the few other database calls of the trader, in turn.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, TypeVar

import psycopg
import structlog
from psycopg import sql
from psycopg.rows import dict_row

from domain.errors import JournalError, JournalUncertainError, LeaseLostError
from domain.market import Market
from domain.ports import JournalRow, JournalState, ProfitSpan
from trading.journal_load import Connection, load_profits, load_state
from trading.row_codec import encode
from trading.row_write import Verb, Write

T = TypeVar("T")

MAX_BATCH = 1000
"""Submissions in one transaction."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Submission:
    writes: list[Write]
    done: asyncio.Future[None]


@dataclass(slots=True)
class _Call:
    function: Callable[[Connection], Any]
    done: asyncio.Future[Any]


class PostgresJournal:
    """The `Journal` port over the trading tables.

    Args:
        conninfo: libpq connection string.
        account: whose rows these are.
        epoch: returns the lease epoch this trader holds; checked in every transaction.
        market_of: finds a market by id while orders are loaded.
        horizon: returns the moment before which what was final is not loaded any more, UTC nanoseconds.
    """

    def __init__(
        self,
        conninfo: str,
        account: str,
        *,
        epoch: Callable[[], int],
        market_of: Callable[[str], Market],
        horizon: Callable[[], int] = lambda: 0,
    ) -> None:
        self._conninfo = conninfo
        self._account = account
        self._epoch = epoch
        self._market_of = market_of
        self._horizon = horizon
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Submission | _Call | None] = queue.SimpleQueue()
        self._connection: Connection | None = None
        self._statements: dict[tuple[Verb, str, tuple[str, ...]], sql.Composed] = {}
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def submit(self, rows: Sequence[JournalRow]) -> asyncio.Future[None]:
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(_Submission([encode(row) for row in rows], done))
        return done

    async def call(self, function: Callable[[Connection], T]) -> T:
        """Run a database function on the writer thread, after everything submitted before it."""
        done: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Call(function, done))
        return await done

    async def load(self) -> JournalState:
        since_ns = self._horizon()
        return await self.call(lambda connection: load_state(connection, self._account, since_ns, self._market_of))

    async def profits(self, since_ns: int, limit: str) -> ProfitSpan | None:
        return await self.call(lambda connection: load_profits(connection, self._account, since_ns, limit))

    async def close(self) -> None:
        """Write what was submitted and stop the thread."""
        await asyncio.to_thread(self.finish)

    def finish(self) -> None:
        """The same, waiting for it outside an event loop."""
        self._queue.put(None)
        self._thread.join()

    # The writer thread

    def _run(self) -> None:
        for batch in self._batches():
            if isinstance(batch, _Call):
                self._run_call(batch)
            else:
                self._write(batch)
        if self._connection is not None:
            self._connection.close()

    def _batches(self) -> Iterator[list[_Submission] | _Call]:
        """Yield calls one by one and submissions in the largest runs that are waiting."""
        while (item := self._queue.get()) is not None:
            if isinstance(item, _Call):
                yield item
                continue
            batch = [item]
            after: _Call | None = None
            closing = False
            while len(batch) < MAX_BATCH and after is None and not closing:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if isinstance(more, _Submission):
                    batch.append(more)
                else:
                    after, closing = more, more is None
            yield batch
            if after is not None:
                yield after
            if closing:
                return

    def _connect(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._conninfo, row_factory=dict_row, application_name="polybot-journal")
        return self._connection

    def _run_call(self, call: _Call) -> None:
        try:
            connection = self._connect()
            with connection.transaction():
                result = call.function(connection)
        except psycopg.Error as error:
            self._answer([(call.done, JournalError(f"database: {error}"))])
        except Exception as error:  # noqa: BLE001 - whatever the function raised belongs to who called it
            self._answer([(call.done, error)])
        else:
            self._loop.call_soon_threadsafe(_set_result, call.done, result)

    def _write(self, batch: list[_Submission]) -> None:
        error = self._commit(batch)
        if error is None or len(batch) == 1 or isinstance(error, JournalUncertainError | LeaseLostError):
            self._answer([(submission.done, error) for submission in batch])
            return
        _log.warning("journal batch refused, writing one by one", submissions=len(batch), error=str(error))
        self._answer([(submission.done, self._commit([submission])) for submission in batch])

    def _commit(self, batch: list[_Submission]) -> Exception | None:
        """Write a batch in one transaction; returns None or the error its submissions get."""
        try:
            connection = self._connect()
            self._check_epoch(connection)
            self._execute(connection, [write for submission in batch for write in submission.writes])
        except LeaseLostError as error:
            self._rollback()
            return error
        except Exception as error:  # noqa: BLE001 - whatever a row cannot be turned into, its submission learns, and the thread goes on
            self._rollback()
            return error if isinstance(error, JournalError) else JournalError(f"not written: {error}")
        try:
            connection.commit()
        except psycopg.Error as error:
            self._rollback()
            if isinstance(error, psycopg.OperationalError):
                return JournalUncertainError(f"commit broke off: {error}")
            return JournalError(f"not written: {error}")
        return None

    def _rollback(self) -> None:
        if self._connection is not None:
            try:
                self._connection.rollback()
            except psycopg.Error as error:
                _log.warning("journal connection dropped", error=str(error))
                self._connection.close()

    def _check_epoch(self, connection: Connection) -> None:
        query = "SELECT epoch FROM leases WHERE account = %s FOR SHARE"
        row = connection.execute(query, [self._account]).fetchone()
        if row is None or row["epoch"] != self._epoch():
            raise LeaseLostError(f"the lease of {self._account} is held by another trader")

    def _execute(self, connection: Connection, writes: Sequence[Write]) -> None:
        """Send every statement in one pipeline; an update that meets no row is an error."""
        with connection.pipeline():
            cursors = [connection.execute(self._statement(write), write.columns) for write in writes]
        for write, cursor in zip(writes, cursors, strict=True):
            if write.verb is Verb.UPDATE and cursor.rowcount != 1:
                raise JournalError(f"no row of {write.table} to update for {[write.columns[c] for c in write.key]}")

    def _statement(self, write: Write) -> sql.Composed:
        shape = (write.verb, write.table, tuple(write.columns))
        statement = self._statements.get(shape)
        if statement is None:
            statement = self._statements[shape] = _compose(write)
        return statement

    def _answer(self, answers: list[tuple[asyncio.Future[Any], Exception | None]]) -> None:
        self._loop.call_soon_threadsafe(_set_all, answers)


def _compose(write: Write) -> sql.Composed:
    table = sql.Identifier(write.table)
    if write.verb is Verb.UPDATE:
        changed = [column for column in write.columns if column not in write.key]
        return sql.SQL("UPDATE {} SET {} WHERE {}").format(
            table, _assignments(changed, ", "), _assignments(write.key, " AND ")
        )
    insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        table,
        sql.SQL(", ").join(map(sql.Identifier, write.columns)),
        sql.SQL(", ").join(map(sql.Placeholder, write.columns)),
    )
    if write.verb is Verb.INSERT:
        return insert
    changed = [column for column in write.columns if column not in write.key]
    excluded = sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(column)) for column in changed)
    return sql.SQL("{} ON CONFLICT ({}) DO UPDATE SET {}").format(
        insert, sql.SQL(", ").join(map(sql.Identifier, write.key)), excluded
    )


def _assignments(columns: Sequence[str], separator: LiteralString) -> sql.Composed:
    return sql.SQL(separator).join(
        sql.SQL("{} = {}").format(sql.Identifier(column), sql.Placeholder(column)) for column in columns
    )


def _set_result(future: asyncio.Future[Any], result: object) -> None:
    if not future.done():
        future.set_result(result)


def _set_all(answers: list[tuple[asyncio.Future[Any], Exception | None]]) -> None:
    for future, error in answers:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
