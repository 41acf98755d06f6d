"""What is due when inside the venue: a heap whose order depends on nothing but what was put in."""

from __future__ import annotations

import heapq
from typing import NamedTuple


class Task(NamedTuple):
    """Something an agent or the venue will do at `due_ns`. `name` picks the handler; tasks of one moment keep their order."""

    due_ns: int
    number: int
    name: str
    arguments: tuple[str | float, ...]


class Schedule:
    """Tasks by time."""

    def __init__(self) -> None:
        self._heap: list[Task] = []
        self.number = 0

    def add(self, due_ns: int, name: str, *arguments: str | float) -> None:
        """Plan a task."""
        self.number += 1
        heapq.heappush(self._heap, Task(due_ns, self.number, name, arguments))

    def next_due(self, now_ns: int) -> Task | None:
        """Take the earliest task that is due, None when there is none."""
        if self._heap and self._heap[0].due_ns <= now_ns:
            return heapq.heappop(self._heap)
        return None
