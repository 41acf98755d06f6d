"""Market data into Redis: commands a second through the pipe, and book updates a second through the publisher, on the embedded server.

The peer is redis-py's asyncio client with pipelines of 50 commands. The publisher conflates: what counts is updates taken in until Redis has the
last state of every book.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import redis.asyncio

from benchmarks.measure import Result
from domain.book import BookDelta, BookSnapshot, Level, LevelChange
from domain.market import Market
from infra.clock import SystemClock
from infra.ids import RandomIds
from infra.redis_pipe import RedisPipe
from infra.services import Services
from infra.services.valkey import Valkey
from markets.books import Books
from markets.publisher import SCRIPTS, MarketPublisher
from proto.envelope import EventEncoder

COMMANDS = 20_000
UPDATES = 20_000
MARKETS = 50
ROUNDS = 3
_PAYLOAD = bytes(range(200))


class _Server(Valkey):
    usual_port = 0


def run() -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        with Services(Path(folder) / "var", kinds=(_Server,)).running() as endpoints:
            return asyncio.run(_measure(endpoints["valkey"].url))


async def _measure(url: str) -> list[Result]:
    ours = peer = updates = 0.0
    for _ in range(ROUNDS):
        ours = max(ours, await _through_the_pipe(url))
        peer = max(peer, await _through_redis_py(url))
        updates = max(updates, await _through_the_publisher(url))
    return [
        Result("redis_commands", "commands/s", ours, peer, "redis-py pipeline of 50", higher_is_better=True),
        Result("published_book_updates", "updates/s", updates, higher_is_better=True),
    ]


async def _through_the_pipe(url: str) -> float:
    pipe = RedisPipe(url, SystemClock())
    pipe.start()
    await _until(lambda: pipe.connected)
    start = time.perf_counter()
    for number in range(COMMANDS):
        pipe.append("HSET", f"price:{number % 500}", "data", _PAYLOAD, "timestamp", number)
    await _until(lambda: pipe.waiting == 0)
    seconds = time.perf_counter() - start
    await pipe.stop()
    return COMMANDS / seconds


async def _through_redis_py(url: str) -> float:
    async with redis.asyncio.Redis.from_url(url) as client:
        await client.ping()
        start = time.perf_counter()
        for first in range(0, COMMANDS, 50):
            pipeline = client.pipeline(transaction=False)
            for number in range(first, first + 50):
                pipeline.hset(f"price:{number % 500}", mapping={"data": _PAYLOAD, "timestamp": number})
            await pipeline.execute()
        return COMMANDS / (time.perf_counter() - start)


async def _through_the_publisher(url: str) -> float:
    clock = SystemClock()
    pipe = RedisPipe(url, clock, scripts=SCRIPTS)
    books = Books(clock, lambda token_id: None)
    publisher = MarketPublisher(pipe, EventEncoder(clock, RandomIds(), epoch=1), clock, books)
    books.listen(publisher)
    for i in range(MARKETS):
        tokens = f"{i}-yes", f"{i}-no"
        books.watch(Market(id=str(i), venue="v", question="?", slug="", condition_id=str(i), token_ids=tokens))
        for token_id in tokens:
            books.on_snapshot(
                BookSnapshot(token_id, str(i), [Level("0.4", "1")], [Level("0.6", "1")], 1, clock.now_ns())
            )
    pipe.start()
    await _until(lambda: pipe.connected and publisher.backlog == 0)
    deltas = _deltas()
    start = time.perf_counter()
    for number, delta in enumerate(deltas):
        delta.received_ns = clock.now_ns()
        books.on_delta(delta)
        if number % 20 == 0:  # a read of the socket brings about as many
            await asyncio.sleep(0)
    await _until(lambda: publisher.backlog == 0)
    seconds = time.perf_counter() - start
    await pipe.stop()
    return UPDATES / seconds


def _deltas() -> list[BookDelta]:
    rng = random.Random(2)
    deltas = []
    for _ in range(UPDATES // 2):
        market, tick, size = rng.randrange(MARKETS), rng.randint(30, 49), str(rng.randint(0, 1_000))
        yes = LevelChange(f"{market}-yes", "BUY", f"0.{tick}".rstrip("0"), size)
        no = LevelChange(f"{market}-no", "SELL", f"0.{100 - tick}".rstrip("0"), size)
        deltas.append(BookDelta(str(market), [yes, no], 2, 0))
    return deltas


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - nobody sets an event for it
        await asyncio.sleep(0.001)
