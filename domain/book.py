"""Market data as it crosses the feed's border.

Prices and sizes of books keep the venue's decimal text: a book maps price text to its tick through a dictionary, several times faster than
parsing a number (sizes become floats there, exact to a micro-unit below 9e9). Structs without garbage-collector tracking, because
thousands of them pass every second.
"""

from __future__ import annotations

import msgspec


class LevelChange(msgspec.Struct, gc=False):
    """The new absolute size at one price level; size "0" deletes it. `side` is BUY (bids) or SELL (asks).

    `best_bid` and `best_ask` are the venue's own view after the change ("" when it sends none), for drift checks.
    """

    token_id: str
    side: str
    price: str
    size: str
    best_bid: str = ""
    best_ask: str = ""


class BookDelta(msgspec.Struct, gc=False):
    """Level changes of one market that belong together (a placement touches the token and its mirror)."""

    condition_id: str
    changes: list[LevelChange]
    venue_ms: int
    received_ns: int


class Level(msgspec.Struct, gc=False):
    price: str
    size: str


class BookSnapshot(msgspec.Struct, gc=False):
    """A whole book that replaces local state. `bids` ascend and `asks` descend: the best level is the last one."""

    token_id: str
    condition_id: str
    bids: list[Level]
    asks: list[Level]
    venue_ms: int
    received_ns: int
    tick: int | None = None
    hash: str = ""
    last_trade_price: str = ""


class TradePrint(msgspec.Struct, gc=False):
    """A public trade. `side` is the taker's, `price` and `size` are micro-units of the traded token."""

    token_id: str
    condition_id: str
    side: str
    price: int
    size: int
    venue_ms: int
    received_ns: int


class TickSizeChange(msgspec.Struct, gc=False):
    token_id: str
    condition_id: str
    old_tick: int
    new_tick: int
    venue_ms: int
    received_ns: int


class MarketResolved(msgspec.Struct, gc=False):
    condition_id: str
    winning_token_id: str
    venue_ms: int
    received_ns: int


class MarketListed(msgspec.Struct, gc=False):
    """A new market was announced; its details come from the catalogue."""

    condition_id: str
    token_ids: list[str]
    venue_ms: int
    received_ns: int
