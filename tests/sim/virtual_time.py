"""A standard asyncio loop on a virtual clock: its selector advances time instead of waiting.

A trading day runs in seconds, the same every time. While `external` says that a thread still owes an answer, time stands still and the selector waits
for it in reality. A loop with nothing left to wait for raises `DeadlockError` instead of hanging; code that goes round without ever letting time pass
gets a `StandstillError` from the clock.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import uuid
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

START_NS = 1_790_000_000_000_000_000


class DeadlockError(RuntimeError):
    """Nothing is ready, nothing is scheduled, and no thread owes an answer."""


class StandstillError(RuntimeError):
    """The time was asked for again and again, and never passed."""


MOST_LOOKS = 100_000
"""How often the clock may be looked at before time must have passed; busy moments need some thousands."""


class VirtualClock:
    """The `Clock` port in virtual time. `standstills` counts what went round without letting time pass: whoever caught the error cannot hide it."""

    def __init__(self) -> None:
        self._elapsed_ns = 0
        self._looks = 0
        self.standstills = 0

    def now_ns(self) -> int:
        self._looked()
        return START_NS + self._elapsed_ns

    def monotonic(self) -> float:
        self._looked()
        return self._elapsed_ns / 1e9

    def at_ns(self, monotonic: float) -> int:
        """Return what the clock said, or will say, at a moment of `monotonic`."""
        return START_NS + round(monotonic * 1e9)

    def _looked(self) -> None:
        self._looks += 1
        if self._looks > MOST_LOOKS:
            self._looks = 0
            self.standstills += 1
            raise StandstillError(f"the clock was looked at {MOST_LOOKS} times at {self._elapsed_ns / 1e9} s")

    def advance(self, seconds: float) -> None:
        self._looks = 0
        # Rounded up, so that a timer is due when the loop looks at the clock again.
        self._elapsed_ns += max(1, int(seconds * 1e9) + 1)


class SeededIds:
    """The `Ids` port from a seed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))

    def salt(self) -> int:
        return self._rng.getrandbits(52)


class _VirtualSelector(selectors.BaseSelector):
    def __init__(self, clock: VirtualClock, external: Callable[[], bool]) -> None:
        self._clock = clock
        self._external = external
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self._external():
            return self._real.select(5.0)
        if timeout is None:
            raise DeadlockError("nothing is ready and nothing is scheduled")
        self._clock.advance(timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


def run_virtual(
    main: Callable[[], Coroutine[Any, Any, T]], clock: VirtualClock, *, external: Callable[[], bool] = lambda: False
) -> T:
    """Run `main` to its end in virtual time and return its result."""
    loop = asyncio.SelectorEventLoop(_VirtualSelector(clock, external))
    loop.time = clock.monotonic  # type: ignore[method-assign]
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main())
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        asyncio.set_event_loop(None)
        loop.close()
