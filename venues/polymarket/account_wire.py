"""Our own orders and trades as REST and the user channel send them, read into the domain's reports.

A trade names the taker's order at its top and every maker's order in a list; the price, side and size that count for us are those of **our**
order's entry, which may be on the complementary token. Entries of one order in one trade are summed. Text that does not fit raises one of
`BAD_RECORD`; so does what no honest venue would say: a fill outside (0, 1), a size beyond reason, someone else's order as ours.
Source: the venue's user channel documentation and recorded frames.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from domain.errors import MoneyError
from domain.fill import Liquidity
from domain.money import MICRO
from domain.order import OrderSide, OrderType
from domain.reports import OrderReport, TradeReport
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.texts import amount, fill_price, fill_status, order_status, side, time_ns

BAD_RECORD = (*UNDECODABLE, MoneyError, ValueError, OverflowError)
"""What reading a bad record raises."""
MOST = 10**9 * MICRO
"""More shares than any order or trade has: more than every market's collateral."""


class Identity(NamedTuple):
    """Who we are in the venue's records: the API key, and the wallet that makes our orders."""

    api_key: str
    wallet: str

    def owns(self, owner: str, maker_address: str) -> bool:
        return owner == self.api_key or maker_address.lower() == self.wallet.lower()


class WireOrder(msgspec.Struct):
    id: str
    market: str
    asset_id: str
    side: str
    status: str
    original_size: str
    price: str
    size_matched: str | None = None
    order_type: str = "GTC"
    associate_trades: list[str] | None = None
    created_at: str | int | None = None
    timestamp: str | int | None = None


class WireMakerOrder(msgspec.Struct):
    order_id: str
    asset_id: str
    matched_amount: str
    price: str
    owner: str = ""
    maker_address: str = ""
    side: str = ""


class WireTrade(msgspec.Struct):
    id: str
    taker_order_id: str
    market: str
    asset_id: str
    side: str
    size: str
    price: str
    status: str
    owner: str = ""
    maker_address: str = ""
    trader_side: str = ""
    transaction_hash: str | None = None
    match_time: str | int | None = None
    matchtime: str | int | None = None
    timestamp: str | int | None = None
    maker_orders: list[WireMakerOrder] | None = None


def order_report(order: WireOrder) -> OrderReport:
    """Return what a record says of our order."""
    our_side, price = side(order.side), amount(order.price, high=MICRO)
    order_type = OrderType(order.order_type)
    matched = amount(order.size_matched, high=MOST) if order.size_matched else None
    status, reason = order_status(order.status, filled=matched or 0, rests=order_type.rests)
    size = amount(order.original_size, high=MOST)
    if our_side is OrderSide.BUY and not order_type.rests and price:
        size = size * MICRO // price  # the venue gives the amount to spend
    return OrderReport(
        order_id=order.id,
        status=status,
        condition_id=order.market,
        token_id=order.asset_id,
        side=our_side,
        price=price,
        original_size=size,
        size_matched=matched,
        order_type=order_type,
        trade_ids=tuple(order.associate_trades or ()),
        reason=reason,
        at_ns=time_ns(order.timestamp) or time_ns(order.created_at),
    )


def trade_reports(trade: WireTrade, identity: Identity) -> list[TradeReport]:
    """Return our part of a trade: one report for each of our orders in it."""
    taker_is_ours = identity.owns(trade.owner, trade.maker_address)
    if trade.trader_side == "TAKER" and not taker_is_ours:
        raise ValueError(
            f"trade {trade.id} was given as ours, but its taker is {trade.owner or trade.maker_address or 'nobody'}"
        )
    parts: dict[str, _Part] = {}
    if taker_is_ours and trade.trader_side != "MAKER":
        parts[trade.taker_order_id] = _part(trade.asset_id, side(trade.side), trade.price, trade.size, Liquidity.TAKER)
    for entry in trade.maker_orders or ():
        if identity.owns(entry.owner, entry.maker_address):
            our_side = side(entry.side) if entry.side else _maker_side(trade, entry)
            part = _part(entry.asset_id, our_side, entry.price, entry.matched_amount, Liquidity.MAKER)
            known = parts.get(entry.order_id)
            parts[entry.order_id] = part if known is None else known.plus(part)
    matched_ns = time_ns(trade.match_time) or time_ns(trade.matchtime) or time_ns(trade.timestamp)
    return [
        TradeReport(
            trade_id=trade.id,
            order_id=order_id,
            condition_id=trade.market,
            token_id=part.token_id,
            side=part.side,
            price=part.price,
            size=part.size,
            liquidity=part.liquidity,
            status=fill_status(trade.status),
            matched_ns=matched_ns,
            transaction_hash=trade.transaction_hash or "",
        )
        for order_id, part in parts.items()
    ]


class _Part(NamedTuple):
    token_id: str
    side: OrderSide
    price: int
    size: int
    liquidity: Liquidity

    def plus(self, other: _Part) -> _Part:
        """Add another entry of the same order; differing prices give their mean, rounded against us."""
        size = self.size + other.size
        notional = self.price * self.size + other.price * other.size
        price = -(-notional // size) if self.side is OrderSide.BUY else notional // size
        return self._replace(size=size, price=price)


def _part(token_id: str, our_side: OrderSide, price: str, size: str, liquidity: Liquidity) -> _Part:
    return _Part(token_id, our_side, fill_price(price, our_side), amount(size, low=1, high=MOST), liquidity)


def _maker_side(trade: WireTrade, entry: WireMakerOrder) -> OrderSide:
    """Return the side of an entry that does not name it: opposite on the taker's token, the same on its complement."""
    taker = side(trade.side)
    if entry.asset_id != trade.asset_id:
        return taker
    return OrderSide.SELL if taker is OrderSide.BUY else OrderSide.BUY
