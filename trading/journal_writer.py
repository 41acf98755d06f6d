"""The journal's writer thread: group commit, and what happens when the storage takes nothing.

Everything handed over while a transaction was on its way is committed in the next one, in its order. A batch that definitely failed is written again
submission by submission, so one bad row harms no neighbour. While nothing can be written, what has happened waits and is written in its order as
soon as that works again; it is tried every second. After a commit of which nobody knows whether it was done, everything fails as it did, until a
start reads what there is. Whatever a submission comes to, it is answered on the event loop.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog

from domain.errors import JournalUnavailableError, JournalUncertainError, LeaseLostError
from trading.journal_backlog import Answer, Backlog, Submission
from trading.journal_load import Connection
from trading.journal_storage import JournalStorage

MAX_BATCH = 1000
"""Submissions in one transaction."""
RETRY_SECONDS = 1.0
"""How often a storage that takes nothing is tried again."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Call:
    """A database function that runs after everything handed over before it."""

    function: Callable[[Connection], Any]
    done: asyncio.Future[Any]


Item = Submission | Call


class JournalWriter:
    """The thread. `hand_over` gives it work, `finish` lets it do what it has and end.

    On `loop` it answers, and calls `heard` with the storage's trouble, "" when that is over.
    """

    def __init__(self, storage: JournalStorage, loop: asyncio.AbstractEventLoop) -> None:
        self.heard: Callable[[str], None] = lambda _: None
        self._storage = storage
        self._loop = loop
        self._queue: queue.SimpleQueue[list[Item] | None] = queue.SimpleQueue()
        self._backlog = Backlog()
        self._uncertain: JournalUncertainError | None = None
        self._told = ""
        self._retry_at = 0.0
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def hand_over(self, items: list[Item]) -> None:
        self._queue.put(items)

    def finish(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        for batch in self._batches():
            if isinstance(batch, Call):
                self._run_call(batch)
            elif batch:
                self._write(batch)
            if self._backlog.trouble and self._loop.time() >= self._retry_at:
                self._retry()
        if self._backlog.trouble:
            self._retry()
            self._answer(self._backlog.fail(JournalUnavailableError(self._backlog.trouble)))
        self._storage.close()

    def _batches(self) -> Iterator[list[Submission] | Call]:
        """Yield calls one by one and submissions in the largest runs that are waiting; nothing, now and then, while the storage is in trouble."""
        waiting, closing = deque[Item](), False
        while waiting or not closing:
            try:
                while not closing:
                    items = self._queue.get(not waiting, RETRY_SECONDS if self._backlog.trouble else None)
                    closing = items is None
                    waiting += items or ()
            except queue.Empty:
                pass
            yield _next(waiting)

    def _run_call(self, call: Call) -> None:
        try:
            result = self._storage.call(call.function)
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
                or self._storage.lost
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

    def _commit(self, batch: list[Submission]) -> Exception | None:
        """Return None, or what the batch comes to. After an uncertain commit nothing is written any more: it would build on what may be missing."""
        if self._uncertain is not None:
            return self._uncertain
        error = self._storage.commit([write for submission in batch for write in submission.writes])
        if isinstance(error, JournalUncertainError):
            self._uncertain = error
        return error

    def _end(self, outcomes: list[Answer], answers: list[Answer]) -> None:
        """Sort what is over from what waits."""
        for submission, error in outcomes:
            answers += self._backlog.take(submission, error)

    def _retry(self) -> None:
        """Write what waits, oldest first, as far as that works; then try what could not wait, and take it back.

        On a new connection: an old one keeps settings that may have been mended since.
        """
        backlog, answers = self._backlog, list[Answer]()
        self._storage.close()
        failed = self._write_waiting(answers) or self._storage.try_out(backlog.probe)
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
            elif isinstance(error, JournalUnavailableError) and (len(batch) == 1 or self._storage.lost):
                return error
            elif error is not None and len(batch) > 1:
                size = 1
            else:
                self._backlog.written(batch)
                answers += [(each, error) for each in batch]
        return None

    def _tell_trouble(self) -> None:
        """Let the trader know of a trouble before it hears of anything that was written in spite of it, and of its end."""
        if self._backlog.trouble != self._told:
            self._told = self._backlog.trouble
            self._retry_at = self._loop.time() + RETRY_SECONDS
            self._loop.call_soon_threadsafe(self.heard, self._told)

    def _answer(self, answers: list[Answer]) -> None:
        if answers:
            self._loop.call_soon_threadsafe(_set_all, answers)


def _next(waiting: deque[Item]) -> list[Submission] | Call:
    """Take the call that is first, or the submissions up to the first call."""
    batch: list[Submission] = []
    while waiting and len(batch) < MAX_BATCH:
        item = waiting.popleft()
        if isinstance(item, Call):
            if not batch:
                return item
            waiting.appendleft(item)
            break
        batch.append(item)
    return batch


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
