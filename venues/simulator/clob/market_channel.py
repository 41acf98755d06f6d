"""/ws/market: public books and trades, without authentication.

The first frame must subscribe; anything else, a PING too, closes with 1008 `invalid subscription payload`. After it come the text PING
(answered PONG) and `operation` subscribe or unsubscribe; a repeated first frame and frames nobody understands are ignored, as at the venue.
Named tokens get their books at once, in one array; unknown and closed tokens are left out of it.
"""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
import orjson
from aiohttp import WSCloseCode, WSMsgType, web

from venues.exchange.events import BookChanged, Event, MarketListed, MarketResolved, TickChanged, TradeMatched
from venues.simulator.clob import market_frames
from venues.simulator.clob.books import ShownBooks
from venues.simulator.clob.outbox import Outbox
from venues.simulator.http import UNREADABLE
from venues.simulator.venue import Venue
from venues.simulator.world.listings import Listing

FIRST_FRAME_SECONDS = 10.0


class Subscribe(msgspec.Struct):
    """The first frame."""

    type: str
    assets_ids: list[str]
    custom_feature_enabled: bool = False
    initial_dump: bool = True


class Change(msgspec.Struct):
    """A later frame."""

    operation: str
    assets_ids: list[str] = []
    custom_feature_enabled: bool | None = None


class Client:
    """One connection and what it asked for."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.tokens: set[str] = set()
        self.custom = False


class MarketChannel:
    """All connections of the market channel."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._clients: dict[Client, None] = {}
        self._by_token: dict[str, dict[Client, None]] = {}
        self._best: dict[str, tuple[int, int]] = {}
        venue.listen(self._publish)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it ends."""
        socket = web.WebSocketResponse(autoping=True, max_msg_size=1 << 20)
        await socket.prepare(request)
        first = await _first_frame(socket)
        if first is None:
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"invalid subscription payload")
            return socket
        client = Client(Outbox(request, socket, "market"))
        writer = asyncio.create_task(client.outbox.run())
        self._clients[client] = None
        try:
            client.custom = first.custom_feature_enabled
            self._subscribe(client, first.assets_ids, dump=first.initial_dump)
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._hear(client, message.data)
                # Frames that are here already come without waiting: others must have their turn.
                await asyncio.sleep(0)
        finally:
            self._unsubscribe(client, list(client.tokens))
            del self._clients[client]
            writer.cancel()
        return socket

    async def close(self, _app: web.Application) -> None:
        """End all connections: the venue stops."""
        for client in self._clients:
            client.outbox.cut_off()

    def _hear(self, client: Client, text: str) -> None:
        if text == "PING":
            client.outbox.send(b"PONG")
            return
        try:
            change = msgspec.json.decode(text, type=Change)
        except UNREADABLE:
            return
        if change.operation == "unsubscribe":
            self._unsubscribe(client, change.assets_ids)
        elif change.operation == "subscribe":
            if change.custom_feature_enabled is not None:
                client.custom = change.custom_feature_enabled
            new = [token_id for token_id in change.assets_ids if token_id not in client.tokens]
            if new:
                self._subscribe(client, new, dump=True)

    def _subscribe(self, client: Client, token_ids: list[str], *, dump: bool) -> None:
        for token_id in token_ids:
            client.tokens.add(token_id)
            self._by_token.setdefault(token_id, {})[client] = None
        if dump:
            shown = ShownBooks(self._venue.world, self._venue.told_ns() // 1_000_000)
            books = [shown.book(token_id) for token_id in dict.fromkeys(token_ids)]
            client.outbox.send(orjson.dumps([market_frames.book(book) for book in books if book]))

    def _unsubscribe(self, client: Client, token_ids: list[str]) -> None:
        for token_id in token_ids:
            client.tokens.discard(token_id)
            watchers = self._by_token.get(token_id)
            if watchers is not None:
                watchers.pop(client, None)
                if not watchers:
                    del self._by_token[token_id]

    def _publish(self, events: list[Event], now_ms: int) -> None:
        """Turn what one input brought about into frames. Levels go out step by step; whole books follow once, at the end."""
        if not self._clients:
            return
        shown = ShownBooks(self._venue.world, now_ms)
        traded: dict[str, None] = {}
        for event in events:
            if isinstance(event, BookChanged):
                self._send_levels(event, now_ms, shown)
            elif isinstance(event, TradeMatched):
                traded[event.trade.condition_id] = None
                self._send([event.trade.token_id], market_frames.last_trade_price(event.trade, now_ms))
            else:
                self._publish_listing(event, now_ms)
        for condition_id in traded:
            for token_id in self._tokens(condition_id):
                if token_id in self._by_token and (book := shown.book(token_id)):
                    self._send([token_id], market_frames.book(book))

    def _publish_listing(self, event: Event, now_ms: int) -> None:
        """Send what concerns a market as such: its tick, its opening, its end."""
        if isinstance(event, TickChanged):
            for token_id in event.token_ids:
                self._send([token_id], market_frames.tick_size_change(event, token_id, now_ms))
        elif isinstance(event, MarketListed):
            self._announce(event.market.condition_id, now_ms)
        elif isinstance(event, MarketResolved) and (listing := self._listing(event.condition_id)):
            for token_id in event.token_ids:
                self._best.pop(token_id, None)
            self._send(listing.spec.token_ids, market_frames.market_resolved(listing, event, now_ms), custom=True)

    def _send_levels(self, changed: BookChanged, now_ms: int, shown: ShownBooks) -> None:
        tokens = self._tokens(changed.condition_id)
        if not any(token_id in self._by_token for token_id in tokens):
            return
        self._send(tokens, market_frames.price_change(changed, now_ms, shown.hash))
        for token_id, best in {level.token_id: (level.best_bid, level.best_ask) for level in changed.levels}.items():
            if self._best.get(token_id) != best:
                self._best[token_id] = best
                frame = market_frames.best_bid_ask(changed.condition_id, token_id, best, now_ms)
                self._send([token_id], frame, custom=True)

    def _announce(self, condition_id: str, now_ms: int) -> None:
        """Tell every connection with custom features about a new market, whatever it watches."""
        listing = self._listing(condition_id)
        if listing:
            frame = orjson.dumps(market_frames.new_market(listing, now_ms))
            for client in self._clients:
                if client.custom:
                    client.outbox.send(frame)

    def _send(
        self, token_ids: list[str] | tuple[str, ...], frame: market_frames.Frame, *, custom: bool = False
    ) -> None:
        """Send a frame once to every connection that watches one of `token_ids`."""
        watchers: dict[Client, None] = {}
        for token_id in token_ids:
            watchers.update(self._by_token.get(token_id, {}))
        chosen = [client for client in watchers if client.custom or not custom]
        if chosen:
            encoded = orjson.dumps(frame)
            for client in chosen:
                client.outbox.send(encoded)

    def _listing(self, condition_id: str) -> Listing | None:
        return self._venue.world.listings.by_condition(condition_id)

    def _tokens(self, condition_id: str) -> tuple[str, ...]:
        listing = self._listing(condition_id)
        return listing.spec.token_ids if listing else ()


async def _first_frame(socket: web.WebSocketResponse) -> Subscribe | None:
    """Return the subscription a connection opens with, None when it opens with anything else or with nothing."""
    with contextlib.suppress(TimeoutError, *UNREADABLE):
        message = await socket.receive(timeout=FIRST_FRAME_SECONDS)
        if message.type is WSMsgType.TEXT:
            first = msgspec.json.decode(message.data, type=Subscribe)
            if first.type == "market":
                return first
    return None
