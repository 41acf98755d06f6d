"""Market data on its way in: to the books, and of gaps also to the strategies, whose price histories must not bridge them."""

from __future__ import annotations

from collections.abc import Iterable

from markets.books import Books
from strategies.engine import Engine


class FeedEvents:
    """The kernel's `FeedListener`. What concerns only the books goes there directly: this is the hot path."""

    def __init__(self, books: Books, engine: Engine) -> None:
        self._books = books
        self._engine = engine
        self.on_snapshot = books.on_snapshot
        self.on_delta = books.on_delta
        self.on_trade = books.on_trade
        self.on_tick_size = books.on_tick_size
        self.on_resolved = books.on_resolved
        self.on_listed = books.on_listed

    def on_gap(self, token_ids: Iterable[str], reason: str) -> None:
        tokens = list(token_ids)
        self._books.on_gap(tokens, reason)
        self._engine.on_gap(tokens)
