"""What a frame does to the books, read a second time by other means: `json` and `Decimal`, dictionaries of levels, no code of polybot's.

It is generous about spelling and strict about meaning: a price must be a multiple of the tick strictly between 0 and 1, a size a finite number
that is not negative. `apply` answers what it could not make sense of; books named there may not be trusted afterwards.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_SHARES = Decimal(9_000_000_000)


class NonsenseError(ValueError):
    """A frame, or a part of it, without a meaning."""


@dataclass
class ReferenceBook:
    """Levels of one token by price, and the venue's time of the last event that counted."""

    tick: Decimal
    bids: dict[Decimal, Decimal] = field(default_factory=dict)
    asks: dict[Decimal, Decimal] = field(default_factory=dict)
    venue_ms: int = 0

    def side(self, name: Any) -> dict[Decimal, Decimal]:
        if name not in {"BUY", "SELL"}:
            raise NonsenseError(f"side {name!r}")
        return self.bids if name == "BUY" else self.asks

    def set(self, levels: dict[Decimal, Decimal], price: Decimal, size: Decimal) -> None:
        if size:
            levels[price] = size
        else:
            levels.pop(price, None)


class ReferenceBooks:
    """The two books of one market."""

    def __init__(self, tokens: tuple[str, str], tick: Decimal) -> None:
        self.books = {token: ReferenceBook(tick) for token in tokens}

    def apply(self, event: dict[str, Any]) -> set[str]:
        """Carry out one event; return the tokens about which it said something without a meaning."""
        kind = event.get("event_type")
        if kind == "price_change":
            return self._changes(event)
        if kind == "book":
            return self._book(event)
        if kind == "tick_size_change":
            return self._tick(event)
        return set()

    def _changes(self, event: dict[str, Any]) -> set[str]:
        nonsense = set()
        for change in event["price_changes"]:
            token = change["asset_id"]
            book = self.books.get(token)
            if book is None:
                continue
            try:
                levels = book.side(change["side"])
                book.set(levels, _price(change["price"], book.tick), _size(change["size"]))
            except NonsenseError:
                nonsense.add(token)
            book.venue_ms = _time(event["timestamp"])
        return nonsense

    def _book(self, event: dict[str, Any]) -> set[str]:
        token = event["asset_id"]
        book = self.books.get(token)
        if book is None or _time(event["timestamp"]) < book.venue_ms:
            return set()
        if event.get("tick_size"):
            tick = Decimal(event["tick_size"])
            if tick != book.tick:
                self._regrid(tick)
        try:
            bids, asks = _levels(event["bids"], book.tick), _levels(event["asks"], book.tick)
        except NonsenseError:
            return {token}
        book.bids, book.asks, book.venue_ms = bids, asks, _time(event["timestamp"])
        return set()

    def _tick(self, event: dict[str, Any]) -> set[str]:
        if event["asset_id"] in self.books:
            tick = Decimal(event["new_tick_size"])
            if tick != self.books[event["asset_id"]].tick:
                return self._regrid(tick)
        return set()

    def _regrid(self, tick: Decimal) -> set[str]:
        lost = set()
        for token, book in self.books.items():
            book.tick = tick
            if any(price % tick for price in (*book.bids, *book.asks)):
                book.bids.clear()
                book.asks.clear()
                lost.add(token)
        return lost


def read_objects(data: bytes) -> list[dict[str, Any]]:
    """Return the events of a frame, one object or an array of them."""
    tree = json.loads(data.decode("utf-8", "replace"), strict=False)
    return tree if isinstance(tree, list) else [tree]


def _levels(entries: list[dict[str, Any]], tick: Decimal) -> dict[Decimal, Decimal]:
    levels: dict[Decimal, Decimal] = {}
    for entry in entries:
        price, size = _price(entry["price"], tick), _size(entry["size"])
        if levels.setdefault(price, size) != size:
            raise NonsenseError(f"two sizes at {price}")
    return {price: size for price, size in levels.items() if size}


def _number(text: Any) -> Decimal:
    if not isinstance(text, str):
        raise NonsenseError(f"{text!r} is no text")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise NonsenseError(f"{text!r} is no number") from None
    if not number.is_finite():
        raise NonsenseError(f"{text!r} is not finite")
    return number


def _time(value: Any) -> int:
    return int(Decimal(str(value)))


def _price(text: Any, tick: Decimal) -> Decimal:
    price = _number(text)
    if not 0 < price < 1 or price % tick:
        raise NonsenseError(f"price {text!r}")
    return price


def _size(text: Any) -> Decimal:
    size = _number(text)
    if not 0 <= size <= MOST_SHARES:
        raise NonsenseError(f"size {text!r}")
    return size
