"""One connection to Redis for `infra.redis_pipe`: connects, logs in, loads scripts, then bytes out and answers in.

`connect` raises `OSError` or `TimeoutError` when the server is not there and `ServiceError` when it refuses the login, the database or a script.
A connection that ends later sets its `lost` future; an answer that is no RESP ends it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import cast

import hiredis
from redis.asyncio.connection import SSLConnection, parse_url

from infra.errors import ServiceError

CONNECT_TIMEOUT = 3.0

Argument = str | bytes | int | float
Answers = list[object]


def pack(*command: Argument) -> bytes:
    """Return a command as RESP; `TypeError` for an argument that is no text, bytes or number."""
    packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]  # its stub allows one argument only
    return packed


class Script:
    """A Lua script; call it with EVALSHA and `sha`. Every connection loads it first."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class RedisWire(asyncio.Protocol):
    """Answers go to `on_answers`, as many at once as one read brought."""

    def __init__(self) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.on_answers: Callable[[Answers], None] = self._greet
        self._reader = hiredis.Reader()
        self._transport: asyncio.Transport | None = None
        self._greetings: Answers = []
        self._greeted = asyncio.Event()

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def end(self, reason: str) -> None:
        """Close at once; `lost` gets the first reason given."""
        if not self.lost.done():
            self.lost.set_result(reason)
        if self._transport is not None:
            self._transport.abort()

    async def login(self, commands: Sequence[Sequence[str]]) -> None:
        """Send `commands` and wait until all are answered; raises `ServiceError` for the first that is refused."""
        for number, command in enumerate(commands, 1):
            self.send(pack(*command))
            while len(self._greetings) < number:
                if self.lost.done():
                    raise ConnectionResetError(self.lost.result())
                self._greeted.clear()
                await self._greeted.wait()
            answer = self._greetings[-1]
            if isinstance(answer, hiredis.ReplyError):
                raise ServiceError(f"Redis refused {command[0]}: {answer}")

    def _greet(self, answers: Answers) -> None:
        self._greetings += answers
        self._greeted.set()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        answers: Answers = []
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not False:
                answers.append(answer)
        except hiredis.ProtocolError as error:
            self.end(f"the answer was not RESP: {error}")
        if answers:
            self.on_answers(answers)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.end(str(exc) if exc else "the server closed the connection")
        self._greeted.set()


async def connect(url: str, scripts: Sequence[Script]) -> RedisWire:
    """Return a connection to `url` (redis://, rediss:// or unix://), logged in and with all scripts loaded."""
    options = parse_url(url)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_TIMEOUT):
        if "path" in options:
            _, wire = await loop.create_unix_connection(RedisWire, options["path"])
        else:
            _, wire = await loop.create_connection(
                RedisWire,
                options.get("host", "localhost"),
                options.get("port", 6379),
                ssl=options.get("connection_class") is SSLConnection or None,
            )
        try:
            await wire.login(_greeting(options, scripts))
        except BaseException:
            wire.end("login failed")
            raise
    return wire


def _greeting(options: object, scripts: Sequence[Script]) -> list[list[str]]:
    values = dict(options)  # type: ignore[call-overload]
    commands: list[list[str]] = []
    if password := values.get("password"):
        user = values.get("username")
        commands.append(["AUTH", user, password] if user else ["AUTH", password])
    if database := values.get("db"):
        commands.append(["SELECT", str(database)])
    return [*commands, *(["SCRIPT", "LOAD", script.text] for script in scripts)]
