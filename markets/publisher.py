"""Market data to Redis: books, prices, histories, markets and groups under the specification's keys, and events on their channels.

Listens to the books and only notes what changed. At each flush of the pipe it writes the images of changed books, the one that waits longest
first, within the flush's time slice; what changes faster than it can be written is conflated. After a (re)connection every image is written from
scratch. Tokens that are not watched any more lose their keys, those of an earlier trader included. One trader publishes into a Redis database.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from domain.book import MarketListed, TradePrint
from domain.market import ConditionGroup, Market
from domain.order import OrderSide
from domain.ports import Clock
from infra.redis_pipe import RedisPipe, Script, Write
from markets import keys
from markets.book_image import BookImage
from markets.books import Books, BookUpdate
from markets.catalogue_image import CatalogueImage
from proto.envelope import EventEncoder
from proto.market_mapping import last_trade_to_proto

_FOLDER = Path(__file__).parent / "scripts"
UPDATE_BOOK = Script((_FOLDER / "orderbook_update.lua").read_text(encoding="utf-8"))
BEGIN_ANEW = Script((_FOLDER / "begin_anew.lua").read_text(encoding="utf-8"))
SCRIPTS = (UPDATE_BOOK, BEGIN_ANEW)
"""What the pipe must load."""

HISTORY_POINTS = 500
"""Points that a price history holds at most."""
WHOLE_AFTER = 0.5
"""Seconds after which price changes are followed by a whole book; the specification's limit is ten whole books a second."""
_TIDY_EVERY = 1.0


class MarketPublisher:
    """A `BookListener` and a source of the pipe, which must have been made with `SCRIPTS`.

    `history_seconds` is how far `pricehistory:` reaches back: the longest lookback of the strategies.
    """

    def __init__(
        self, pipe: RedisPipe, encoder: EventEncoder, clock: Clock, books: Books, *, history_seconds: float = 10.0
    ) -> None:
        self._pipe = pipe
        self._encoder = encoder
        self._clock = clock
        self._books = books
        self._history_ns = int(history_seconds * 1e9)
        self._images: dict[str, BookImage] = {}
        self._due: dict[str, BookImage] = {}
        # When the whole book is due (monotonic), the earliest first.
        self._owed: dict[str, float] = {}
        self._trades: dict[str, TradePrint] = {}
        self._catalogue = CatalogueImage()
        self._subscribed: set[str] = set()
        self._tidied_at: float | None = None
        self._new_connection = True
        pipe.add_source(self)

    def put_markets(self, markets: Iterable[Market], groups: Iterable[ConditionGroup] = ()) -> None:
        """Publish what discovery found, and keep it alive."""
        self._catalogue.put(markets, groups)
        self._pipe.wake()

    @property
    def backlog(self) -> int:
        """Books and trades that have news Redis was not sent yet."""
        return len(self._due) + len(self._trades)

    # BookListener

    def on_book(self, update: BookUpdate) -> None:
        book = update.book
        image = self._images.get(book.token_id)
        if image is None or image.book is not book:
            step = self._history_ns // HISTORY_POINTS
            image = BookImage(book, history_ns=self._history_ns, history_step_ns=step)
            self._images[book.token_id] = image
        image.mark(update)
        self._due[book.token_id] = image
        self._pipe.wake()

    def on_trade(self, trade: TradePrint) -> None:
        self._trades[trade.token_id] = trade
        self._pipe.wake()

    def on_tick_size(self, market: Market) -> None:
        self.put_markets([market])

    def on_resolved(self, market: Market) -> None:
        self.put_markets([market])

    def on_listed(self, listed: MarketListed) -> None:
        """Discovery brings the new market's details."""

    # Source of the pipe

    def begin_anew(self) -> None:
        self._new_connection = True
        self._subscribed.clear()
        self._tidied_at = None
        self._catalogue.begin_anew()
        for image in self._images.values():
            image.begin_anew()
        self._due = dict(self._images)
        self._owed.clear()

    def fill(self, write: Write, until: float) -> float | None:
        """Write what is due: trades and books first, then whole books, then markets."""
        now = self._clock.monotonic()
        if self._new_connection:
            self._new_connection = False
            write("EVALSHA", BEGIN_ANEW.sha, 1, keys.SUBSCRIBED, *keys.of_token("*"))
        if self._tidied_at is None or now - self._tidied_at >= _TIDY_EVERY:
            self._tidied_at = now
            self._tidy(write)
        while self._trades and self._clock.monotonic() <= until:
            self._write_trade(write)
        while self._due and self._clock.monotonic() <= until:
            self._write_book(write, now)
        while self._owed and next(iter(self._owed.values())) <= now and self._clock.monotonic() <= until:
            self._write_whole_book(write)
        while self._catalogue.wait(now) == 0.0 and self._clock.monotonic() <= until:
            self._catalogue.write_next(write, now)
        return self._wait(now)

    def _wait(self, now: float) -> float:
        if self._due or self._trades:
            return 0.0
        waits = [_TIDY_EVERY]
        waits += [due - now for due in list(self._owed.values())[:1]]
        wait = self._catalogue.wait(now)
        return max(min(waits if wait is None else [*waits, wait]), 0.0)

    def _write_trade(self, write: Write) -> None:
        token_id = next(iter(self._trades))
        trade = self._trades.pop(token_id)
        message = last_trade_to_proto(
            asset_id=token_id,
            price=trade.price,
            size=trade.size,
            side=OrderSide(trade.side.lower()),
            at_ns=trade.received_ns,
        )
        write("PUBLISH", keys.price_channel(token_id), self._encoder.encode(message))

    def _write_book(self, write: Write, now: float) -> None:
        token_id = next(iter(self._due))
        image = self._due.pop(token_id)
        # A book that was crossed since announces itself again; one that is not watched any more has no image.
        if self._books.get(token_id) is not image.book or image.book.crossed:
            return
        image.publish(write, UPDATE_BOOK, self._encoder, self._clock.now_ns())
        if image.whole_owed:
            self._owed.setdefault(token_id, now + WHOLE_AFTER)

    def _write_whole_book(self, write: Write) -> None:
        token_id = next(iter(self._owed))
        del self._owed[token_id]
        image = self._images.get(token_id)
        if image is not None and image.whole_owed:
            image.publish_whole(write, self._encoder)

    def _tidy(self, write: Write) -> None:
        """Bring the set of watched tokens in line and delete the keys of those that left it."""
        watched = {book.token_id for book in self._books}
        for token_id in watched - self._subscribed:
            write("SADD", keys.SUBSCRIBED, token_id)
        for token_id in [*(self._subscribed - watched), *(self._images.keys() - watched - self._subscribed)]:
            self._images.pop(token_id, None)
            self._due.pop(token_id, None)
            write("SREM", keys.SUBSCRIBED, token_id)
            write("DEL", *keys.of_token(token_id))
        self._subscribed = watched
