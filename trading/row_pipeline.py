"""A transaction's statements in one round trip: BEGIN and all of them leave together, prepared once for each connection.

psycopg's own pipeline keeps a cursor for each statement and waits for each result; a commit of one row spent more time there than in the server.
This one speaks to libpq directly. When a statement fails, those behind it do nothing, its error is raised, and the transaction waits for its
rollback. When the connection breaks, it is closed: nothing was committed, because COMMIT never leaves here.
"""

from __future__ import annotations

import select
from collections.abc import Sequence

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result

from trading.journal_load import Connection

Statement = tuple[bytes, Sequence[bytes]]
"""SQL with `$1`, `$2` …, and the text of its parameters."""

_FAILED = frozenset({pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED})


class RowPipeline:
    """Runs statements on `connection`, which does nothing else meanwhile."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._prepared: dict[bytes, bytes] = {}

    def execute(self, statements: Sequence[Statement]) -> list[pq.abc.PGresult]:
        """Begin a transaction and run the statements in it; returns the result of each.

        Raises:
            psycopg.Error: of the first that failed.
        """
        libpq = self._connection.pgconn
        results: list[pq.abc.PGresult] = []
        try:
            libpq.enter_pipeline_mode()
            fresh = self._send(libpq, statements)
            _receive(libpq, results)
            libpq.exit_pipeline_mode()
        except psycopg.Error:
            self._connection.close()
            _raise_failed(results)
            raise
        # They are prepared in their order up to the first that cannot be, and stay so whatever becomes of the transaction.
        for text, result in zip(fresh, results, strict=False):
            if result.status == pq.ExecStatus.COMMAND_OK:
                self._prepared[text] = fresh[text]
        _raise_failed(results)
        return results[-len(statements) :]

    def _send(self, libpq: pq.abc.PGconn, statements: Sequence[Statement]) -> dict[bytes, bytes]:
        """Hand everything to libpq; returns the names of the statements that are to be prepared on the way."""
        fresh = dict[bytes, bytes]()
        for text, _ in statements:
            if text not in self._prepared and text not in fresh:
                fresh[text] = b"polybot_%d" % (len(self._prepared) + len(fresh))
                libpq.send_prepare(fresh[text], text)
        libpq.send_query_params(b"BEGIN", None)
        for text, parameters in statements:
            libpq.send_query_prepared(fresh.get(text) or self._prepared[text], parameters)
        libpq.pipeline_sync()
        return fresh


def _receive(libpq: pq.abc.PGconn, results: list[pq.abc.PGresult]) -> None:
    """Add the result of everything that was sent, in its order, up to the synchronisation."""
    poll, unsent = select.poll(), -1
    while True:
        if unsent:
            unsent = libpq.flush()
            poll.register(libpq.socket, select.POLLIN | (select.POLLOUT if unsent else 0))
        poll.poll()
        libpq.consume_input()
        while not libpq.is_busy():
            result = libpq.get_result()
            if result is None:
                if libpq.status is pq.ConnStatus.BAD:
                    raise psycopg.OperationalError(libpq.get_error_message())
            elif result.status == pq.ExecStatus.PIPELINE_SYNC:
                return
            else:
                results.append(result)


def _raise_failed(results: Sequence[pq.abc.PGresult]) -> None:
    for result in results:
        if result.status in _FAILED:
            raise error_from_result(result)
