"""The live books of all watched tokens: what the feed says goes in, updates of books that make sense come out.

A book is announced only while it is not crossed: a match is told in several frames and crosses the book in between. A book that stays crossed, or
that disagrees with the best prices the venue names, for a second is out of step: it loses trust and a snapshot is asked for. So does a book
that got a malformed or off-grid level, which is counted and never applied (`markets.doubts`). Messages about tokens nobody watches are counted
and skipped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import msgspec
import structlog

from domain.book import BookDelta, BookSnapshot, LevelChange, MarketListed, MarketResolved, TickSizeChange, TradePrint
from domain.errors import InvalidOrderError
from domain.market import Market, MarketStatus
from domain.money import MICRO
from domain.order import OrderSide
from domain.ports import Clock
from domain.ticks import tick_size
from markets.doubts import Doubts
from markets.order_book import NO_ASK, NO_BID, OrderBook

_log = structlog.get_logger(__name__)

__all__ = ["NO_ASK", "NO_BID", "BookCounters", "BookListener", "BookUpdate", "Books", "OrderBook"]


class BookUpdate(msgspec.Struct, gc=False):
    """`book` changed: by `changes`, the level changes of one message about this token and its complement, or in many places when `whole`."""

    book: OrderBook
    changes: Sequence[LevelChange] = ()
    whole: bool = False


class BookListener(Protocol):
    """Is told in the order of registration, in the event loop, after every book of a message has changed. Must not raise."""

    def on_book(self, update: BookUpdate) -> None:
        """`update.book` is not crossed; look at `usable` before relying on it."""

    def on_trade(self, trade: TradePrint) -> None: ...
    def on_tick_size(self, market: Market) -> None:
        """`market` has a new tick; its books already stand on the new grid, in a new epoch."""

    def on_resolved(self, market: Market) -> None:
        """`market` is closed and names its winner."""

    def on_listed(self, listed: MarketListed) -> None: ...


@dataclasses.dataclass(slots=True)
class BookCounters:
    """What happened since the start."""

    snapshots: int = 0
    unknown_tokens: int = 0
    malformed: int = 0
    stale_snapshots: int = 0


class Books:
    """All order books (a `domain.ports.FeedListener`). Call `check` a few times a second."""

    def __init__(self, clock: Clock, request_snapshot: Callable[[str], None]) -> None:
        self._doubts = Doubts(clock, request_snapshot)
        self._listeners: list[BookListener] = []
        self._books: dict[str, OrderBook] = {}
        self._markets: dict[str, Market] = {}
        self._market_of: dict[str, str] = {}
        self._market_by_condition: dict[str, str] = {}
        self._own: dict[tuple[str, OrderSide, int], int] = {}
        self.counters = BookCounters()

    def listen(self, listener: BookListener) -> None:
        """Tell `listener` of every update from now on."""
        self._listeners.append(listener)

    # What is watched.

    def watch(self, market: Market) -> None:
        """Keep books of both tokens of `market`. For a market already watched, take over its new details, but not its tick size and not a
        life after resolution: the feed knows those first, listings lag by minutes.

        Raises:
            InvalidOrderError: no venue has its tick size.
        """
        known = self._markets.get(market.id)
        if known is not None:
            if known.status is not MarketStatus.SETTLED:
                self._markets[market.id] = dataclasses.replace(market, tick=known.tick)
            return
        books = [OrderBook(token_id, market.id, market.tick) for token_id in market.token_ids]
        self._markets[market.id] = market
        self._market_by_condition[market.condition_id] = market.id
        for book in books:
            self._books[book.token_id] = book
            self._market_of[book.token_id] = market.id
        self._place_all_own(market)

    def unwatch(self, market_id: str) -> None:
        """Drop the books of a market; one that is not watched is no error."""
        market = self._markets.pop(market_id, None)
        if market is None:
            return
        self._market_by_condition.pop(market.condition_id, None)
        for token_id in market.token_ids:
            del self._books[token_id], self._market_of[token_id]
            self._doubts.forget(token_id)

    def get(self, token_id: str) -> OrderBook | None:
        return self._books.get(token_id)

    def market(self, token_id: str) -> Market | None:
        """Return the watched market of a token as it is now: its tick follows the venue's changes."""
        return self._markets.get(self._market_of.get(token_id, ""))

    def complement(self, book: OrderBook) -> OrderBook:
        """Return the book of the market's other token."""
        return self._books[self._markets[book.market_id].complement(book.token_id)]

    def __iter__(self) -> Iterator[OrderBook]:
        return iter(self._books.values())

    def __len__(self) -> int:
        return len(self._books)

    # What is ours in them.

    def set_own(self, token_id: str, side: OrderSide, price: int, size: int) -> None:
        """Say that our open orders of `token_id` hold `size` shares at `price` on `side`; 0 when none does any more.

        An order rests in both books of its market: to buy one token at p is to sell the other at 1 − p. Orders on both tokens add up.
        May be called before the market is watched or while its grid changes.
        """
        key = (token_id, side, price)
        if size > 0:
            self._own[key] = size
        else:
            self._own.pop(key, None)
        market = self.market(token_id)
        if market is not None:
            self._place_own(market, token_id, side, price)

    def _place_all_own(self, market: Market) -> None:
        for token_id, side, price in list(self._own):
            if token_id in market.token_ids:
                self._place_own(market, token_id, side, price)

    def _place_own(self, market: Market, token_id: str, side: OrderSide, price: int) -> None:
        mirror = (market.complement(token_id), _opposite(side), MICRO - price)
        size = self._own.get((token_id, side, price), 0) + self._own.get(mirror, 0)
        self._books[token_id].set_own(side, price, size)
        self._books[mirror[0]].set_own(mirror[1], mirror[2], size)

    # What the feed tells.

    def on_snapshot(self, snapshot: BookSnapshot) -> None:
        """Replace a book; one older than what the book already holds is skipped, unless it was asked for: then newer changes are put on top."""
        book = self._books.get(snapshot.token_id)
        if book is None:
            self.counters.unknown_tokens += 1
            return
        if snapshot.venue_ms < book.venue_ms and not self._doubts.asked(snapshot.token_id):
            self.counters.stale_snapshots += 1
            return
        if snapshot.tick is not None and snapshot.tick != book.tick and not self._change_tick(book, snapshot.tick):
            return
        if not book.replace(snapshot.bids, snapshot.asks):
            self._refuse(book, "snapshot")
            return
        self.counters.snapshots += 1
        book.venue_ms, book.received_ns, book.trusted = snapshot.venue_ms, snapshot.received_ns, True
        for venue_ms, change in self._doubts.settle(snapshot.token_id):
            if venue_ms > snapshot.venue_ms and book.apply(change):
                book.venue_ms = venue_ms
        if book.crossed:
            self._doubts.looks_wrong(book)
        self._announce_whole(book)

    def on_delta(self, delta: BookDelta) -> None:
        """Apply the changes of one message, compare each book with what the venue says of it, and announce those that are not crossed."""
        books, doubts = self._books, self._doubts
        touched: list[OrderBook] = []
        for change in delta.changes:
            book = books.get(change.token_id)
            if book is None:
                self.counters.unknown_tokens += 1
                continue
            if doubts.open:
                doubts.hold(change, delta.venue_ms)
            if not book.apply(change):
                self._refuse(book, "change")
                continue
            if not book.agrees(change) or book.bid_index >= book.ask_index:
                doubts.looks_wrong(book)
            elif doubts.open:
                doubts.looks_right(book)
            if book not in touched:
                touched.append(book)
        for book in touched:
            book.venue_ms = delta.venue_ms
            book.received_ns = delta.received_ns
            if book.bid_index < book.ask_index:
                update = BookUpdate(book, delta.changes, book.unannounced)
                book.unannounced = False
                for listener in self._listeners:
                    listener.on_book(update)
            else:
                book.unannounced = True

    def on_trade(self, trade: TradePrint) -> None:
        for listener in self._listeners:
            listener.on_trade(trade)

    def on_tick_size(self, change: TickSizeChange) -> None:
        """Move both books of the market to the new grid; the second of the venue's two messages finds nothing left to do."""
        book = self._books.get(change.token_id)
        if book is None:
            self.counters.unknown_tokens += 1
        elif book.tick != change.new_tick:
            self._change_tick(book, change.new_tick)

    def on_resolved(self, resolved: MarketResolved) -> None:
        """Close the market and take trust from its books. A winner that is neither token (an even split) stays None."""
        market = self._markets.get(self._market_by_condition.get(resolved.condition_id, ""))
        if market is None:
            return
        winner = (
            market.token_ids.index(resolved.winning_token_id) if resolved.winning_token_id in market.token_ids else None
        )
        closed = dataclasses.replace(market, status=MarketStatus.SETTLED, accepting_orders=False, winner=winner)
        self._markets[market.id] = closed
        for token_id in market.token_ids:
            self._books[token_id].trusted = False
            self._doubts.settle(token_id)
        for listener in self._listeners:
            listener.on_resolved(closed)

    def on_listed(self, listed: MarketListed) -> None:
        for listener in self._listeners:
            listener.on_listed(listed)

    def on_gap(self, token_ids: Iterable[str], reason: str) -> None:
        """Take trust from books that may have missed changes, until the snapshot that the feed brings by itself."""
        books = [book for token_id in token_ids if (book := self._books.get(token_id)) is not None]
        for book in books:
            book.trusted = False
            book.venue_ms = 0
            self._doubts.settle(book.token_id)
        _log.info("books_gap", books=len(books), reason=reason)

    def check(self) -> None:
        """Take trust from books that have looked wrong for too long, and ask (again) for the snapshots they need."""
        self._doubts.check(self._books)

    def _refuse(self, book: OrderBook, what: str) -> None:
        self.counters.malformed += 1
        if book.trusted:
            _log.warning("book_message_refused", token_id=book.token_id, what=what)
        self._doubts.distrust(book)

    def _change_tick(self, book: OrderBook, tick: int) -> bool:
        market = dataclasses.replace(self._markets[book.market_id], tick=tick)
        try:
            tick_size(tick)
        except InvalidOrderError as error:
            _log.warning("book_tick_refused", token_id=book.token_id, reason=str(error))
            self._refuse(book, "tick size")
            return False
        self._markets[market.id] = market
        books = [self._books[token_id] for token_id in market.token_ids]
        for each in books:
            if not each.regrid(tick):
                self._doubts.distrust(each)
        self._place_all_own(market)
        for listener in self._listeners:
            listener.on_tick_size(market)
        for each in books:
            self._announce_whole(each)
        return True

    def _announce_whole(self, book: OrderBook) -> None:
        book.unannounced = book.crossed
        if not book.crossed:
            update = BookUpdate(book, whole=True)
            for listener in self._listeners:
                listener.on_book(update)


def _opposite(side: OrderSide) -> OrderSide:
    return OrderSide.SELL if side is OrderSide.BUY else OrderSide.BUY
