"""The socket at /ws: protobuf events out as binary frames, JSON control in and out as text frames.

The first frame is the trader's status. A message that cannot be understood gets an error frame and the socket stays. The socket is closed with
4401 when the login ends, 4403 without the right to look, 4408 when the client reads too slowly (it comes back and resumes from its last stream id)
and 1013 while Redis is away, or when access cannot be checked any more.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from django.db import DatabaseError
from redis.exceptions import RedisError

from infra import metrics
from polybot_site.ws.access import UNKNOWN, RefusedError, Scope, Visitor, admit, still_admitted
from polybot_site.ws.control import group_of
from polybot_site.ws.hub import Hub
from polybot_site.ws.lobby import running_hub
from polybot_site.ws.messages import MAX_TOPICS, BadMessageError, read
from polybot_site.ws.subscriber import Subscriber
from polybot_site.ws.topics import ALWAYS, parse

TOO_SLOW = 4408
TRY_AGAIN = 1013
CHECK_ACCESS_SECONDS = 60.0
_LAST_WORD_SECONDS = 1.0

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]

_log = structlog.get_logger(__name__)
_slow = metrics.counter("push_too_slow_total", "Clients let go because they read too slowly")


class EventConsumer(AsyncConsumer):  # type: ignore[misc]
    """One client. Channels calls the methods named after message types, one at a time, until `over` is set or the client leaves."""

    hub: Hub
    visitor: Visitor

    async def __call__(self, scope: Scope, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        self.subscriber = Subscriber()
        self.over: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self.tasks = [asyncio.create_task(super().__call__(scope, receive, send))]
        try:
            await asyncio.wait([self.tasks[0], self.over], return_when=asyncio.FIRST_COMPLETED)
            if self.over.done():
                await self._close(send, *self.over.result())
            else:
                await self.tasks[0]
        finally:
            await self._leave()

    async def websocket_connect(self, _message: Message) -> None:
        await self.base_send({"type": "websocket.accept"})
        try:
            self.visitor = await database_sync_to_async(admit)(self.scope)
            await self.channel_layer.group_add(group_of(self.visitor), self.channel_name)
            self.hub = await running_hub()
        except RefusedError as refused:
            return self._end(refused.code, str(refused))
        except (RedisError, OSError) as error:
            _log.warning("push_unavailable", error=str(error))
            return self._end(TRY_AGAIN, "Redis is away")
        self.hub.add(self.subscriber)
        await self.hub.subscribe(self.subscriber, [parse(ALWAYS)], {})
        self.tasks += [asyncio.create_task(job) for job in (self._write(), self._watch_speed(), self._watch_access())]
        return None

    async def websocket_receive(self, message: Message) -> None:
        if self.over.done():
            return
        try:
            request = read(message.get("text") or "")
            if len(self.subscriber.topics) + len(request.subscribe) > MAX_TOPICS:
                raise BadMessageError("too_many_topics", f"a client may have {MAX_TOPICS} topics")
        except BadMessageError as error:
            self.subscriber.answer(json.dumps({"error": error.code, "detail": str(error), "fix": error.fix}))
            return
        if request.unsubscribe:
            self.hub.unsubscribe(self.subscriber, request.unsubscribe)
        if request.subscribe:
            await self.hub.subscribe(self.subscriber, request.subscribe, request.resume)

    async def websocket_disconnect(self, _message: Message) -> None:
        raise StopConsumer

    async def access_ended(self, _message: Message) -> None:
        """Receive from the channel layer that the login of this socket has ended."""
        self._end(UNKNOWN, "logged out")

    async def _write(self) -> None:
        send = self.base_send
        while True:
            for frame in await self.subscriber.next_frames():
                kind = "bytes" if isinstance(frame, bytes) else "text"
                await send({"type": "websocket.send", kind: frame})

    async def _watch_speed(self) -> None:
        await self.subscriber.too_slow.wait()
        _slow.inc()
        self._end(TOO_SLOW, "too slow: resume from your last stream id")

    async def _watch_access(self) -> None:
        check = database_sync_to_async(still_admitted)
        while True:
            await asyncio.sleep(CHECK_ACCESS_SECONDS)
            try:
                admitted = await check(self.visitor)
            except DatabaseError as error:
                _log.warning("access_not_checked", error=str(error))
                continue
            except Exception:  # noqa: BLE001 - nobody would check any more: the socket ends
                _log.exception("access_cannot_be_checked")
                return self._end(TRY_AGAIN, "access cannot be checked")
            if not admitted:
                return self._end(UNKNOWN, "logged out")

    def _end(self, code: int, reason: str) -> None:
        if not self.over.done():
            self.over.set_result((code, reason))

    async def _close(self, send: Send, code: int, reason: str) -> None:
        """Say why, unless the client reads so slowly that not even that gets through."""
        try:
            async with asyncio.timeout(_LAST_WORD_SECONDS):
                await send({"type": "websocket.close", "code": code, "reason": reason})
        except TimeoutError:
            _log.info("push_closed_without_a_word", code=code)

    async def _leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if hasattr(self, "hub"):
            self.hub.remove(self.subscriber)
        if hasattr(self, "visitor"):
            try:
                await self.channel_layer.group_discard(group_of(self.visitor), self.channel_name)
            except (RedisError, OSError) as error:
                _log.warning("group_not_left", error=str(error))
