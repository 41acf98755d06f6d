"""The publisher against the real server: every key of market data with its life, and events that tell the same story."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import AsyncIterator

import pytest
import redis as blocking
import redis.asyncio

from domain.book import TradePrint
from domain.fees import FeeSchedule
from domain.market import ConditionGroup, MarketStatus
from domain.money import format_micros
from domain.order import OrderSide
from infra.ids import RandomIds
from infra.redis_pipe import RedisPipe
from markets import cache, keys, publisher
from markets.books import Books
from markets.publisher import SCRIPTS, MarketPublisher
from proto.envelope import EventEncoder
from proto.market_mapping import group_from_proto, levels_from_proto, market_from_proto
from proto.polybot.v1 import events_pb2, market_pb2, orderbook_pb2
from tests.markets.builders import NO, YES, ManualClock, change, delta, make_market, snapshot

MARKET = make_market(fees=FeeSchedule(rate=40_000), group_id="g")
GROUP = ConditionGroup(id="g", title="Which?", market_ids=("m1",), exclusive=True)


class World:
    """Books of one market that are published into the server of this run."""

    def __init__(self, url: str, client: redis.asyncio.Redis) -> None:
        self.clock = ManualClock()
        self.client = client
        self.pipe = RedisPipe(url, self.clock, scripts=SCRIPTS, interval=0.001)
        self.books = Books(self.clock, lambda token_id: None)
        self.publisher = MarketPublisher(
            self.pipe, EventEncoder(self.clock, RandomIds(), epoch=1), self.clock, self.books
        )
        self.books.listen(self.publisher)
        self.books.watch(MARKET)
        self.events: dict[str, list[events_pb2.Event]] = {}
        self.listening: asyncio.Task | None = None
        self.listening_now = asyncio.Event()
        self.markers = self.heard = 0

    def snapshot(self, bids, asks, token_id=YES, venue_ms=1_000) -> None:
        now = self.clock.now_ns()
        self.books.on_snapshot(snapshot(bids, asks, token_id=token_id, venue_ms=venue_ms, received_ns=now))

    def delta(self, *changes, venue_ms=2_000) -> None:
        self.books.on_delta(delta(*changes, venue_ms=venue_ms, received_ns=self.clock.now_ns()))

    async def listen(self) -> None:
        pubsub = self.client.pubsub()
        await pubsub.psubscribe("ch:*")
        self.listening = asyncio.create_task(self._collect(pubsub))
        await self.listening_now.wait()

    async def _collect(self, pubsub) -> None:
        async for message in pubsub.listen():
            if message["type"] == "psubscribe":
                self.listening_now.set()
            elif message["channel"] == b"ch:settled":
                self.heard = int(message["data"])
            else:
                event = events_pb2.Event.FromString(message["data"])
                self.events.setdefault(message["channel"].decode(), []).append(event)

    async def settled(self) -> None:
        """Wait until all that is due is in Redis, and the messages about it have come back."""
        await until(lambda: self.pipe.connected and not self.publisher.backlog)
        await until(lambda: self.publisher._catalogue.wait(self.clock.monotonic()) != 0.0)
        self.markers += 1
        self.pipe.append("SET", "settled", self.markers)
        self.pipe.append("PUBLISH", "ch:settled", self.markers)
        await until(lambda: not self.pipe.waiting and (self.listening is None or self.heard == self.markers))

    async def book(self, token_id=YES) -> cache.CachedBook:
        async with self.client.pipeline(transaction=True) as pipeline:
            cache.queue_book(pipeline, token_id)
            return cache.parse_book(await pipeline.execute())


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while True:
            answer = condition()
            if await answer if inspect.isawaitable(answer) else answer:
                return
            await asyncio.sleep(0.002)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def world(redis_url: str, client) -> AsyncIterator[World]:
    world = World(redis_url, client)
    world.pipe.start()
    await until(lambda: world.pipe.connected)
    yield world
    await world.pipe.stop(0.1)
    if world.listening is not None:
        world.listening.cancel()
        await asyncio.gather(world.listening, return_exceptions=True)


async def test_every_key_of_market_data_has_its_type_and_life(world, client):
    world.snapshot({"0.48": "20"}, {"0.52": "30"})
    world.publisher.put_markets([MARKET], [GROUP])
    await world.settled()
    expected = {
        f"price:{YES}": ("hash", -1),
        f"book:{YES}:bids": ("zset", -1),
        f"book:{YES}:asks": ("zset", -1),
        f"book:{YES}:bid:size": ("hash", -1),
        f"book:{YES}:ask:size": ("hash", -1),
        f"book:{YES}:bbo": ("hash", -1),
        f"pricehistory:{YES}": ("zset", -1),
        "ws:subscribed": ("set", -1),
        "market:m1": ("hash", 300),
        f"market:token:{YES}": ("string", 300),
        f"market:token:{NO}": ("string", 300),
        "cg:g": ("hash", 600),
        "cg:market:m1": ("string", 600),
    }
    found = {key.decode() for key in await client.keys("*")} - {"settled"}
    assert found == set(expected)
    for key, (kind, seconds) in expected.items():
        assert (await client.type(key)).decode() == kind, key
        life = await client.ttl(key)
        assert life == seconds if seconds < 0 else seconds - 5 < life <= seconds, key


async def test_values_are_what_the_keys_promise(world, client):
    world.snapshot({"0.48": "20"}, {"0.52": "30.25"})
    world.publisher.put_markets([MARKET], [GROUP])
    await world.settled()
    level = orderbook_pb2.PriceLevel.FromString(await client.hget(f"price:{YES}", "data"))
    assert (level.price, level.size) == (0.5, 50.25)
    assert int(await client.hget(f"price:{YES}", "timestamp")) == world.clock.now_ns()
    assert await client.zrange(f"book:{YES}:bids", 0, -1, withscores=True) == [(b"0.48", 0.48)]
    assert await client.hgetall(f"book:{YES}:ask:size") == {b"0.52": b"30.25"}
    assert await client.smembers("ws:subscribed") == {YES.encode(), NO.encode()}
    stored = market_pb2.Market.FromString(await client.hget("market:m1", "data"))
    assert market_from_proto(stored) == MARKET
    assert await client.get(f"market:token:{NO}") == b"m1"
    assert group_from_proto(market_pb2.ConditionGroup.FromString(await client.hget("cg:g", "data"))) == GROUP
    assert await client.get("cg:market:m1") == b"g"


async def test_redis_and_the_event_channel_follow_any_history_of_a_book(world):
    rng = random.Random(7)
    await world.listen()
    world.snapshot({"0.48": "20"}, {"0.52": "30"})
    replica = Replica()
    for step in range(400):
        side = rng.choice(["BUY", "SELL"])
        ticks = rng.randint(35, 50) if side == "BUY" else rng.randint(50, 65)
        size = rng.choice(["0", "0", "1", "2.5", "1000000.000001"])
        world.delta(change(side, format_micros(ticks * 10_000), size), venue_ms=2_000 + step)
        if rng.random() < 0.02:
            world.snapshot({"0.4": "1", "0.41": "2"}, {"0.6": "3"}, venue_ms=2_000 + step)
        if rng.random() < 0.3:
            world.clock.advance(0.05)
            await asyncio.sleep(0.002)
    # Ends uncrossed, so that the last state is announced.
    world.delta(change("BUY", "0.5", "0"), venue_ms=9_000)
    await world.settled()
    book = world.books.get(YES)
    image = await world.book()
    for event in world.events[f"ch:book:{YES}"]:
        replica.apply(event)
    for side, levels, told in ((OrderSide.BUY, image.bids, replica.bids), (OrderSide.SELL, image.asks, replica.asks)):
        truth = [(price / 1e6, size / 1e6) for price, size in book.levels(side, 1000)]
        assert levels == truth
        assert sorted(told.items(), reverse=side is OrderSide.BUY) == truth
    assert (image.top.best_bid, image.top.best_ask) == (image.bids[0][0], image.asks[0][0])
    assert image.top.version == replica.version


class Replica:
    """A reader of ch:book: a snapshot replaces, a change must follow the version it knows."""

    def __init__(self) -> None:
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}
        self.version = 0
        self.whole = self.partial = 0

    def apply(self, event: events_pb2.Event) -> None:
        message = event.orderbook_snapshot if event.type == "orderbook_snapshot" else event.price_change
        bids, asks = levels_from_proto(message)
        if event.type == "orderbook_snapshot":
            self.whole += 1
            self.bids, self.asks = dict(zip(*bids, strict=True)), dict(zip(*asks, strict=True))
        else:
            self.partial += 1
            assert message.version == self.version + 1
            for levels, (prices, sizes) in ((self.bids, bids), (self.asks, asks)):
                levels.update(zip(prices, sizes, strict=True))
                for price in [price for price, size in levels.items() if not size]:
                    del levels[price]
        self.version = message.version


async def test_price_changes_are_followed_by_a_whole_book_and_not_more_than_ten_a_second(world):
    assert publisher.WHOLE_AFTER >= 0.1
    await world.listen()
    world.snapshot({"0.48": "20"}, {"0.52": "30"})
    await world.settled()
    for size in range(1, 41):
        world.delta(change("BUY", "0.48", str(size)))
        await until(lambda: not world.publisher.backlog)
        world.clock.advance(0.05)
    world.clock.advance(1.0)
    await until(lambda: not world.publisher._owed)
    await world.settled()
    replica = Replica()
    for event in world.events[f"ch:book:{YES}"]:
        replica.apply(event)
    assert replica.partial == 40
    assert 4 <= replica.whole <= 5
    last = world.events[f"ch:book:{YES}"][-1].orderbook_snapshot
    assert (last.version, list(last.bid_sizes), list(last.ask_prices)) == (replica.version, [40.0], [0.52])
    sequences = [event.sequence for event in world.events[f"ch:book:{YES}"]]
    assert sequences == sorted(set(sequences))


async def test_changes_between_two_flushes_are_one_event(world):
    await world.listen()
    world.snapshot({"0.48": "20"}, {"0.52": "30"})
    await world.settled()
    world.events.clear()
    for size in range(1, 500):
        world.delta(change("BUY", "0.48", str(size)), change("BUY", "0.47", str(size)))
    await world.settled()
    (event,) = world.events[f"ch:book:{YES}"]
    assert list(zip(*levels_from_proto(event.price_change)[0], strict=True)) in (
        [(0.48, 499.0), (0.47, 499.0)],
        [(0.47, 499.0), (0.48, 499.0)],
    )


async def test_a_book_that_is_crossed_when_its_turn_comes_waits_until_it_makes_sense(world):
    await world.listen()
    world.snapshot({"0.48": "20"}, {"0.52": "30"})
    await world.settled()
    world.events.clear()
    world.delta(change("BUY", "0.47", "1"))
    world.delta(change("BUY", "0.53", "5"))
    await world.settled()
    assert world.events == {}
    world.delta(change("SELL", "0.52", "0"), change("SELL", "0.54", "7"))
    await world.settled()
    image = await world.book()
    assert image.bids == [(0.53, 5.0), (0.48, 20.0), (0.47, 1.0)]
    assert image.asks == [(0.54, 7.0)]


async def test_levels_that_end_as_they_began_are_no_news(world):
    await world.listen()
    world.snapshot({"0.48": "20"}, {"0.52": "30"})
    await world.settled()
    world.events.clear()
    world.delta(change("BUY", "0.47", "1"), change("BUY", "0.47", "0"))
    await world.settled()
    assert world.events == {}


async def test_prices_are_told_when_the_best_levels_change(world, client):
    await world.listen()
    world.snapshot({"0.48": "20"}, {"0.52": "30"})
    await world.settled()
    world.delta(change("BUY", "0.40", "1"))
    await world.settled()
    world.delta(change("BUY", "0.49", "5"))
    await world.settled()
    told = [(event.bbo.best_bid, event.bbo.bid_size, event.bbo.best_ask) for event in world.events[f"ch:price:{YES}"]]
    assert told == [(0.48, 20.0, 0.52), (0.49, 5.0, 0.52)]


async def test_a_book_with_one_side_has_no_price(world, client):
    world.snapshot({"0.48": "20"}, {"0.52": "30"})
    await world.settled()
    world.delta(change("SELL", "0.52", "0"))
    await world.settled()
    assert not await client.exists(f"price:{YES}")
    top = (await world.book()).top
    assert (top.best_bid, top.bid_size, top.best_ask, top.ask_size) == (0.48, 20.0, None, None)


async def test_the_price_history_is_a_ring_of_the_last_seconds(world, client):
    for step in range(30):
        world.snapshot({f"0.{20 + step}": "1"}, {"0.9": "1"}, venue_ms=2_000 + step)
        await until(lambda: not world.publisher.backlog)
        world.clock.advance(1.0)
    await world.settled()
    history = await client.zrange(f"pricehistory:{YES}", 0, -1, withscores=True)
    assert 10 <= len(history) <= 11
    points = [orderbook_pb2.BBO.FromString(member) for member, _ in history]
    assert [round(point.best_bid * 100) for point in points] == list(range(50 - len(points), 50))
    assert history[-1][1] == (world.clock.now_ns() - 1_000_000_000) // 1_000_000


async def test_a_price_history_does_not_grow_with_the_pace_of_changes(world, client):
    for step in range(50):
        world.snapshot({f"0.{20 + step}": "1"}, {"0.9": "1"}, venue_ms=2_000 + step)
        await until(lambda: not world.publisher.backlog)
        world.clock.advance(0.004)
    await world.settled()
    assert await client.zcard(f"pricehistory:{YES}") <= 11


async def test_public_trades_are_told_the_last_of_each_token_per_flush(world):
    await world.listen()
    for size in (1_000_000, 2_500_000):
        world.books.on_trade(TradePrint(YES, "0xm1", OrderSide.SELL, 510_000, size, 1, world.clock.now_ns()))
    await world.settled()
    (event,) = world.events[f"ch:price:{YES}"]
    assert (event.type, event.last_trade_price.price, event.last_trade_price.size) == ("last_trade_price", 0.51, 2.5)


async def test_everything_is_written_again_after_redis_forgot_it(world, client):
    world.snapshot({"0.48": "20"}, {"0.52": "30"})
    world.publisher.put_markets([MARKET], [GROUP])
    await world.settled()
    before = {key: await client.type(key) for key in await client.keys("*")}
    await client.flushall()
    await client.script_flush()
    await client.client_kill_filter(_type="normal", skipme=True)
    await until(lambda: not world.pipe.connected)
    await world.settled()
    assert {key: await client.type(key) for key in await client.keys("*")} == before
    assert (await world.book()).bids == [(0.48, 20.0)]


async def test_tokens_that_are_not_watched_any_more_lose_their_keys(world, client):
    world.snapshot({"0.48": "20"}, {"0.52": "30"})
    await world.settled()
    world.books.unwatch("m1")
    world.clock.advance(1.1)
    world.pipe.wake()
    await until(lambda: client.exists("settled"))
    await until(lambda: gone(client, f"book:{YES}:bids"))
    assert set(await client.keys("*")) == {b"settled"}


async def gone(client, key) -> bool:
    return not await client.exists(key)


async def test_keys_of_an_earlier_trader_are_forgotten_at_the_start(redis_url, client):
    for key in keys.of_token("999"):
        await client.set(key, "old")
    await client.set("book:998:bids", "somebody else's")
    await client.sadd("ws:subscribed", "999")
    world = World(redis_url, client)
    world.pipe.start()
    await world.settled()
    left = {key.decode() for key in await client.keys("*")}
    assert left == {"ws:subscribed", "settled", "book:998:bids"}
    assert await client.smembers("ws:subscribed") == {YES.encode(), NO.encode()}
    await world.pipe.stop()


async def test_a_new_grid_is_written_from_scratch(world):
    await world.listen()
    world.snapshot({"0.48": "20"}, {"0.52": "30"})
    await world.settled()
    world.books.on_snapshot(snapshot({"0.4801": "1"}, {"0.52": "30"}, venue_ms=3_000, tick=100))
    await world.settled()
    image = await world.book()
    assert (image.bids, image.asks) == ([(0.4801, 1.0)], [(0.52, 30.0)])
    assert world.events[f"ch:book:{YES}"][-1].orderbook_snapshot.tick_size == 0.0001


async def test_markets_are_kept_alive_and_settled_ones_expire(world, client):
    settled = make_market("m2", status=MarketStatus.SETTLED)
    world.publisher.put_markets([MARKET, settled], [GROUP])
    await world.settled()
    for key in ("market:m1", "market:m2", "cg:g"):
        await client.expire(key, 50)
    world.clock.advance(121.0)
    world.pipe.wake()
    await until(lambda: lives_longer(client, "market:m1", 50))
    await until(lambda: lives_longer(client, "cg:g", 50))
    assert await client.ttl("market:m2") <= 50


async def lives_longer(client, key, seconds) -> bool:
    return await client.ttl(key) > seconds


async def test_a_market_that_changed_is_written_at_once_and_an_equal_one_is_not(world, client):
    world.publisher.put_markets([MARKET])
    await world.settled()
    await client.delete("market:m1")
    world.publisher.put_markets([MARKET])
    await world.settled()
    assert not await client.exists("market:m1")
    world.publisher.put_markets([make_market(question="Other?")])
    await world.settled()
    assert await client.exists("market:m1")


async def test_the_clock_stops_a_flush_in_its_slice_and_nothing_is_forgotten(world, client):
    markets = [make_market(f"x{i}") for i in range(40)]
    for market in markets:
        world.books.watch(market)
        for token_id in market.token_ids:
            world.snapshot({"0.48": "20"}, {"0.52": "30"}, token_id=token_id)
    slow = world.clock.monotonic
    world.clock.monotonic = lambda: slow() if world.clock.advance(0.000_2) is None else 0.0
    await world.settled()
    assert len(await client.keys("book:*:bbo")) == 80


async def test_the_blocking_readers_return_what_was_published(world, redis_url):
    world.snapshot({"0.48": "20", "0.4": "1"}, {"0.52": "30.5"})
    await world.settled()
    with blocking.Redis.from_url(redis_url) as client:
        tops = cache.read_tops(client, [YES, NO])
        books = cache.read_books(client, [YES, NO])
    assert (tops[YES].best_bid, tops[YES].ask_size) == (0.48, 30.5)
    assert NO not in tops
    assert books[YES].bids == [(0.48, 20.0), (0.4, 1.0)]
    assert books[YES].asks == [(0.52, 30.5)]
    assert (books[NO].top, books[NO].bids, books[NO].asks) == (None, [], [])
