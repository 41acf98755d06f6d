"""Books that may be wrong: since when, and the snapshots that are asked for to put them right.

A book that looks wrong (crossed, or not the best prices the venue names) has `PATIENCE` seconds to look right again; a malformed message or the
end of patience takes its trust and asks for a snapshot. Requests for one token back off from a second to a minute. Changes that arrive meanwhile
are held: the snapshot may be older than some of them. Too many of them mean that it is not coming; then another one is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import structlog

from domain.book import LevelChange
from domain.ports import Clock
from markets.order_book import OrderBook

PATIENCE = 1.0
"""Seconds a book may look wrong before it is taken for wrong."""
FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
HELD_CHANGES = 20_000

_log = structlog.get_logger(__name__)


class _Doubt(msgspec.Struct):
    """`since`: the monotonic time from which the book has looked wrong, None while it looks right. `held`: None before a snapshot is asked for."""

    since: float | None = None
    needs_snapshot: bool = False
    held: list[tuple[int, LevelChange]] | None = None


class _Pace(msgspec.Struct):
    """When a token's snapshot was last asked for, and the seconds before it may be asked for again."""

    asked: float
    wait: float = FIRST_WAIT


class Doubts:
    """Watches the books that look wrong; `open` is empty while none does. Call `check` a few times a second."""

    def __init__(self, clock: Clock, request_snapshot: Callable[[str], None]) -> None:
        self._clock = clock
        self._request_snapshot = request_snapshot
        self.open: dict[str, _Doubt] = {}
        self._paces: dict[str, _Pace] = {}

    def looks_wrong(self, book: OrderBook) -> None:
        doubt = self.open.setdefault(book.token_id, _Doubt())
        if doubt.since is None:
            doubt.since = self._clock.monotonic()

    def looks_right(self, book: OrderBook) -> None:
        doubt = self.open.get(book.token_id)
        if doubt is not None:
            doubt.since = None
            if not doubt.needs_snapshot:
                del self.open[book.token_id]

    def distrust(self, book: OrderBook) -> None:
        """Take the book's trust and ask for a snapshot, now or when its pace allows."""
        book.trusted = False
        doubt = self.open.setdefault(book.token_id, _Doubt())
        doubt.needs_snapshot = True
        self._ask(book.token_id, doubt, self._clock.monotonic())

    def hold(self, change: LevelChange, venue_ms: int) -> None:
        """Keep a change if its book waits for a snapshot."""
        doubt = self.open.get(change.token_id)
        if doubt is None or doubt.held is None:
            return
        if len(doubt.held) < HELD_CHANGES:
            doubt.held.append((venue_ms, change))
        else:
            doubt.held = None

    def asked(self, token_id: str) -> bool:
        """Tell whether a snapshot of the token was asked for and everything since is held."""
        doubt = self.open.get(token_id)
        return doubt is not None and doubt.held is not None

    def settle(self, token_id: str) -> list[tuple[int, LevelChange]]:
        """End the doubt about a book that got its snapshot; return the changes held, with the venue's time of each."""
        doubt = self.open.pop(token_id, None)
        return (doubt.held or []) if doubt else []

    def forget(self, token_id: str) -> None:
        """Drop everything about a token that is not watched any more."""
        self.open.pop(token_id, None)
        self._paces.pop(token_id, None)

    def check(self, books: Mapping[str, OrderBook]) -> None:
        """Distrust the books that have looked wrong for too long, and ask (again) for the snapshots that are due."""
        now = self._clock.monotonic()
        for token_id, doubt in list(self.open.items()):
            if doubt.needs_snapshot:
                self._ask(token_id, doubt, now)
            elif doubt.since is not None and now - doubt.since >= PATIENCE:
                _log.warning("book_drifted", token_id=token_id, crossed=books[token_id].crossed)
                self.distrust(books[token_id])

    def _ask(self, token_id: str, doubt: _Doubt, now: float) -> None:
        pace = self._paces.get(token_id)
        if pace is None or now - pace.asked > 2 * LONGEST_WAIT:
            self._paces[token_id] = _Pace(now)
        elif now - pace.asked >= pace.wait:
            pace.asked, pace.wait = now, min(pace.wait * 2, LONGEST_WAIT)
        else:
            return
        if doubt.held is None:
            doubt.held = []
        self._request_snapshot(token_id)
