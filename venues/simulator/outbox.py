"""The way out to one WebSocket client: a bounded queue and the task that writes it.

A client that does not read is cut off when its queue is full: the venue never waits for anyone, and the client's reconnect brings it a
whole book, which a silent loss would not.
"""

from __future__ import annotations

import asyncio
from collections import deque

from aiohttp import WSMsgType, web

LIMIT = 5000


class Outbox:
    """Frames on their way to one client."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._request = request
        self._socket = socket
        self._frames: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._cut_off = False

    def send(self, frame: bytes) -> None:
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

    async def write(self) -> None:
        """Write queued frames until cancelled or the connection ends."""
        try:
            while not self._socket.closed:
                await self._wake.wait()
                self._wake.clear()
                while self._frames:
                    await self._socket.send_frame(self._frames.popleft(), WSMsgType.TEXT)
        except ConnectionError:
            self._cut_off = True
