"""The hub against a real Valkey: fan-out, snapshots before events, slow clients, lost connections."""

from __future__ import annotations

import asyncio
import json

import pytest
import redis.asyncio

from infra.clock import SystemClock
from infra.ids import RandomIds
from infra.redis import async_client
from polybot_site.ws.hub import Hub
from polybot_site.ws.subscriber import Subscriber
from polybot_site.ws.topics import parse
from proto.envelope import EventEncoder
from proto.polybot.v1 import events_pb2, order_pb2, orderbook_pb2


class Shelf:
    """Snapshots that a test lays out: frames by topic; `gate` keeps readers waiting."""

    def __init__(self):
        self.frames = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()

    async def broadcasts(self, topics):
        self.asked.set()
        await self.gate.wait()
        return {topic.name: self.frames.get(topic.name, []) for topic in topics}

    async def stream(self, topic):
        self.asked.set()
        await self.gate.wait()
        return self.frames.get(topic.name, [])


@pytest.fixture
def encoder():
    return EventEncoder(SystemClock(), RandomIds(), epoch=1)


@pytest.fixture
async def broker(redis_url):
    client = redis.asyncio.Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
async def hub(redis_url, shelf):
    hub = Hub(redis_url, async_client(redis_url), shelf)
    await hub.start()
    yield hub
    await hub.stop()


@pytest.fixture
def join(hub):
    async def join(*topics, limit=100, resume=None):
        subscriber = Subscriber(limit=limit)
        hub.add(subscriber)
        await hub.subscribe(subscriber, [parse(name) for name in topics], resume or {})
        return subscriber

    return join


def order(encoder, number):
    return encoder.encode(
        order_pb2.OrderResult(order=order_pb2.Order(id=str(number)), status=order_pb2.ORDER_STATUS_LIVE)
    )


def quote(encoder, bid, asset="1"):
    return encoder.encode(orderbook_pb2.BBO(asset_id=asset, best_bid=bid))


async def hear(subscriber):
    frames = await asyncio.wait_for(subscriber.next_frames(), 10)
    return [json.loads(frame) if isinstance(frame, str) else events_pb2.Event.FromString(frame) for frame in frames]


async def hear_one(subscriber):
    (event,) = await hear(subscriber)
    return event


async def test_every_subscriber_gets_the_same_bytes(join, broker, encoder):
    subscribers = [await join("prices:1") for _ in range(20)]
    for subscriber in subscribers:
        assert await hear_one(subscriber) == {"subscribed": ["prices:1"]}
    event = quote(encoder, 0.5)
    await broker.publish("ch:price:1", event)
    received = [(await asyncio.wait_for(subscriber.next_frames(), 10))[0] for subscriber in subscribers]
    assert all(frame == event for frame in received)
    assert len({id(frame) for frame in received}) == 1


async def test_redis_is_asked_once_however_many_subscribers_there_are(join, hub, broker):
    subscribers = [await join("prices:1", "orderbook") for _ in range(5)]
    assert await broker.pubsub_numsub("ch:price:1") == [(b"ch:price:1", 1)]
    assert await broker.pubsub_numpat() == 1
    for subscriber in subscribers:
        hub.remove(subscriber)
    newcomer = await join("prices:2")
    assert await broker.pubsub_numsub("ch:price:1") == [(b"ch:price:1", 0)]
    assert await broker.pubsub_numpat() == 0
    hub.remove(newcomer)


async def test_events_during_the_snapshot_follow_it(hub, shelf, broker, encoder):
    shelf.frames["orders"] = [order(encoder, 0)]
    shelf.gate.clear()
    subscriber = Subscriber()
    hub.add(subscriber)
    subscribing = asyncio.create_task(hub.subscribe(subscriber, [parse("orders")], {}))
    await shelf.asked.wait()
    watcher = Subscriber()
    hub._interested["stream:orders"].add(watcher)
    await broker.xadd("stream:orders", {"event": order(encoder, 1)})
    await hear_one(watcher)  # the hub has handed the event out
    shelf.gate.set()
    await subscribing
    heard = [await hear_one(subscriber) for _ in range(3)]
    assert heard[1] == {"subscribed": ["orders"]}
    assert [event.order_result.order.id for event in (heard[0], heard[2])] == ["0", "1"]


async def test_a_slow_client_gets_the_latest_price_and_every_order(join, broker, encoder):
    slow, quick = await join("prices:1", "orders"), await join("prices:1", "orders")
    await hear_one(slow), await hear_one(quick)
    for number in range(30):
        await broker.publish("ch:price:1", quote(encoder, number / 100))
        await broker.xadd("stream:orders", {"event": order(encoder, number)})
        kinds = {(await hear_one(quick)).type for _ in range(2)}
        assert kinds == {"bbo", "order_result"}
    heard = [await hear_one(slow) for _ in range(31)]
    assert [event.order_result.order.id for event in heard[:30]] == [str(number) for number in range(30)]
    assert heard[30].bbo.best_bid == 0.29
    assert not slow.too_slow.is_set()


async def test_a_client_that_would_miss_an_order_is_let_go_and_resumes_without_a_gap(join, hub, broker, encoder):
    slow, quick = await join("orders", limit=3), await join("orders")
    await hear_one(slow), await hear_one(quick)
    for number in range(5):
        await broker.xadd("stream:orders", {"event": order(encoder, number)})
        await hear_one(quick)
    await asyncio.wait_for(slow.too_slow.wait(), 10)
    last = [await hear_one(slow) for _ in range(3)][-1]
    hub.remove(slow)
    again = await join("orders", resume={"orders": last.stream_id})
    heard = [await hear_one(again) for _ in range(3)]
    assert [event.order_result.order.id for event in heard[:2]] == ["3", "4"]
    assert heard[2] == {"subscribed": ["orders"]}


async def test_a_resume_point_from_the_future_is_a_gap_with_a_snapshot(join, shelf, encoder):
    shelf.frames["orders"] = [order(encoder, 7)]
    subscriber = await join("orders", resume={"orders": "99999999999999-0"})
    heard = [await hear_one(subscriber) for _ in range(3)]
    assert heard[0] == {"gap": "orders"}
    assert heard[1].order_result.order.id == "7"


async def test_a_malformed_event_is_skipped(join, broker, encoder):
    subscriber = await join("prices:1")
    await hear_one(subscriber)
    await broker.publish("ch:price:1", b"\xff\xff\xff")
    await broker.publish("ch:price:1", quote(encoder, 0.5))
    assert (await hear_one(subscriber)).bbo.best_bid == 0.5


async def test_what_cannot_be_read_now_is_refused_with_an_error_frame_and_can_be_tried_again(join, shelf, hub, encoder):
    async def fail(_topics):
        raise redis.exceptions.ConnectionError("away")

    works, shelf.broadcasts = shelf.broadcasts, fail
    subscriber = await join("prices:1")
    refusal = await hear_one(subscriber)
    assert refusal["error"] == "unavailable"
    assert "prices:1" in refusal["detail"]
    assert subscriber.topics == {}
    shelf.broadcasts = works
    shelf.frames["prices:1"] = [quote(encoder, 0.5)]
    await hub.subscribe(subscriber, [parse("prices:1")], {})
    assert (await hear_one(subscriber)).bbo.best_bid == 0.5


async def test_a_lost_connection_to_redis_is_made_again_with_nothing_of_a_stream_missing(join, shelf, broker, encoder):
    subscriber = await join("prices:1", "orders")
    await hear_one(subscriber)
    shelf.frames["prices:1"] = [quote(encoder, 0.7)]
    for connection in await broker.client_list():
        if connection["cmd"] in {"subscribe", "psubscribe", "xread"}:
            await broker.client_kill_filter(_id=connection["id"])
    await broker.xadd("stream:orders", {"event": order(encoder, 1)})
    heard = {event.type: event for event in [await hear_one(subscriber), await hear_one(subscriber)]}
    assert heard["order_result"].order_result.order.id == "1"
    assert heard["bbo"].bbo.best_bid == 0.7, "broadcasts begin anew with the present state"
    await broker.publish("ch:price:1", quote(encoder, 0.8))
    assert (await hear_one(subscriber)).bbo.best_bid == 0.8


async def test_a_hub_that_breaks_lets_its_clients_go(join, hub, broker, monkeypatch):
    subscriber = await join("orders")
    monkeypatch.setattr(hub, "_topic_of", {})
    await broker.xadd("stream:orders", {"event": b""})
    await asyncio.wait_for(subscriber.too_slow.wait(), 10)
    assert hub.failed
