"""/ws/user: a client's own orders and trades, as they happen. No snapshot, no replay: after a reconnect REST tells what was missed.

The first frame carries the API key in plain; a wrong one closes with 1008. `markets` (condition ids) narrows what is sent; without it
everything is. PING and PONG as on the market channel.
"""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
import orjson
from aiohttp import WSCloseCode, WSMsgType, web

from venues.exchange.events import (
    Event,
    OrderCanceled,
    OrderPlaced,
    OrderUpdated,
    OrderView,
    TradeMatched,
    TradeMoved,
    TradeView,
)
from venues.simulator.clob import account_views
from venues.simulator.clob.authentication import authenticate_channel
from venues.simulator.clob.market_channel import FIRST_FRAME_SECONDS
from venues.simulator.clob.outbox import Outbox
from venues.simulator.http import UNREADABLE
from venues.simulator.venue import Venue
from venues.simulator.world.wallets import ApiKey


class Credentials(msgspec.Struct, rename="camel"):
    api_key: str
    secret: str
    passphrase: str


class Subscribe(msgspec.Struct):
    """The first frame."""

    type: str
    auth: Credentials
    markets: list[str] = []


class Change(msgspec.Struct):
    """A later frame."""

    operation: str
    markets: list[str] = []


class Client:
    """One connection: whose it is, and the markets it wants (all, unless the first frame named some)."""

    def __init__(self, outbox: Outbox, address: str, markets: list[str]) -> None:
        self.outbox = outbox
        self.address = address
        self.markets = set(markets)
        self._all = not markets

    def wants(self, condition_id: str) -> bool:
        return self._all or condition_id in self.markets


class UserChannel:
    """All connections of the user channel."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._clients: dict[str, dict[Client, None]] = {}
        venue.listen(self._publish)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it ends."""
        socket = web.WebSocketResponse(autoping=True, max_msg_size=1 << 20)
        await socket.prepare(request)
        opened = await self._first_frame(socket)
        if opened is None:
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"invalid subscription payload")
            return socket
        key, markets = opened
        client = Client(Outbox(request, socket, "user", key.address), key.address, markets)
        writer = asyncio.create_task(client.outbox.run())
        watchers = self._clients.setdefault(key.address, {})
        watchers[client] = None
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    _hear(client, message.data)
                # Frames that are here already come without waiting: others must have their turn.
                await asyncio.sleep(0)
        finally:
            del watchers[client]
            if not watchers:
                self._clients.pop(key.address, None)
            writer.cancel()
        return socket

    async def close(self, _app: web.Application) -> None:
        """End all connections: the venue stops."""
        for client in [client for clients in self._clients.values() for client in clients]:
            client.outbox.cut_off()

    async def _first_frame(self, socket: web.WebSocketResponse) -> tuple[ApiKey, list[str]] | None:
        with contextlib.suppress(TimeoutError, *UNREADABLE):
            message = await socket.receive(timeout=FIRST_FRAME_SECONDS)
            if message.type is WSMsgType.TEXT:
                first = msgspec.json.decode(message.data, type=Subscribe)
                auth = first.auth
                key = authenticate_channel(self._venue.world.wallets, auth.api_key, auth.secret, auth.passphrase)
                if key and first.type == "user":
                    return key, first.markets
        return None

    def _publish(self, events: list[Event], now_ms: int) -> None:
        if not self._clients:
            return
        for event in events:
            if isinstance(event, OrderPlaced):
                self._send_order(event.order, "PLACEMENT", now_ms)
            elif isinstance(event, OrderUpdated):
                self._send_order(event.order, "UPDATE", now_ms)
            elif isinstance(event, OrderCanceled):
                self._send_order(event.order, "CANCELLATION", now_ms)
            elif isinstance(event, TradeMatched | TradeMoved):
                self._send_trade(event.trade, now_ms)

    def _send_order(self, order: OrderView, kind: str, now_ms: int) -> None:
        world = self._venue.world
        owner = world.wallets.owner(order.account)
        listing = world.listings.by_condition(order.condition_id)
        if listing is None or owner not in self._clients:
            return
        view = account_views.order_event(order, listing, world.owner_key(order.id, order.account), kind, now_ms)
        self._send(owner, order.condition_id, view)

    def _send_trade(self, trade: TradeView, now_ms: int) -> None:
        world = self._venue.world
        listing = world.listings.by_condition(trade.condition_id)
        if listing is None:
            return
        accounts = (trade.account, *(fill.account for fill in trade.makers))
        for owner in dict.fromkeys(world.wallets.owner(account) for account in accounts):
            if owner in self._clients:
                wallets = world.wallets.wallets_of(owner)
                view = account_views.trade_event(trade, listing, wallets, world.owner_key, now_ms)
                self._send(owner, trade.condition_id, view)

    def _send(self, owner: str, condition_id: str, view: account_views.View) -> None:
        frame = orjson.dumps(view)
        for client in self._clients[owner]:
            if client.wants(condition_id):
                client.outbox.send(frame)


def _hear(client: Client, text: str) -> None:
    if text == "PING":
        client.outbox.send(b"PONG")
        return
    try:
        change = msgspec.json.decode(text, type=Change)
    except UNREADABLE:
        return
    if change.operation == "subscribe":
        client.markets.update(change.markets)
    elif change.operation == "unsubscribe":
        client.markets.difference_update(change.markets)
