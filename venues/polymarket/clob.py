"""Public reads of the order book service: books (with their hash checked), the clock, and a market's present state.

Every failure raises `VenueError`; a book whose hash does not match its content is left out, counted and logged, never delivered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
import structlog

from domain.book import BookSnapshot, Level
from domain.errors import MoneyError, VenueError
from domain.money import parse_micros
from domain.ports import Clock
from domain.ticks import TICK_SIZES
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.http import HttpClient, NotFoundError

_log = structlog.get_logger(__name__)

SWITCHED_DELAY_MS = 150
"""The taker delay of markets that only say that they have one (venue documentation)."""
BOOKS_PER_REQUEST = 100
"""The venue allows 500; smaller answers keep the loop responsive while they are decoded."""


class WireBook(msgspec.Struct):
    """A book as GET /book sends it; the order of the fields is the order in which they are hashed."""

    market: str
    asset_id: str
    timestamp: str
    hash: str = ""
    bids: list[Level] = []
    asks: list[Level] = []
    min_order_size: str | None = None
    tick_size: str | None = None
    neg_risk: bool | None = None
    last_trade_price: str | None = None

    @property
    def hashable(self) -> bool:
        """Tell whether every hashed field came with the book."""
        return bool(self.hash) and None not in (
            self.min_order_size,
            self.tick_size,
            self.neg_risk,
            self.last_trade_price,
        )


class MarketToken(msgspec.Struct):
    token_id: str
    winner: bool = False


class ClobMarket(msgspec.Struct):
    """What GET /markets/{condition id} says about the present state of a market."""

    condition_id: str
    closed: bool = False
    accepting_orders: bool = False
    minimum_tick_size: float | None = None
    tokens: list[MarketToken] = []


class TakerDelay(msgspec.Struct):
    """What GET /clob-markets/{condition id} says about how long a taker waits: a switch on crypto and finance markets, seconds on sports."""

    itode: bool = False
    sd: float = 0.0

    @property
    def milliseconds(self) -> int:
        return max(SWITCHED_DELAY_MS if self.itode else 0, int(self.sd * 1_000))


_decode_books = msgspec.json.Decoder(list[WireBook]).decode
_decode_delay = msgspec.json.Decoder(TakerDelay, strict=False).decode
_decode_market = msgspec.json.Decoder(ClobMarket, strict=False).decode


def book_hash(book: WireBook) -> str:
    """Return the SHA-1 the venue gives this book: over its compact JSON with an empty hash field."""
    content = msgspec.json.encode(msgspec.structs.replace(book, hash=""))
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


class ClobReader:
    """Public reads. `wrong_hashes` counts books that were left out because their hash did not match."""

    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self.wrong_hashes = 0

    async def books(self, token_ids: Sequence[str]) -> list[BookSnapshot]:
        """Return the books of those tokens that have one, in any order."""
        snapshots: list[BookSnapshot] = []
        for start in range(0, len(token_ids), BOOKS_PER_REQUEST):
            wanted = token_ids[start : start + BOOKS_PER_REQUEST]
            body = msgspec.json.encode([{"token_id": token_id} for token_id in wanted])
            content = await self._http.post("/books", body)
            try:
                books = _decode_books(content)
                snapshots += [self._snapshot(book) for book in books if self._hash_is_right(book)]
            except (*UNDECODABLE, MoneyError, ValueError) as error:
                raise VenueError(f"POST /books: the answer was malformed: {error}") from error
        return snapshots

    async def server_time(self) -> int:
        """Return the venue's clock in Unix seconds."""
        content = await self._http.get("/time")
        try:
            return msgspec.json.decode(content, type=int)
        except UNDECODABLE as error:
            raise VenueError(f"GET /time: the answer was malformed: {error}") from error

    async def market(self, condition_id: str) -> ClobMarket | None:
        """Return a market's present state, None when the order book service does not know it."""
        try:
            content = await self._http.get(f"/markets/{condition_id}")
        except NotFoundError:
            return None
        try:
            return _decode_market(content)
        except UNDECODABLE as error:
            raise VenueError(f"GET /markets/{condition_id}: the answer was malformed: {error}") from error

    async def taker_delay_ms(self, condition_id: str) -> int:
        """Return how long a marketable order waits in a market before it matches; 0 for one the order book service does not know."""
        path = f"/clob-markets/{condition_id}"
        try:
            return _decode_delay(await self._http.get(path)).milliseconds
        except NotFoundError:
            return 0
        except (*UNDECODABLE, ValueError, OverflowError) as error:
            raise VenueError(f"GET {path}: the answer was malformed: {error}") from error

    def _hash_is_right(self, book: WireBook) -> bool:
        if not book.hashable or book_hash(book) == book.hash:
            return True
        self.wrong_hashes += 1
        _log.warning("book left out: its hash does not match its content", token_id=book.asset_id, hash=book.hash)
        return False

    def _snapshot(self, book: WireBook) -> BookSnapshot:
        tick = parse_micros(book.tick_size) if book.tick_size else None
        if tick is not None and tick not in TICK_SIZES:
            raise ValueError(f"tick size was {book.tick_size!r}")
        return BookSnapshot(
            book.asset_id,
            book.market,
            book.bids,
            book.asks,
            int(book.timestamp),
            self._clock.now_ns(),
            tick=tick,
            hash=book.hash,
            last_trade_price=book.last_trade_price or "",
        )
