"""The market channel as a `MarketFeed`: shards, reconnects, and a watchdog that does not trust silence.

A socket may stay open and answer pings while it delivers nothing, and a quiet market delivers nothing either. Assets that have been silent
for a while are therefore compared with the REST book: equal means quiet, different (and still silent a moment later) means that the socket
is deaf, and it is replaced. Every loss is told through `on_gap`; new books follow. When REST cannot be read, nothing is concluded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

import structlog

from domain.book import BookDelta, BookSnapshot
from domain.errors import MoneyError, VenueError
from domain.money import MICRO, parse_micros
from domain.ports import Clock, FeedListener
from venues.polymarket.backoff import Backoff
from venues.polymarket.channel import Keepalive
from venues.polymarket.shard import Shard

_log = structlog.get_logger(__name__)


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
    attempts: int = 3


@dataclass(slots=True)
class FeedCounters:
    """What the watchdog did, for health and metrics."""

    cross_checks: int = 0
    deaf_sockets: int = 0
    snapshots_requested: int = 0
    read_errors: int = 0


class PolymarketFeed:
    """Public market data (implements `domain.ports.MarketFeed`)."""

    def __init__(
        self,
        ws_url: str,
        reader: BookReader,
        *,
        clock: Clock,
        rng: Random,
        keepalive: Keepalive | None = None,
        watchfulness: Watchfulness | None = None,
    ) -> None:
        self.counters = FeedCounters()
        self._url = ws_url + "/ws/market"
        self._reader = reader
        self._clock = clock
        self._rng = rng
        self._keepalive = keepalive
        self._care = watchfulness or Watchfulness()
        self._listener: FeedListener | None = None
        self._shards: list[Shard] = []
        self._shard_of: dict[str, Shard] = {}
        self._check_at: dict[str, float] = {}
        self._mismatches: dict[str, int] = {}
        self._requested_at: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, listener: FeedListener) -> None:
        """Begin to pass data to `listener`. Sockets open with the first watched tokens."""
        if self._listener is not None:
            raise RuntimeError("the feed was started twice")
        self._listener = listener
        self._spawn(self._watchdog())

    async def watch(self, token_ids: Sequence[str]) -> None:
        """Subscribe to tokens; those already watched are left alone. Their books arrive as snapshots."""
        listener = self._require_listener()
        new = [token_id for token_id in dict.fromkeys(token_ids) if token_id not in self._shard_of]
        while new:
            shard = next((s for s in self._shards if s.room > 0), None) or self._new_shard(listener)
            part, new = new[: shard.room], new[shard.room :]
            shard.add(part)
            shard.start()
            self._shard_of.update(dict.fromkeys(part, shard))
            due = self._clock.monotonic() + self._care.silence
            self._check_at.update(dict.fromkeys(part, due))

    async def unwatch(self, token_ids: Sequence[str]) -> None:
        """Stop watching tokens; a shard without assets closes its socket."""
        for shard in list(self._shards):
            part = [token_id for token_id in dict.fromkeys(token_ids) if self._shard_of.get(token_id) is shard]
            if not part:
                continue
            shard.remove(part)
            for token_id in part:
                del self._shard_of[token_id]
                for book in (self._check_at, self._mismatches, self._requested_at):
                    book.pop(token_id, None)
            if not shard.heard:
                self._shards.remove(shard)
                await shard.stop()

    def request_snapshot(self, token_id: str) -> None:
        """Fetch a fresh book of a watched token; it arrives as `on_snapshot`."""
        now = self._clock.monotonic()
        if token_id not in self._shard_of or now - self._requested_at.get(token_id, -1e9) < self._care.debounce:
            return
        self._requested_at[token_id] = now
        self.counters.snapshots_requested += 1
        self._spawn(self._refresh(token_id))

    async def stop(self) -> None:
        """Close all sockets. Nothing is passed to the listener afterwards."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for shard in self._shards:
            await shard.stop()
        self._shards.clear()
        self._shard_of.clear()
        self._listener = None

    @property
    def connected(self) -> bool:
        """Tell whether every socket is open and subscribed (False while nothing is watched)."""
        return bool(self._shards) and all(shard.channel.open for shard in self._shards)

    @property
    def last_message_ns(self) -> int:
        """Return when the last data frame arrived, 0 before the first."""
        return max((shard.last_message_ns for shard in self._shards), default=0)

    @property
    def shards(self) -> Sequence[Shard]:
        """Return the connections, for counters and health."""
        return tuple(self._shards)

    def _new_shard(self, listener: FeedListener) -> Shard:
        shard = Shard(self._url, listener, clock=self._clock, backoff=Backoff(self._rng), keepalive=self._keepalive)
        self._shards.append(shard)
        return shard

    async def _watchdog(self) -> None:
        while True:
            await asyncio.sleep(self._care.every)
            for shard in list(self._shards):
                silent = self._silent_tokens(shard)
                if silent and shard.channel.open:
                    await self._cross_check(shard, silent)

    def _silent_tokens(self, shard: Shard) -> list[str]:
        now, now_ns = self._clock.monotonic(), self._clock.now_ns()
        limit_ns = int(self._care.silence * 1e9)
        expects_books = now - shard.opened_at < self._care.silence
        return [
            token_id
            for token_id, event in shard.heard.items()
            if now >= self._check_at[token_id]
            and (not expects_books if event is None else now_ns - event.received_ns >= limit_ns)
        ]

    async def _cross_check(self, shard: Shard, token_ids: Sequence[str]) -> None:
        """Compare silent assets with REST; replace the socket when it has missed changes."""
        self.counters.cross_checks += 1
        connection = shard.channel.connections
        different = await self._different(shard, token_ids)
        if different:
            # A change may be on its way: only assets that stay silent were missed.
            await asyncio.sleep(self._care.grace)
            before = {token_id: shard.heard.get(token_id) for token_id in different}
            still = await self._different(shard, different)
            different = [t for t in still if shard.heard.get(t) is before[t]]
        now = self._clock.monotonic()
        for token_id in token_ids:
            if token_id in shard.heard:
                self._schedule_next_check(token_id, now, differs=token_id in different)
        if shard.channel.connections == connection:
            self._repair(shard, different)

    def _repair(self, shard: Shard, different: Sequence[str]) -> None:
        """Fetch books that a working socket never sent; replace a socket that missed changes or sent nothing at all."""
        never_sent = [token_id for token_id in different if shard.heard.get(token_id) is None]
        if len(never_sent) == len(different) and any(event is not None for event in shard.heard.values()):
            for token_id in never_sent:
                self.request_snapshot(token_id)
        elif different:
            self.counters.deaf_sockets += 1
            shard.channel.drop(f"silent while {len(different)} of its books changed")

    async def _different(self, shard: Shard, token_ids: Sequence[str]) -> list[str]:
        """Return the tokens whose best prices by REST are not those last heard on the socket."""
        before = {token_id: shard.heard.get(token_id) for token_id in token_ids}
        try:
            snapshots = await self._reader.books(token_ids)
        except VenueError as error:
            self.counters.read_errors += 1
            _log.warning("silent books could not be compared", error=str(error))
            return []
        different = []
        for snapshot in snapshots:
            token_id = snapshot.token_id
            heard = shard.heard.get(token_id)
            if token_id in before and heard is before[token_id] and not _agree(snapshot, heard):
                different.append(token_id)
        return different

    def _schedule_next_check(self, token_id: str, now: float, *, differs: bool) -> None:
        """Check again after a while, later each time REST keeps contradicting: then REST is the one that is stale."""
        count = self._mismatches[token_id] = self._mismatches.get(token_id, 0) + 1 if differs else 0
        self._check_at[token_id] = now + min(self._care.silence * 2 ** min(count, 20), self._care.longest_silence)

    async def _refresh(self, token_id: str) -> None:
        """Deliver the REST book of a token unless the socket knows newer; fall back to the socket's own dump."""
        for _ in range(self._care.attempts):
            try:
                snapshots = await self._reader.books((token_id,))
            except VenueError as error:
                self.counters.read_errors += 1
                _log.warning("a requested book could not be read", token_id=token_id, error=str(error))
                snapshots = []
            shard = self._shard_of.get(token_id)
            if shard is None:
                return
            heard = shard.heard[token_id]
            for snapshot in snapshots:
                if snapshot.token_id == token_id and (heard is None or heard.venue_ms <= snapshot.venue_ms):
                    shard.heard[token_id] = snapshot
                    self._require_listener().on_snapshot(snapshot)
                    return
            await asyncio.sleep(self._care.debounce)
        if (shard := self._shard_of.get(token_id)) is not None:
            shard.dump_again((token_id,))

    def _require_listener(self) -> FeedListener:
        if self._listener is None:
            raise RuntimeError("the feed was not started")
        return self._listener

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a task of the feed failed", exc_info=error)


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
