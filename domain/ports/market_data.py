"""What can be traded and at what price: the public side of a venue. A feed that may have missed something says so; a listing is whole or raises."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from domain.book import BookDelta, BookSnapshot, MarketListed, MarketResolved, TickSizeChange, TradePrint
from domain.market import ConditionGroup, Market


class FeedListener(Protocol):
    """Receives public market data."""

    def on_snapshot(self, snapshot: BookSnapshot) -> None: ...
    def on_delta(self, delta: BookDelta) -> None: ...
    def on_trade(self, trade: TradePrint) -> None: ...
    def on_tick_size(self, change: TickSizeChange) -> None: ...
    def on_resolved(self, resolved: MarketResolved) -> None: ...
    def on_listed(self, listed: MarketListed) -> None: ...

    def on_gap(self, token_ids: Iterable[str], reason: str) -> None:
        """Books of `token_ids` must not be trusted until their next snapshot."""


class MarketFeed(Protocol):
    """Public market data of one venue. Reconnects by itself and says so through `on_gap` followed by new snapshots."""

    async def start(self, listener: FeedListener) -> None: ...
    async def watch(self, token_ids: Sequence[str]) -> None: ...
    async def unwatch(self, token_ids: Sequence[str]) -> None: ...
    def request_snapshot(self, token_id: str) -> None:
        """Ask for a fresh book of one token (drift); it arrives as `on_snapshot`. Repeated requests within a second are one."""

    async def stop(self) -> None: ...

    @property
    def connected(self) -> bool: ...

    @property
    def last_message_ns(self) -> int:
        """Return when the last data frame (not PONG) arrived, 0 before the first."""

    @property
    def refused(self) -> int:
        """Return how many frames could not be believed: they change nothing, and their books are asked for again."""


class MarketCatalog(Protocol):
    """Lists what a venue trades; `venue` is the name that all its markets carry."""

    @property
    def venue(self) -> str: ...

    async def markets(self) -> tuple[list[Market], list[ConditionGroup]]:
        """Return all open markets and their events. Raises `VenueError` when the listing broke off."""

    async def market(self, condition_id: str) -> Market | None:
        """Return one market as it is now, None when the venue does not know it. Raises `VenueError`."""
