"""A place for a trader: when one dies or stops, the next is started. What a life has begun ends with it."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from domain.errors import PolybotError
from runtime.kernel import Kernel
from tests.sim.operators import SimInbox
from tests.sim.world import Dead

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

EXPECTED_ENDS = ("the lease of", "could not be journaled", "intent ")
"""Why a trader may stop by itself: another has the lease, or it is not known what the disk says. Nothing else may end one."""
EXPECTED_STARTS = ("the venue could not be read at start", "orders could not be read at start", "the lease of")
"""Why a start may fail: reads were answered by an error again and again, or another took the lease meanwhile."""
_LIFE: contextvars.ContextVar[Dead | None] = contextvars.ContextVar("life", default=None)


class Seat:
    """A place for a trader: when one dies or stops, the next is started."""

    def __init__(self, simulation: Simulation, name: str) -> None:
        self._simulation = simulation
        self._name = name
        self._lives = 0
        self.closed = False
        self.kernel: Kernel | None = None
        self.life: Dead | None = None

    async def run(self) -> None:
        """Live one life after the other until `closed`."""
        while not self.closed:
            self._lives += 1
            self.life = life = self._simulation.world.join()
            life.context = contextvars.copy_context()
            life.context.run(_LIFE.set, life)
            try:
                await asyncio.create_task(self._live(life), context=life.context)
            except asyncio.CancelledError:
                # A life that ended takes its task with it; the seat stays.
                if life.alive:
                    raise
            finally:
                self.kernel = None
                life.end()
            await asyncio.sleep(0.01)

    async def _live(self, life: Dead) -> None:
        kernel = self._simulation.build(life, f"{self._name}-{self._lives}")
        died = asyncio.create_task(life.died.wait())
        died.add_done_callback(lambda _: life.end())
        reason = "its start failed"
        try:
            await kernel.start()
            kernel.spawn("inbox", SimInbox(self._simulation.commands, kernel, life).run)
            self.kernel = kernel
            reason = await asyncio.shield(kernel.stopped)
            if not any(expected in reason for expected in EXPECTED_ENDS):
                self._simulation.world.complaints.append(f"nothing dies of itself: {reason}")
        except (PolybotError, OSError) as error:
            reason = str(error)
            if not any(expected in reason for expected in (*EXPECTED_STARTS, *EXPECTED_ENDS)):
                self._simulation.world.complaints.append(f"no start fails of itself: {reason}")
        self.kernel = None
        self._simulation.world.faults["stopped"] += 1
        await kernel.stop(reason)
        died.cancel()


def begin(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **named: Any) -> asyncio.Task[Any]:
    """Create a task that dies with the life in which it was begun."""
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **named)
    context = named.get("context")
    life = _LIFE.get() if context is None else context.get(_LIFE)
    if life is not None:
        life.tasks[task] = None
    return task
