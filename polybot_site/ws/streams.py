"""Redis streams for the hub: one blocking read over all of them, and the events after a client's resume point.

A lost connection is made again until `stop`, and reading goes on after the last event: nothing is skipped unless Redis itself lost it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog
from redis.exceptions import RedisError, ResponseError

from infra.endings import end_tasks
from polybot_site.ws.bytes_redis import BytesRedis

FIELD = b"event"
_BLOCK_MS = 2000
_BATCH = 500
_RETRY_SECONDS = 0.5
_START = "0-0"
_log = structlog.get_logger(__name__)

Entry = tuple[bytes, bytes]
"""Stream id and encoded event."""


class Streams:
    """Reads `names` from their ends on; `on_entry` is called with (name, stream id, event) in the event loop and must not raise."""

    def __init__(
        self, redis: BytesRedis, names: Sequence[str], *, on_entry: Callable[[str, bytes, bytes], None]
    ) -> None:
        self._redis = redis
        self._on_entry = on_entry
        self._last = dict.fromkeys(names, _START)
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> asyncio.Task[None]:
        """Note the ends of the streams and read on from there. Raises `RedisError` while Redis is away.

        The task returned only ends by `stop`, or by a mistake in the code.
        """
        for name in self._last:
            newest = await self._redis.xrevrange(name, count=1)
            self._last[name] = newest[0][0].decode() if newest else _START
        self._reader = asyncio.create_task(self._read(), name="hub streams")
        return self._reader

    async def stop(self) -> None:
        if self._reader is not None:
            await end_tasks((self._reader,))

    async def since(self, name: str, stream_id: str, limit: int) -> list[Entry] | None:
        """Return the events after `stream_id` up to the last one handed over; None when they cannot be told apart from a gap.

        That is when the stream is shorter than the resume point says, more than `limit` events have passed, or the events right after the
        point may have been trimmed.
        """
        last = self._last[name]
        if _order(stream_id) > _order(last):
            return None
        entries = await self._redis.xrange(name, min=f"({stream_id}", max=last, count=limit + 1)
        if len(entries) > limit or await self._trimmed_after(name, stream_id):
            return None
        return _events(entries)

    async def newest(self, name: str, count: int) -> list[Entry]:
        """Return the last `count` events handed over, oldest first."""
        entries = await self._redis.xrevrange(name, max=self._last[name], count=count)
        return _events(entries)[::-1]

    async def _trimmed_after(self, name: str, stream_id: str) -> bool:
        try:
            information = await self._redis.xinfo_stream(name)
        except ResponseError:  # no such stream any more
            return True
        first = information["first-entry"]
        oldest = _order(first[0].decode()) if first else _order(self._last[name])
        return int(information["entries-added"]) > int(information["length"]) and oldest > _order(stream_id)

    async def _read(self) -> None:
        away = False
        while True:
            try:
                answer = await self._redis.xread(dict(self._last), count=_BATCH, block=_BLOCK_MS)
            except RedisError as error:
                if not away:
                    _log.warning("redis_streams_lost", error=str(error))
                away = True
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            away = False
            for name_bytes, entries in answer:
                name = name_bytes.decode()
                self._last[name] = entries[-1][0].decode()
                for entry_id, event in _events(entries):
                    self._on_entry(name, entry_id, event)


def _events(entries: list[tuple[bytes, dict[bytes, bytes]]]) -> list[Entry]:
    return [(entry_id, fields[FIELD]) for entry_id, fields in entries if FIELD in fields]


def _order(stream_id: str) -> tuple[int, int]:
    milliseconds, _, number = stream_id.partition("-")
    return int(milliseconds), int(number)
