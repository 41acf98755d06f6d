"""The way out to one WebSocket client: a bounded queue and the task that writes it.

A client that does not read is cut off when its queue is full: the venue never waits for anyone, and the client's reconnect brings it a
whole book, which a silent loss would not. Armed faults stand between `send` and the queue.
"""

from __future__ import annotations

import asyncio
from collections import deque

from aiohttp import WSCloseCode, WSMsgType, web

from venues.simulator.door import reset
from venues.simulator.faults.desk import DESK
from venues.simulator.faults.model import Channel

LIMIT = 5000


class Outbox:
    """Frames of a channel on their way to one client. `address` is whose connection it is, "" on the market channel."""

    def __init__(
        self, request: web.Request, socket: web.WebSocketResponse, channel: Channel, address: str = ""
    ) -> None:
        self._request = request
        self._socket = socket
        self._frames: deque[bytes | None] = deque()
        self._line = request.app[DESK].line(channel, address, self)
        self._wake = asyncio.Event()
        self._cut_off = False

    def send(self, frame: bytes) -> None:
        """Send one text frame."""
        self._line.send(frame)

    def write(self, frame: bytes) -> None:
        """Queue one text frame; past the limit the connection is cut."""
        if self._cut_off:
            return
        if len(self._frames) >= LIMIT:
            self.cut_off()
            return
        self._frames.append(frame)
        self._wake.set()

    def cut_off(self) -> None:
        """End the connection now, without a farewell that a stuck client would never read."""
        self._cut_off = True
        self._frames.clear()
        if self._request.transport is not None:
            self._request.transport.abort()

    def end(self, *, with_reset: bool) -> None:
        """End the connection by a fault: with a TCP reset, or with what is queued and a close frame."""
        if not with_reset:
            self._frames.append(None)
            self._wake.set()
        elif self._request.transport is not None:
            self._cut_off = True
            self._frames.clear()
            reset(self._request.transport)

    async def run(self) -> None:
        """Write queued frames until cancelled or the connection ends."""
        try:
            while not self._socket.closed:
                await self._wake.wait()
                self._wake.clear()
                while self._frames:
                    frame = self._frames.popleft()
                    if frame is None:
                        await self._socket.close(code=WSCloseCode.GOING_AWAY)
                        return
                    await self._socket.send_frame(frame, WSMsgType.TEXT)
        except ConnectionError:
            self._cut_off = True
