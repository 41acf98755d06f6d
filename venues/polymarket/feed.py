"""The market channel as a `MarketFeed`: tokens spread over sockets, snapshots on request, deaf sockets replaced.

A socket may stay open and answer pings while it delivers nothing (`silence` finds out). Every loss is told through `on_gap`; new books
follow by themselves. What the venue announces to every socket (new markets) is passed on as often as it is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from random import Random

import structlog

from domain.errors import VenueError
from domain.ports import Clock, FeedListener
from venues.polymarket.backoff import Backoff
from venues.polymarket.channel import Keepalive
from venues.polymarket.shard import Shard
from venues.polymarket.silence import BookReader, SilenceCheck, Watchfulness, plausible

_log = structlog.get_logger(__name__)


class PolymarketFeed:
    """Public market data (implements `domain.ports.MarketFeed`).

    A snapshot that was asked for comes from REST unless the socket has already told newer changes of that token; then the venue is asked
    to send the book in line with them. `deaf_sockets` counts replaced ones.
    """

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
        self.deaf_sockets = 0
        self._url = ws_url + "/ws/market"
        self._reader = reader
        self._clock = clock
        self._rng = rng
        self._keepalive = keepalive
        self._care = watchfulness or Watchfulness()
        self.silence = SilenceCheck(reader, clock, self._care)
        self._listener: FeedListener | None = None
        self._shards: list[Shard] = []
        self._shard_of: dict[str, Shard] = {}
        self._requested_at: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, listener: FeedListener) -> None:
        """Begin to pass data to `listener`. Sockets open with the first watched tokens."""
        if self._listener is not None:
            raise RuntimeError("the feed was started twice")
        self._listener = listener
        self._spawn(self._watchdog())

    async def watch(self, token_ids: Sequence[str]) -> None:
        """Subscribe to tokens; those already watched are left alone. Their books arrive as snapshots.

        Name the two tokens of a market next to each other: then one socket carries both.
        """
        listener = self._require_listener()
        new = [token_id for token_id in dict.fromkeys(token_ids) if token_id not in self._shard_of]
        while new:
            shard = next((s for s in self._shards if s.room > 0), None) or self._new_shard(listener)
            part, new = new[: shard.room], new[shard.room :]
            shard.add(part)
            shard.start()
            self._shard_of.update(dict.fromkeys(part, shard))
            self.silence.expect(part)

    async def unwatch(self, token_ids: Sequence[str]) -> None:
        """Stop watching tokens; a shard without assets closes its socket."""
        for shard in list(self._shards):
            part = [token_id for token_id in dict.fromkeys(token_ids) if self._shard_of.get(token_id) is shard]
            if not part:
                continue
            shard.remove(part)
            for token_id in part:
                del self._shard_of[token_id]
                self.silence.forget(token_id)
                self._requested_at.pop(token_id, None)
            if not shard.heard:
                self._shards.remove(shard)
                await shard.stop()

    def request_snapshot(self, token_id: str) -> None:
        """Fetch a fresh book of a watched token; it arrives as `on_snapshot`."""
        now = self._clock.monotonic()
        last = self._requested_at.get(token_id)
        if token_id not in self._shard_of or (last is not None and now - last < self._care.debounce):
            return
        self._requested_at[token_id] = now
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
    def refused(self) -> int:
        """Return how many frames of the open connections could not be believed."""
        return sum(shard.codec.bad for shard in self.shards)

    @property
    def last_message_ns(self) -> int:
        """Return when the last data frame arrived, 0 before the first."""
        return max((shard.last_message_ns for shard in self._shards), default=0)

    @property
    def shards(self) -> Sequence[Shard]:
        """Return the connections with their counters."""
        return tuple(self._shards)

    def _new_shard(self, listener: FeedListener) -> Shard:
        shard = Shard(self._url, listener, clock=self._clock, backoff=Backoff(self._rng), keepalive=self._keepalive)
        self._shards.append(shard)
        return shard

    async def _watchdog(self) -> None:
        while True:
            await asyncio.sleep(self._care.every)
            for shard in list(self._shards):
                try:
                    await self._look_after(shard)
                except Exception:  # noqa: BLE001 - logged; without the watchdog a deaf socket would never be found
                    _log.exception("a socket could not be checked for silence")

    async def _look_after(self, shard: Shard) -> None:
        connection = shard.channel.connections
        if shard.channel.open:
            missed = await self.silence.missed(shard)
            if missed and shard.channel.connections == connection:
                self._repair(shard, missed)

    def _repair(self, shard: Shard, missed: Sequence[str]) -> None:
        """Fetch books that a working socket never sent; replace a socket that missed changes or sent nothing at all."""
        never_sent = [token_id for token_id in missed if shard.heard.get(token_id) is None]
        if len(never_sent) == len(missed) and any(event is not None for event in shard.heard.values()):
            for token_id in never_sent:
                self.request_snapshot(token_id)
            return
        self.deaf_sockets += 1
        shard.channel.drop(f"silent while {len(missed)} of its books changed")

    async def _refresh(self, token_id: str) -> None:
        try:
            snapshots = await self._reader.books((token_id,))
        except VenueError as error:
            _log.warning("a requested book could not be read", token_id=token_id, error=str(error))
            snapshots = []
        shard, listener = self._shard_of.get(token_id), self._listener
        if shard is None or listener is None:
            return
        heard = shard.heard[token_id]
        for snapshot in snapshots:
            if not plausible(snapshot):
                _log.warning("a requested book was stale or empty, it is asked for on the channel", token_id=token_id)
            elif snapshot.token_id == token_id and (heard is None or heard.venue_ms <= snapshot.venue_ms):
                shard.heard[token_id] = snapshot
                listener.on_snapshot(snapshot)
                return
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
