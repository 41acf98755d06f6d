"""An order's way to the venue and back over loopback: our connection next to aiohttp's client, against the same tiny server process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

import aiohttp
import uvloop

from benchmarks.measure import Result
from infra.clock import SystemClock
from tests.venues.polymarket.pacing import Unpaced
from venues.polymarket.order_connection import OrderConnection

BODY = json.loads((Path(__file__).parent.parent / "tests" / "vectors" / "polymarket_signing.json").read_text())[
    "post_order_bodies"
]["key_order_a"].encode()
HEADERS = {
    "POLY_ADDRESS": "0x" + "ab" * 20,
    "POLY_SIGNATURE": "x" * 44,
    "POLY_TIMESTAMP": "1777374000",
    "POLY_API_KEY": "k" * 36,
}
ROUNDS, REQUESTS = 10, 200

SERVER = """
import asyncio
ANSWER = b'{"success":true,"orderID":"0x%s","status":"live","errorMsg":"","makingAmount":"","takingAmount":"","tradeIDs":[]}' % (b"a" * 64)
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(ANSWER), ANSWER)
class Server(asyncio.Protocol):
    def connection_made(self, transport): self.transport, self.buffer = transport, b""
    def data_received(self, data):
        self.buffer += data
        head, found, body = self.buffer.partition(b"\\r\\n\\r\\n")
        if found and len(body) >= int(head.lower().split(b"content-length:")[1].split(b"\\r\\n")[0]):
            self.buffer = b""
            self.transport.write(ANSWER)
async def main():
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def run() -> list[Result]:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        try:
            port = server.stdout.readline().strip() if server.stdout else ""
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                ours, theirs = runner.run(_measure(f"http://127.0.0.1:{port}"))
        finally:
            server.kill()
    return [Result("order_round_trip", "µs, median", ours, theirs, f"aiohttp {aiohttp.__version__}")]


async def _measure(url: str) -> tuple[float, float]:
    connection = OrderConnection(url, SystemClock(), pace=Unpaced())
    async with aiohttp.ClientSession() as session:

        async def ours() -> None:
            answer = await connection.request("POST", "/order", HEADERS, BODY, deadline=1e12)
            if answer.status != 200:
                raise AssertionError("the order was not taken")

        async def theirs() -> None:
            async with session.post(url + "/order", data=BODY, headers=HEADERS) as answer:
                await answer.read()

        rounds = [(await _median(ours), await _median(theirs)) for _ in range(ROUNDS)]
    await connection.close()
    return min(mine for mine, _ in rounds), min(other for _, other in rounds)


async def _median(request: Callable[[], Awaitable[None]]) -> float:
    times = []
    for _ in range(REQUESTS):
        start = perf_counter()
        await request()
        times.append(perf_counter() - start)
    return sorted(times)[REQUESTS // 2] * 1e6
