"""Waiting in tests: virtual time that jumps to what is due, and real time that is looked at until something holds."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from tests.sim.virtual_time import VirtualClock, run_virtual


def virtual(test: Callable[..., Any]) -> Callable[..., None]:
    """Run an asynchronous test in virtual time; its parameter `clock` is that time."""

    def run(*arguments: Any, **named: Any) -> None:
        clock = VirtualClock()
        run_virtual(lambda: test(*arguments, clock=clock, **named), clock)

    signature = inspect.signature(test)
    others = [each for each in signature.parameters.values() if each.name != "clock"]
    vars(run)["__signature__"] = signature.replace(parameters=others)
    return functools.wraps(test)(run)


async def until(holds: Callable[[], Awaitable[object]], *, seconds: float = 10.0) -> None:
    """Wait in real time until something holds."""
    for _ in range(round(seconds / 0.01)):
        if await holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"did not come true within {seconds} s")
