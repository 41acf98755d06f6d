"""The image of one book in Redis: what was published of it, what has changed since, and the commands that bring the image in line.

Changes between two publications are conflated to the sizes that the levels have now. On the channel price changes follow each other by `version`;
a whole book has the version of the last change, and makes a reader right again who missed one.
"""

from __future__ import annotations

from domain.money import MICRO, format_micros, to_float
from domain.order import OrderSide
from infra.redis_pipe import Script, Write
from markets import keys
from markets.books import BookUpdate, OrderBook
from proto.envelope import EventEncoder
from proto.market_mapping import Levels, bbo_to_proto, change_to_proto, snapshot_to_proto
from proto.polybot.v1 import orderbook_pb2

_Change = tuple[OrderSide, int, float]
_BUY, _SELL = OrderSide.BUY, OrderSide.SELL
_FLAG = {_BUY: "b", _SELL: "a"}


class BookImage:
    """The image of `book`. `whole_owed`: price changes went out since the last whole book.

    `history_step_ns`: the history gets at most one point in that time, and forgets points after `history_ns`.
    """

    def __init__(self, book: OrderBook, *, history_ns: int, history_step_ns: int) -> None:
        self.book = book
        self.version = 0
        self.whole_owed = False
        self._grid = book.grid
        self._published: dict[OrderSide, dict[int, float]] = {_BUY: {}, _SELL: {}}
        self._dirty: set[tuple[OrderSide, int]] = set()
        self._whole = True
        self._erased = True
        self._history_ns = history_ns
        self._history_step_ns = history_step_ns
        self._history_at_ns = 0
        self._top: tuple[float, ...] = ()
        self._mid = 0.0

    def begin_anew(self) -> None:
        """Assume that Redis knows nothing of this book."""
        self._erased = self._whole = True
        self.whole_owed = False
        self._top, self._mid, self._history_at_ns = (), 0.0, 0

    def mark(self, update: BookUpdate) -> None:
        """Note what changed."""
        if update.whole or self._whole:
            self._whole = True
            return
        token_id, locate = self.book.token_id, self.book.grid.locate
        for change in update.changes:
            if change.token_id == token_id:
                self._dirty.add((_BUY if change.side == "BUY" else _SELL, locate(change.price)))

    def publish(self, write: Write, script: Script, encoder: EventEncoder, now_ns: int) -> None:
        """Write what changed since the last publication: levels, price, history and events."""
        book, token_id = self.book, self.book.token_id
        if book.grid is not self._grid:
            self._grid, self._erased, self._whole = book.grid, True, True
        if self._erased:
            self._published = {_BUY: {}, _SELL: {}}
            self._dirty.clear()
        changes = self._take_changes()
        if changes or self._erased:
            self.version += 1
            texts = book.grid.texts
            levels = [
                text
                for side, index, size in changes
                for text in (_FLAG[side], texts[index], format_micros(round(size * MICRO)))
            ]
            write(
                "EVALSHA",
                script.sha,
                5,
                *keys.book(token_id),
                int(self._erased),
                self.version,
                book.received_ns,
                *levels,
            )
            if self._erased:
                self.publish_whole(write, encoder)
            else:
                write("PUBLISH", keys.book_channel(token_id), encoder.encode(self._change(changes)))
                self.whole_owed = True
            self._erased = False
        self._publish_top(write, encoder, now_ns)

    def publish_whole(self, write: Write, encoder: EventEncoder) -> None:
        """Send the whole book, as it was published last, to those who listen."""
        book = self.book
        sides = [
            (
                [to_float(self._grid.micros[index]) for index in indices],
                [self._published[side][index] for index in indices],
            )
            for side, indices in (
                (_BUY, sorted(self._published[_BUY], reverse=True)),
                (_SELL, sorted(self._published[_SELL])),
            )
        ]
        message = snapshot_to_proto(
            asset_id=book.token_id,
            market_id=book.market_id,
            tick=self._grid.tick,
            bids=sides[0],
            asks=sides[1],
            version=self.version,
            at_ns=book.received_ns,
        )
        write("PUBLISH", keys.book_channel(book.token_id), encoder.encode(message))
        self.whole_owed = False

    def _take_changes(self) -> list[_Change]:
        """Return the levels whose size is not the published one, and take them for published."""
        book = self.book
        if self._whole:
            for side, published in self._published.items():
                self._dirty.update((side, index) for index in published)
                self._dirty.update((side, index) for index in book.venue_levels(side)[0])
            self._whole = False
        changes = []
        for side, index in self._dirty:
            # Index 0 is a change that was refused: no price.
            size = book.venue_size(side, index) if index else 0.0
            if size != self._published[side].get(index, 0.0):
                changes.append((side, index, size))
                self._published[side][index] = size
                if not size:
                    del self._published[side][index]
        self._dirty.clear()
        return changes

    def _change(self, changes: list[_Change]) -> orderbook_pb2.PriceChange:
        bids = [(index, size) for side, index, size in changes if side is _BUY]
        asks = [(index, size) for side, index, size in changes if side is _SELL]
        return change_to_proto(
            asset_id=self.book.token_id,
            bids=self._levels([index for index, _ in bids], [size for _, size in bids]),
            asks=self._levels([index for index, _ in asks], [size for _, size in asks]),
            version=self.version,
            at_ns=self.book.received_ns,
        )

    def _levels(self, indices: list[int], sizes: list[float]) -> Levels:
        micros = self.book.grid.micros
        return [to_float(micros[index]) for index in indices], sizes

    def _publish_top(self, write: Write, encoder: EventEncoder, now_ns: int) -> None:
        book, token_id = self.book, self.book.token_id
        bid, ask = book.bid_index, book.ask_index
        best_bid, bid_size = (to_float(book.venue_best_bid), book.venue_size(_BUY, bid)) if bid else (0.0, 0.0)
        best_ask, ask_size = (
            (to_float(book.venue_best_ask), book.venue_size(_SELL, ask)) if ask < book.grid.top else (0.0, 0.0)
        )
        top = (best_bid, bid_size, best_ask, ask_size)
        if top == self._top:
            return
        self._top = top
        message = bbo_to_proto(
            asset_id=token_id,
            best_bid=best_bid,
            bid_size=bid_size,
            best_ask=best_ask,
            ask_size=ask_size,
            at_ns=book.received_ns,
        )
        write("PUBLISH", keys.price_channel(token_id), encoder.encode(message))
        if not message.mid_price:
            write("DEL", keys.price(token_id))
            return
        level = orderbook_pb2.PriceLevel(price=message.mid_price, size=bid_size + ask_size)
        write("HSET", keys.price(token_id), "data", level.SerializeToString(), "timestamp", book.received_ns)
        if message.mid_price != self._mid and now_ns - self._history_at_ns >= self._history_step_ns:
            self._mid, self._history_at_ns = message.mid_price, now_ns
            history = keys.price_history(token_id)
            milliseconds = book.received_ns // 1_000_000
            write("ZADD", history, milliseconds, message.SerializeToString())
            write("ZREMRANGEBYSCORE", history, "-inf", milliseconds - self._history_ns // 1_000_000)
