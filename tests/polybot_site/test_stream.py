"""The event stream for curl, over a real socket."""

from __future__ import annotations

import json

import aiohttp
import pytest
import redis.asyncio

from infra.clock import SystemClock
from infra.ids import RandomIds
from proto.envelope import EventEncoder
from proto.polybot.v1 import order_pb2


@pytest.fixture
def viewer(person):
    return person("viewer")


async def blocks(response):
    """Yield each Server-Sent Event as a dict of its lines."""
    block = {}
    async for line in response.content:
        name, _, value = line.decode().strip().partition(": ")
        if name:
            block[name] = value
        elif block:
            yield block
            block = {}


async def test_events_arrive_as_json_with_their_stream_ids(site, viewer, redis_url):
    broker = redis.asyncio.Redis.from_url(redis_url)
    result = order_pb2.OrderResult(order=order_pb2.Order(id="0x1", price_micros=520_000))
    event = EventEncoder(SystemClock(), RandomIds(), epoch=1).encode(result)
    timeout = aiohttp.ClientTimeout(total=20)
    async with (
        aiohttp.ClientSession(headers=viewer.bearer, timeout=timeout) as session,
        session.get(f"{site.url}/api/stream", params={"topics": "orders"}) as response,
    ):
        assert response.content_type == "text/event-stream"
        heard = blocks(response)
        assert await anext(heard) == {"event": "control", "data": '{"subscribed": ["orders"]}'}
        entry_id = (await broker.xadd("stream:orders", {"event": event})).decode()
        shown = await anext(heard)
        assert shown["id"] == entry_id
        assert json.loads(shown["data"])["order_result"]["order"] == {"id": "0x1", "price_micros": "520000"}
    await broker.aclose()


async def test_an_unknown_topic_is_refused(site, viewer):
    async with aiohttp.ClientSession(headers=viewer.bearer) as session:
        answer = await session.get(f"{site.url}/api/stream", params={"topics": "everything"})
        assert answer.status == 400
        refused = json.loads((await answer.text()).removeprefix("event: error\ndata: "))
        assert "orderbook:<asset>" in refused["detail"]["topics"][0]


async def test_a_stranger_is_refused(site):
    async with aiohttp.ClientSession() as session:
        assert (await session.get(f"{site.url}/api/stream")).status == 401
