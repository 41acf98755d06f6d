"""Replays a recording of the market channel through the real decoder into real books, and compares them with what the venue said.

After each message the books must show the best prices the venue names, and at each further whole book that the recording holds the levels must be
the same. Recordings rarely name their tick, so books stand on the finest grid, which contains all others. Frames that cannot be read are counted.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from domain.book import BookDelta, BookSnapshot, MarketListed, MarketResolved, TickSizeChange, TradePrint
from domain.ports import Clock
from domain.ticks import TICK_SIZES
from markets.order_book import OrderBook
from venues.polymarket.market_codec import MarketCodec

_FINEST_TICK = min(TICK_SIZES)
_LINES_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """What a replay found.

    `messages` were read, `bad` of them refused, `events_per_s` decoded and applied a second, reading the file not included. `compared` are pairs of a
    message and a token whose best prices it names and whose whole book is known, `agreed` those with the same best bid and ask. `final_book_equal`
    is None when no whole book follows a first one; else it tells of the last one of every token that has one.
    """

    messages: int
    bad: int
    events_per_s: float
    compared: int
    agreed: int
    final_book_equal: bool | None


class _Comparison:
    """Keeps the books of all tokens a recording mentions (a `domain.ports.FeedListener`)."""

    def __init__(self) -> None:
        self.messages = self.compared = self.agreed = 0
        self.last_book_equal: dict[str, bool] = {}
        self._books: dict[str, OrderBook] = {}

    def on_snapshot(self, snapshot: BookSnapshot) -> None:
        self.messages += 1
        book = self._book(snapshot.token_id)
        if book.trusted:
            self.last_book_equal[snapshot.token_id] = book.same_levels(snapshot.bids, snapshot.asks)
        book.trusted = book.replace(snapshot.bids, snapshot.asks)

    def on_delta(self, delta: BookDelta) -> None:
        self.messages += 1
        last = {change.token_id: change for change in delta.changes}
        for change in delta.changes:
            self._book(change.token_id).apply(change)
        for token_id, change in last.items():
            book = self._books[token_id]
            if book.trusted and (change.best_bid or change.best_ask):
                self.compared += 1
                self.agreed += book.agrees(change)

    def on_trade(self, trade: TradePrint) -> None:
        self.messages += 1

    def on_tick_size(self, change: TickSizeChange) -> None:
        self.messages += 1

    def on_resolved(self, resolved: MarketResolved) -> None:
        self.messages += 1

    def on_listed(self, listed: MarketListed) -> None:
        self.messages += 1

    def on_gap(self, token_ids: Iterable[str], reason: str) -> None:
        raise AssertionError(f"a recording has no connection to lose: {list(token_ids)}, {reason}")

    def _book(self, token_id: str) -> OrderBook:
        book = self._books.get(token_id)
        if book is None:
            book = self._books[token_id] = OrderBook(token_id, "", _FINEST_TICK)
        return book


def replay(path: Path, clock: Clock) -> ReplayResult:
    """Replay a .jsonl or .jsonl.gz file of frames, one a line; `OSError` when it cannot be read."""
    comparison = _Comparison()
    codec = MarketCodec(comparison)
    seconds = 0.0
    for lines in _in_portions(path):
        started = clock.monotonic()
        for line in lines:
            codec.feed(line, 0)
        seconds += clock.monotonic() - started
    messages = comparison.messages + codec.ignored + codec.bad
    equal = comparison.last_book_equal
    return ReplayResult(
        messages=messages,
        bad=codec.bad,
        events_per_s=messages / seconds if seconds else 0.0,
        compared=comparison.compared,
        agreed=comparison.agreed,
        final_book_equal=all(equal.values()) if equal else None,
    )


def _in_portions(path: Path) -> Iterator[list[bytes]]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        lines = (line for raw in stream if (line := raw.strip()))
        while portion := list(islice(lines, _LINES_AT_ONCE)):
            yield portion
