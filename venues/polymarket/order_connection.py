"""Carries orders: keep-alive HTTP/1.1 connections on which it is always known whether a request may have left.

A request either certainly did not leave (`NotSentError`) or may have (`UnansweredError`): from the moment its first byte is handed to the
socket, only a complete answer proves anything. A pooled connection that the venue closed while it was idle is replaced before anything
is written; nothing is ever written twice. The deadline is checked right before the write, after every wait. One connection carries one
request at a time; requests in parallel use several, at most `connections`. What may leave when is for `pace` to say, which hears every answer.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import Mapping
from contextlib import nullcontext
from urllib.parse import urlsplit

from domain.errors import PolybotError
from domain.ports import Clock
from venues.polymarket.config import USER_AGENT
from venues.polymarket.http1 import Answer, AnswerError, AnswerReader
from venues.polymarket.pace import OverBudgetError, Pace


class NotSentError(PolybotError):
    """Proof that no byte of the request left this machine.

    `deadline` tells whether it was held back because it was too late, `retry_after` after how many seconds a budget without room may have some.
    """

    def __init__(self, reason: str, *, deadline: bool = False, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.deadline = deadline
        self.retry_after = retry_after


class UnansweredError(PolybotError):
    """The request may have reached the venue, and no complete answer says what became of it."""


class OrderConnection:
    """A small pool of connections to one host. `request` sends once; `close` ends them all."""

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        *,
        pace: Pace,
        connections: int = 8,
        for_cancels: int = 2,
        connect_timeout: float = 5.0,
        answer_timeout: float = 10.0,
        idle_limit: float = 30.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.hostname is None:
            raise ValueError(f"base_url was {base_url!r}, expected scheme://host[:port]")
        secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port or (443 if secure else 80)
        self._ssl = (ssl_context or ssl.create_default_context()) if secure else None
        self._head_tail = f" HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: {USER_AGENT}\r\n"
        self._clock = clock
        self.pace = pace
        self._connect_timeout = connect_timeout
        self._answer_timeout = answer_timeout
        self._idle_limit = idle_limit
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._places = asyncio.Semaphore(connections)
        self._order_places = asyncio.Semaphore(connections - for_cancels)

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        deadline: float | None = None,
        cost: int = 1,
    ) -> Answer:
        """Send one request and return its complete answer; `cost` is how many orders or cancels it counts as.

        Raises:
            NotSentError: nothing was written: no budget, no connection, or the monotonic `deadline` had passed.
            UnansweredError: the request was written, and no complete answer came.
        """
        data = self._encode(method, path, headers, body)
        try:
            ticket = await self.pace.admit(method, path, cost, deadline)
        except OverBudgetError as error:
            raise NotSentError(str(error), retry_after=error.retry_after) from None
        status, told = 0, dict[str, str]()
        try:
            # Orders that wait for their answers leave some connections to cancels.
            async with self._order_places if method == "POST" else nullcontext():
                answer = await self._carry(data, deadline)
            status, told = answer.status, answer.headers
        finally:
            self.pace.answered(ticket, status, told)
        return answer

    async def _carry(self, data: bytes, deadline: float | None) -> Answer:
        async with self._places:
            connection = self._take_idle() or await self._connect(deadline)
            try:
                if deadline is not None and self._clock.monotonic() >= deadline:
                    raise NotSentError("the deadline had passed before the request was written", deadline=True)
                answer = await connection.exchange(data, self._answer_timeout)
            except NotSentError:
                self._give_back(connection)
                raise
            except BaseException:
                connection.abort()
                raise
            if answer.reusable:
                self._give_back(connection)
            else:
                connection.abort()
            return answer

    async def close(self) -> None:
        """End all connections; requests in flight become unanswered."""
        for connection in list(self._open):
            connection.abort()
        self._idle.clear()

    def _encode(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        if body:
            lines += "Content-Type: application/json\r\n"
        if body or method == "POST":
            lines += f"Content-Length: {len(body)}\r\n"
        head = f"{method} {path}{self._head_tail}{lines}\r\n"
        if head.count("\n") != head.count("\r\n") or "\n\r\n" in head[:-4]:
            raise ValueError("a header contains a line break")
        return head.encode("latin-1") + body

    def _take_idle(self) -> _Connection | None:
        """Return the connection used last, if it is still open and was not idle for too long."""
        oldest = self._clock.monotonic() - self._idle_limit
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and connection.idle_since >= oldest and not connection.has_news():
                return connection
            connection.abort()
        return None

    def _give_back(self, connection: _Connection) -> None:
        if connection.usable:
            connection.idle_since = self._clock.monotonic()
            self._idle.append(connection)
        else:
            connection.abort()

    async def _connect(self, deadline: float | None) -> _Connection:
        timeout = self._connect_timeout
        if deadline is not None:
            timeout = min(timeout, deadline - self._clock.monotonic())
            if timeout <= 0:
                raise NotSentError("the deadline had passed before a connection was there", deadline=True)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self._open), self._host, self._port, ssl=self._ssl
                )
        except (OSError, TimeoutError) as error:
            late = deadline is not None and self._clock.monotonic() >= deadline
            raise NotSentError(f"no connection: {type(error).__name__} {error}".rstrip(), deadline=late) from error
        return connection


class _Connection(asyncio.Protocol):
    """One socket, one request at a time."""

    def __init__(self, registry: set[_Connection]) -> None:
        self.idle_since = 0.0
        self._registry = registry
        self._transport: asyncio.Transport | None = None
        self._reader = AnswerReader()
        self._waiting: asyncio.Future[Answer] | None = None

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing() and not self._reader.started

    def has_news(self) -> bool:
        """Tell whether the idle socket has something to read: its end, in all likelihood, which the loop has not noticed yet."""
        if self._transport is None:
            return True
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # asyncio gives stream protocols a Transport
        self._registry.add(self)

    def data_received(self, data: bytes) -> None:
        if self._waiting is None or self._waiting.done():
            self.abort()  # nobody asked: whatever this is, it must not be taken for the next answer
            return
        try:
            answer = self._reader.feed(data)
        except AnswerError as error:
            self._fail(str(error))
            return
        if answer is not None:
            self._waiting.set_result(answer)

    def eof_received(self) -> bool:
        self._finish()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._registry.discard(self)
        self._finish(exc)
        self._transport = None

    async def exchange(self, data: bytes, seconds: float) -> Answer:
        """Write a request and wait for its answer."""
        if not self.usable or self._transport is None:
            raise NotSentError("the connection was closed before the request was written")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        try:
            async with asyncio.timeout(seconds):
                return await self._waiting
        except TimeoutError:
            raise UnansweredError(f"no complete answer within {seconds:g} s") from None
        finally:
            self._waiting = None

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _finish(self, error: Exception | None = None) -> None:
        if self._waiting is None or self._waiting.done():
            return
        try:
            answer = self._reader.end() if error is None else None
        except AnswerError as bad:
            self._fail(str(bad))
            return
        if answer is not None:
            self._waiting.set_result(answer)
        else:
            self._fail(f"the connection ended before the answer was complete{f': {error}' if error else ''}")

    def _fail(self, reason: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(UnansweredError(reason))
