"""The listening socket of a simulated venue: opened, shut so that connections are refused, opened again at the same address.

Opening raises `OSError` when the port is taken. Connections that were open stay open until `drop_all`.
"""

from __future__ import annotations

import asyncio
import socket
import struct

import structlog
from aiohttp import web

HOST = "127.0.0.1"
_BACKLOG = 128
_RESET = struct.pack("ii", 1, 0)

_log = structlog.get_logger(__name__)


class Door:
    """Where clients of one application come in, on `port` of loopback (0: any free one)."""

    def __init__(self, app: web.Application, port: int = 0, shutdown_seconds: float = 0.5) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=shutdown_seconds)
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None
        self.port = port

    async def open(self) -> None:
        """Begin to listen."""
        await self._runner.setup()
        await self._listen()

    async def close(self) -> None:
        """End everything."""
        if self._opening is not None:
            self._opening.cancel()
        self.shut()
        await self._runner.cleanup()

    def drop_all(self) -> None:
        """Reset every connection."""
        server = self._runner.server
        for connection in list(server.connections) if server is not None else []:
            if connection.transport is not None:
                reset(connection.transport)

    def shut(self) -> None:
        """Refuse new connections."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def reopen(self) -> None:
        """Accept connections again, soon."""
        self._opening = asyncio.get_running_loop().create_task(self._listen())

    async def _listen(self) -> None:
        protocols = self._runner.server
        if protocols is None:
            raise RuntimeError("open the door before it listens")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(protocols, HOST, self.port, backlog=_BACKLOG)
        self.port = self._server.sockets[0].getsockname()[1]
        _log.info("the venue listens", port=self.port)


def reset(transport: asyncio.Transport) -> None:
    """End a connection so that its other end hears a TCP reset."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
