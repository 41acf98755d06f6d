"""Tells a quiet market from a deaf socket by comparing silent assets with the REST book.

Equal best prices mean quiet. Different ones, with the asset still silent a moment later, mean that the socket has missed changes. When REST
cannot be read nothing is concluded; when REST keeps contradicting fresh sockets it is REST that is stale, so such assets are compared ever
less often.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from domain.book import BookDelta, BookSnapshot
from domain.errors import MoneyError, VenueError
from domain.money import MICRO, parse_micros
from domain.ports import Clock
from venues.polymarket.shard import Shard

_log = structlog.get_logger(__name__)


WIDEST_SPREAD = 900_000
"""A wider book of REST says nothing about its market."""


class BookReader(Protocol):
    """Reads books by REST (`clob.ClobReader`)."""

    async def books(self, token_ids: Sequence[str]) -> list[BookSnapshot]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchfulness:
    """Seconds: how long silence is believed, how often it is looked for, how long a late frame is waited for.

    A request for a snapshot within `debounce` of the last one for the same token is the same request.
    """

    silence: float = 30.0
    every: float = 5.0
    grace: float = 2.0
    longest_silence: float = 600.0
    debounce: float = 1.0


class SilenceCheck:
    """Finds assets whose changes a socket has missed. `read_errors` counts comparisons that REST did not allow."""

    def __init__(self, reader: BookReader, clock: Clock, care: Watchfulness) -> None:
        self.checks = 0
        self.read_errors = 0
        self._reader = reader
        self._clock = clock
        self._care = care
        self._check_at: dict[str, float] = {}
        self._mismatches: dict[str, int] = {}

    def expect(self, token_ids: Sequence[str]) -> None:
        """Begin to watch over newly subscribed assets."""
        due = self._clock.monotonic() + self._care.silence
        self._check_at.update(dict.fromkeys(token_ids, due))

    def forget(self, token_id: str) -> None:
        self._check_at.pop(token_id, None)
        self._mismatches.pop(token_id, None)

    async def missed(self, shard: Shard) -> list[str]:
        """Return the shard's assets whose changes did not arrive."""
        silent = self._silent(shard)
        if not silent:
            return []
        self.checks += 1
        different = await self._different(shard, silent)
        if different:
            # A change may be on its way: only assets that stay silent were missed.
            await asyncio.sleep(self._care.grace)
            different = await self._different(shard, different)
        now = self._clock.monotonic()
        for token_id in silent:
            if token_id in shard.heard:
                self._schedule(token_id, now, differs=token_id in different)
        return different

    def _silent(self, shard: Shard) -> list[str]:
        now, now_ns = self._clock.monotonic(), self._clock.now_ns()
        limit_ns = int(self._care.silence * 1e9)
        expects_books = now - shard.opened_at < self._care.silence
        return [
            token_id
            for token_id, event in shard.heard.items()
            if now >= self._check_at[token_id]
            and (not expects_books if event is None else now_ns - event.received_ns >= limit_ns)
        ]

    async def _different(self, shard: Shard, token_ids: Sequence[str]) -> list[str]:
        """Return the tokens whose best prices by REST are not those last heard on the socket before the question."""
        before = {token_id: shard.heard.get(token_id) for token_id in token_ids}
        try:
            snapshots = await self._reader.books(token_ids)
        except VenueError as error:
            self.read_errors += 1
            _log.warning("silent books could not be compared", error=str(error))
            return []
        return [
            snapshot.token_id
            for snapshot in snapshots
            if plausible(snapshot)
            and snapshot.token_id in before
            and shard.heard.get(snapshot.token_id) is (heard := before[snapshot.token_id])
            and not _agree(snapshot, heard)
        ]

    def _schedule(self, token_id: str, now: float, *, differs: bool) -> None:
        count = self._mismatches[token_id] = self._mismatches.get(token_id, 0) + 1 if differs else 0
        self._check_at[token_id] = now + min(self._care.silence * 2 ** min(count, 20), self._care.longest_silence)


def _agree(snapshot: BookSnapshot, heard: BookDelta | BookSnapshot | None) -> bool:
    """Tell whether a REST book and the last event heard of its token show the same best prices."""
    if heard is None:
        return False
    if isinstance(heard, BookSnapshot):
        return heard.hash == snapshot.hash != "" or _best(heard) == _best(snapshot)
    last = next(change for change in reversed(heard.changes) if change.token_id == snapshot.token_id)
    if not last.best_bid and not last.best_ask:
        return True
    return (_price(last.best_bid, 0), _price(last.best_ask, MICRO)) == _best(snapshot)


def plausible(snapshot: BookSnapshot) -> bool:
    """Tell whether a REST book may be believed: REST sometimes answers with an old 0.01 bid and 0.99 ask while the market is elsewhere."""
    bid, ask = _best(snapshot)
    return ask - bid <= WIDEST_SPREAD


def _best(snapshot: BookSnapshot) -> tuple[int, int]:
    bid = snapshot.bids[-1].price if snapshot.bids else ""
    ask = snapshot.asks[-1].price if snapshot.asks else ""
    return _price(bid, 0), _price(ask, MICRO)


def _price(text: str, empty: int) -> int:
    """Return a best price, `empty` for an empty side (which the venue writes as nothing or zero), -1 for text that is no price."""
    try:
        return (parse_micros(text) or empty) if text else empty
    except MoneyError:
        return -1
