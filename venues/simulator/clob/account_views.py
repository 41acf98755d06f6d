"""A client's own orders, trades and balances as the venue's REST answers and user channel show them.

A trade is shown from its taker: token, side, price and size on top are the taker's, and each resting order has its own entry below with its
own token, side and price. `trader_side` and `trade_owner` say which part the reader had.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from domain.fill import FillStatus
from domain.order import OrderType
from venues.exchange.events import OrderAccepted, OrderView, TradeView, VenueStatus
from venues.simulator.clob.books import decimal
from venues.simulator.world.listings import Listing
from venues.simulator.world.universe import NANOS

_BROADCAST_NS = NANOS // 2
"""A match that is older has not been broadcast."""

View = dict[str, Any]
OwnerKey = Callable[[str, str], str]
"""(order id, account) → the API key that owns the order."""


def open_order(order: OrderView, listing: Listing, owner_key: str) -> View:
    """Return one order of /data/order and /data/orders."""
    return {
        "id": order.id,
        "status": f"ORDER_STATUS_{_rest_status(order.status)}",
        "owner": owner_key,
        "maker_address": order.account,
        "market": order.condition_id,
        "asset_id": order.token_id,
        "side": order.side.name,
        "original_size": decimal(order.size),
        "size_matched": decimal(order.size_matched),
        "price": decimal(order.price),
        "outcome": listing.outcome(order.token_id),
        "expiration": str(order.expiration_s),
        "order_type": order.order_type.value,
        "associate_trades": list(order.trade_ids),
        "created_at": order.created_ns // NANOS,
    }


def order_event(order: OrderView, listing: Listing, owner_key: str, kind: str, now_ms: int) -> View:
    """Return one order event of the user channel; `kind` is PLACEMENT, UPDATE or CANCELLATION.

    A FOK that was killed has no creation and no matched size: both are empty, as at the venue.
    """
    killed = order.status is VenueStatus.UNMATCHED and order.order_type is OrderType.FOK
    return {
        "id": order.id,
        "owner": owner_key,
        "order_owner": owner_key,
        "market": order.condition_id,
        "asset_id": order.token_id,
        "side": order.side.name,
        "price": decimal(order.price),
        "original_size": decimal(order.size),
        "size_matched": "" if killed else decimal(order.size_matched),
        "outcome": listing.outcome(order.token_id),
        "associate_trades": list(order.trade_ids) or None,
        "order_type": order.order_type.value,
        "status": order.status.value,
        "maker_address": order.account,
        "created_at": "" if killed else str(order.created_ns // NANOS),
        "expiration": str(order.expiration_s),
        "type": kind,
        "timestamp": str(now_ms),
        "event_type": "order",
    }


def trade(view: TradeView, listing: Listing, wallets: tuple[str, ...], owner_key: OwnerKey, now_ns: int) -> View:
    """Return one trade of /data/trades, for the reader who controls `wallets`; statuses carry the REST prefix.

    A match that was not sent to the chain at once has a status of its own, which the user channel does not know.
    """
    takes = view.account in wallets
    reader = (
        owner_key(view.taker_order_id, view.account)
        if takes
        else next(owner_key(fill.order_id, fill.account) for fill in view.makers if fill.account in wallets)
    )
    return {
        "id": view.id,
        "taker_order_id": view.taker_order_id,
        "market": view.condition_id,
        "asset_id": view.token_id,
        "side": view.side.name,
        "size": decimal(view.size),
        "fee_rate_bps": "0",
        "price": decimal(view.price),
        "status": f"TRADE_STATUS_{_trade_status(view, now_ns)}",
        "match_time": str(view.matched_ns // NANOS),
        "last_update": str(view.updated_ns // NANOS),
        "outcome": listing.outcome(view.token_id),
        "bucket_index": 0,
        "owner": owner_key(view.taker_order_id, view.account),
        "trade_owner": reader,
        "maker_address": view.account,
        "transaction_hash": view.transaction_hash,
        "trader_side": "TAKER" if takes else "MAKER",
        "maker_orders": [
            {
                "order_id": fill.order_id,
                "owner": owner_key(fill.order_id, fill.account),
                "maker_address": fill.account,
                "matched_amount": decimal(fill.size),
                "price": decimal(fill.price),
                "fee_rate_bps": "0",
                "asset_id": fill.token_id,
                "outcome": listing.outcome(fill.token_id),
                "outcome_index": listing.spec.token_ids.index(fill.token_id),
                "side": fill.side.name,
            }
            for fill in view.makers
        ],
    }


def trade_event(view: TradeView, listing: Listing, wallets: tuple[str, ...], owner_key: OwnerKey, now_ms: int) -> View:
    """Return one trade event of the user channel: the REST trade with a bare status.

    As at the venue, some trades spell the time of the match differently, and some of their frames lack the type of event.
    """
    event = trade(view, listing, wallets, owner_key, now_ms * 1_000_000)
    event["status"] = view.status.name
    event["type"] = "TRADE"
    event["timestamp"] = str(now_ms)
    oddness = zlib.crc32(view.id.encode()) % 4
    if oddness == 1:
        event["matchtime"] = event.pop("match_time")
    if oddness != 2 or view.status is not FillStatus.MINED:
        event["event_type"] = "trade"
    return event


def placed(answer: OrderAccepted) -> View:
    """Return the answer to an accepted order; amounts are decimals, empty when nothing matched."""
    return {
        "success": True,
        "errorMsg": "",
        "orderID": answer.order_id,
        "takingAmount": decimal(answer.taking) if answer.taking else "",
        "makingAmount": decimal(answer.making) if answer.making else "",
        "status": answer.status.value.lower(),
        "tradeIDs": list(answer.trade_ids),
    }


def refused(text: str) -> View:
    """Return a refused leg of a batch, in the venue's own odd way: a success without an order id."""
    return {
        "success": True,
        "errorMsg": text,
        "orderID": "",
        "takingAmount": "",
        "makingAmount": "",
        "status": "",
        "tradeIDs": [],
    }


def _trade_status(view: TradeView, now_ns: int) -> str:
    waits = view.status is FillStatus.MATCHED and now_ns - view.matched_ns >= _BROADCAST_NS
    return "MATCHED_NOT_BROADCASTED" if waits else view.status.name


def _rest_status(status: VenueStatus) -> str:
    """Return the order status of REST, which folds the kinds of cancellation but one."""
    if status.open or status in (VenueStatus.MATCHED, VenueStatus.CANCELED_MARKET_RESOLVED):
        return status.value
    return "CANCELED"
