"""How tasks end: cancelled until they are over. A cancellation can get lost in code that is not ours, and whoever waits for the end of a task that
went on would wait for ever: `asyncio.wait_for` before Python 3.12 keeps it to itself when what it waited for had just happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_SECONDS = 1.0


async def end_tasks(tasks: Iterable[asyncio.Task[Any]], *, again: float = AGAIN_SECONDS) -> None:
    """Cancel `tasks`, those that go on every `again` seconds anew, and return when all have ended; how they ended is theirs to tell."""
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=again)
