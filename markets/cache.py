"""Reads what `markets.publisher` writes: best prices and whole books of tokens, for web requests and the live push.

The functions take the answers of a pipeline that `queue_tops` or `queue_book` filled, so blocking and asyncio clients share them. A token that
nobody publishes has no top and an empty book. Redis errors are the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import redis

from markets import keys

Answers = Sequence[object]


class Pipeline(Protocol):
    """The commands used here, alike in redis-py's blocking and asyncio pipelines."""

    def hgetall(self, name: str) -> object: ...
    def zrange(self, name: str, start: int, end: int, desc: bool = False) -> object: ...


@dataclass(frozen=True, slots=True)
class Top:
    """Best prices (dollars) and sizes (shares) of one token, None where a side is empty, and the book's `version` at `at_ns`."""

    best_bid: float | None
    bid_size: float | None
    best_ask: float | None
    ask_size: float | None
    version: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class CachedBook:
    """Levels as (price, size) in dollars and shares, best first, as of `top`."""

    top: Top | None
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


def queue_tops(pipeline: Pipeline, token_ids: Sequence[str]) -> None:
    for token_id in token_ids:
        pipeline.hgetall(keys.bbo(token_id))


def parse_tops(token_ids: Sequence[str], answers: Answers) -> dict[str, Top]:
    """Return the tops of those tokens that have one; `answers` are those to `queue_tops`."""
    tops = ((token_id, _top(answer)) for token_id, answer in zip(token_ids, answers, strict=True))
    return {token_id: top for token_id, top in tops if top is not None}


def queue_book(pipeline: Pipeline, token_id: str) -> None:
    """Queue the reading of one book; the pipeline must be a transaction, or levels and version may not belong together."""
    pipeline.hgetall(keys.bbo(token_id))
    pipeline.zrange(keys.bids(token_id), 0, -1, desc=True)
    pipeline.hgetall(keys.bid_sizes(token_id))
    pipeline.zrange(keys.asks(token_id), 0, -1)
    pipeline.hgetall(keys.ask_sizes(token_id))


BOOK_ANSWERS = 5
"""Answers that one `queue_book` brings."""


def parse_book(answers: Answers) -> CachedBook:
    """Return the book of the answers to one `queue_book`."""
    top, bid_prices, bid_sizes, ask_prices, ask_sizes = answers
    return CachedBook(_top(top), _levels(bid_prices, bid_sizes), _levels(ask_prices, ask_sizes))


def read_tops(client: redis.Redis, token_ids: Sequence[str]) -> dict[str, Top]:
    """Return the tops of `token_ids` in one round trip."""
    pipeline = client.pipeline(transaction=False)
    queue_tops(pipeline, token_ids)
    return parse_tops(token_ids, pipeline.execute())


def read_books(client: redis.Redis, token_ids: Sequence[str]) -> dict[str, CachedBook]:
    """Return the books of `token_ids` in one round trip, each consistent in itself."""
    pipeline = client.pipeline(transaction=True)
    for token_id in token_ids:
        queue_book(pipeline, token_id)
    answers = pipeline.execute()
    return {
        token_id: parse_book(answers[i * BOOK_ANSWERS : (i + 1) * BOOK_ANSWERS]) for i, token_id in enumerate(token_ids)
    }


def _top(answer: object) -> Top | None:
    if not isinstance(answer, dict) or not answer:
        return None
    return Top(
        best_bid=_number(answer[b"best_bid"]),
        bid_size=_number(answer[b"bid_size"]),
        best_ask=_number(answer[b"best_ask"]),
        ask_size=_number(answer[b"ask_size"]),
        version=int(answer[b"version"]),
        at_ns=int(answer[b"timestamp"]),
    )


def _number(text: bytes) -> float | None:
    return float(text) if text else None


def _levels(prices: object, sizes: object) -> list[tuple[float, float]]:
    if not isinstance(prices, list) or not isinstance(sizes, dict):
        return []
    return [(float(price), float(sizes[price])) for price in prices]
