"""The present state as events, for clients that just subscribed: from Redis for broadcasts, from PostgreSQL for orders, fills, positions and
arbitrage executions.

Such events have sequence 0. A book carries the version at which Redis has it, so that the trader's next change applies to it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from channels.db import database_sync_to_async
from google.protobuf.message import Message

from arbitrage.store import recent_executions
from markets import cache, keys
from polybot_site.ws.bytes_redis import BytesRedis
from polybot_site.ws.topics import Topic
from proto.arbitrage_mapping import execution_to_proto
from proto.envelope import PAYLOAD_NAMES
from proto.mapping import fill_to_proto, order_result_to_proto, position_to_proto
from proto.market_mapping import Levels, bbo_to_proto, snapshot_to_proto
from proto.polybot.v1 import events_pb2, position_pb2, strategy_pb2
from proto.values import timestamp
from trading import store

RECENT = 100
"""Ended orders, fills, and executions that a new client is shown."""


class SiteSnapshots:
    """Implements `polybot_site.ws.hub.Snapshots` over the site's Redis and PostgreSQL."""

    def __init__(self, redis: BytesRedis) -> None:
        self._redis = redis

    async def broadcasts(self, topics: Sequence[Topic]) -> Mapping[str, list[bytes]]:
        """Return, by topic name, the present state as encoded events; one round trip for all prices, one for all books."""
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
        return sorted(asset.decode() for asset in await self._redis.smembers(keys.SUBSCRIBED))

    async def _prices(self, assets_of: Mapping[str, list[str]]) -> dict[str, list[bytes]]:
        assets = _all(assets_of)
        async with self._redis.pipeline(transaction=False) as pipe:
            cache.queue_tops(pipe, assets)
            tops = cache.parse_tops(assets, await pipe.execute())
        known = {asset: _event(_quote(asset, top)) for asset, top in tops.items()}
        return {name: [known[asset] for asset in assets if asset in known] for name, assets in assets_of.items()}

    async def _books(self, assets_of: Mapping[str, list[str]]) -> dict[str, list[bytes]]:
        known, assets = {}, _all(assets_of)
        async with self._redis.pipeline(transaction=True) as pipe:
            for asset in assets:
                cache.queue_book(pipe, asset)
                pipe.get(keys.market_of_token(asset))
            answers = iter(await pipe.execute())
        for asset in assets:
            book = cache.parse_book([next(answers) for _ in range(cache.BOOK_ANSWERS)])
            market_id = next(answers) or b""
            if book.top is not None:
                known[asset] = _event(_book(asset, market_id.decode(), book, book.top))
        return {name: [known[asset] for asset in assets if asset in known] for name, assets in assets_of.items()}


def _all(assets_of: Mapping[str, list[str]]) -> list[str]:
    return sorted({asset for assets in assets_of.values() for asset in assets})


def _quote(asset: str, top: cache.Top) -> Message:
    return bbo_to_proto(
        asset_id=asset,
        best_bid=top.best_bid or 0.0,
        bid_size=top.bid_size or 0.0,
        best_ask=top.best_ask or 0.0,
        ask_size=top.ask_size or 0.0,
        at_ns=top.at_ns,
    )


def _book(asset: str, market_id: str, book: cache.CachedBook, top: cache.Top) -> Message:
    return snapshot_to_proto(
        asset_id=asset,
        market_id=market_id,
        tick=0,
        bids=_columns(book.bids),
        asks=_columns(book.asks),
        version=top.version,
        at_ns=top.at_ns,
    )


def _columns(levels: Sequence[tuple[float, float]]) -> Levels:
    return [price for price, _ in levels], [size for _, size in levels]


def _rows(kind: str) -> list[Any]:
    account = store.current_account()
    if account is None:
        return []
    if kind == "orders":
        return [order_result_to_proto(order, state) for order, state in store.orders(account, recent=RECENT)]
    if kind == "fills":
        return [fill_to_proto(fill) for fill in store.recent_fills(account, recent=RECENT)]
    if kind == "arb_profit":
        return [execution_to_proto(execution, legs) for execution, legs in recent_executions(account, recent=RECENT)]
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
