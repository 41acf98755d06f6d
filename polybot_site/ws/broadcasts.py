"""Redis pub/sub for the hub: channels and patterns are listened to while somebody is interested.

A lost connection is made again until `stop`; every name whose subscription had to be renewed is reported, because what was published meanwhile is
gone. Interest that is declared while Redis is away waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable

import hiredis
import structlog
from redis.exceptions import ConnectionError as RedisConnectionError

from infra.endings import end_tasks
from infra.errors import ServiceError
from infra.redis_wire import Answers, RedisWire, connect, pack

_PING_SECONDS = 10.0
_RETRY_SECONDS = 0.5
_log = structlog.get_logger(__name__)


class Broadcasts:
    """One pub/sub connection. A name that ends in `*` is a pattern.

    Args:
        on_message: called with (name listened to, channel, payload) in the event loop.
        on_renewed: called with a name whose subscription was interrupted.
    """

    def __init__(
        self, url: str, *, on_message: Callable[[str, str, bytes], None], on_renewed: Callable[[str], None]
    ) -> None:
        self._url = url
        self._on_message = on_message
        self._on_renewed = on_renewed
        self._confirmed: dict[str, asyncio.Event] = {}
        self._wire: RedisWire | None = None
        self._quiet = self._away = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> asyncio.Task[None]:
        """Connect and begin to read. The task returned only ends by `stop`, or by a mistake in the code.

        Raises:
            redis.exceptions.ConnectionError: Redis is away.
        """
        try:
            wire = await connect(self._url, ())
        except (OSError, TimeoutError, ServiceError) as error:
            raise RedisConnectionError(str(error) or "no answer") from error
        self._task = asyncio.create_task(self._run(wire), name="hub broadcasts")
        return self._task

    async def listen(self, names: Iterable[str]) -> None:
        """Listen to `names` too; returns when Redis has confirmed all of them."""
        names = set(names)
        new = names - self._confirmed.keys()
        self._confirmed.update((name, asyncio.Event()) for name in new)
        self._send("SUBSCRIBE", new)
        for confirmed in [self._confirmed[name] for name in names]:
            await confirmed.wait()

    def forget(self, names: Iterable[str]) -> None:
        """Stop listening to `names`."""
        self._send("UNSUBSCRIBE", [name for name in names if self._confirmed.pop(name, None) is not None])

    async def stop(self) -> None:
        if self._task is not None:
            await end_tasks((self._task,))

    def _send(self, command: str, names: Collection[str]) -> None:
        if self._wire is None:
            return
        channels = [name for name in names if not name.endswith("*")]
        patterns = [name for name in names if name.endswith("*")]
        if channels:
            self._wire.send(pack(command, *channels))
        if patterns:
            self._wire.send(pack(f"P{command}", *patterns))

    async def _run(self, wire: RedisWire | None) -> None:
        while True:
            try:
                await self._serve(wire or await connect(self._url, ()))
            except (OSError, TimeoutError, ServiceError) as error:
                if not self._away:
                    _log.warning("redis_pubsub_lost", error=str(error))
                self._away = True
            wire = None
            await asyncio.sleep(_RETRY_SECONDS)

    async def _serve(self, wire: RedisWire) -> None:
        """Read until the connection is lost; always raises."""
        wire.on_answers = self._on_answers
        self._wire, self._quiet, self._away = wire, False, False
        try:
            self._send("SUBSCRIBE", self._confirmed)
            while not wire.lost.done():
                await asyncio.wait({wire.lost}, timeout=_PING_SECONDS)
                if self._quiet:
                    wire.end(f"silent for {_PING_SECONDS:g} s")
                self._quiet = True
                wire.send(pack("PING"))
            raise ConnectionResetError(wire.lost.result())
        finally:
            self._wire = None
            wire.end("closed")

    def _on_answers(self, answers: Answers) -> None:
        self._quiet = False
        for answer in answers:
            match answer:
                case [b"message", bytes(channel), bytes(payload)]:
                    name = channel.decode()
                    self._on_message(name, name, payload)
                case [b"pmessage", bytes(pattern), bytes(channel), bytes(payload)]:
                    self._on_message(pattern.decode(), channel.decode(), payload)
                case [b"subscribe" | b"psubscribe", bytes(channel), _]:
                    self._on_confirmed(channel.decode())
                case hiredis.ReplyError() if self._wire is not None:
                    self._wire.end(str(answer))

    def _on_confirmed(self, name: str) -> None:
        confirmed = self._confirmed.get(name)
        if confirmed is None:
            return
        if confirmed.is_set():
            self._on_renewed(name)
        confirmed.set()
