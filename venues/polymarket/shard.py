"""One connection of the market channel with at most 400 assets: above some 500 the venue stops sending the initial books."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import msgspec

from domain.ports import Clock, FeedListener
from venues.polymarket.backoff import Backoff
from venues.polymarket.channel import Channel, Keepalive
from venues.polymarket.market_codec import Heard, MarketCodec

ASSETS_PER_SHARD = 400
DUMP_DELAY = 0.25
"""Seconds over which books to be sent again are collected: unreadable frames may come in numbers."""


class Shard:
    """A socket and the assets it is subscribed to. `heard` maps each of them to its last book event on this socket."""

    def __init__(
        self, url: str, listener: FeedListener, *, clock: Clock, backoff: Backoff, keepalive: Keepalive | None = None
    ) -> None:
        self.heard: Heard = {}
        self.codec = MarketCodec(listener, self.heard, self._on_unreadable)
        self.channel = Channel(url, self, clock=clock, backoff=backoff, keepalive=keepalive)
        self.last_message_ns = 0
        self.opened_at = 0.0
        self._listener = listener
        self._clock = clock
        self._now_ns = clock.now_ns
        self._task: asyncio.Task[None] | None = None
        self._doubtful: set[str] = set()
        self._dump_timer: asyncio.TimerHandle | None = None

    @property
    def room(self) -> int:
        return ASSETS_PER_SHARD - len(self.heard)

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self.channel.run(), name="market channel")

    async def stop(self) -> None:
        if self._dump_timer is not None:
            self._dump_timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    def add(self, token_ids: Sequence[str]) -> None:
        """Watch more assets, at once when the socket is open."""
        self.heard.update(dict.fromkeys(token_ids))
        self._operate("subscribe", token_ids)

    def remove(self, token_ids: Sequence[str]) -> None:
        for token_id in token_ids:
            del self.heard[token_id]
        self._operate("unsubscribe", token_ids)

    def dump_again(self, token_ids: Sequence[str]) -> None:
        """Have the venue send the books of these assets again, in line with the changes around them."""
        self._operate("unsubscribe", token_ids)
        self._operate("subscribe", token_ids)

    def hello(self) -> bytes:
        return msgspec.json.encode({"type": "market", "assets_ids": list(self.heard), "custom_feature_enabled": True})

    def on_open(self) -> None:
        self.opened_at = self._clock.monotonic()

    def on_data(self, data: bytes) -> None:
        self.last_message_ns = now = self._now_ns()
        self.codec.feed(data, now)

    def on_lost(self, reason: str) -> None:
        lost = list(self.heard)
        self.heard.update(dict.fromkeys(lost))
        self._listener.on_gap(lost, reason)

    def _on_unreadable(self, token_ids: list[str]) -> None:
        self._listener.on_gap(token_ids, "a frame that names them could not be read")
        self._doubtful.update(token_ids)
        if self._dump_timer is None:
            self._dump_timer = asyncio.get_running_loop().call_later(DUMP_DELAY, self._dump_doubtful)

    def _dump_doubtful(self) -> None:
        """Have the doubtful books sent again; those of a connection lost meanwhile come with the next one."""
        self._dump_timer = None
        if token_ids := [token_id for token_id in self.heard if token_id in self._doubtful]:
            self.dump_again(token_ids)
        self._doubtful.clear()

    def _operate(self, operation: str, token_ids: Iterable[str]) -> None:
        frame: dict[str, object] = {"operation": operation, "assets_ids": list(token_ids)}
        if operation == "subscribe":
            frame["custom_feature_enabled"] = True
        self.channel.send(msgspec.json.encode(frame))
