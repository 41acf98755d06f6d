"""Redis pub/sub for the hub: channels and patterns are listened to while somebody is interested.

A lost connection is made again until `stop`; every channel whose subscription had to be renewed is reported, because what was published meanwhile
is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable

import structlog
from redis.exceptions import RedisError

from polybot_site.ws.bytes_redis import BytesRedis

_RETRY_SECONDS = 0.5
_log = structlog.get_logger(__name__)


class Broadcasts:
    """One pub/sub connection. A name that ends in `*` is a pattern.

    Args:
        on_message: called with (name listened to, channel, payload) in the event loop; must not raise.
        on_renewed: called with a name whose subscription was interrupted.
    """

    def __init__(
        self, redis: BytesRedis, *, on_message: Callable[[str, str, bytes], None], on_renewed: Callable[[str], None]
    ) -> None:
        self._pubsub = redis.pubsub()
        self._on_message = on_message
        self._on_renewed = on_renewed
        self._confirmed: dict[str, asyncio.Event] = {}
        self._sending = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None

    async def start(self, name: str) -> asyncio.Task[None]:
        """Listen to `name` for good and begin to read. Raises `RedisError` while Redis is away.

        The task returned only ends by `stop`, or by a mistake in the code.
        """
        await self._subscribe([name])
        self._reader = asyncio.create_task(self._read(), name="hub broadcasts")
        return self._reader

    async def listen(self, names: Iterable[str]) -> None:
        """Listen to `names` too; returns when Redis has confirmed all of them. Raises `RedisError` while Redis is away."""
        names = set(names)
        async with self._sending:
            await self._subscribe(names - self._confirmed.keys())
        for confirmed in [self._confirmed[name] for name in names]:
            await confirmed.wait()

    async def forget(self, names: Iterable[str]) -> None:
        """Stop listening to `names`."""
        async with self._sending:
            known = [name for name in names if self._confirmed.pop(name, None) is not None]
            if channels := [name for name in known if not name.endswith("*")]:
                await self._pubsub.unsubscribe(*channels)
            if patterns := [name for name in known if name.endswith("*")]:
                await self._pubsub.punsubscribe(*patterns)

    async def stop(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._pubsub.aclose()

    async def _subscribe(self, names: Collection[str]) -> None:
        self._confirmed.update((name, asyncio.Event()) for name in names)
        try:
            if channels := [name for name in names if not name.endswith("*")]:
                await self._pubsub.subscribe(*channels)
            if patterns := [name for name in names if name.endswith("*")]:
                await self._pubsub.psubscribe(*patterns)
        except RedisError:
            for name in names:
                self._confirmed.pop(name, None)
            raise

    async def _read(self) -> None:
        while True:
            try:
                message = await self._pubsub.get_message(timeout=None)
            except RedisError as error:
                _log.warning("redis_pubsub_lost", error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if message is not None:
                self._handle(message)

    def _handle(self, message: dict[str, object]) -> None:
        kind, channel, payload = message["type"], message["channel"], message["data"]
        name = channel.decode() if isinstance(channel, bytes) else str(channel)
        if kind == "message" and isinstance(payload, bytes):
            self._on_message(name, name, payload)
        elif kind == "pmessage" and isinstance(payload, bytes):
            pattern = message["pattern"]
            self._on_message(pattern.decode() if isinstance(pattern, bytes) else str(pattern), name, payload)
        elif kind in ("subscribe", "psubscribe") and (confirmed := self._confirmed.get(name)) is not None:
            if confirmed.is_set():
                self._on_renewed(name)
            confirmed.set()
