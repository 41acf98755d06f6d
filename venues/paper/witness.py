"""Tells a paper venue what the feed says (implements `domain.ports.FeedListener`).

A feed must go on whatever becomes of a listener, so nothing is raised here: a venue that broke is counted in `failures`, logged, and says so itself
to whoever asks it. One token's book tells both, so only the first token's is read; trades come in terms of either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from domain.book import BookDelta, BookSnapshot, Level, MarketListed, MarketResolved, TickSizeChange, TradePrint
from domain.errors import MoneyError
from domain.market import Market
from domain.money import parse_micros
from domain.ports import Clock
from venues.paper.market import PaperMarket
from venues.paper.venue import PaperVenue

_log = structlog.get_logger(__name__)


class Witness:
    """What happens in the world, for one paper venue."""

    def __init__(self, paper: PaperVenue, clock: Clock) -> None:
        self.failures = 0
        self._paper = paper
        self._clock = clock

    def on_market(self, market: Market) -> None:
        """The catalogue tells of a market."""
        self._guard(lambda: self._paper.learn(market))

    def on_snapshot(self, snapshot: BookSnapshot) -> None:
        known = self._first(snapshot.token_id)
        if known is not None:
            self._guard(lambda: self._replace(known, snapshot))

    def on_delta(self, delta: BookDelta) -> None:
        known = self._paper.market_of(delta.changes[0].token_id) if delta.changes else None
        if known is not None and known.ladder.trusted:
            self._guard(lambda: self._change(known, delta))

    def on_trade(self, trade: TradePrint) -> None:
        known = self._paper.market_of(trade.token_id)
        if known is not None:
            self._guard(lambda: self._trade(known, trade))

    def on_tick_size(self, change: TickSizeChange) -> None:
        known = self._paper.market_of(change.token_id)
        if known is not None and known.market.tick != change.new_tick:
            self._guard(lambda: self._paper.set_tick(known, change.new_tick))

    def on_resolved(self, resolved: MarketResolved) -> None:
        """Without a winner the catalogue tells the rest."""
        known = self._paper.market_of(resolved.winning_token_id)
        if known is not None:
            winner = known.market.token_index(resolved.winning_token_id)
            self._guard(lambda: self._paper.resolve(known.market.condition_id, winner))

    def on_listed(self, listed: MarketListed) -> None:
        """The catalogue tells the rest."""

    def on_gap(self, token_ids: Iterable[str], reason: str) -> None:
        for token_id in token_ids:
            known = self._first(token_id)
            if known is not None:
                known.ladder.distrust()

    def _first(self, token_id: str) -> PaperMarket | None:
        """Return the market whose first token this is."""
        known = self._paper.market_of(token_id)
        return known if known is not None and known.market.token_ids[0] == token_id else None

    def _replace(self, known: PaperMarket, snapshot: BookSnapshot) -> None:
        try:
            bids, asks = _levels(snapshot.bids), _levels(snapshot.asks)
        except MoneyError:
            known.ladder.distrust()
            return
        self._paper.catch_up(known)
        now = self._clock.now_ns()
        known.ladder.replace(bids, asks, snapshot.venue_ms, now)
        self._paper.fill(known.book_changed(now))

    def _change(self, known: PaperMarket, delta: BookDelta) -> None:
        self._paper.catch_up(known)
        now, first = self._clock.now_ns(), known.market.token_ids[0]
        for change in delta.changes:
            if change.token_id == first:
                try:
                    price, size = parse_micros(change.price), parse_micros(change.size)
                except MoneyError:
                    known.ladder.distrust()
                    return
                known.ladder.set(change.side == "BUY", price, size, now)
        self._paper.fill(known.book_changed(now))

    def _trade(self, known: PaperMarket, trade: TradePrint) -> None:
        self._paper.catch_up(known)
        self._paper.fill(known.traded(trade, trade.venue_ms * 1_000_000 or trade.received_ns))

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - counted, logged, and the venue goes no further
            self.failures += 1
            self._paper.broken = self._paper.broken or f"{type(error).__name__}: {error}"
            _log.error("paper venue failed", account=self._paper.account, error=str(error), failures=self.failures)


def _levels(levels: Iterable[Level]) -> list[tuple[int, int]]:
    return [(parse_micros(level.price), parse_micros(level.size)) for level in levels]
