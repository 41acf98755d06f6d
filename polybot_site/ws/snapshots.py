"""The present state as events, for clients that just subscribed: from Redis for broadcasts, from PostgreSQL for orders, fills and positions.

Such events have sequence 0. A book put together here has version 0: it can be shown at once, and the next snapshot from the trader replaces it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from channels.db import database_sync_to_async
from google.protobuf.message import Message

from polybot_site.ws.bytes_redis import BytesRedis
from polybot_site.ws.topics import Topic
from proto.envelope import PAYLOAD_NAMES
from proto.mapping import fill_to_proto, order_result_to_proto, position_to_proto
from proto.market_mapping import Levels, snapshot_to_proto
from proto.polybot.v1 import events_pb2, orderbook_pb2, position_pb2, strategy_pb2
from proto.values import timestamp
from trading import store

RECENT = 100
"""Ended orders, and fills, that a new client is shown."""


class SiteSnapshots:
    """Implements `polybot_site.ws.hub.Snapshots` over the site's Redis and PostgreSQL."""

    def __init__(self, redis: BytesRedis) -> None:
        self._redis = redis

    async def broadcasts(self, topics: Sequence[Topic]) -> Mapping[str, list[bytes]]:
        """Return, by topic name, the present state as encoded events; one round trip for all books and prices."""
        frames: dict[str, list[bytes]] = {}
        books: dict[str, list[str]] = {}
        prices: dict[str, list[str]] = {}
        for topic in topics:
            if topic.kind == "status":
                frames[topic.name] = await self._status()
            elif topic.kind == "strategies":
                frames[topic.name] = await self._strategies()
            else:
                assets = [topic.asset] if topic.asset else await self._watched()
                (books if topic.kind == "orderbook" else prices)[topic.name] = assets
        frames.update(await self._books(books))
        frames.update(await self._prices(prices))
        return frames

    async def stream(self, topic: Topic) -> list[bytes] | None:
        """Return the rows behind a stream topic, oldest first; None for signals, whose stream is all there is."""
        if topic.kind == "signals":
            return None
        payloads: list[Message] = await database_sync_to_async(_rows)(topic.kind)
        return [_event(payload) for payload in payloads]

    async def _status(self) -> list[bytes]:
        account = await database_sync_to_async(store.current_account)()
        status, health = await self._redis.mget(f"status:{account}", f"health:{account}")
        offline = events_pb2.BotStatus(mode="offline", account=account or "")
        return [status or _event(offline), *([health] if health else [])]

    async def _strategies(self) -> list[bytes]:
        keys = [key async for key in self._redis.scan_iter("strategy:status:*", count=1000)]
        values = await self._redis.mget(keys) if keys else []
        return [_event(strategy_pb2.StrategyStatus.FromString(value)) for value in values if value]

    async def _watched(self) -> list[str]:
        return sorted(asset.decode() for asset in await self._redis.smembers("ws:subscribed"))

    async def _prices(self, assets_of: Mapping[str, list[str]]) -> dict[str, list[bytes]]:
        assets = sorted({asset for assets in assets_of.values() for asset in assets})
        values = await self._redis.mget([f"price:{asset}" for asset in assets]) if assets else []
        known = {
            asset: _event(orderbook_pb2.BBO.FromString(value))
            for asset, value in zip(assets, values, strict=True)
            if value
        }
        return {name: [known[asset] for asset in assets if asset in known] for name, assets in assets_of.items()}

    async def _books(self, assets_of: Mapping[str, list[str]]) -> dict[str, list[bytes]]:
        assets = sorted({asset for assets in assets_of.values() for asset in assets})
        if not assets:
            return {name: [] for name in assets_of}
        async with self._redis.pipeline(transaction=False) as pipe:
            for asset in assets:
                pipe.hgetall(f"book:{asset}:bid:size")
                pipe.hgetall(f"book:{asset}:ask:size")
                pipe.get(f"market:token:{asset}")
            answers = await pipe.execute()
        known = {}
        for number, asset in enumerate(assets):
            bids, asks, market_id = answers[3 * number : 3 * number + 3]
            if bids or asks:
                known[asset] = _book(asset, (market_id or b"").decode(), bids, asks)
        return {name: [known[asset] for asset in assets if asset in known] for name, assets in assets_of.items()}


def _book(asset: str, market_id: str, bids: dict[bytes, bytes], asks: dict[bytes, bytes]) -> bytes:
    book = snapshot_to_proto(
        asset_id=asset,
        market_id=market_id,
        tick=0,
        bids=_levels(bids, best_is_highest=True),
        asks=_levels(asks, best_is_highest=False),
        version=0,
        at_ns=time.time_ns(),
    )
    return _event(book)


def _levels(sizes: Mapping[bytes, bytes], *, best_is_highest: bool) -> Levels:
    levels = sorted(((float(price), float(size)) for price, size in sizes.items()), reverse=best_is_highest)
    return [price for price, _ in levels], [size for _, size in levels]


def _rows(kind: str) -> list[Any]:
    account = store.current_account()
    if account is None:
        return []
    if kind == "orders":
        return [order_result_to_proto(order, state) for order, state in store.orders(account, recent=RECENT)]
    if kind == "fills":
        return [fill_to_proto(fill) for fill in store.recent_fills(account, recent=RECENT)]
    positions = store.open_positions(account)
    return [position_pb2.PositionUpdate(position=position_to_proto(position)) for position in positions]


def _event(payload: Message) -> bytes:
    name = PAYLOAD_NAMES[payload.DESCRIPTOR.full_name]
    event = events_pb2.Event(
        event_id=str(uuid.uuid4()),
        type=name,
        timestamp=timestamp(time.time_ns()),
        **{name: payload},  # type: ignore[arg-type]
    )
    return event.SerializeToString()
