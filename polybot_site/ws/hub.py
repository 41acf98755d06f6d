"""The hub: one per web process. It reads Redis once per interest and hands each event, encoded once, to every subscriber that wants it.

A subscription is complete when its first frames are out: a snapshot, or the events since the client's resume point; what happens meanwhile is
held back and follows. While Redis is away subscriptions are refused with an error frame; those that exist go on when it is back, broadcasts with
a new snapshot. A reader that breaks by a mistake in the code ends the hub: its clients are let go and come back to a new one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Protocol

import structlog
from django.db import DatabaseError
from google.protobuf.message import DecodeError
from prometheus_client import Counter
from redis.exceptions import RedisError

from infra import metrics
from polybot_site.ws.broadcasts import Broadcasts
from polybot_site.ws.bytes_redis import BytesRedis
from polybot_site.ws.outbox import Delivery, Keep
from polybot_site.ws.streams import Streams
from polybot_site.ws.subscriber import RELIABLE_LIMIT, Subscriber
from polybot_site.ws.topics import STREAMS, Topic, parse
from proto.envelope import with_stream_id
from proto.polybot.v1 import events_pb2

_FIRST_FRAMES_SECONDS = 5.0
_BOOK_KEEPS = {"orderbook_snapshot": Keep.BOOK, "price_change": Keep.CHANGE}
_log = structlog.get_logger(__name__)
_events = metrics.counter("push_events_total", "Events read from Redis for the live push", ["topic"])
_malformed = metrics.counter("push_malformed_total", "Events that could not be decoded and were skipped")
_clients = metrics.gauge("push_clients", "Connected clients of the live push")


class Snapshots(Protocol):
    """Where first frames come from. Raises `RedisError` or `DatabaseError` when they cannot be read."""

    async def broadcasts(self, topics: Sequence[Topic]) -> Mapping[str, list[bytes]]:
        """Return, by topic name, the present state as encoded events."""

    async def stream(self, topic: Topic) -> list[bytes] | None:
        """Return the present state of a stream topic, None where the stream's own last events are the snapshot."""


class Hub:
    """Owns the Redis subscriptions of one event loop. `start` before use; `stop` ends everything."""

    def __init__(self, url: str, redis: BytesRedis, snapshots: Snapshots) -> None:
        self._redis = redis
        self._snapshots = snapshots
        self._interested: dict[str, set[Subscriber]] = {}
        self._members: set[Subscriber] = set()
        self._topic_of = {stream: parse(topic) for topic, stream in STREAMS.items()}
        self._broadcasts = Broadcasts(url, on_message=self._on_broadcast, on_renewed=self._on_renewed)
        self._streams = Streams(redis, list(STREAMS.values()), on_entry=self._on_entry)
        self._tasks: set[asyncio.Task[None]] = set()
        self.failed = False

    async def start(self) -> None:
        """Begin to read. Raises `RedisError` while Redis is away."""
        for reader in (await self._broadcasts.start(), await self._streams.start()):
            reader.add_done_callback(self._on_reader_end)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._broadcasts.stop()
        await self._streams.stop()
        await self._redis.aclose()

    def add(self, subscriber: Subscriber) -> None:
        self._members.add(subscriber)
        _clients.inc()

    def remove(self, subscriber: Subscriber) -> None:
        """Forget a client; its interests that nobody shares are given up."""
        if subscriber in self._members:
            self._members.discard(subscriber)
            _clients.dec()
        self._drop(subscriber, list(subscriber.topics.values()))

    async def subscribe(self, subscriber: Subscriber, topics: Iterable[Topic], resume: Mapping[str, str]) -> None:
        """Add topics; first frames and a confirmation, or an error frame, go to the subscriber."""
        wanted = [topic for topic in topics if not subscriber.held(topic.name)]
        for topic in wanted:
            subscriber.hold(topic.name)
            subscriber.topics[topic.name] = topic
            self._interested.setdefault(topic.channel or topic.stream, set()).add(subscriber)
        try:
            async with asyncio.timeout(_FIRST_FRAMES_SECONDS):
                await self._broadcasts.listen(topic.channel for topic in wanted if topic.channel)
                await self._answer(subscriber, wanted, resume)
        except (RedisError, DatabaseError, TimeoutError) as error:
            _log.warning("push_subscribe_failed", topics=[topic.name for topic in wanted], error=str(error))
            self._drop(subscriber, wanted)
            subscriber.answer(_refusal([topic.name for topic in wanted]))
        finally:
            for topic in wanted:
                subscriber.release(topic.name)

    def unsubscribe(self, subscriber: Subscriber, topics: Iterable[Topic]) -> None:
        """Remove topics; those the client does not have are confirmed as well."""
        topics = list(topics)
        self._drop(subscriber, [topic for topic in topics if topic.name in subscriber.topics])
        subscriber.answer(json.dumps({"unsubscribed": [topic.name for topic in topics]}))

    # First frames

    async def _answer(self, subscriber: Subscriber, topics: list[Topic], resume: Mapping[str, str]) -> None:
        frames = await self._snapshots.broadcasts([topic for topic in topics if topic.channel])
        for topic in topics:
            if topic.stream:
                await self._answer_stream(subscriber, topic, resume.get(topic.name))
            for frame in frames.get(topic.name, ()):
                subscriber.answer(frame)
        subscriber.answer(json.dumps({"subscribed": [topic.name for topic in topics]}))

    async def _answer_stream(self, subscriber: Subscriber, topic: Topic, stream_id: str | None) -> None:
        entries = None
        if stream_id is not None:
            entries = await self._streams.since(topic.stream, stream_id, RELIABLE_LIMIT)
            if entries is None:
                subscriber.answer(json.dumps({"gap": topic.name}))
        if entries is None:
            state = await self._snapshots.stream(topic)
            if state is not None:
                for frame in state:
                    subscriber.answer(frame)
                return
            entries = await self._streams.newest(topic.stream, count=100)
        for entry_id, event in entries:
            subscriber.answer(with_stream_id(event, entry_id))

    # Events from Redis

    def _on_broadcast(self, name: str, channel: str, payload: bytes) -> None:
        subscribers = self._interested.get(name)
        if not subscribers:
            return
        try:
            kind = events_pb2.Event.FromString(payload).type
        except DecodeError:
            _malformed.inc()
            return
        keep = _BOOK_KEEPS.get(kind, Keep.LATEST)
        delivery = Delivery(payload, keep, channel if kind in _BOOK_KEEPS else f"{channel} {kind}")
        topic, everything = _topic_name(name)
        _counter(everything).inc()
        for subscriber in subscribers:
            # Who has all books needs no second copy of a single one.
            if everything == topic or everything not in subscriber.topics:
                subscriber.offer(topic, delivery)

    def _on_entry(self, stream: str, entry_id: bytes, event: bytes) -> None:
        topic = self._topic_of[stream]
        _counter(topic.name).inc()
        delivery = Delivery(with_stream_id(event, entry_id), Keep.ALL)
        for subscriber in self._interested.get(stream, ()):
            subscriber.offer(topic.name, delivery)

    def _on_renewed(self, name: str) -> None:
        task = asyncio.create_task(self._show_again(parse(_topic_name(name)[0])))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _show_again(self, topic: Topic) -> None:
        try:
            frames = await self._snapshots.broadcasts([topic])
        except (RedisError, DatabaseError) as error:
            _log.warning("push_snapshot_failed", topic=topic.name, error=str(error))
            return
        for subscriber in self._interested.get(topic.channel, ()):
            for frame in frames.get(topic.name, ()):
                subscriber.answer(frame)

    # Interests

    def _drop(self, subscriber: Subscriber, topics: Sequence[Topic]) -> None:
        unwanted = []
        for topic in topics:
            subscriber.topics.pop(topic.name, None)
            source = topic.channel or topic.stream
            others = self._interested.get(source)
            if others is None:
                continue
            others.discard(subscriber)
            if not others:
                del self._interested[source]
                if topic.channel:
                    unwanted.append(topic.channel)
        self._broadcasts.forget(unwanted)

    def _on_reader_end(self, reader: asyncio.Task[None]) -> None:
        if reader.cancelled():
            return
        _log.error("push_reader_broke", reader=reader.get_name(), exc_info=reader.exception())
        self.failed = True
        for subscriber in self._members:
            subscriber.too_slow.set()


@lru_cache(maxsize=8192)
def _topic_name(interest: str) -> tuple[str, str]:
    """Return the topic of a channel or pattern, and its kind: "ch:book:7" → ("orderbook:7", "orderbook")."""
    kind, _, rest = interest.removeprefix("ch:").partition(":")
    name = {"book": "orderbook", "price": "prices", "strategy": "strategies"}.get(kind, kind)
    return (name if rest in ("", "*") else f"{name}:{rest}"), name


@cache
def _counter(kind: str) -> Counter:
    return _events.labels(kind)


def _refusal(topics: list[str]) -> str:
    detail = f"The present state could not be read, so these topics were not subscribed: {', '.join(topics)}"
    return json.dumps({"error": "unavailable", "detail": detail, "fix": "Try again in a few seconds."})
