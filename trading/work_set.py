"""Tasks that an owner answers for: counted, drained, abandoned. One that raises is told, never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from trading.desk import describe

_log = structlog.get_logger(__name__)


class WorkSet:
    """Running tasks of one kind; `on_failure` is told of each that raised."""

    def __init__(self, what: str, on_failure: Callable[[str], None]) -> None:
        self._what = what
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            _log.error("task failed", what=self._what, error=describe(error), exc_info=error)
            self._on_failure(f"{self._what} failed: {describe(error)}")

    async def drain(self, seconds: float) -> int:
        """Wait for the tasks; returns how many were still running after `seconds`."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        return len(self._tasks)

    async def abandon(self) -> None:
        """Cancel what still runs and wait until it has let go."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
