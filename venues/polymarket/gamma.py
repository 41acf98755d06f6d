"""The catalogue: every open market and its event, read page by page from Gamma (implements `domain.ports.MarketCatalog`).

An item that cannot be read is skipped, counted and logged with its id and the reason; a page that cannot be read breaks the listing off with
`VenueError`, because what would be missing then is unknown. Gamma lags by minutes: its prices and flags describe, they are never traded on,
and the present state of a single market is completed from the order book service.
"""

from __future__ import annotations

import dataclasses

import msgspec
import structlog

from domain.errors import VenueError
from domain.market import ConditionGroup, Market, MarketStatus
from domain.money import from_float_rounded
from domain.ticks import TICK_SIZES
from venues.polymarket.clob import ClobMarket, ClobReader
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.gamma_wire import (
    ItemError,
    WireEvent,
    WireMarket,
    event_category,
    read_group,
    read_market,
)
from venues.polymarket.http import HttpClient

_log = structlog.get_logger(__name__)

PAGE_LIMIT = 100
MAX_PAGES = 2_000


class _EventsPage(msgspec.Struct):
    events: list[msgspec.Raw]
    next_cursor: str | None = None


class _MarketsPage(msgspec.Struct):
    markets: list[WireMarket]


_decode_page = msgspec.json.Decoder(_EventsPage).decode
_decode_event = msgspec.json.Decoder(WireEvent).decode
_decode_market = msgspec.json.Decoder(WireMarket).decode
_decode_markets = msgspec.json.Decoder(_MarketsPage).decode


class GammaCatalog:
    """Lists the markets of `venue`. `skipped` counts items left out since the start."""

    def __init__(self, http: HttpClient, clob: ClobReader, venue: str) -> None:
        self.venue = venue
        self.skipped = 0
        self._http = http
        self._clob = clob

    async def markets(self) -> tuple[list[Market], list[ConditionGroup]]:
        """Return all open markets and their events."""
        markets: dict[str, Market] = {}
        groups: dict[str, ConditionGroup] = {}
        cursors: set[str] = set()
        cursor = ""
        for _ in range(MAX_PAGES):
            query = [("limit", str(PAGE_LIMIT)), ("closed", "false")]
            content = await self._http.get("/events/keyset", [*query, ("after_cursor", cursor)] if cursor else query)
            try:
                page = _decode_page(content)
            except UNDECODABLE as error:
                raise VenueError(f"GET /events/keyset: the page was malformed: {error}") from error
            for item in page.events:
                self._read_event(item, markets, groups)
            cursor = page.next_cursor or ""
            if not cursor:
                return list(markets.values()), list(groups.values())
            if cursor in cursors:
                raise VenueError(f"GET /events/keyset: the cursor {cursor!r} came twice")
            cursors.add(cursor)
        raise VenueError(f"GET /events/keyset: more than {MAX_PAGES} pages")

    async def market(self, condition_id: str) -> Market | None:
        """Return one market as it is now."""
        for closed in ("false", "true"):
            query = (("condition_ids", condition_id), ("closed", closed), ("limit", "1"))
            content = await self._http.get("/markets/keyset", query)
            try:
                found = _decode_markets(content).markets
                listed = read_market(found[0], self.venue) if found else None
            except (*UNDECODABLE, ItemError) as error:
                raise VenueError(f"GET /markets/keyset: market {condition_id} was malformed: {error}") from error
            if listed is not None and listed.condition_id == condition_id:
                present = await self._clob.market(condition_id)
                if present is None:
                    return listed
                delay = await self._clob.taker_delay_ms(condition_id)
                return _at_present(
                    dataclasses.replace(listed, taker_delay_ms=max(listed.taker_delay_ms, delay)), present
                )
        return None

    def _read_event(self, item: msgspec.Raw, markets: dict[str, Market], groups: dict[str, ConditionGroup]) -> None:
        try:
            event = _decode_event(item)
        except UNDECODABLE as error:
            self._skip("event", _id_of(item), str(error))
            return
        group_id, category = str(event.id), event_category(event)
        members: dict[str, WireMarket] = {}
        for raw in event.markets:
            try:
                wire = _decode_market(raw)
                if wire.closed or not wire.enable_order_book or not (wire.clob_token_ids or wire.position_ids):
                    continue  # over, or never traded by orders: nothing to trade, nothing wrong
                market = read_market(wire, self.venue, group_id=group_id, category=category)
            except (*UNDECODABLE, ItemError) as error:
                self._skip("market", _id_of(raw), str(error))
                continue
            if markets.setdefault(market.id, market).group_id == group_id:
                members[market.id] = wire
        if members and group_id not in groups:
            try:
                groups[group_id] = read_group(event, members)
            except ItemError as error:
                self._skip("event", group_id, str(error))

    def _skip(self, kind: str, item_id: str, reason: str) -> None:
        self.skipped += 1
        _log.warning("listing item skipped", kind=kind, id=item_id, reason=reason)


class _Id(msgspec.Struct):
    id: str | int = "?"


def _id_of(item: msgspec.Raw) -> str:
    try:
        return str(msgspec.json.decode(item, type=_Id).id)
    except UNDECODABLE:
        return "?"


def _at_present(listed: Market, present: ClobMarket) -> Market:
    """Return the listed market with the state the order book service gives it; a winner it names is final."""
    winner = next(
        (
            listed.token_index(token.token_id)
            for token in present.tokens
            if token.winner and token.token_id in listed.token_ids
        ),
        None,
    )
    if winner is not None:
        return dataclasses.replace(listed, status=MarketStatus.SETTLED, winner=winner, accepting_orders=False)
    tick = from_float_rounded(present.minimum_tick_size) if present.minimum_tick_size else listed.tick
    return dataclasses.replace(
        listed,
        status=MarketStatus.CLOSED if present.closed and listed.status is MarketStatus.ACTIVE else listed.status,
        accepting_orders=present.accepting_orders and not present.closed and listed.status is MarketStatus.ACTIVE,
        tick=tick if tick in TICK_SIZES else listed.tick,
    )
