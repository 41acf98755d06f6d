"""Frames of the market channel, key for key in the venue's order: numbers are strings, timestamps milliseconds as strings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from venues.exchange.events import BookChanged, MarketResolved, TickChanged, TradeView
from venues.simulator.clob.books import BookSummary, decimal
from venues.simulator.rewards.views import iso
from venues.simulator.world.listings import Listing
from venues.simulator.world.universe import EventSpec

Frame = dict[str, Any]


def book(shown: BookSummary) -> Frame:
    """Return a whole book that replaces the client's."""
    return {
        "market": shown["market"],
        "asset_id": shown["asset_id"],
        "timestamp": shown["timestamp"],
        "hash": shown["hash"],
        "bids": shown["bids"],
        "asks": shown["asks"],
        "tick_size": shown["tick_size"],
        "event_type": "book",
        "last_trade_price": shown["last_trade_price"],
    }


def price_change(changed: BookChanged, now_ms: int, book_hash: Callable[[str], str]) -> Frame:
    """Return the levels that one step changed, both tokens' entries; `event_type` is the last key."""
    return {
        "market": changed.condition_id,
        "price_changes": [
            {
                "asset_id": level.token_id,
                "price": decimal(level.price),
                "size": decimal(level.size),
                "side": level.side.name,
                "hash": book_hash(level.token_id),
                "best_bid": decimal(level.best_bid),
                "best_ask": decimal(level.best_ask),
            }
            for level in changed.levels
        ],
        "timestamp": str(now_ms),
        "event_type": "price_change",
    }


def last_trade_price(trade: TradeView, now_ms: int) -> Frame:
    """Return a public trade in terms of the taker's token."""
    return {
        "market": trade.condition_id,
        "asset_id": trade.token_id,
        "price": decimal(trade.price),
        "size": decimal(trade.size),
        "fee_rate_bps": "0",
        "side": trade.side.name,
        "timestamp": str(now_ms),
        "event_type": "last_trade_price",
        "transaction_hash": trade.transaction_hash,
    }


def tick_size_change(changed: TickChanged, token_id: str, now_ms: int) -> Frame:
    """Return a token's new grid."""
    return {
        "market": changed.condition_id,
        "asset_id": token_id,
        "old_tick_size": decimal(changed.old_tick),
        "new_tick_size": decimal(changed.new_tick),
        "timestamp": str(now_ms),
        "event_type": "tick_size_change",
    }


def best_bid_ask(condition_id: str, token_id: str, best: tuple[int, int], now_ms: int) -> Frame:
    """Return the top of a token's book."""
    bid, ask = best
    return {
        "market": condition_id,
        "asset_id": token_id,
        "best_bid": decimal(bid),
        "best_ask": decimal(ask),
        "spread": decimal(ask - bid),
        "timestamp": str(now_ms),
        "event_type": "best_bid_ask",
    }


def new_market(listing: Listing, now_ms: int) -> Frame:
    """Announce a market that has just opened."""
    spec, event = listing.spec, listing.event
    fees = spec.fees
    frame: Frame = {
        "id": spec.id,
        "question": spec.question,
        "market": spec.condition_id,
        "condition_id": spec.condition_id,
        "slug": spec.slug,
        "description": event.description,
        "assets_ids": list(spec.token_ids),
        "clob_token_ids": list(spec.token_ids),
        "outcomes": ["Yes", "No"],
        "event_message": _event_message(event),
        "timestamp": str(now_ms),
        "tags": [event.category.lower()],
        "active": True,
        "sports_market_type": "",
        "line": "",
        "game_start_time": "" if event.game_start_ns is None else iso(event.game_start_ns),
        "order_price_min_tick_size": decimal(spec.tick),
        "group_item_title": spec.item_title,
        "taker_base_fee": "1000" if fees.rate else "0",
        "fees_enabled": fees.rate > 0,
    }
    if fees.rate:
        frame["fee_schedule"] = {
            "exponent": str(fees.exponent),
            "rate": decimal(fees.rate),
            "taker_only": fees.taker_only,
            "rebate_rate": decimal(fees.rebate),
        }
    frame["event_type"] = "new_market"
    return frame


def market_resolved(listing: Listing, resolved: MarketResolved, now_ms: int) -> Frame:
    """Announce an outcome; nothing has won when both tokens pay half."""
    winner = resolved.winner
    return {
        "id": listing.spec.id,
        "market": resolved.condition_id,
        "assets_ids": list(resolved.token_ids),
        "winning_asset_id": "" if winner is None else resolved.token_ids[winner],
        "winning_outcome": "" if winner is None else ("Yes", "No")[winner],
        "event_message": _event_message(listing.event),
        "timestamp": str(now_ms),
        "tags": [listing.event.category.lower()],
        "event_type": "market_resolved",
    }


def _event_message(event: EventSpec) -> dict[str, str]:
    return {
        "id": event.id,
        "ticker": event.slug,
        "slug": event.slug,
        "title": event.title,
        "description": event.description,
    }
