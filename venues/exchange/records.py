"""Orders and trades as the exchange keeps them. Only modules of this package touch these; callers get frozen views.

Records are plain data without behaviour beyond their own arithmetic, so that a snapshot is their list and nothing else.
"""

from __future__ import annotations

import msgspec

from domain.fill import FillStatus
from domain.money import multiply_ceil
from domain.order import OrderSide, OrderType
from venues.exchange.events import MakerFill, OrderView, TradeView, VenueStatus


class OrderRecord(msgspec.Struct, kw_only=True, gc=False):
    """An order. `remaining` is shares, but cash for a FOK/FAK BUY (`spends_cash`); `reserved` is of `asset`, which it gives.

    `is_first` tells that it is for the market's first token; `is_bid` and `ladder_price` place it on the market's one ladder, which is in terms
    of that token. `rest_sequence` is its place in time among resting orders, 0 before it rests. `due_ns` is when its delay ends, 0 without one.
    """

    number: int
    id: str
    account: str
    condition_id: str
    token_id: str
    side: OrderSide
    order_type: OrderType
    post_only: bool
    maker_amount: int
    taker_amount: int
    expiration_s: int
    price: int
    asset: str
    rests: bool
    spends_cash: bool
    is_first: bool
    is_bid: bool
    ladder_price: int
    remaining: int
    status: VenueStatus
    created_ns: int
    updated_ns: int
    reserved: int = 0
    size_matched: int = 0
    cash_matched: int = 0
    rest_sequence: int = 0
    due_ns: int = 0
    reason: str = ""
    trade_ids: list[str] = msgspec.field(default_factory=list)

    def open_amount(self) -> int:
        """Return what the open part of a share-counted order may still give, rounded up."""
        return multiply_ceil(self.price, self.remaining) if self.side is OrderSide.BUY else self.remaining

    def view(self) -> OrderView:
        return OrderView(
            self.id,
            self.account,
            self.condition_id,
            self.token_id,
            self.side,
            self.price,
            self.maker_amount if self.side is OrderSide.SELL or self.spends_cash else self.taker_amount,
            self.size_matched,
            self.cash_matched,
            self.order_type,
            self.post_only,
            self.status,
            self.reason,
            self.maker_amount,
            self.taker_amount,
            self.expiration_s,
            self.created_ns,
            self.updated_ns,
            tuple(self.trade_ids),
        )


class TradeRecord(msgspec.Struct, kw_only=True, gc=False):
    """A trade; the amounts it moves follow from its fields. `attempts` counts the times it was mined."""

    number: int
    id: str
    taker_order_id: str
    account: str
    condition_id: str
    token_id: str
    side: OrderSide
    price: int
    size: int
    cash: int
    fee: int
    fee_rate: int
    status: FillStatus
    matched_ns: int
    updated_ns: int
    makers: tuple[MakerFill, ...]
    transaction_hash: str = ""
    attempts: int = 0

    def view(self) -> TradeView:
        return TradeView(
            self.id,
            self.taker_order_id,
            self.account,
            self.condition_id,
            self.token_id,
            self.side,
            self.price,
            self.size,
            self.cash,
            self.fee,
            self.fee_rate,
            self.status,
            self.matched_ns,
            self.updated_ns,
            self.transaction_hash,
            self.makers,
        )
