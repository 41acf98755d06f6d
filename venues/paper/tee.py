"""Lets a paper venue see what the trader sees, and never anything before or after it: the same feed, the same catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from domain.book import BookDelta, BookSnapshot, MarketListed, MarketResolved, TickSizeChange, TradePrint
from domain.market import ConditionGroup, Market
from domain.ports import FeedListener, MarketCatalog, MarketFeed


class _Both:
    """A `FeedListener` that tells two others, the first one first."""

    def __init__(self, first: FeedListener, second: FeedListener) -> None:
        self._both = (first, second)

    def on_snapshot(self, snapshot: BookSnapshot) -> None:
        for each in self._both:
            each.on_snapshot(snapshot)

    def on_delta(self, delta: BookDelta) -> None:
        for each in self._both:
            each.on_delta(delta)

    def on_trade(self, trade: TradePrint) -> None:
        for each in self._both:
            each.on_trade(trade)

    def on_tick_size(self, change: TickSizeChange) -> None:
        for each in self._both:
            each.on_tick_size(change)

    def on_resolved(self, resolved: MarketResolved) -> None:
        for each in self._both:
            each.on_resolved(resolved)

    def on_listed(self, listed: MarketListed) -> None:
        for each in self._both:
            each.on_listed(listed)

    def on_gap(self, token_ids: Iterable[str], reason: str) -> None:
        named = list(token_ids)
        for each in self._both:
            each.on_gap(named, reason)


class TeeFeed:
    """A `MarketFeed` that `witness` hears too, before whoever started it."""

    def __init__(self, feed: MarketFeed, witness: FeedListener) -> None:
        self._feed = feed
        self._witness = witness

    async def start(self, listener: FeedListener) -> None:
        await self._feed.start(_Both(self._witness, listener))

    async def watch(self, token_ids: Sequence[str]) -> None:
        await self._feed.watch(token_ids)

    async def unwatch(self, token_ids: Sequence[str]) -> None:
        await self._feed.unwatch(token_ids)
        self._witness.on_gap(token_ids, "not watched any more")

    def request_snapshot(self, token_id: str) -> None:
        self._feed.request_snapshot(token_id)

    async def stop(self) -> None:
        await self._feed.stop()

    @property
    def connected(self) -> bool:
        return self._feed.connected

    @property
    def last_message_ns(self) -> int:
        return self._feed.last_message_ns

    @property
    def refused(self) -> int:
        return self._feed.refused


class TeeCatalog:
    """A `MarketCatalog` whose every market is also told to `learn`, before whoever asked for it."""

    def __init__(self, catalog: MarketCatalog, learn: Callable[[Market], None]) -> None:
        self._catalog = catalog
        self._learn = learn

    @property
    def venue(self) -> str:
        return self._catalog.venue

    async def markets(self) -> tuple[list[Market], list[ConditionGroup]]:
        markets, groups = await self._catalog.markets()
        for market in markets:
            self._learn(market)
        return markets, groups

    async def market(self, condition_id: str) -> Market | None:
        found = await self._catalog.market(condition_id)
        if found is not None:
            self._learn(found)
        return found
