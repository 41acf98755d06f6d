"""The kernel's tasks: they run as long as it does, and the death of one stops it with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from infra.endings import end_tasks
from trading.desk import describe

_log = structlog.get_logger(__name__)

Work = Callable[[], Awaitable[object]]


class Tasks:
    """Background work; `on_death` is told when a piece of it raised."""

    def __init__(self, on_death: Callable[[str], None]) -> None:
        self._on_death = on_death
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def spawn(self, name: str, work: Work) -> None:
        async def run() -> None:
            await work()

        task = asyncio.create_task(run(), name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def every(self, name: str, seconds: float, work: Work, *, at_once: bool = True) -> None:
        """Do `work` again and again, `seconds` after its last end."""

        async def run() -> None:
            if not at_once:
                await asyncio.sleep(seconds)
            while True:
                await work()
                await asyncio.sleep(seconds)

        self.spawn(name, run)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self._stopping:
            return
        error = task.exception()
        if error is not None:
            _log.error("kernel task died", task=task.get_name(), exc_info=error)
            self._on_death(f"{task.get_name()} died: {describe(error)}")

    async def stop(self) -> None:
        """Cancel all and wait for their ends."""
        self._stopping = True
        await end_tasks(self._tasks)
