"""The whole state as bytes and back. Equal states give equal bytes, whatever way they came about.

Books, timers and indexes are rebuilt from the orders. Bytes that are not a snapshot of this version raise `ValueError`.
"""

from __future__ import annotations

import msgspec

from domain.market import Market
from venues.exchange.events import VenueStatus
from venues.exchange.records import OrderRecord, TradeRecord
from venues.exchange.state import MarketRecord, State
from venues.exchange.vault import Holding

VERSION = 2


class MarketImage(msgspec.Struct, frozen=True):
    market: Market
    collateral: int
    last_price: int | None
    payouts: tuple[int, int] | None
    has_book: bool


class Image(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    venue_id: str
    fee_account: str
    now_ns: int
    orders_seen: int
    rests_seen: int
    trades_seen: int
    deposited: int
    withdrawn: int
    markets: list[MarketImage]
    holdings: list[tuple[str, str, Holding]]
    orders: list[OrderRecord]
    trades: list[TradeRecord]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Image)


def dump(state: State) -> bytes:
    """Return the state as bytes."""
    return _encoder.encode(
        Image(
            version=VERSION,
            venue_id=state.venue_id,
            fee_account=state.fee_account,
            now_ns=state.now_ns,
            orders_seen=state.orders_seen,
            rests_seen=state.rests_seen,
            trades_seen=state.trades_seen,
            deposited=state.vault.deposited,
            withdrawn=state.vault.withdrawn,
            markets=[
                MarketImage(r.market, r.collateral, r.last_price, r.payouts, r.has_book) for r in state.markets.values()
            ],
            holdings=list(state.vault),
            orders=list(state.orders.values()),
            trades=list(state.trades.values()),
        )
    )


def load(data: bytes) -> State:
    """Return the state that `dump` wrote.

    Raises:
        ValueError: `data` is no snapshot, or one of another version.
    """
    try:
        image = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise ValueError(f"snapshot cannot be read: {error}") from error
    if image.version != VERSION:
        raise ValueError(f"snapshot version was {image.version}, expected {VERSION}")
    state = State(image.venue_id, image.fee_account)
    state.now_ns = image.now_ns
    state.orders_seen, state.rests_seen, state.trades_seen = image.orders_seen, image.rests_seen, image.trades_seen
    state.vault.deposited, state.vault.withdrawn = image.deposited, image.withdrawn
    for market in image.markets:
        state.add_market(
            MarketRecord(
                market=market.market,
                collateral=market.collateral,
                last_price=market.last_price,
                payouts=market.payouts,
                has_book=market.has_book,
            )
        )
    for account, asset, holding in image.holdings:
        state.vault.holdings.setdefault(account, {})[asset] = holding
    for order in image.orders:
        state.add_order(order)
    for trade in image.trades:
        state.add_trade(trade)
    _rebuild_books(state)
    return state


def _rebuild_books(state: State) -> None:
    resting = [order for order in state.orders.values() if order.status is VenueStatus.LIVE]
    for order in sorted(resting, key=lambda order: order.rest_sequence):
        state.markets[order.condition_id].book.add(order)
    for record in state.markets.values():
        record.book.touched.clear()
