"""The journal on PostgreSQL: one writer thread, one connection, group commit.

Everything submitted while a transaction was on its way is committed in the next one, in the order submitted. The transaction first checks that the
lease still has our epoch. A batch that definitely failed is written again submission by submission, so one bad row harms no neighbour. When the
connection breaks during COMMIT nobody knows what was written: every submission of the batch raises `JournalUncertainError` and nothing may be
sent on its strength. The same thread runs the few other database calls of the trader, in turn.

While nothing can be written (`trading.journal_failures`), what has happened waits in memory and is written in its order as soon as that works again;
it is tried every second. Intents do not wait: they fail, or are written past what waits, because no row that waits can speak of them.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
import structlog

from domain.errors import JournalError, JournalUnavailableError, JournalUncertainError, LeaseLostError
from domain.market import Market
from domain.ports import JournalRow, JournalState, ProfitSpan
from trading.journal_backlog import Backlog, Submission
from trading.journal_connection import connect_journal
from trading.journal_failures import commit_error, journal_error
from trading.journal_load import Connection, load_profits, load_state
from trading.row_codec import encode
from trading.row_statements import compose
from trading.row_write import Verb, Write

T = TypeVar("T")

MAX_BATCH = 1000
"""Submissions in one transaction."""
RETRY_SECONDS = 1.0
"""How often a storage that takes nothing is tried again."""

Answer = tuple[Submission, Exception | None]
"""A submission that is over, and its error."""

_EPOCH = "SELECT epoch FROM leases WHERE account = %s FOR SHARE"

_log = structlog.get_logger(__name__)


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
        self._conninfo = conninfo
        self._account = account
        self._epoch = epoch
        self._market_of = market_of
        self._horizon = horizon
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[Submission | _Call | None] = queue.SimpleQueue()
        self._connection: Connection | None = None
        self._statements: dict[tuple[Verb, str, tuple[str, ...]], bytes] = {}
        self._heard: Callable[[str], None] = lambda _: None
        self._backlog = Backlog()
        self._told = ""
        self._retry_at = 0.0
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def submit(self, rows: Sequence[JournalRow]) -> asyncio.Future[None]:
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(Submission([encode(row) for row in rows], done))
        return done

    def record(self, rows: Sequence[JournalRow]) -> asyncio.Future[None]:
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(Submission([encode(row) for row in rows], done, kept=True))
        return done

    def watch(self, heard: Callable[[str], None]) -> None:
        self._heard = heard

    async def call(self, function: Callable[[Connection], T]) -> T:
        """Run a database function on the writer thread, after everything submitted before it."""
        done: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Call(function, done))
        return await done

    async def load(self) -> JournalState:
        since_ns, now_ns = self._horizon(), self._now()
        return await self.call(lambda c: load_state(c, self._account, since_ns, self._market_of, now_ns))

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
            elif batch:
                self._write(batch)
            if self._backlog.trouble and self._loop.time() >= self._retry_at:
                self._retry()
        if self._backlog.trouble:
            self._retry()
            self._answer(self._backlog.fail(JournalUnavailableError(self._backlog.trouble)))
        if self._connection is not None:
            self._connection.close()

    def _batches(self) -> Iterator[list[Submission] | _Call]:
        """Yield calls one by one and submissions in the largest runs that are waiting; nothing, now and then, while the storage is in trouble."""
        while True:
            try:
                item = self._queue.get(timeout=RETRY_SECONDS if self._backlog.trouble else None)
            except queue.Empty:
                yield []
                continue
            if item is None:
                return
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
                if isinstance(more, Submission):
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
            self._connection = connect_journal(self._conninfo)
        return self._connection

    def _run_call(self, call: _Call) -> None:
        try:
            connection = self._connect()
            with connection.transaction():
                result = call.function(connection)
        except psycopg.Error as error:
            self._loop.call_soon_threadsafe(_set_error, call.done, journal_error(error))
        except Exception as error:  # noqa: BLE001 - whatever the function raised belongs to who called it
            self._loop.call_soon_threadsafe(_set_error, call.done, error)
        else:
            self._loop.call_soon_threadsafe(_set_result, call.done, result)

    def _write(self, batch: list[Submission]) -> None:
        """Write a batch whole, or else one by one; what has happened never overtakes what waits."""
        answers: list[Answer] = []
        if len(self._backlog):
            self._write_singly(batch, answers)
        else:
            error = self._commit(batch)
            if (
                error is None
                or len(batch) == 1
                or self._lost
                or isinstance(error, JournalUncertainError | LeaseLostError)
            ):
                self._end([(each, error) for each in batch], answers)
            else:
                _log.warning("journal batch refused, writing one by one", submissions=len(batch), error=str(error))
                self._write_singly(batch, answers)
        self._tell_trouble()
        self._answer(answers)

    def _write_singly(self, batch: list[Submission], answers: list[Answer]) -> None:
        for each in batch:
            self._end([(each, self._backlog.behind(each) or self._commit([each]))], answers)

    def _end(self, outcomes: list[Answer], answers: list[Answer]) -> None:
        """Sort what is over from what waits."""
        for submission, error in outcomes:
            answers += self._backlog.take(submission, error)

    def _retry(self) -> None:
        """Write what waits, oldest first, as far as that works; then try what could not wait, and take it back.

        On a new connection: an old one keeps settings that may have been mended since.
        """
        backlog, answers = self._backlog, list[Answer]()
        if self._connection is not None:
            self._connection.close()
        failed = self._write_waiting(answers) or self._try_out(backlog.probe)
        backlog.trouble = str(failed or "")
        if failed is None:
            backlog.probe = []
        self._retry_at = self._loop.time() + RETRY_SECONDS
        self._answer(answers)
        self._tell_trouble()

    def _write_waiting(self, answers: list[Answer]) -> JournalUnavailableError | None:
        """Return why what waits cannot be written, None when nothing waits any more."""
        size = MAX_BATCH
        while batch := self._backlog.first(size):
            error = self._commit(batch)
            if isinstance(error, JournalUncertainError | LeaseLostError):
                answers += self._backlog.fail(error)
            elif isinstance(error, JournalUnavailableError) and (len(batch) == 1 or self._lost):
                return error
            elif error is not None and len(batch) > 1:
                size = 1
            else:
                self._backlog.written(batch)
                answers += [(each, error) for each in batch]
        return None

    def _try_out(self, writes: list[Write]) -> JournalUnavailableError | None:
        """Write rows and take them back: returns why the storage takes no such rows, None when it does."""
        try:
            self._execute(self._connect(), writes)
        except LeaseLostError:
            return None  # Not the storage's trouble: who writes next learns of it.
        except (psycopg.Error, JournalError) as error:
            failed = error if isinstance(error, JournalError) else journal_error(error)
            return failed if isinstance(failed, JournalUnavailableError) else None
        finally:
            self._rollback()
        return None

    @property
    def _lost(self) -> bool:
        """True when there is no connection: what failed now fails for everybody."""
        return self._connection is None or self._connection.closed

    def _tell_trouble(self) -> None:
        """Let the trader know of a trouble before it hears of anything that was written in spite of it, and of its end."""
        if self._backlog.trouble != self._told:
            self._told = self._backlog.trouble
            self._retry_at = self._loop.time() + RETRY_SECONDS
            self._loop.call_soon_threadsafe(self._heard, self._told)

    def _commit(self, batch: list[Submission]) -> Exception | None:
        """Write a batch in one transaction; returns None or the error its submissions get."""
        try:
            connection = self._connect()
            self._execute(connection, [write for submission in batch for write in submission.writes])
        except LeaseLostError as error:
            self._rollback()
            return error
        except Exception as error:  # noqa: BLE001 - whatever a row cannot be turned into, its submission learns, and the thread goes on
            self._rollback()
            return error if isinstance(error, JournalError) else journal_error(error)
        try:
            connection.commit()
        except Exception as error:  # noqa: BLE001 - what is not the server's own refusal leaves the commit uncertain, and the thread goes on
            self._rollback()
            return commit_error(error)
        return None

    def _rollback(self) -> None:
        if self._connection is not None:
            try:
                self._connection.rollback()
            except psycopg.Error as error:
                _log.warning("journal connection dropped", error=str(error))
                self._connection.close()

    def _execute(self, connection: Connection, writes: Sequence[Write]) -> None:
        """Send every statement in one pipeline, behind a look at the lease; an update that meets no row is an error."""
        with connection.pipeline():
            lease = connection.execute(_EPOCH, [self._account])
            cursors = [connection.execute(self._statement(connection, write), write.columns) for write in writes]
        held = lease.fetchone()
        if held is None or held["epoch"] != self._epoch():
            raise LeaseLostError(f"the lease of {self._account} is held by another trader")
        for write, cursor in zip(writes, cursors, strict=True):
            if write.verb is Verb.UPDATE and cursor.rowcount != 1:
                raise JournalError(f"no row of {write.table} to update for {[write.columns[c] for c in write.key]}")

    def _statement(self, connection: Connection, write: Write) -> bytes:
        shape = (write.verb, write.table, tuple(write.columns))
        statement = self._statements.get(shape)
        if statement is None:
            statement = self._statements[shape] = compose(write).as_bytes(connection)
        return statement

    def _answer(self, answers: list[Answer]) -> None:
        if answers:
            self._loop.call_soon_threadsafe(_set_all, answers)


def _set_result(future: asyncio.Future[Any], result: object) -> None:
    if not future.done():
        future.set_result(result)


def _set_error(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _set_all(answers: list[Answer]) -> None:
    for submission, error in answers:
        if error is None:
            _set_result(submission.done, None)
        else:
            _set_error(submission.done, error)
