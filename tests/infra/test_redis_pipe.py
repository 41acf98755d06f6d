"""The pipe against the real server, through a relay that the tests cut as they like."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import redis as blocking
import redis.asyncio
import uvloop

from infra import redis_pipe
from infra.clock import SystemClock
from infra.errors import ServiceError
from infra.redis_pipe import RedisPipe, Script

INCREMENT = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")


class Relay:
    """Passes bytes between the pipe and the server. `deaf`: answers are swallowed; `cut` ends all connections."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.target = parts.hostname, parts.port
        self.login = parts.netloc.rpartition("@")[0]
        self.deaf = False
        self.server: asyncio.Server | None = None
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []
        self.tasks: set[asyncio.Task] = set()

    @property
    def url(self) -> str:
        return f"redis://{self.login}@127.0.0.1:{self.port}/0" if self.login else f"redis://127.0.0.1:{self.port}/0"

    async def open(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
        self.cut()

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    async def _serve(self, reader, writer) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self.target)
        self.writers += [writer, far_writer]
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer, answers=True))

    async def _pass(self, reader, writer, *, answers: bool = False) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if not (answers and self.deaf):
                    writer.write(data)
        writer.close()


@pytest.fixture
async def relay(redis_url: str) -> AsyncIterator[Relay]:
    relay = Relay(redis_url)
    await relay.open()
    yield relay
    await relay.close()


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def pipe(relay: Relay, monkeypatch) -> AsyncIterator[RedisPipe]:
    """A pipe that nothing but its callers and the server's answers set in motion."""
    monkeypatch.setattr(redis_pipe, "_IDLE", 60.0)
    pipe = RedisPipe(relay.url, SystemClock(), scripts=[INCREMENT], capacity=10_000)
    pipe.start()
    yield pipe
    await pipe.stop(0.1)


async def until(condition) -> None:
    """Wait until `condition`, a function or coroutine function, says so."""
    async with asyncio.timeout(10):
        while True:
            answer = condition()
            if await answer if inspect.isawaitable(answer) else answer:
                return
            await asyncio.sleep(0.005)


async def has_length(client: redis.asyncio.Redis, length: int) -> bool:
    return await client.llen("list") == length


async def confirmed(pipe: RedisPipe) -> None:
    await until(lambda: pipe.connected and not pipe.waiting)


async def test_appended_commands_arrive_in_order(pipe, client):
    for number in range(5_000):
        pipe.append("RPUSH", "list", number)
    await confirmed(pipe)
    assert await client.lrange("list", 0, -1) == [str(n).encode() for n in range(5_000)]
    assert pipe.confirmed >= 5_000


async def test_arguments_may_be_text_bytes_and_numbers_and_nothing_else(pipe, client):
    pipe.append("RPUSH", "list", "ü", b"\x00\r\n", 7, 0.25)
    with pytest.raises(TypeError):
        pipe.append("RPUSH", "list", None)
    await confirmed(pipe)
    assert await client.lrange("list", 0, -1) == ["ü".encode(), b"\x00\r\n", b"7", b"0.25"]


async def test_only_the_latest_command_of_a_key_is_sent(pipe, client):
    await until(lambda: pipe.connected)
    for number in range(100):
        pipe.latest("a", "RPUSH", "a", number)
        pipe.latest("b", "RPUSH", "b", number)
    await confirmed(pipe)
    assert [await client.lrange(key, 0, -1) for key in "ab"] == [[b"99"], [b"99"]]


async def test_what_is_handed_over_before_the_start_or_without_a_server_is_sent_later(redis_url, client):
    relay = Relay(redis_url)
    await relay.open()
    await relay.close()
    pipe = RedisPipe(relay.url, SystemClock())
    pipe.append("RPUSH", "list", 1)
    pipe.latest("key", "SET", "key", "old")
    pipe.start()
    await asyncio.sleep(0.1)
    pipe.append("RPUSH", "list", 2)
    pipe.latest("key", "SET", "key", "new")
    assert not pipe.connected
    with pytest.raises(ServiceError, match="nothing yet; 3 commands wait"):
        await pipe.probe()
    await relay.open()
    await confirmed(pipe)
    await pipe.probe()
    assert await client.lrange("list", 0, -1) == [b"1", b"2"]
    assert await client.get("key") == b"new"
    await pipe.stop()
    await relay.close()


async def test_a_lost_connection_loses_no_append_and_keeps_their_order(pipe, relay, client):
    await until(lambda: pipe.connected)
    for number in range(3_000):
        pipe.append("ZADD", "set", number, number)
        if number % 500 == 0:
            await asyncio.sleep(0.01)
            relay.cut()
    await confirmed(pipe)
    assert await client.zcard("set") == 3_000


async def test_commands_whose_answers_are_lost_are_sent_again(pipe, relay, client):
    await until(lambda: pipe.connected)
    relay.deaf = True
    pipe.append("RPUSH", "list", "x")
    pipe.latest("key", "INCR", "count")
    await until(lambda: client.exists("count"))
    assert pipe.waiting == 2
    relay.deaf = False
    relay.cut()
    await confirmed(pipe)
    assert await client.lrange("list", 0, -1) == [b"x", b"x"]
    assert await client.get("count") == b"2"


async def test_a_newer_latest_command_replaces_one_whose_answer_was_lost(pipe, relay, client):
    await until(lambda: pipe.connected)
    relay.deaf = True
    pipe.latest("key", "SET", "key", "old")
    await until(lambda: client.exists("key"))
    pipe.latest("key", "SET", "key", "new")
    relay.deaf = False
    relay.cut()
    await confirmed(pipe)
    assert await client.get("key") == b"new"


async def test_a_server_that_stays_silent_is_given_up(pipe, relay, client, monkeypatch):
    monkeypatch.setattr(redis_pipe, "_IDLE", 0.05)
    monkeypatch.setattr(redis_pipe, "_ANSWER_TIMEOUT", 0.1)
    await until(lambda: pipe.connected)
    relay.deaf = True
    pipe.append("RPUSH", "list", "x")
    await until(lambda: not pipe.connected)
    relay.deaf = False
    await confirmed(pipe)
    assert await client.llen("list") == 2


async def test_more_commands_than_may_wait_drop_the_oldest_and_say_so(client, relay):
    pipe = RedisPipe(relay.url, SystemClock(), capacity=10)
    for number in range(15):
        pipe.append("RPUSH", "list", number)
    assert (pipe.dropped, pipe.waiting) == (5, 10)
    pipe.start()
    await confirmed(pipe)
    assert await client.lrange("list", 0, -1) == [str(n).encode() for n in range(5, 15)]
    with pytest.raises(ServiceError, match="5 commands were dropped"):
        await pipe.probe()
    await pipe.probe()
    await pipe.stop()


async def test_appends_under_way_count_against_the_capacity_when_they_come_back(relay, client):
    pipe = RedisPipe(relay.url, SystemClock(), capacity=10)
    pipe.start()
    await until(lambda: pipe.connected)
    relay.deaf = True
    for number in range(10):
        pipe.append("RPUSH", "list", number)
    await until(lambda: has_length(client, 10))
    for number in range(10, 15):
        pipe.append("RPUSH", "list", number)
    relay.deaf = False
    relay.cut()
    await confirmed(pipe)
    assert pipe.dropped == 5
    assert (await client.lrange("list", 10, -1)) == [str(n).encode() for n in range(5, 15)]
    await pipe.stop()


async def test_a_refused_command_is_counted_and_the_others_go_on(pipe, client):
    pipe.append("SET", "text", "a")
    pipe.append("RPUSH", "text", "b")
    pipe.append("SET", "other", "c")
    await confirmed(pipe)
    assert pipe.refused == 1
    assert await client.get("other") == b"c"


@pytest.mark.parametrize(
    ("ill", "well"),
    [
        ({"maxmemory": "1", "maxmemory-policy": "noeviction"}, {"maxmemory": "0"}),
        ({"min-replicas-to-write": "1"}, {"min-replicas-to-write": "0"}),
    ],
    ids=["full", "takes no writes"],
)
async def test_a_server_that_takes_no_writes_now_gets_everything_in_order_when_it_does(pipe, client, ill, well):
    await confirmed(pipe)
    for name, value in ill.items():
        await client.config_set(name, value)
    try:
        for number in range(5):
            pipe.append("RPUSH", "list", number)
        await until(lambda: not pipe.connected)
        assert pipe.waiting == 5
    finally:
        for name, value in well.items():
            await client.config_set(name, value)

    await until(lambda: has_length(client, 5))
    assert await client.lrange("list", 0, -1) == [b"0", b"1", b"2", b"3", b"4"]
    assert pipe.refused == 0


async def test_scripts_are_loaded_again_when_the_server_forgot_them(pipe, client):
    pipe.append("EVALSHA", INCREMENT.sha, 1, "count", 5)
    await confirmed(pipe)
    await client.script_flush()
    pipe.append("SET", "before", 1)
    pipe.append("EVALSHA", INCREMENT.sha, 1, "count", 2)
    await confirmed(pipe)
    assert await client.get("count") == b"7"
    assert pipe.refused == 0


@pytest.mark.parametrize(("login", "message"), [("nobody:wrong@", "refused AUTH"), (":wrong@", "refused AUTH")])
async def test_a_refused_login_is_not_a_connection(relay, login, message, caplog):
    pipe = RedisPipe(f"redis://{login}127.0.0.1:{relay.port}/0", SystemClock())
    with pytest.raises(ServiceError, match=message):
        await pipe._serve()
    assert not pipe.connected


async def test_a_server_that_does_not_speak_resp_is_no_server():
    async def babble(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    pipe = RedisPipe(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}", SystemClock(), scripts=[INCREMENT])
    with pytest.raises(ConnectionResetError, match="not RESP"):
        await pipe._serve()
    server.close()


async def test_a_unix_socket_serves_as_well(redis_url, client, tmp_path):
    relay = Relay(redis_url)
    server = await asyncio.start_unix_server(relay._serve, tmp_path / "redis.sock")
    login = f"{relay.login}@" if relay.login else ""
    pipe = RedisPipe(f"unix://{login}{tmp_path}/redis.sock?db=3", SystemClock())
    pipe.append("SET", "key", "1")
    pipe.start()
    await confirmed(pipe)
    assert await client.get("key") is None
    await client.select(3)
    assert await client.get("key") == b"1"
    await pipe.stop()
    server.close()
    relay.cut()


class Counter:
    """A source with numbers to push, at most `portion` a flush."""

    def __init__(self, pipe, portion: int = 1_000_000) -> None:
        self.pipe, self.portion = pipe, portion
        self.due: list[int] = []
        self.wait: float | None = None
        self.fills = self.beginnings = 0

    def fill(self, write, until):
        self.fills += 1
        now, self.due = self.due[: self.portion], self.due[self.portion :]
        for number in now:
            write("RPUSH", "list", number)
        return 0.0 if self.due else self.wait

    def begin_anew(self):
        self.beginnings += 1


async def test_a_source_is_asked_at_each_flush_until_nothing_is_due(pipe, client):
    source = Counter(pipe, portion=10)
    pipe.add_source(source)
    await until(lambda: pipe.connected)
    source.due = list(range(95))
    pipe.wake()
    await until(lambda: not source.due)
    await until(lambda: has_length(client, 95))
    assert await client.lrange("list", 0, -1) == [str(n).encode() for n in range(95)]
    assert source.fills >= 10


async def test_a_source_that_wakes_the_pipe_while_a_batch_is_under_way_is_asked_right_after(pipe, client):
    source = Counter(pipe)
    pipe.add_source(source)
    await until(lambda: pipe.connected and pipe.confirmed == 0)
    pipe.append("SET", "key", 1)
    await until(lambda: pipe._batch is not None or pipe.confirmed)
    source.due = [1]
    pipe.wake()
    await until(lambda: has_length(client, 1))


async def test_a_source_may_say_when_it_has_more(pipe, client):
    source = Counter(pipe)
    source.wait = 0.01
    pipe.add_source(source)
    await until(lambda: source.fills >= 3)
    source.due = [1]
    await until(lambda: has_length(client, 1))


async def test_an_append_does_not_wait_for_the_time_a_source_named(pipe, client):
    source = Counter(pipe)
    source.wait = 30.0
    pipe.add_source(source)
    await until(lambda: source.fills)
    pipe.append("SET", "key", 1)
    await confirmed(pipe)


async def test_sources_begin_anew_at_each_connection(pipe, relay):
    source = Counter(pipe)
    await until(lambda: pipe.connected)
    pipe.add_source(source)
    relay.cut()
    await until(lambda: not pipe.connected)
    await until(lambda: pipe.connected)
    assert source.beginnings == 1


async def test_a_source_that_raises_is_left_out_and_named(pipe, client):
    class Broken(Counter):
        def fill(self, write, until):
            raise KeyError("lost")

    pipe.add_source(Broken(pipe))
    healthy = Counter(pipe)
    healthy.due = [1]
    pipe.add_source(healthy)
    pipe.append("SET", "key", 1)
    await confirmed(pipe)
    await until(lambda: not healthy.due)
    assert await client.get("key") == b"1"
    with pytest.raises(ServiceError, match="Broken failed"):
        await pipe.probe()


async def test_an_idle_pipe_asks_the_server_once_in_a_while(pipe, monkeypatch):
    monkeypatch.setattr(redis_pipe, "_IDLE", 0.02)
    await until(lambda: pipe.confirmed >= 2)
    await pipe.probe()
    assert pipe.age < 5


async def test_a_pipe_that_ends_by_a_mistake_says_so():
    pipe = RedisPipe("gopher://127.0.0.1", SystemClock())
    pipe.start()
    await until(pipe._task.done)
    with pytest.raises(ServiceError, match="the pipe ended: ValueError"):
        await pipe.probe()


def test_the_pipe_runs_on_uvloop_as_well(redis_url):
    async def send() -> None:
        pipe = RedisPipe(redis_url, SystemClock(), scripts=[INCREMENT])
        pipe.start()
        pipe.append("EVALSHA", INCREMENT.sha, 1, "count", 5)
        await confirmed(pipe)
        await pipe.stop()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(send())
    with blocking.Redis.from_url(redis_url) as client:
        assert client.get("count") == b"5"


async def test_stopping_sends_what_is_left(relay, client):
    pipe = RedisPipe(relay.url, SystemClock(), interval=0.2)
    pipe.start()
    await until(lambda: pipe.connected)
    await asyncio.sleep(0.01)
    for number in range(5_000):
        pipe.append("RPUSH", "list", number)
    await pipe.stop()
    assert pipe.waiting == 0
    assert await client.llen("list") == 5_000
