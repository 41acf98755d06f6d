"""Clock, ids, metrics, Redis clients and the watch on make."""

import re
import time
import uuid

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from infra import metrics
from infra.clock import SystemClock
from infra.ids import RandomIds
from infra.parent import MakeParent
from infra.redis import async_client, sync_client


def test_the_clock_tells_this_machine_s_time():
    clock = SystemClock()
    before = time.time_ns()
    assert before <= clock.now_ns() <= time.time_ns()
    assert clock.monotonic() <= clock.monotonic()


def test_ids_are_different_each_time_and_salts_fit_a_json_number():
    ids = RandomIds()
    assert len({str(uuid.UUID(ids.uuid())) for _ in range(100)}) == 100
    salts = {ids.salt() for _ in range(100)}
    assert len(salts) == 100
    assert all(0 <= salt < 2**53 for salt in salts)
    assert max(salts) > 2**45


def test_a_metric_asked_for_twice_is_the_same_and_is_rendered():
    metrics.counter("test_frames_total", "Frames", ["shard"]).labels("1").inc(2)
    metrics.counter("test_frames_total", "Frames", ["shard"]).labels("1").inc()
    assert re.search(rb'^polybot_test_frames_total\{shard="1"\} 3\.0$', metrics.render(), re.MULTILINE)


def test_a_metric_asked_for_in_another_shape_is_an_error():
    metrics.gauge("test_depth", "Depth")
    with pytest.raises(ValueError, match="test_depth is a Gauge"):
        metrics.counter("test_depth", "Depth")
    with pytest.raises(ValueError, match="test_depth is a Gauge"):
        metrics.gauge("test_depth", "Depth", ["side"])


async def test_clients_speak_to_a_real_server(redis_url):
    with sync_client(redis_url) as client:
        client.set("key", "value")
    async with async_client(redis_url) as client:
        assert await client.get("key") == b"value"


async def test_a_server_that_is_away_is_an_error_not_a_hang():
    with sync_client("redis://127.0.0.1:1/0") as client, pytest.raises(RedisConnectionError):
        client.ping()
    async with async_client("redis://127.0.0.1:1/0") as client:
        with pytest.raises(RedisConnectionError):
            await client.ping()


def test_a_parent_other_than_make_never_wants_a_stop():
    assert not MakeParent().wants_stop()
