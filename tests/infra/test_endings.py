"""Tasks end when they are told to, also those in which a cancellation gets lost."""

from __future__ import annotations

import asyncio

from infra.endings import end_tasks


async def test_a_task_that_loses_its_cancellations_ends_all_the_same() -> None:
    lost = 0

    async def stubborn() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
                if lost == 2:
                    raise

    async def willing() -> None:
        await asyncio.sleep(60)

    async def broken() -> None:
        raise ValueError("a mistake")

    tasks = [asyncio.create_task(work()) for work in (stubborn, willing, broken)]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end_tasks(tasks, again=0.01)
    assert [task.done() for task in tasks] == [True, True, True]
    assert lost == 2
    assert isinstance(tasks[2].exception(), ValueError)


async def test_ending_nothing_returns_at_once() -> None:
    await end_tasks([])
