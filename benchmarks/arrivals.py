"""A venue's front door in a process of its own: it notes when the first bytes of each request arrive and refuses the order as unfilled.

`python -m benchmarks.arrivals` prints its port. `GET /arrivals` answers with the monotonic nanoseconds of every arrival since the last such request;
on Linux all processes share that clock. Nothing but the standard library, so that nothing delays the note.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic_ns

REFUSAL = b'{"error":"order couldn\'t be fully filled. FOK orders are fully filled or killed."}'


def _answer(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


class _Door(asyncio.Protocol):
    noted: list[int] = []
    """When requests arrived, on whatever connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        now = monotonic_ns()
        if not self._buffer and not data.startswith(b"GET"):
            self.noted.append(now)
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._buffer = b""
        if head.startswith(b"GET"):
            self._transport.write(_answer(b"200 OK", json.dumps(self.noted).encode()))
            self.noted.clear()
        else:
            self._transport.write(_answer(b"400 Bad Request", REFUSAL))


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n")[0]) if found else 0


@contextmanager
def door() -> Iterator[int]:
    """Run the door; yields its port."""
    command = [sys.executable, "-m", "benchmarks.arrivals"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield int(server.stdout.readline() if server.stdout else "")
        finally:
            server.kill()


async def _main() -> None:
    server = await asyncio.get_running_loop().create_server(_Door, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
