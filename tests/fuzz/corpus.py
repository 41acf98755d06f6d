"""Good frames of one small market, as the venue writes them: what the mutations begin with."""

from __future__ import annotations

import json
from typing import Any

from domain.market import Market

YES, NO, STRANGER = "71321", "52114", "99999"
CONDITION = "0x" + "bd" * 32
KEY, WALLET = "00000000-0000-4000-8000-000000000001", "0xAbCd000000000000000000000000000000000001"
MARKET = Market(
    id="fuzz", venue="polymarket", question="Fuzzy?", slug="fuzzy", condition_id=CONDITION, token_ids=(YES, NO), tick=10_000
)  # fmt: skip


def _json(tree: Any) -> bytes:
    return json.dumps(tree, separators=(",", ":")).encode()


def book(token: str, milliseconds: int, *, tick: str = "0.01") -> dict[str, Any]:
    """Return a `book` event: three levels a side around the middle."""
    return {
        "event_type": "book", "market": CONDITION, "asset_id": token, "timestamp": str(milliseconds), "hash": "c0ad",
        "bids": [{"price": f"0.{47 + n}", "size": f"{30 * (n + 1)}"} for n in range(3)],
        "asks": [{"price": f"0.{54 - n}", "size": f"{25.5 + n}"} for n in range(3)],
        "tick_size": tick, "last_trade_price": "0.5",
    }  # fmt: skip


def change(token: str, price: str, size: str, side: str, **more: Any) -> dict[str, Any]:
    return {"asset_id": token, "price": price, "size": size, "side": side, "hash": "ab", **more}


def delta(milliseconds: int, *changes: dict[str, Any]) -> dict[str, Any]:
    return {
        "market": CONDITION, "price_changes": list(changes), "timestamp": str(milliseconds), "event_type": "price_change",
    }  # fmt: skip


_MARKET_EVENTS: list[Any] = [
    [book(YES, 1777374000456), book(NO, 1777374000456)],
    book(YES, 1777374000500),
    delta(1777374001456, change(YES, "0.49", "35.5", "BUY"), change(NO, "0.51", "35.5", "SELL")),
    delta(1777374001500, change(YES, "0.52", "0", "SELL"), change(NO, "0.48", "0", "BUY")),
    delta(1777374001600, change(YES, "0.5", "7", "BUY", best_bid="0.5", best_ask="0.52")),
    delta(1777374001700, change(STRANGER, "0.5", "7", "BUY")),
    {"event_type": "last_trade_price", "market": CONDITION, "asset_id": YES, "price": "0.52", "size": "10", "side": "BUY",
     "fee_rate_bps": "0", "transaction_hash": "0x01", "timestamp": "1777374001800"},
    {"event_type": "tick_size_change", "market": CONDITION, "asset_id": YES, "old_tick_size": "0.01", "new_tick_size": "0.001",
     "timestamp": "1777374001900"},
    {"event_type": "best_bid_ask", "market": CONDITION, "asset_id": YES, "best_bid": "0.49", "best_ask": "0.52", "spread": "0.03",
     "timestamp": "1777374001950"},
    {"event_type": "new_market", "id": "1", "question": "?", "market": "0x" + "ee" * 32, "assets_ids": ["1", "2"], "outcomes": ["Yes", "No"],
     "timestamp": "1777374001960"},
    {"event_type": "market_resolved", "id": "1", "market": "0x" + "ee" * 32, "assets_ids": ["1", "2"], "winning_asset_id": "1",
     "winning_outcome": "Yes", "timestamp": "1777374001970"},
]  # fmt: skip
MARKET_FRAMES: list[bytes] = [_json(event) for event in _MARKET_EVENTS]

_MAKER = {
    "order_id": "0xmaker", "owner": KEY, "maker_address": WALLET, "matched_amount": "4", "price": "0.48", "fee_rate_bps": "0",
    "asset_id": NO, "outcome": "No", "outcome_index": 1, "side": "BUY",
}  # fmt: skip
_TRADE = {
    "event_type": "trade", "type": "TRADE", "id": "t1", "taker_order_id": "0xtaker", "market": CONDITION, "asset_id": YES, "side": "BUY",
    "size": "10", "price": "0.52", "fee_rate_bps": "0", "status": "MATCHED", "outcome": "Yes", "owner": KEY, "trade_owner": KEY,
    "maker_address": WALLET, "transaction_hash": "", "bucket_index": 0, "trader_side": "TAKER", "match_time": "1777374001",
    "last_update": "1777374001", "timestamp": "1777374001123", "maker_orders": [],
}  # fmt: skip
_OTHER = {"owner": "someone", "maker_address": "0x9999000000000000000000000000000000000009"}
_ORDER = {
    "event_type": "order", "type": "PLACEMENT", "id": "0xabc", "owner": KEY, "order_owner": KEY, "market": CONDITION, "asset_id": YES,
    "side": "BUY", "price": "0.5", "original_size": "10", "size_matched": "0", "outcome": "Yes", "associate_trades": None,
    "order_type": "GTC", "status": "LIVE", "maker_address": WALLET, "created_at": "1777374000", "expiration": "0",
    "timestamp": "1777374000789",
}  # fmt: skip
USER_FRAMES: list[bytes] = [
    _json(event)
    for event in (
        _TRADE,
        {**_TRADE, "status": "CONFIRMED", "transaction_hash": "0xab"},
        {**_TRADE, **_OTHER, "trader_side": "MAKER", "maker_orders": [_MAKER, {**_MAKER, "matched_amount": "2"}]},
        {
            **_TRADE,
            **_OTHER,
            "trader_side": "MAKER",
            "maker_orders": [{**_MAKER, **_OTHER}, {**_MAKER, "asset_id": YES, "side": "SELL"}],
        },
        _ORDER,
        {**_ORDER, "type": "UPDATE", "size_matched": "4", "associate_trades": ["t1"]},
        {**_ORDER, "type": "CANCELLATION", "status": "CANCELED_NOT_ENOUGH_BALANCE"},
        [_ORDER, _TRADE],
    )
]

ORDER_ID = "0x" + "ab" * 32
ORDER_ANSWERS: list[bytes] = [
    _json(answer)
    for answer in (
        {"success": True, "orderID": ORDER_ID, "status": "live", "makingAmount": "", "takingAmount": "", "errorMsg": ""},
        {"success": True, "orderID": ORDER_ID, "status": "matched", "makingAmount": "5", "takingAmount": "10", "errorMsg": "",
         "tradeIDs": ["t1"]},
        {"success": True, "orderID": "", "errorMsg": "not enough balance / allowance", "status": ""},
        {"error": "order couldn't be fully filled. FOK orders are fully filled or killed."},
        {"error": "could not run the execution"},
    )
]  # fmt: skip
