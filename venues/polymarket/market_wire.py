"""Frames of the market channel, decoded straight into the domain's structs: no intermediate objects, no copies.

`price_change` frames, nearly all of the traffic, have a decoder of their own. Everything else goes through one struct that knows the
fields of every other event; `read_event` turns it into the domain's event. Whatever does not fit raises one of `BAD_FRAME`.
Source: the venue's market channel documentation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import msgspec

from domain.book import (
    BookDelta,
    BookSnapshot,
    Level,
    LevelChange,
    MarketListed,
    MarketResolved,
    TickSizeChange,
    TradePrint,
)
from domain.errors import MoneyError
from domain.money import MICRO, parse_micros
from domain.order import OrderSide
from domain.ticks import TICK_SIZES
from venues.polymarket.decoding import UNDECODABLE

PRICE_CHANGE_TAIL = b'"event_type":"price_change"}'
"""How the venue ends such a frame: `event_type` is its last key. Frames that end otherwise are merely decoded more slowly."""

MAX_TRADE_SIZE = 10**9 * MICRO
"""A billion shares: more than exist of any token, so a larger trade is a broken frame."""


class FrameError(ValueError):
    """A frame that is well-formed JSON but says something impossible."""


BAD_FRAME = (*UNDECODABLE, MoneyError, FrameError)
"""What decoding a bad frame raises."""

MarketEvent = BookDelta | BookSnapshot | TradePrint | TickSizeChange | MarketResolved | MarketListed


class WireChange(LevelChange, gc=False, rename={"token_id": "asset_id"}):
    token_id: str


class WireDelta(
    BookDelta, gc=False, rename={"condition_id": "market", "changes": "price_changes", "venue_ms": "timestamp"}
):
    condition_id: str
    changes: list[WireChange]  # type: ignore[assignment]
    venue_ms: int
    received_ns: int = 0


class WireEvent(msgspec.Struct, gc=False):
    """The fields of all other events, each present in some of them."""

    market: str
    timestamp: int
    event_type: str = ""
    asset_id: str = ""
    bids: list[Level] | None = None
    asks: list[Level] | None = None
    hash: str = ""
    tick_size: str = ""
    last_trade_price: str | None = None
    price_changes: list[WireChange] | None = None
    price: str = ""
    size: str = ""
    side: str = ""
    new_tick_size: str = ""
    old_tick_size: str = ""
    assets_ids: list[str] = []
    winning_asset_id: str | None = None
    best_bid: str | None = None
    question: str | None = None


# Timestamps travel as digits in a string; the lax mode turns exactly that into an integer and leaves string fields alone.
decode_delta = msgspec.json.Decoder(WireDelta, strict=False).decode
_decode_event = msgspec.json.Decoder(WireEvent, strict=False).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


def split_frame(data: bytes) -> Iterable[bytes | msgspec.Raw]:
    """Return the JSON objects of a frame, which is one object or an array of objects."""
    return _decode_array(data) if data[:1] == b"[" else (data,)


def read_event(data: bytes | msgspec.Raw, received_ns: int) -> MarketEvent | None:
    """Return the event of one JSON object, None for an event that carries nothing for us."""
    event = _decode_event(data)
    match event.event_type or _kind_by_fields(event):
        case "book":
            return _snapshot(event, received_ns)
        case "price_change":
            if event.price_changes is None:
                raise FrameError("a price_change frame had no price_changes")
            changes = cast("list[LevelChange]", event.price_changes)
            return BookDelta(event.market, changes, event.timestamp, received_ns)
        case "last_trade_price":
            return _trade(event, received_ns)
        case "tick_size_change":
            return TickSizeChange(
                _token(event),
                event.market,
                parse_micros(event.old_tick_size),
                _tick(event.new_tick_size),
                event.timestamp,
                received_ns,
            )
        case "market_resolved":
            return MarketResolved(event.market, event.winning_asset_id or "", event.timestamp, received_ns)
        case "new_market":
            return MarketListed(event.market, event.assets_ids, event.timestamp, received_ns)
        case _:
            return None


def _kind_by_fields(event: WireEvent) -> str:
    """Name the event of a frame that came without `event_type`, by the fields only it has."""
    if event.price_changes is not None:
        return "price_change"
    if event.bids is not None:
        return "book"
    if event.new_tick_size:
        return "tick_size_change"
    if event.winning_asset_id is not None:
        return "market_resolved"
    if event.best_bid is not None:
        return "best_bid_ask"
    if event.question is not None:
        return "new_market"
    if event.price and event.size:
        return "last_trade_price"
    raise FrameError("the frame has no event_type and no fields that tell one")


def _snapshot(event: WireEvent, received_ns: int) -> BookSnapshot:
    if event.bids is None or event.asks is None:
        raise FrameError("a book frame had no bids or no asks")
    return BookSnapshot(
        _token(event),
        event.market,
        event.bids,
        event.asks,
        event.timestamp,
        received_ns,
        tick=_tick(event.tick_size) if event.tick_size else None,
        hash=event.hash,
        last_trade_price=event.last_trade_price or "",
    )


def _trade(event: WireEvent, received_ns: int) -> TradePrint:
    price, size = parse_micros(event.price), parse_micros(event.size)
    if not 0 < price < MICRO or not 0 < size <= MAX_TRADE_SIZE:
        raise FrameError(f"a trade was at {event.price!r} for {event.size!r} shares")
    try:
        side = OrderSide(event.side.lower())
    except ValueError:
        raise FrameError(f"a trade's side was {event.side!r}") from None
    return TradePrint(_token(event), event.market, side, price, size, event.timestamp, received_ns)


def _token(event: WireEvent) -> str:
    if not event.asset_id:
        raise FrameError(f"a {event.event_type or 'frame'} had no asset_id")
    return event.asset_id


def _tick(text: str) -> int:
    tick = parse_micros(text)
    if tick not in TICK_SIZES:
        raise FrameError(f"the tick size was {text!r}, which the venue does not document")
    return tick
