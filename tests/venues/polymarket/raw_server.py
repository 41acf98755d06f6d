"""A socket server that misbehaves on order: each connection follows the next script of the test."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from socket import SO_LINGER, SOL_SOCKET

Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """One accepted connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self) -> bytes:
        """Read one request whole."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
        return head + (await self.reader.readexactly(int(lengths[0])) if lengths else b"")

    async def answer(self, status: str, body: bytes, *headers: str) -> None:
        lines = "".join(f"{header}\r\n" for header in headers)
        self.writer.write(f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await self.writer.drain()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Cut the connection with a TCP reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(SOL_SOCKET, SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.writer.transport.abort()


class RawServer:
    """`requests` are all requests read by `echo` scripts, `accepted` counts connections."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        self.requests: list[bytes] = []
        self.accepted = 0
        self.errors: list[BaseException] = []
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        script = self.scripts[min(self.accepted, len(self.scripts) - 1)]
        self.accepted += 1
        try:
            await script(peer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except Exception as error:  # noqa: BLE001 - shown by the test that caused it
            self.errors.append(error)
        finally:
            writer.close()

    def keep_answering(self, status: str, body: bytes, *headers: str) -> Script:
        """Return a script that reads requests and answers each the same way."""

        async def script(peer: Peer) -> None:
            while True:
                self.requests.append(await peer.request())
                await peer.answer(status, body, *headers)

        return script


@asynccontextmanager
async def raw_server(*scripts: Script, tls: ssl.SSLContext | None = None):
    server = RawServer()
    server.scripts = list(scripts)
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield server
    finally:
        listener.close()
    assert server.errors == []
