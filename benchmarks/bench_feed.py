"""From a frame of the market channel to both of the market's books: decoding alone, and the whole way, next to nautilus_trader."""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson

from benchmarks import peers
from benchmarks.measure import Result, microseconds
from domain.book import MarketListed, TradePrint
from domain.market import Market
from infra.clock import SystemClock
from markets.books import Books, BookUpdate
from venues.polymarket.market_wire import decode_delta
from venues.polymarket.shard import Shard

YES = "76670567130917723816490572615540605537878462672464291990940067659127658071111"
NO = "54179564009642723353355316176091991063553046330768303687769988635499280029688"
CONDITION = "0x285746de0e4f751fd4dc8f9dc2cecd0101ba9ad0096a43145ed9643b09514f01"
NAUTILUS = "nautilus_trader 1.221.0"
ROUNDS = 15
PORTION = 100
"""Frames timed at once: few enough to fit between two interruptions by other programs; the best portion counts."""


def run() -> list[Result]:
    changes, books = _changes(2_000), [_book(YES), _book(NO)]
    return [*_decoding(changes[0]), *_whole_way(changes, books)]


class _Nobody:
    """A listener of books that has nothing to do."""

    def on_book(self, update: BookUpdate) -> None: ...
    def on_trade(self, trade: TradePrint) -> None: ...
    def on_tick_size(self, market: Market) -> None: ...
    def on_resolved(self, market: Market) -> None: ...
    def on_listed(self, listed: MarketListed) -> None: ...


def _decoding(frame: bytes) -> list[Result]:
    took = microseconds(
        {
            "ours": lambda: decode_delta(frame),
            "orjson": lambda: orjson.loads(frame),
            "json": lambda: json.loads(frame),
        }
    )
    return [
        Result("feed_decode", "µs/frame", took["ours"], took["orjson"], "orjson to dicts"),
        Result("feed_decode_json", "µs/frame", took["ours"], took["json"], "json to dicts"),
    ]


def _whole_way(changes: Sequence[bytes], snapshots: Sequence[bytes]) -> list[Result]:
    """Measure in turns: a round of ours, a round of the peer's."""
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "frames.json"
        frames = {
            "changes": [c.decode() for c in changes],
            "books": [b.decode() for b in snapshots],
            "tokens": [YES, NO],
        }
        work.write_text(json.dumps(frames))
        try:
            with peers.running(
                "nautilus", ["nautilus_trader[polymarket]==1.221.0"], "nautilus_feed.py", str(work)
            ) as peer:
                for _ in range(ROUNDS):
                    ours.append(_round(changes, snapshots))
                    theirs.append(peer.round())
        except peers.PeerUnavailableError as error:
            print(error, file=sys.stderr)
            ours += [_round(changes, snapshots) for _ in range(ROUNDS)]
    best, peer_best = peers.best(ours), peers.best(theirs) if theirs else {}
    return [Result(name, "µs/frame", took, peer_best.get(name), NAUTILUS) for name, took in best.items()]


def _round(changes: Sequence[bytes], snapshots: Sequence[bytes]) -> dict[str, float]:
    shard, books = _shard()
    # Before the changes: a snapshot that is older than the book is skipped.
    book_us = min(_per_frame(shard, snapshots) for _ in range(50))
    change_us = min(_per_frame(shard, changes[i : i + PORTION]) for i in range(0, len(changes), PORTION))
    if shard.codec.bad or shard.codec.ignored or books.counters.snapshots != 50 * len(snapshots):
        raise AssertionError("the frames were not taken")
    return {"feed_price_change": change_us, "feed_book_snapshot": book_us}


def _per_frame(shard: Shard, frames: Sequence[bytes]) -> float:
    start = perf_counter()
    for frame in frames:
        shard.on_data(frame)
    return (perf_counter() - start) / len(frames) * 1e6


def _shard() -> tuple[Shard, Books]:
    """Return a socket's data path as the feed makes it, and the live books behind it."""
    clock: Any = SystemClock()
    books = Books(clock, lambda _token: None)
    market = Market(
        id="1", venue="polymarket", question="?", slug="s", condition_id=CONDITION, token_ids=(YES, NO), tick=1_000
    )
    books.watch(market)
    books.listen(_Nobody())
    shard = Shard("ws://127.0.0.1:1", books, clock=clock, backoff=None)  # type: ignore[arg-type]  # never connects
    shard.heard.update({YES: None, NO: None})
    return shard, books


def _changes(count: int) -> list[bytes]:
    """Return frames of one placement each, on random levels below the best prices, as the venue writes them."""
    rng = random.Random(7)
    return [_change(rng, stamp) for stamp in range(1_790_658_674_035, 1_790_658_674_035 + count)]


def _change(rng: random.Random, stamp: int) -> bytes:
    level, size = rng.randrange(440, 470), rng.randrange(0, 90_000) / 100
    entries = [
        {"asset_id": YES, "price": _price(level), "size": f"{size:g}", "side": "BUY", "hash": f"{rng.getrandbits(160):040x}",
         "best_bid": "0.47", "best_ask": "0.471"},
        {"asset_id": NO, "price": _price(1000 - level), "size": f"{size:g}", "side": "SELL", "hash": f"{rng.getrandbits(160):040x}",
         "best_bid": "0.529", "best_ask": "0.53"},
    ]  # fmt: skip
    frame = {"market": CONDITION, "price_changes": entries, "timestamp": str(stamp), "event_type": "price_change"}
    return orjson.dumps(frame)


def _book(token: str) -> bytes:
    """Return a book of 60 levels a side."""
    best = 470 if token == YES else 529
    frame = {
        "event_type": "book",
        "market": CONDITION,
        "asset_id": token,
        "timestamp": "1790658661234",
        "hash": "5511583ad6f3eb4678e0a374e0cc2bd3b1975d07",
        "bids": [{"price": _price(best - i), "size": f"{100 + i}.25"} for i in range(59, -1, -1)],
        "asks": [{"price": _price(best + 1 + i), "size": f"{100 + i}.25"} for i in range(59, -1, -1)],
    }
    return orjson.dumps(frame)


def _price(thousandths: int) -> str:
    return f"{thousandths / 1000:g}"
