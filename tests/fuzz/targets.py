"""What is fed with damaged frames, and what must hold after each of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from domain.fill import FillStatus
from domain.order import OrderSide
from domain.reports import Accepted, OrderReport, Rejected, TradeReport
from infra.clock import SystemClock
from markets.books import Books
from tests.fuzz import corpus
from tests.fuzz.mutate import Mutator
from tests.fuzz.reference_book import ReferenceBooks, read_objects
from tests.venues.polymarket.listeners import AccountDiary
from venues.polymarket.account_wire import MOST, Identity
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.http1 import Answer
from venues.polymarket.market_codec import Heard, MarketCodec
from venues.polymarket.order_answers import read_answer
from venues.polymarket.user_feed import PolymarketAccountFeed

_TOKENS = corpus.MARKET.token_ids


class MarketFrames:
    """The market channel's decoder and the books behind it, beside the reference.

    After every frame a trusted book equals the reference. A frame that cannot be read costs the books it names their trust; they are
    given a new snapshot before the next one.
    """

    name = "market channel"

    def __init__(self, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self._mutator = Mutator(corpus.MARKET_FRAMES, seed)
        self._begin()

    def _begin(self) -> None:
        self._books = Books(SystemClock(), lambda token: None)
        self._books.watch(corpus.MARKET)
        self._reference = ReferenceBooks(_TOKENS, Decimal("0.01"))
        heard: Heard = dict.fromkeys(_TOKENS)
        self._codec = MarketCodec(self._books, heard, self._on_unreadable)
        self._feed(corpus.MARKET_FRAMES[0])

    def _on_unreadable(self, token_ids: list[str]) -> None:
        self._books.on_gap(token_ids, "unreadable")

    def step(self) -> None:
        self._feed(self._mutator.frame())
        if not all(self._trusted(token) for token in _TOKENS):
            self._begin()

    def _feed(self, frame: bytes) -> None:
        bad, malformed = self._codec.bad, self._books.counters.malformed
        self._codec.feed(frame, 1)
        if self._codec.bad > bad:
            self.counts["refused"] += 1
            for token in _TOKENS:
                named = f'"{token}"'.encode() in frame
                assert not (named and self._trusted(token)) or frame[:1] == b"[", frame
            # What the good parts of an array said is not followed: its books begin anew.
            self._books.on_gap(_TOKENS, "begin anew")
            return
        nonsense = self._follow(frame)
        self.counts["malformed" if self._books.counters.malformed > malformed else "read"] += 1
        for token in nonsense:
            assert not self._trusted(token), (token, frame)
        for token in _TOKENS:
            if self._trusted(token):
                self._compare(token, frame)

    def _follow(self, frame: bytes) -> set[str]:
        nonsense: set[str] = set()
        for event in read_objects(frame):
            named = _with_kind(event)
            found = self._reference.apply(named)
            if named["event_type"] == "book" and not found:
                nonsense.discard(named["asset_id"])  # a good snapshot makes up for what came before it
            nonsense |= found
        return nonsense

    def _trusted(self, token: str) -> bool:
        book = self._books.get(token)
        assert book is not None
        return book.trusted

    def _compare(self, token: str, frame: bytes) -> None:
        book, truth = self._books.get(token), self._reference.books[token]
        assert book is not None
        for side, levels in ((OrderSide.BUY, truth.bids), (OrderSide.SELL, truth.asks)):
            indices, sizes = book.venue_levels(side)
            held = {book.grid.micros[index]: size for index, size in zip(indices, sizes, strict=True)}
            expected = {int(price * 1_000_000): float(size) for price, size in levels.items()}
            assert held == expected, (token, side, frame)
        assert book.venue_best_bid == max((int(price * 1_000_000) for price in truth.bids), default=0)
        assert book.venue_best_ask == min((int(price * 1_000_000) for price in truth.asks), default=1_000_000)


def _with_kind(event: dict) -> dict:
    """Name the event of a frame that lost its `event_type`, by the fields only it has."""
    if event.get("event_type"):
        return event
    fields = (("price_changes", "price_change"), ("bids", "book"), ("new_tick_size", "tick_size_change"))
    kind = next((kind for name, kind in fields if event.get(name) not in (None, "")), "")
    return {**event, "event_type": kind}


class UserFrames:
    """The account channel's decoder: whatever it reports is possible, about us, and stated in the frame."""

    name = "user channel"

    def __init__(self, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self._mutator = Mutator(corpus.USER_FRAMES, seed)
        self._diary = AccountDiary()
        credentials = ApiCredentials("0xE0A", corpus.KEY, "c2VjcmV0", "pass")
        self._feed = PolymarketAccountFeed(
            "ws://127.0.0.1:1", credentials, Identity(corpus.KEY, corpus.WALLET), clock=SystemClock(), rng=None
        )
        self._feed._listener = self._diary

    def step(self) -> None:
        frame, refused = self._mutator.frame(), self._feed.refused
        self._diary.events.clear()
        self._feed.on_data(frame)
        self.counts["refused" if self._feed.refused > refused else "read"] += 1
        for report in self._diary.events:
            if isinstance(report, TradeReport):
                self._check_trade(report, frame)
            elif isinstance(report, OrderReport):
                self._check_order(report)

    @staticmethod
    def _check_trade(report: TradeReport, frame: bytes) -> None:
        assert 0 < report.price < 1_000_000, frame
        assert 0 < report.size <= MOST * 50, frame  # the entries of one order are summed
        assert isinstance(report.status, FillStatus)
        assert isinstance(report.side, OrderSide)
        owned = corpus.KEY.encode() in frame or corpus.WALLET.lower().encode() in frame.lower()
        assert owned or b"\\u" in frame, frame

    @staticmethod
    def _check_order(report: OrderReport) -> None:
        assert 0 <= report.price <= 1_000_000
        assert report.original_size >= 0
        assert report.size_matched is None or 0 <= report.size_matched <= MOST


class OrderAnswers:
    """The reader of answers to orders: never raises, and takes nothing for proof that names another order or reports an error."""

    name = "order answers"

    def __init__(self, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self._mutator = Mutator(corpus.ORDER_ANSWERS, seed)
        self._statuses: Iterable[int] = (200, 200, 200, 201, 400, 401, 403, 404, 408, 425, 429, 500, 502, 503)
        self._number = 0

    def step(self) -> None:
        self._number += 1
        status = tuple(self._statuses)[self._number % 14]
        body = self._mutator.frame()
        outcome = read_answer(corpus.ORDER_ID, Answer(status, {}, body, reusable=True), 1_777_374_000)
        assert outcome.order_id == corpus.ORDER_ID
        self.counts[type(outcome).__name__.lower()] += 1
        if isinstance(outcome, Accepted):
            stated = json.loads(body.decode("utf-8", "replace"), strict=False)
            assert status == 200
            assert stated["orderID"] == corpus.ORDER_ID
            assert stated["success"] is True
            assert not stated.get("errorMsg")
        elif isinstance(outcome, Rejected):
            assert outcome.code
            assert status < 500 or status == 503


TARGETS = (MarketFrames, UserFrames, OrderAnswers)
