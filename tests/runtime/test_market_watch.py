"""What is watched follows what is traded and what is at stake; the feed's word on a market counts more than a listing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from domain.book import MarketResolved, TickSizeChange
from domain.errors import VenueError
from domain.market import ConditionGroup, Market, MarketStatus
from markets.books import Books
from runtime.market_directory import MarketDirectory
from runtime.market_watch import MarketWatch
from tests.sim.virtual_time import VirtualClock
from tests.trading import factories as f
from tests.waiting import virtual

M1, M2, M3 = (
    f.market(id=f"m{n}", condition_id=f"0xc{n}", token_ids=(f"{n}001", f"{n}002"), volume_24h=100 - n)
    for n in (1, 2, 3)
)


class Catalog:
    venue = "polymarket"

    def __init__(self, *markets: Market) -> None:
        self.listed = list(markets)
        self.known = {market.condition_id: market for market in markets}
        self.down = False

    async def markets(self) -> tuple[list[Market], list[ConditionGroup]]:
        if self.down:
            raise VenueError("the listing broke off")
        return self.listed, []

    async def market(self, condition_id: str) -> Market | None:
        return self.known.get(condition_id)


class Storage:
    """Rows in a list, and what was written when."""

    def __init__(self, *stored: Market) -> None:
        self.stored = list(stored)
        self.saved: list[list[str]] = []
        self.during_save: Callable[[], None] = lambda: None

    async def load_markets(self, journal: Any) -> list[Market]:
        return self.stored

    async def save_markets(self, journal: Any, markets: Sequence[Market], groups: Sequence[ConditionGroup]) -> None:
        self.during_save()
        self.saved.append([f"{market.id} {market.status.value} {market.tick}" for market in markets])


class Feed:
    def __init__(self) -> None:
        self.tokens: set[str] = set()

    async def watch(self, tokens: Sequence[str]) -> None:
        assert self.tokens.isdisjoint(tokens)
        self.tokens |= set(tokens)

    async def unwatch(self, tokens: Sequence[str]) -> None:
        self.tokens -= set(tokens)


class Engine:
    def __init__(self) -> None:
        self.markets: dict[str, Market] = {}
        self.resolved: list[str] = []

    def watch(self, market: Market) -> None:
        self.markets[market.id] = market

    def unwatch(self, market: Market) -> None:
        del self.markets[market.id]

    def on_resolution(self, market: Market) -> None:
        self.resolved.append(market.id)


class Sink:
    def __init__(self) -> None:
        self.markets: list[str] = []

    def put_markets(self, markets: Any, groups: Any = ()) -> None:
        self.markets += [market.id for market in markets]


class Place:
    """A `MarketWatch` with everything around it; `staked` are the markets in which something is at stake."""

    def __init__(self, clock: VirtualClock, catalog: Catalog, storage: Storage, *, most: int = 10) -> None:
        self.catalog, self.storage, self.feed, self.engine = catalog, storage, Feed(), Engine()
        self.directory = MarketDirectory()
        self.books = Books(clock, lambda token: None)
        self.staked: list[str] = []
        self.settled: list[Market] = []
        self.sink = Sink()
        ports: Any = type(
            "Ports",
            (),
            {"catalog": catalog, "storage": storage, "feed": self.feed, "market_sinks": [lambda _: self.sink]},
        )
        engine: Any = self.engine
        journal: Any = None
        self.watch = MarketWatch(
            ports, journal, self.directory, self.books, engine,
            most=most, at_stake=lambda: self.staked, settle=self.settled.append,
        )  # fmt: skip
        listener: Any = self
        self.books.listen(listener)

    def on_tick_size(self, market: Market) -> None:
        self.watch.on_tick_size(market)

    def on_resolved(self, market: Market) -> None:
        self.watch.on_resolved(market)

    def on_book(self, update: Any) -> None: ...

    def watched(self) -> set[str]:
        assert self.feed.tokens == {book.token_id for book in self.books}
        assert set(self.engine.markets) == {book.market_id for book in self.books}
        return set(self.engine.markets)


@virtual
async def test_stored_markets_are_known_before_anything_is_listed_and_published(clock) -> None:
    place = Place(clock, Catalog(), Storage(M1, M2))

    await place.watch.load()

    assert place.directory.get("m1") is M1
    assert place.sink.markets == ["m1", "m2"]


@virtual
async def test_a_market_may_be_traded_once_its_row_is_saved_and_not_before(clock) -> None:
    place = Place(clock, Catalog(M1), Storage())
    before: list[bool] = []
    place.storage.during_save = lambda: before.append(place.directory.committed("m1"))

    await place.watch.discover()

    assert before == [False]
    assert place.directory.committed("m1")
    assert place.sink.markets == ["m1"]


@virtual
async def test_watched_are_the_most_traded_and_those_at_stake(clock) -> None:
    place = Place(clock, Catalog(M1, M2, M3), Storage(), most=1)
    await place.watch.discover()
    place.staked = ["m3"]

    await place.watch.watch()
    assert place.watched() == {"m1", "m3"}

    place.staked = ["m2"]
    await place.watch.watch()
    assert place.watched() == {"m1", "m2"}


@virtual
async def test_what_is_at_stake_in_an_unknown_or_settled_market_is_no_reason_to_watch(clock) -> None:
    place = Place(clock, Catalog(), Storage(f.market(id="old", status=MarketStatus.SETTLED, winner=0)))
    await place.watch.load()
    place.staked = ["old", "unheard"]

    await place.watch.watch()

    assert place.watched() == set()


@virtual
async def test_a_market_with_a_tick_of_no_venue_does_not_keep_the_others_from_being_watched(clock) -> None:
    odd = f.market(id="odd", condition_id="odd", token_ids=("7", "8"), tick=30_000, volume_24h=999)
    place = Place(clock, Catalog(odd, M1), Storage())
    await place.watch.discover()

    await place.watch.watch()

    assert place.watched() == {"m1"}


@virtual
async def test_a_listing_that_breaks_off_changes_nothing_and_is_tried_again(clock) -> None:
    place = Place(clock, Catalog(M1), Storage())
    await place.watch.discover()
    await place.watch.watch()
    place.catalog.down = True

    await place.watch.refresh()
    assert place.watched() == {"m1"}

    place.catalog.down, place.catalog.listed = False, [M1, M2]
    await place.watch.refresh()
    assert place.watched() == {"m1", "m2"}


def resolve(place: Place, market: Market, winner: str) -> None:
    place.books.on_resolved(MarketResolved(market.condition_id, winner, 0, 0))


@virtual
async def test_the_feeds_tick_counts_more_than_a_listing_that_lags(clock) -> None:
    place = Place(clock, Catalog(M1), Storage())
    await place.watch.discover()
    await place.watch.watch()

    place.books.on_tick_size(TickSizeChange(M1.token_ids[0], M1.condition_id, 10_000, 1_000, 0, 0))
    place.catalog.listed = [f.market(id="m1", condition_id="0xc1", token_ids=M1.token_ids, volume_24h=1)]
    await place.watch.refresh()

    assert place.directory.get("m1").tick == 1_000
    assert place.engine.markets["m1"].tick == 1_000
    assert place.storage.saved[-1] == ["m1 active 1000"]


@virtual
async def test_a_resolution_told_by_the_feed_is_settled_at_once_and_saved_with_the_next_listing(clock) -> None:
    place = Place(clock, Catalog(M1, M2), Storage())
    await place.watch.discover()
    await place.watch.watch()

    resolve(place, M1, M1.token_ids[1])

    assert [(market.id, market.winner) for market in place.settled] == [("m1", 1)]
    assert place.engine.resolved == ["m1"]
    assert place.directory.resolved(M1.token_ids[0])
    await place.watch.refresh()
    assert place.storage.saved[-1] == ["m1 settled 10000"]


@virtual
async def test_a_listing_that_lags_does_not_bring_a_settled_market_back_to_life(clock) -> None:
    place = Place(clock, Catalog(M1, M2), Storage())
    await place.watch.discover()
    await place.watch.watch()
    resolve(place, M1, M1.token_ids[0])

    await place.watch.refresh()
    await place.watch.refresh()

    assert place.directory.settled("m1")
    assert place.watched() == {"m2"}


@pytest.mark.parametrize("word", ["", "gibberish"])
@virtual
async def test_a_resolution_without_a_winner_waits_for_the_catalogue(word, clock) -> None:
    place = Place(clock, Catalog(M1, M2), Storage())
    await place.watch.discover()
    await place.watch.watch()
    place.staked = ["m1"]

    resolve(place, M1, word)
    assert place.settled == []
    assert not place.directory.get("m1").tradable

    place.catalog.listed = [M2]
    place.catalog.known[M1.condition_id] = f.market(
        id="m1", condition_id="0xc1", token_ids=M1.token_ids, status=MarketStatus.SETTLED, winner=None
    )
    await place.watch.refresh()
    assert [(market.id, market.winner) for market in place.settled] == [("m1", None)]
    await asyncio.sleep(0)


@virtual
async def test_what_the_feed_says_while_a_listing_is_saved_stays(clock) -> None:
    place = Place(clock, Catalog(M1, M2), Storage())
    await place.watch.discover()
    await place.watch.watch()

    def meanwhile() -> None:
        place.storage.during_save = lambda: None
        place.books.on_resolved(MarketResolved(M1.condition_id, M1.token_ids[0], 0, 0))
        place.books.on_tick_size(TickSizeChange(M2.token_ids[0], M2.condition_id, M2.tick, 1_000, 0, 0))

    place.storage.during_save = meanwhile
    place.catalog.listed = [replace(M1, volume_24h=1), replace(M2, volume_24h=2)]
    await place.watch.discover()

    assert place.directory.settled("m1")
    assert place.directory.get("m2").tick == 1_000
