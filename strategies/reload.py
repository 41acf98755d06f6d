"""Brings changed settings to the running strategies: told by Redis within milliseconds, found in PostgreSQL at the latest after a while.

A setting is applied when it is newer than what was applied before, whichever way it came. One that a strategy refuses is reported, and the running
parameters stay. Lost connections are made again; `run` ends only by cancellation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import redis.asyncio
import structlog
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from domain.errors import JournalUnavailableError, PolybotError
from proto.values import MappingError
from strategies import config_messages
from strategies.registry import Registry, UnknownStrategyError
from strategies.store import StoredConfig

LOOK_EVERY_SECONDS = 15.0
_RETRY_SECONDS = 1.0

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class ConfigReload:
    """Keeps `registry` at the stored settings.

    Args:
        client: an asyncio Redis client that answers in bytes.
        load: reads all settings from PostgreSQL; what it raises is reported and tried again later.
        applied: the settings the strategies were started with.
        look_every: seconds between two looks into PostgreSQL.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        client: redis.asyncio.Redis,
        load: Callable[[], Awaitable[Iterable[StoredConfig]]],
        applied: Iterable[StoredConfig] = (),
        look_every: float = LOOK_EVERY_SECONDS,
    ) -> None:
        self._registry = registry
        self._client = client
        self._load = load
        self._look_every = look_every
        self._seen = {config.name: config.updated_ns for config in applied}

    async def run(self) -> None:
        """Listen and look until cancelled; then the client is closed."""
        try:
            await asyncio.gather(self._listen_always(), self._look_always())
        finally:
            await self._client.aclose()

    def apply(self, config: StoredConfig) -> None:
        """Apply a setting if it is news and its strategy takes it."""
        if config.updated_ns <= self._seen.get(config.name, -1):
            return
        self._seen[config.name] = config.updated_ns
        try:
            self._registry.configure(config.name, config.parameters, enabled=config.enabled)
        except UnknownStrategyError:
            log.debug("settings of a strategy that is not registered", strategy=config.name)
        except PolybotError as error:
            log.warning("settings refused, the running ones stay", strategy=config.name, error=str(error))

    async def _look_always(self) -> None:
        unread = False
        while True:
            try:
                for config in await self._load():
                    self.apply(config)
                unread = False
            except JournalUnavailableError as error:
                if not unread:
                    log.warning("strategy settings cannot be read now", error=str(error))
                unread = True
            except Exception:
                log.exception("strategy settings could not be read, trying again")
            await asyncio.sleep(self._look_every)

    async def _listen_always(self) -> None:
        while True:
            try:
                async with self._client.pubsub() as channels:
                    await channels.psubscribe(config_messages.ALL_CHANNELS)
                    while True:
                        await self._hear(channels)
            except RedisError as error:
                log.warning("not listening for strategy settings", error=str(error))
            await asyncio.sleep(_RETRY_SECONDS)

    async def _hear(self, channels: PubSub) -> None:
        message = await channels.get_message(timeout=self._look_every)
        if message is None:
            return
        if message["type"] == "psubscribe":
            # Also after the client has connected anew by itself.
            await self._catch_up()
        elif message["type"] == "pmessage":
            self._apply_message(config_messages.from_event, message["data"])

    async def _catch_up(self) -> None:
        """Apply what was published while nobody listened."""
        for registered in list(self._registry):
            data: Any = await self._client.get(config_messages.key(registered.name))
            if data is not None:
                self._apply_message(config_messages.from_bytes, data)

    def _apply_message(self, decode: Callable[[bytes], StoredConfig | None], data: bytes) -> None:
        try:
            config = decode(data)
        except MappingError as error:
            log.warning("message about strategy settings is no such thing", error=str(error))
            return
        if config is not None:
            self.apply(config)
