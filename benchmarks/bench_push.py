"""The live push: events to 200 WebSocket clients of one web process (uvicorn), through the hub and through Channels' `group_send`.

Counted are deliveries for each second of processor time of the web process, so that a busy machine does not change the figure. Every event must
arrive at every client before a round ends; nothing is conflated.
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import redis.asyncio

from benchmarks.measure import Result
from infra.clock import SystemClock
from infra.ids import RandomIds
from infra.services import Services
from infra.services.valkey import Valkey
from proto.envelope import EventEncoder
from proto.polybot.v1 import orderbook_pb2

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = 200
EVENTS = 500
BURST = 50
GROUP_BURST = 10
"""The channel layer drops messages when too many wait."""
ROUNDS = 3
GROUP_SHARE = 5
"""`group_send` gets this fraction of the events, or a round would take minutes."""

Publish = Callable[[list[bytes]], Awaitable[None]]


class _Server(Valkey):
    usual_port = 0


class _Counter(asyncio.Protocol):
    """A client that counts the bytes it gets after the handshake."""

    def __init__(self, path: str, port: int, subscribe: bytes) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
        self._subscribe = subscribe
        self.ready = asyncio.Event()
        self.received = 0
        self.wanted: tuple[int, asyncio.Event] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if not self.ready.is_set():
            self.ready.set()
            if self._subscribe:
                self._transport.write(b"\x81" + bytes([0x80 | len(self._subscribe)]) + bytes(4) + self._subscribe)
        if self.wanted is not None and self.received >= self.wanted[0]:
            self.wanted[1].set()

    def close(self) -> None:
        self._transport.close()


def run() -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        with Services(Path(folder) / "var", kinds=(_Server,)).running() as endpoints:
            return asyncio.run(_measure(endpoints["valkey"].url, folder))


async def _measure(url: str, folder: str) -> list[Result]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = os.environ | {"REDIS_URL": url, "POLYBOT_VAR": folder, "POLYBOT_CONFIG": "", "PYTHONPATH": str(ROOT)}
    options = "--loop uvloop --ws websockets-sansio --ws-per-message-deflate false --no-access-log --lifespan off --log-level error"
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "benchmarks.push_server:application",
        "--port",
        str(port),
        *options.split(),
    ]
    process = subprocess.Popen(command, cwd=ROOT, env=environ)  # noqa: ASYNC220 - nothing else runs yet
    broker = redis.asyncio.Redis.from_url(url)
    try:
        await _until_listening(port)
        encoder = EventEncoder(SystemClock(), RandomIds(), epoch=1)
        events = [encoder.encode(orderbook_pb2.BBO(asset_id="7" * 76, best_bid=0.5)) for _ in range(EVENTS)]
        server = psutil.Process(process.pid)
        ours = await _best(
            server, port, "/ws", b'{"subscribe":["fills"]}', _to_stream(broker), _bursts(events, BURST), stream_id=True
        )
        group = _bursts(events[: EVENTS // GROUP_SHARE], GROUP_BURST)
        peer = await _best(server, port, "/group", b"", _to_group(url), group, stream_id=False)
    finally:
        await broker.aclose()
        process.terminate()
        process.wait(10)
    return [Result("push_deliveries", "deliveries/CPU s", ours, peer, "Channels group_send", higher_is_better=True)]


def _to_stream(broker: redis.asyncio.Redis) -> Publish:
    async def publish(events: list[bytes]) -> None:
        async with broker.pipeline(transaction=False) as pipe:
            for event in events:
                pipe.xadd("stream:fills", {"event": event})
            await pipe.execute()

    return publish


def _to_group(url: str) -> Publish:
    from channels_redis.pubsub import RedisPubSubChannelLayer

    layer = RedisPubSubChannelLayer(hosts=[url])

    async def publish(events: list[bytes]) -> None:
        for event in events:
            await layer.group_send("bench", {"type": "push.event", "data": event})

    return publish


async def _best(
    server: psutil.Process,
    port: int,
    path: str,
    subscribe: bytes,
    publish: Publish,
    bursts: list[list[bytes]],
    *,
    stream_id: bool,
) -> float:
    loop = asyncio.get_running_loop()
    clients = [_Counter(path, port, subscribe) for _ in range(CLIENTS)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
        await client.ready.wait()
    await _silence(clients)
    frame = len(bursts[0][0]) + (2 + len("1700000000000-0") if stream_id else 0) + 2
    frame += 2 if frame > 127 else 0
    best = 0.0
    for _ in range(ROUNDS):
        before = _cpu(server)
        for burst in bursts:
            done = []
            for client in clients:
                client.wanted = (client.received + frame * len(burst), asyncio.Event())
                done.append(client.wanted[1].wait())
            await publish(burst)
            await asyncio.wait_for(asyncio.gather(*done), 120)
        best = max(best, CLIENTS * sum(map(len, bursts)) / (_cpu(server) - before))
    for client in clients:
        client.close()
    return best


def _bursts(events: list[bytes], size: int) -> list[list[bytes]]:
    return [events[start : start + size] for start in range(0, len(events), size)]


async def _silence(clients: list[_Counter]) -> None:
    """Wait until nobody has received anything for a second: all subscriptions are confirmed."""
    last = -1
    while last != (last := sum(client.received for client in clients)):  # noqa: ASYNC110 - another process sends
        await asyncio.sleep(1)


async def _until_listening(port: int) -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError("the web process does not listen")


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
