"""Turns frames of the market channel into calls of a `FeedListener`. The recorder's replay and the live feed share it.

A frame that cannot be read is counted, logged (at most once a second) and skipped; the frames behind it are not affected. It may have
been a change, so the watched tokens it names are told to `on_unreadable`. An exception of the listener is not a bad frame and propagates.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import structlog

from domain.book import BookDelta, BookSnapshot, MarketListed, MarketResolved, TickSizeChange, TradePrint
from domain.ports import FeedListener
from venues.polymarket.market_wire import (
    BAD_FRAME,
    PRICE_CHANGE_TAIL,
    MarketEvent,
    decode_delta,
    read_event,
    split_frame,
)

_log = structlog.get_logger(__name__)
_LOG_INTERVAL_NS = 1_000_000_000
_TOKEN = re.compile(rb'"(\d+)(?=")')

Heard = dict[str, BookDelta | BookSnapshot | None]
"""The last book event of each watched token, None before the first."""


class MarketCodec:
    """Decodes frames for one connection.

    With `heard`, only its tokens are passed on, and their last book event is kept in it: the two tokens of a market may live on different
    connections, which both receive every change of the market, and an older frame of one must not overwrite a newer one of the other.
    """

    __slots__ = ("_heard", "_last_logged_ns", "_listener", "_on_delta", "_on_unreadable", "bad", "frames", "ignored")

    def __init__(
        self,
        listener: FeedListener,
        heard: Heard | None = None,
        on_unreadable: Callable[[list[str]], None] | None = None,
    ) -> None:
        self._listener = listener
        self._on_delta = listener.on_delta
        self._heard = heard
        self._on_unreadable = on_unreadable
        self._last_logged_ns = 0
        self.frames = 0
        self.bad = 0
        self.ignored = 0

    def feed(self, data: bytes, received_ns: int) -> None:
        """Decode one frame that arrived at `received_ns` and pass on what it says."""
        self.frames += 1
        if not data.endswith(PRICE_CHANGE_TAIL):
            self._feed_other(data, received_ns)
            return
        try:
            delta = decode_delta(data)
        except BAD_FRAME as error:
            self._refuse(data, error, received_ns)
            return
        delta.received_ns = received_ns
        heard = self._heard
        if heard is not None:
            # The hot path: every change is of a watched token. One that is not takes the slower way.
            for change in delta.changes:
                token_id = change.token_id
                if token_id not in heard:
                    self._pass_delta(delta)
                    return
                heard[token_id] = delta
        self._on_delta(delta)

    def _feed_other(self, data: bytes, received_ns: int) -> None:
        try:
            objects = split_frame(data)
        except BAD_FRAME as error:
            self._refuse(data, error, received_ns)
            return
        for item in objects:
            try:
                event = read_event(item, received_ns)
            except BAD_FRAME as error:
                self._refuse(bytes(item), error, received_ns)
                continue
            self._pass(event)

    def _pass_delta(self, delta: BookDelta) -> None:
        heard = self._heard
        if heard is not None:
            delta.changes = [change for change in delta.changes if change.token_id in heard]
            heard.update((change.token_id, delta) for change in delta.changes)
        if delta.changes:
            self._on_delta(delta)
        else:
            self.ignored += 1

    def _pass(self, event: MarketEvent | None) -> None:
        listener, heard = self._listener, self._heard
        match event:
            case BookDelta():
                self._pass_delta(event)
            case MarketResolved():
                listener.on_resolved(event)
            case MarketListed():
                listener.on_listed(event)
            case None:
                self.ignored += 1
            case _ if heard is not None and event.token_id not in heard:
                self.ignored += 1
            case BookSnapshot():
                if heard is not None:
                    heard[event.token_id] = event
                listener.on_snapshot(event)
            case TradePrint():
                listener.on_trade(event)
            case TickSizeChange():
                listener.on_tick_size(event)

    def _refuse(self, data: bytes, error: Exception, received_ns: int) -> None:
        self.bad += 1
        if received_ns - self._last_logged_ns >= _LOG_INTERVAL_NS:
            self._last_logged_ns = received_ns
            start = data[:200].decode("utf-8", "replace")
            _log.warning(
                "market frame refused", error=str(error), frame=start, length=len(data), refused_so_far=self.bad
            )
        if self._heard and self._on_unreadable is not None:
            named = {text.decode() for text in _TOKEN.findall(data)}
            if doubtful := [token_id for token_id in self._heard if token_id in named]:
                self._on_unreadable(doubtful)
