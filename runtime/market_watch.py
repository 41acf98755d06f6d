"""Which markets there are and which are watched: discovery, their rows, their books, and what becomes of them.

A market may be traded once its row is saved. What the feed says of a market (its tick, its end) counts more than a listing, which lags by minutes.
Watched are the most traded markets and those in which something is at stake. A resolution whose winner the feed does not name waits for the
catalogue's word.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import structlog

from domain.book import TickSizeChange
from domain.errors import InvalidOrderError, JournalUnavailableError, VenueError
from domain.market import ConditionGroup, Market, MarketStatus
from domain.ports import Journal
from markets.books import Books
from markets.discovery import discover
from runtime.market_directory import MarketDirectory
from runtime.ports import MarketSink, Ports
from strategies.engine import Engine

_log = structlog.get_logger(__name__)


class MarketWatch:
    """The markets of one kernel.

    Args:
        most: how many markets to watch for their volume.
        at_stake: ids of markets that must be watched whatever they trade.
        settle: called with a market that was resolved, every time that is seen.
    """

    def __init__(
        self,
        ports: Ports,
        journal: Journal,
        directory: MarketDirectory,
        books: Books,
        engine: Engine,
        *,
        most: int,
        at_stake: Callable[[], Iterable[str]],
        settle: Callable[[Market], None],
    ) -> None:
        self._ports = ports
        self._journal = journal
        self._directory = directory
        self._books = books
        self._engine = engine
        self._most = most
        self._at_stake = at_stake
        self._settle = settle
        self._unsaved: dict[str, Market] = {}
        self.sinks: list[MarketSink] = [make(books) for make in ports.market_sinks]

    async def load(self) -> None:
        """Take over the markets whose rows are stored."""
        self._directory.put(await self._ports.storage.load_markets(self._journal))
        for sink in self.sinks:
            sink.put_markets(self._directory.unsettled())

    async def discover(self) -> None:
        """List the venue and save what is new. Raises `VenueError` when the listing broke off."""
        known, groups = self._directory.unsettled(), self._directory.groups
        await discover(self._ports.catalog, self._save, known=known, known_groups=groups)

    async def refresh(self) -> None:
        """Discover, settle and watch what that changed; what broke off, or could not be saved, is tried again the next time."""
        try:
            await self.discover()
            await self._save_resolved()
        except (VenueError, JournalUnavailableError) as error:
            _log.warning("discovery broke off", error=str(error))
            return
        self.settle_resolved()
        await self.watch()

    async def _save_resolved(self) -> None:
        resolved = list(self._unsaved.values())
        if resolved:
            await self._ports.storage.save_markets(self._journal, resolved, ())
        for market in resolved:
            self._unsaved.pop(market.id, None)

    async def reread(self, market: Market, *, off_grid: bool) -> None:
        """Take over one market as the venue has it now, and ask for its books. `off_grid`: what the feed said of its tick is outdated.

        Raises:
            VenueError: the catalogue could not be read.
        """
        now = await self._ports.catalog.market(market.condition_id)
        if now is None:
            now = dataclasses.replace(market, status=MarketStatus.CLOSED, accepting_orders=False)
        watched = self._books.market(market.token_ids[0])
        if off_grid and watched is not None and watched.tick != now.tick:
            change = TickSizeChange(market.token_ids[0], market.condition_id, watched.tick, now.tick, 0, 0)
            self._books.on_tick_size(change)
        await self._save([dataclasses.replace(now, group_id=now.group_id or market.group_id)], ())
        if watched is not None:
            known = self._directory.get(market.id) or now
            self._books.watch(known)
            self._engine.watch(known)
            for token_id in market.token_ids:
                self._ports.feed.request_snapshot(token_id)

    async def look_up(self, condition_id: str) -> bool:
        """Take over one market that discovery does not list, so that what was traded in it can be booked; False when the venue does not know it.

        Raises:
            VenueError: the catalogue could not be read.
            JournalUnavailableError, MarketConflictError: its row could not be saved.
        """
        found = await self._ports.catalog.market(condition_id)
        if found is not None:
            await self._save([found], ())
        return found is not None

    async def _save(self, markets: Sequence[Market], groups: Sequence[ConditionGroup]) -> None:
        current = [self._current(market) for market in markets if not self._directory.settled(market.id)]
        await self._ports.storage.save_markets(self._journal, current, groups)
        # While they were saved the feed may have told more of them.
        current = [self._current(market) for market in current if not self._directory.settled(market.id)]
        self._directory.put(current)
        self._directory.put_groups(groups)
        for sink in self.sinks:
            sink.put_markets(current, groups)

    def _current(self, listed: Market) -> Market:
        """Return a listed market with the tick that the feed said last, and the taker delay that some listings leave out."""
        watched = self._books.market(listed.token_ids[0])
        if watched is None:
            return listed
        delay = max(listed.taker_delay_ms, watched.taker_delay_ms)
        return dataclasses.replace(listed, tick=watched.tick, taker_delay_ms=delay)

    def settle_resolved(self) -> None:
        """Settle the markets at stake that were resolved while nobody listened."""
        for market in self._markets_at_stake():
            if market.status is MarketStatus.SETTLED:
                self._settle(market)

    def _markets_at_stake(self) -> list[Market]:
        return [market for each in set(self._at_stake()) if (market := self._directory.get(each)) is not None]

    async def watch(self) -> None:
        """Bring the watched markets in line with what is traded most and what is at stake."""
        wanted = self._wanted()
        known = {book.market_id for book in self._books}
        new = [market for market_id, market in wanted.items() if market_id not in known]
        for market in wanted.values():
            self._books.watch(market)
            self._engine.watch(self._books.market(market.token_ids[0]) or market)
        if new:
            await self._ports.feed.watch([token for market in new for token in market.token_ids])
        gone = [left for each in known - wanted.keys() if (left := self._directory.get(each)) is not None]
        if gone:
            await self._ports.feed.unwatch([token for market in gone for token in market.token_ids])
        for market in gone:
            self._engine.unwatch(market)
            self._books.unwatch(market.id)

    def _wanted(self) -> dict[str, Market]:
        staked = [market for market in self._markets_at_stake() if market.status is not MarketStatus.SETTLED]
        wanted = self._directory.most_traded(self._most) + staked
        return {market.id: market for market in wanted if _has_grid(market)}

    def on_tick_size(self, market: Market) -> None:
        self._directory.put([market])
        self._engine.watch(market)

    def on_resolved(self, market: Market) -> None:
        """Close a market; it is settled when its winner is known."""
        if market.winner is None:
            market = dataclasses.replace(market, status=MarketStatus.CLOSED)
        else:
            self._unsaved[market.id] = market
        self._directory.put([market])
        if market.winner is not None:
            self._settle(market)
        self._engine.on_resolution(market)


def _has_grid(market: Market) -> bool:
    try:
        return bool(market.tick_size)
    except InvalidOrderError as error:
        _log.warning("market cannot be watched", market_id=market.id, error=str(error))
        return False
