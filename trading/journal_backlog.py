"""What the journal could not write yet: changes that have happened, in their order, and whether the storage takes rows again.

Belongs to the writer thread alone. It is bounded: when more waits than there is room for, everything that waits fails, which stops the trader;
start is recovery. An intent never waits, but one that failed for the storage is remembered, and tried without effect until it would be written.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from domain.errors import JournalError, JournalUnavailableError
from trading.row_write import Write

MAX_WAITING = 10_000
"""Submissions that may wait."""


@dataclass(slots=True)
class Submission:
    """Rows that are written together. `kept`: they tell what has happened, and wait where an intent fails."""

    writes: list[Write]
    done: asyncio.Future[None]
    kept: bool = False


Answer = tuple[Submission, Exception | None]
"""A submission that is over, and its error."""


class Backlog:
    """The submissions that wait. `trouble` says why nothing can be written, "" while it can; `probe` is what failed last without waiting."""

    def __init__(self, most: int = MAX_WAITING) -> None:
        self._most = most
        self._waiting: deque[Submission] = deque()
        self.probe: list[Write] = []
        self.trouble = ""

    def __len__(self) -> int:
        return len(self._waiting)

    def behind(self, submission: Submission) -> JournalUnavailableError | None:
        """Return why a submission may not be written now: others that happened before it wait."""
        return JournalUnavailableError(self.trouble) if submission.kept and self._waiting else None

    def take(self, submission: Submission, error: Exception | None) -> list[Answer]:
        """Take over what became of a submission; returns what has to be answered now."""
        if not isinstance(error, JournalUnavailableError):
            return [(submission, error)]
        self.trouble = str(error)
        if not submission.kept:
            self.probe = submission.writes
            return [(submission, error)]
        self._waiting.append(submission)
        if len(self._waiting) <= self._most:
            return []
        return self.fail(JournalError(f"more than {self._most} changes wait to be journaled: {self.trouble}"))

    def fail(self, error: Exception) -> list[Answer]:
        """Give up on everything that waits."""
        failed: list[Answer] = [(each, error) for each in self._waiting]
        self._waiting.clear()
        return failed

    def first(self, count: int) -> list[Submission]:
        """Return the oldest that wait."""
        return [each for each, _ in zip(self._waiting, range(count), strict=False)]

    def written(self, submissions: list[Submission]) -> None:
        """Drop the oldest, which are over now."""
        for _ in submissions:
            self._waiting.popleft()
