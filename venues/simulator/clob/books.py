"""Books as the venue shows them: text levels, the best one last, and the SHA-1 hash over the whole summary.

The hash covers compact JSON of the summary with an empty hash, keys in the venue's order; a client that received the summary can verify it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TypedDict

import orjson

from domain.money import format_micros
from venues.exchange import Exchange
from venues.simulator.world.listings import Listing
from venues.simulator.world.world import World


class TextLevel(TypedDict):
    price: str
    size: str


class BookSummary(TypedDict):
    """GET /book, key for key."""

    market: str
    asset_id: str
    timestamp: str
    hash: str
    bids: list[TextLevel]
    asks: list[TextLevel]
    min_order_size: str
    tick_size: str
    neg_risk: bool
    last_trade_price: str


@lru_cache(maxsize=65536)
def decimal(micros: int) -> str:
    """Return micro-units as the venue's decimal text."""
    return format_micros(micros)


def summary(exchange: Exchange, listing: Listing, token_id: str, now_ms: int) -> BookSummary | None:
    """Return a token's book with its hash, None when the market has no book (any more)."""
    book = exchange.book(token_id)
    if book is None:
        return None
    shown: BookSummary = {
        "market": listing.spec.condition_id,
        "asset_id": token_id,
        "timestamp": str(now_ms),
        "hash": "",
        "bids": [{"price": decimal(price), "size": decimal(size)} for price, size in book.bids],
        "asks": [{"price": decimal(price), "size": decimal(size)} for price, size in book.asks],
        "min_order_size": decimal(listing.spec.min_size),
        "tick_size": decimal(listing.tick),
        "neg_risk": listing.spec.neg_risk,
        "last_trade_price": "" if listing.last_price is None else decimal(listing.last_price),
    }
    shown["hash"] = book_hash(shown)
    return shown


def book_hash(shown: BookSummary) -> str:
    """Return the SHA-1 of a summary whose hash is still empty."""
    return hashlib.sha1(orjson.dumps(shown), usedforsecurity=False).hexdigest()


class ShownBooks:
    """The books of one moment, each summarised at most once."""

    def __init__(self, world: World, now_ms: int) -> None:
        self._world = world
        self._now_ms = now_ms
        self._shown: dict[str, BookSummary | None] = {}

    def book(self, token_id: str) -> BookSummary | None:
        """Return a token's book, None when it has none."""
        if token_id not in self._shown:
            listing = self._world.listings.by_token(token_id)
            self._shown[token_id] = summary(self._world.exchange, listing, token_id, self._now_ms) if listing else None
        return self._shown[token_id]

    def hash(self, token_id: str) -> str:
        """Return the hash of a token's book, "" when it has none."""
        book = self.book(token_id)
        return book["hash"] if book else ""
