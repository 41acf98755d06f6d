"""Leases blocks of shared limits through Redis (`scripts/sliding_window.lua`), in the background and ahead of need: no request waits for Redis.

While Redis is away every process keeps to its private share (`infra.rate_limit_window`), and `probe` says so; it is asked again every second that
somebody wants more.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from domain.ports import Clock, Ids
from infra.endings import end_tasks
from infra.errors import ServiceError
from infra.rate_limit_window import LimitWindow

AGAIN_SECONDS = 1.0
_PATIENCE = 1.0
_END_AGAIN = 0.05
_SLIDING_WINDOW = (Path(__file__).parent / "scripts" / "sliding_window.lua").read_text(encoding="utf-8")

_log = structlog.get_logger(__name__)


class RedisLender:
    """Leases for one process. `serve` says for which windows and who is told of new blocks; `close` ends the client as well."""

    def __init__(self, client: redis.asyncio.Redis, clock: Clock, ids: Ids) -> None:
        self._client = client
        self._clock = clock
        self._name = ids.uuid()
        self._lent = 0
        self._windows: Sequence[LimitWindow] = ()
        self._on_news: Callable[[], None] = lambda: None
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._away = ""

    def serve(self, windows: Sequence[LimitWindow], on_news: Callable[[], None]) -> None:
        """Begin to lease in the running loop; `on_news` is called after every answer."""
        self._windows, self._on_news = windows, on_news
        for window in windows:
            window.ask_again(self._clock.monotonic())
        self._task = asyncio.create_task(self._run(), name="rate limit leases")

    def wake(self) -> None:
        """Somebody used up some: look whether more is wanted."""
        self._woken.set()

    async def probe(self) -> None:
        """Return when limits are shared as they should be (a probe of `infra.health`); raises `ServiceError` when not."""
        if self._task is not None and self._task.done():
            raise ServiceError("nothing is leased any more: the lender's task ended")
        if self._away:
            raise ServiceError(f"rate limits are not shared, only this process's small part is used: {self._away}")

    async def close(self) -> None:
        if self._task is not None:
            await end_tasks((self._task,), again=_END_AGAIN)
        await self._client.aclose()

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            now = self._clock.monotonic()
            wanted = [(window, count) for window in self._windows if (count := window.wanted(now))]
            if not wanted:
                continue
            try:
                await self._lease(wanted, now)
            except (RedisError, OSError, TimeoutError) as error:
                self._lost(error, [window for window, _ in wanted])
            else:
                if self._away:
                    _log.info("rate limits are shared again")
                self._away = ""
            self._on_news()

    async def _lease(self, wanted: Sequence[tuple[LimitWindow, int]], asked_at: float) -> None:
        pipe = self._client.pipeline(transaction=False)
        for window, count in wanted:
            self._lent += 1
            counted_for = math.ceil(window.counted_for * 1000)
            pipe.eval(
                _SLIDING_WINDOW, 1, window.key, str(counted_for), str(window.shared), str(count), f"{self._name}-{self._lent}"
            )  # fmt: skip
        async with asyncio.timeout(_PATIENCE):
            answers = await pipe.execute()
        for (window, _), (lent, _left, again_ms) in zip(wanted, answers, strict=True):
            window.granted(int(lent), asked_at, int(again_ms) / 1000)

    def _lost(self, error: Exception, windows: Sequence[LimitWindow]) -> None:
        if not self._away:
            _log.warning("rate limits cannot be shared", error=f"{type(error).__name__}: {error}")
        self._away = str(error) or type(error).__name__
        until = self._clock.monotonic() + AGAIN_SECONDS
        for window in windows:
            window.ask_again(until)
