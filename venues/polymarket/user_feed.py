"""The user channel as an `AccountFeed`: evidence about our own orders and trades.

The channel replays nothing, so every (re)connection begins with `on_gap`, once the venue has answered behind the subscribe frame: from then
on nothing is missed, and everything before is read by REST. A frame that cannot be believed may have been evidence: it is counted, logged,
and told by `on_refused`.
"""

from __future__ import annotations

import asyncio
from random import Random

import msgspec
import structlog

from domain.ports import AccountListener, Clock
from venues.polymarket.account_wire import (
    BAD_RECORD,
    Identity,
    WireOrder,
    WireTrade,
    order_report,
    trade_reports,
)
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.backoff import Backoff
from venues.polymarket.channel import Channel, Keepalive
from venues.polymarket.market_wire import split_frame

_log = structlog.get_logger(__name__)


class _Kind(msgspec.Struct):
    """What tells an order from a trade: some frames lack `event_type`, and then only trades are of type TRADE."""

    event_type: str = ""
    type: str = ""


_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_order = msgspec.json.Decoder(WireOrder).decode
_decode_trade = msgspec.json.Decoder(WireTrade).decode


class PolymarketAccountFeed:
    """Orders and trades of one API key (implements `domain.ports.AccountFeed`)."""

    def __init__(
        self,
        ws_url: str,
        credentials: ApiCredentials,
        identity: Identity,
        *,
        clock: Clock,
        rng: Random,
        keepalive: Keepalive | None = None,
    ) -> None:
        self.frames = 0
        self.refused = 0
        self._credentials = credentials
        self._identity = identity
        self._listener: AccountListener | None = None
        self._task: asyncio.Task[None] | None = None
        self._channel = Channel(
            ws_url + "/ws/user", self, clock=clock, backoff=Backoff(rng, cap=5.0), keepalive=keepalive
        )

    async def start(self, listener: AccountListener) -> None:
        """Begin to connect; `listener` hears `on_gap` when the channel stands."""
        if self._task is not None:
            raise RuntimeError("the account feed was started twice")
        self._listener = listener
        self._task = asyncio.create_task(self._channel.run(), name="user channel")

    async def stop(self) -> None:
        """Close the channel. Nothing is passed to the listener afterwards."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
            self._task = None
            self._listener = None

    @property
    def connected(self) -> bool:
        return self._channel.open

    def hello(self) -> bytes:
        """Return the subscribe frame: credentials as they are, all markets."""
        keys = {
            "apiKey": self._credentials.key,
            "secret": self._credentials.secret,
            "passphrase": self._credentials.passphrase,
        }
        return msgspec.json.encode({"type": "user", "auth": keys})

    def on_open(self) -> None:
        if self._listener is not None:
            self._listener.on_gap("user channel connected")

    def on_lost(self, reason: str) -> None:
        """Nothing to tell: the gap is announced when the channel stands again."""

    def on_data(self, data: bytes) -> None:
        self.frames += 1
        try:
            records = split_frame(data)
        except BAD_RECORD as error:
            self._refuse(data, error)
            return
        for record in records:
            self._on_record(record)

    def _on_record(self, record: bytes | msgspec.Raw) -> None:
        listener = self._listener
        if listener is None:
            return
        try:
            kind = _decode_kind(record)
            name = kind.event_type or ("trade" if kind.type == "TRADE" else "order")
            if name == "order":
                order = order_report(_decode_order(record))
                trades = []
            elif name == "trade":
                order = None
                trades = trade_reports(_decode_trade(record), self._identity)
            else:
                return
        except BAD_RECORD as error:
            self._refuse(bytes(record), error)
            return
        if order is not None:
            listener.on_order(order)
        for trade in trades:
            listener.on_trade(trade)

    def _refuse(self, data: bytes, error: Exception) -> None:
        self.refused += 1
        _log.warning("user frame refused", error=str(error), length=len(data), refused_so_far=self.refused)
        if self._listener is not None:
            self._listener.on_refused(f"a frame of the user channel was refused: {error}")
