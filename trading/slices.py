"""Long work of the loop in slices: thousands of items are worked through without anybody else having to wait for more than a few of them.

Between two slices other tasks run, so what is done with an item must hold whatever they changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

SLICE = 20
"""How many items are worked through at once: at about 0.1 ms each, others wait for two milliseconds."""


async def in_slices(items: Iterable[T], act: Callable[[T], object]) -> None:
    """Call `act` with each item, and let the loop run after every `SLICE` of them."""
    for number, item in enumerate(items, start=1):
        act(item)
        if number % SLICE == 0:
            await asyncio.sleep(0)
