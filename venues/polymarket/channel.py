"""One WebSocket to the venue that comes back by itself: subscribe frame first, then `PING` texts, `PONG` watched.

The venue closes a socket that pings before it has subscribed, and a socket may stay open without delivering, so a channel counts as open
only once the venue has answered a ping that was sent behind the subscribe frame, and it is dropped when answers stop. Every loss is told
through `on_lost`, then the next attempt follows after a growing, random pause. Nothing is replayed: whoever owns the channel reads again
what it may have missed. An exception of a handler drops the socket too, and is logged: what it did not process is missed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

import structlog
from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from domain.ports import Clock
from venues.polymarket.backoff import Backoff
from venues.polymarket.config import USER_AGENT

_log = structlog.get_logger(__name__)

MAX_FRAME_BYTES = 16 * 1024 * 1024
STABLE_SECONDS = 10.0
"""A connection that lasted this long was a success: the next attempt follows soon."""


@dataclass(frozen=True, slots=True)
class Keepalive:
    """Seconds between pings, and after how many seconds without an answer the socket counts as dead."""

    ping_every: float = 10.0
    dead_after: float = 30.0
    connect_timeout: float = 10.0


class ChannelHandler(Protocol):
    """What a channel is used for."""

    def hello(self) -> bytes:
        """Return the subscribe frame, the first one on every connection."""

    def on_open(self) -> None:
        """The venue has processed the subscribe frame."""

    def on_data(self, data: bytes) -> None:
        """A complete text message other than PONG arrived."""

    def on_lost(self, reason: str) -> None:
        """The connection ended, or an attempt to connect failed."""


class Channel:
    """Keeps one subscribed connection. `run` works until it is cancelled; `send` writes to the connection if there is one."""

    def __init__(
        self,
        url: str,
        handler: ChannelHandler,
        *,
        clock: Clock,
        backoff: Backoff,
        keepalive: Keepalive | None = None,
    ) -> None:
        self.url = url
        self.connections = 0
        self._handler = handler
        self._clock = clock
        self._backoff = backoff
        self._keepalive = keepalive or Keepalive()
        self._socket: _Socket | None = None

    @property
    def open(self) -> bool:
        """Tell whether the venue has answered behind the subscribe frame of the present connection."""
        return self._socket is not None and self._socket.answered

    def send(self, frame: bytes) -> bool:
        """Write a text frame; False when there is no connection (the next one subscribes afresh)."""
        if self._socket is None:
            return False
        self._socket.write(frame)
        return True

    def drop(self, reason: str) -> None:
        """Close the present connection; another one follows."""
        if self._socket is not None:
            self._socket.close(reason)

    async def run(self) -> None:
        """Connect, serve and reconnect until cancelled."""
        while True:
            try:
                reason = await self._serve()
            except Exception as error:  # noqa: BLE001 - logged; whatever it was, the loss is told and the connection comes back
                _log.exception("venue socket failed in a way nobody foresaw", url=self.url)
                reason = f"{type(error).__name__}: {error}"
            try:
                self._handler.on_lost(reason)
            except Exception:  # noqa: BLE001 - logged; the connection must come back
                _log.exception("handler of a lost venue socket failed", url=self.url)
            delay = self._backoff.next()
            _log.info("venue socket lost", url=self.url, reason=reason, retry_in=round(delay, 2))
            await asyncio.sleep(delay)

    async def _serve(self) -> str:
        """Serve one connection and return why it ended."""
        socket = _Socket(self._handler, self._clock)
        try:
            async with asyncio.timeout(self._keepalive.connect_timeout):
                await ws_connect(
                    lambda: socket,
                    self.url,
                    max_frame_size=MAX_FRAME_BYTES,
                    extra_headers={"User-Agent": USER_AGENT},
                    max_redirects=0,
                    websocket_handshake_timeout=self._keepalive.connect_timeout,
                )
        except (OSError, WSError, TimeoutError) as error:
            return f"could not connect: {type(error).__name__} {error}".rstrip()
        self.connections += 1
        self._socket = socket
        started = self._clock.monotonic()
        try:
            socket.write(self._handler.hello())
            return await socket.serve(self._keepalive)
        finally:
            self._socket = None
            socket.close("closed by us")
            if self._clock.monotonic() - started >= STABLE_SECONDS:
                self._backoff.reset()


class _Socket(WSListener):
    """One connection: joins fragments, tells PONG from data, pings."""

    def __init__(self, handler: ChannelHandler, clock: Clock) -> None:
        self._handler = handler
        self._clock = clock
        self._transport: WSTransport | None = None
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._fragments = bytearray()
        self._reason = ""
        self._pong_at = 0.0
        self.answered = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if self._reason:
            return  # closing: nothing behind the reason is trusted
        kind = frame.msg_type
        if kind is WSMsgType.TEXT and frame.fin:
            self._on_message(frame.get_payload_as_bytes())
        elif kind is WSMsgType.TEXT or kind is WSMsgType.CONTINUATION:
            self._on_fragment(frame)
        elif kind is WSMsgType.CLOSE:
            self._reason = f"closed by the venue: {frame.get_close_code()} {frame.get_close_reason()}"
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def write(self, text: bytes) -> None:
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, text)

    def close(self, reason: str) -> None:
        if self._transport is not None and not self._ended.done():
            self._reason = self._reason or reason
            self._transport.disconnect(graceful=False)

    async def serve(self, keepalive: Keepalive) -> str:
        """Ping until the connection ends and return why it did."""
        self._pong_at = self._clock.monotonic()
        while not self._ended.done():
            silent = self._clock.monotonic() - self._pong_at
            if silent >= keepalive.dead_after:
                self.close(f"no PONG for {silent:.0f} s")
            else:
                self.write(b"PING")
            await asyncio.wait((self._ended,), timeout=keepalive.ping_every)
        if self._transport is not None:
            try:
                await self._transport.wait_disconnected()
            except WSError as error:
                return str(error)
        return self._reason or "connection lost"

    def _on_message(self, data: bytes) -> None:
        try:
            if data == b"PONG":
                self._on_pong()
            else:
                self._handler.on_data(data)
        except Exception:  # noqa: BLE001 - logged, and the connection is dropped
            # What the handler did not process is missed, so the connection cannot be trusted any more.
            _log.exception("handler of a venue socket failed")
            self.close("a handler failed")

    def _on_pong(self) -> None:
        self._pong_at = self._clock.monotonic()
        if not self.answered:
            self.answered = True
            self._handler.on_open()

    def _on_fragment(self, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            self._fragments.clear()
        self._fragments += frame.get_payload_as_memoryview()
        if len(self._fragments) > MAX_FRAME_BYTES:
            self.close("a fragmented message was too large")
        elif frame.fin:
            data = bytes(self._fragments)
            self._fragments.clear()
            self._on_message(data)
