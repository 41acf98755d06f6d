"""Order books: one level change, a whole book, and the way from the bytes of a frame to both books of a market.

The peer is the obvious book: a dictionary of prices and sizes a side, whose best prices are found with `max` and `min`. Both apply the same changes.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from benchmarks.measure import Result, microseconds
from domain.book import BookSnapshot, Level, LevelChange
from domain.market import Market
from infra.clock import SystemClock
from markets.books import Books
from markets.order_book import OrderBook
from venues.polymarket.market_codec import MarketCodec

PEER = "dict and max()"
YES, NO = (
    "71321045679252212594626385532706912750332728571942532289631379312455583992563",
    "52114319501245915516055106046884209969926127482827954674443846427813813222426",
)
CONDITION = "0xbd31dc8a20211944f6b70f31557f1001557b59905b7738480ca09bd4532f84af"
TICK = 1_000
LEVELS = 60


class NaiveBook:
    """Price → size for each side."""

    def __init__(self) -> None:
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}

    def apply(self, change: LevelChange) -> tuple[float, float]:
        levels = self.bids if change.side == "BUY" else self.asks
        price, size = float(change.price), float(change.size)
        if size:
            levels[price] = size
        else:
            levels.pop(price, None)
        return max(self.bids, default=0.0), min(self.asks, default=1.0)

    def replace(self, bids: list[Level], asks: list[Level]) -> tuple[float, float]:
        self.bids = {float(level.price): float(level.size) for level in bids}
        self.asks = {float(level.price): float(level.size) for level in asks}
        return max(self.bids, default=0.0), min(self.asks, default=1.0)


def run() -> list[Result]:
    bids = [Level(_price(tick), "1250.75") for tick in range(440, 440 + LEVELS)]
    asks = [Level(_price(tick), "1250.75") for tick in range(560, 560 - LEVELS, -1)]
    changes = _changes(1_000, bids, asks)
    book, naive = OrderBook(YES, "m", TICK), NaiveBook()
    book.replace(bids, asks)
    naive.replace(bids, asks)
    times = microseconds(
        {
            "change": lambda: [book.apply(change) for change in changes],
            "naive change": lambda: [naive.apply(change) for change in changes],
            "whole": lambda: book.replace(bids, asks),
            "naive whole": lambda: naive.replace(bids, asks),
            "frames": _frames_into_books(changes, bids, asks),
        },
        rounds=100,
        seconds=0.004,
    )
    return [
        Result("book_change", "µs", times["change"] / len(changes), times["naive change"] / len(changes), PEER),
        Result("book_replace_60x2_levels", "µs", times["whole"], times["naive whole"], PEER),
        Result("frame_to_both_books", "µs", times["frames"] / len(changes)),
    ]


def _frames_into_books(changes: list[LevelChange], bids: list[Level], asks: list[Level]) -> Callable[[], object]:
    """Return a function that takes all changes as frames through the decoder into the books of both tokens."""
    books = Books(SystemClock(), lambda token_id: None)
    books.watch(
        Market(id="m", venue="v", question="?", slug="", condition_id=CONDITION, token_ids=(YES, NO), tick=TICK)
    )
    no_bids, no_asks = ([Level(_mirror(level.price), level.size) for level in side] for side in (asks, bids))
    books.on_snapshot(BookSnapshot(YES, CONDITION, bids, asks, 1, 1))
    books.on_snapshot(BookSnapshot(NO, CONDITION, no_bids, no_asks, 1, 1))
    frames = [_frame(books, change) for change in changes]
    codec = MarketCodec(books)

    def feed() -> None:
        for frame in frames:
            codec.feed(frame, 1)

    feed()
    if codec.bad or books.counters.malformed or books.counters.unknown_tokens:
        raise AssertionError("the benchmark's own frames were refused")
    return feed


def _frame(books: Books, change: LevelChange) -> bytes:
    """Return the venue's frame about `change`, with the best prices after it on both tokens."""
    mirror = LevelChange(NO, "SELL" if change.side == "BUY" else "BUY", _mirror(change.price), change.size)
    entries = []
    for entry in (change, mirror):
        book = books.get(entry.token_id)
        assert book is not None
        book.apply(entry)
        entries.append(
            {
                "asset_id": entry.token_id,
                "price": entry.price,
                "size": entry.size,
                "side": entry.side,
                "hash": "c0ad490618b11b513b2ee8ba574dea41486b1f50",
                "best_bid": book.grid.texts[book.bid_index],
                "best_ask": book.grid.texts[book.ask_index],
            }
        )
    message = {
        "market": CONDITION,
        "price_changes": entries,
        "timestamp": "1777374001456",
        "event_type": "price_change",
    }
    return msgspec.json.encode(message)


def _changes(count: int, bids: list[Level], asks: list[Level]) -> list[LevelChange]:
    """Return random changes, and then those that lead back: they may be applied again and again, and the best prices that frames name stay true."""
    rng = random.Random(1)
    changes = []
    for _ in range(count):
        side, low, high = rng.choice([("BUY", 400, 499), ("SELL", 501, 600)])
        size = rng.choice(["0", f"{rng.randint(1, 999_999) / 100:.2f}", f"{rng.randint(1, 9_999)}"])
        changes.append(LevelChange(YES, side, _price(rng.randint(low, high)), size))
    before = {("BUY", level.price): level.size for level in bids} | {
        ("SELL", level.price): level.size for level in asks
    }
    touched = dict.fromkeys((change.side, change.price) for change in changes)
    return changes + [LevelChange(YES, side, price, before.get((side, price), "0")) for side, price in touched]


def _price(tick: int) -> str:
    return f"0.{tick:03d}".rstrip("0")


def _mirror(price: str) -> str:
    return _price(1_000 - round(float(price) * 1_000))
