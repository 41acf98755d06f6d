"""The journal's side of PostgreSQL: one connection, on which rows are committed behind a look at the lease.

Every transaction checks that the lease still has our epoch, and holds it until its end. Errors are returned as what they mean: a definite one wrote
nothing; when the connection breaks during COMMIT nobody knows what was written (`JournalUncertainError`). Used by one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

import psycopg
import structlog

from domain.errors import JournalError, JournalUnavailableError, LeaseLostError
from trading.journal_connection import connect_journal
from trading.journal_failures import commit_error, journal_error
from trading.journal_load import Connection
from trading.row_pipeline import RowPipeline
from trading.row_statements import compose, rows_parameter, shape_of
from trading.row_write import Verb, Write

T = TypeVar("T")

_EPOCH = b"SELECT epoch FROM leases WHERE account = $1 FOR SHARE"

_log = structlog.get_logger(__name__)


class JournalStorage:
    """Commits rows of an account; `epoch` returns the lease epoch this trader holds. It connects when it is needed."""

    def __init__(self, conninfo: str, account: str, epoch: Callable[[], int]) -> None:
        self._conninfo = conninfo
        self._account = account
        self._epoch = epoch
        self._connection: Connection | None = None
        self._pipeline: RowPipeline | None = None

    @property
    def lost(self) -> bool:
        """True when there is no connection: what failed now fails for everybody."""
        return self._connection is None or self._connection.closed

    def call(self, function: Callable[[Connection], T]) -> T:
        """Run a function in a transaction of its own."""
        try:
            connection, _ = self._connect()
            with connection.transaction():
                return function(connection)
        except psycopg.Error as error:
            raise journal_error(error) from error

    def commit(self, writes: Sequence[Write]) -> Exception | None:
        """Write rows in one transaction; returns None, or why they were not written, or may not have been."""
        try:
            connection = self._execute(writes)
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

    def try_out(self, writes: Sequence[Write]) -> JournalUnavailableError | None:
        """Write rows and take them back: returns why the storage takes no such rows, None when it does."""
        try:
            self._execute(writes)
        except LeaseLostError:
            return None  # Not the storage's trouble: who writes next learns of it.
        except (psycopg.Error, JournalError) as error:
            failed = error if isinstance(error, JournalError) else journal_error(error)
            return failed if isinstance(failed, JournalUnavailableError) else None
        finally:
            self._rollback()
        return None

    def close(self) -> None:
        """End the connection; the next call makes another."""
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> tuple[Connection, RowPipeline]:
        if self._connection is None or self._pipeline is None or self._connection.closed:
            self._connection = connect_journal(self._conninfo)
            self._pipeline = RowPipeline(self._connection)
        return self._connection, self._pipeline

    def _execute(self, writes: Sequence[Write]) -> Connection:
        """Send every row, behind a look at the lease; an update that meets no row is an error."""
        connection, pipeline = self._connect()
        runs = list(_runs(writes))
        statements = [(compose(shape_of(run[0])), (rows_parameter(run),)) for run in runs]
        lease, *written = pipeline.execute([(_EPOCH, (self._account.encode(),)), *statements])
        if lease.ntuples != 1 or int(lease.get_value(0, 0) or 0) != self._epoch():
            raise LeaseLostError(f"the lease of {self._account} is held by another trader")
        for (write, *_), result in zip(runs, written, strict=True):
            if write.verb is Verb.UPDATE and result.command_tuples != 1:
                raise JournalError(f"no row of {write.table} to update for {[write.columns[c] for c in write.key]}")
        return connection

    def _rollback(self) -> None:
        if self._connection is not None:
            try:
                self._connection.rollback()
            except psycopg.Error as error:
                _log.warning("journal connection dropped", error=str(error))
                self._connection.close()


def _runs(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """Yield what one statement writes: neighbours that insert into the same columns together, everything else row by row, in order."""
    for shape, run in groupby(writes, shape_of):
        if shape[0] is Verb.INSERT:
            yield list(run)
        else:
            yield from ([write] for write in run)
