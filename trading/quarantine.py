"""A trade in quarantine, as the audit log keeps it: everything the venue said of it, so that a restart looks at it again.

Its market is halted. It counts until it is booked as it was told, or a named person has lifted that halt: then it is dealt with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.fill import FillStatus, Liquidity
from domain.order import OrderSide
from domain.ports import QuarantinedTrade
from domain.reports import TradeReport

QUARANTINED = "fill_quarantined"
"""The event of the audit log."""


def quarantine_detail(held: QuarantinedTrade, market_id: str, reason: str) -> dict[str, str | int | bool]:
    """Return the audit log's detail; `market_id` is the target of the halt."""
    report = held.report
    return {
        "trade": report.trade_id, "order": report.order_id, "market": market_id, "reason": reason, "price": report.price, "size": report.size,
        "side": report.side.value, "condition": report.condition_id, "token": report.token_id, "liquidity": report.liquidity.value,
        "status": report.status.value, "matched_ns": report.matched_ns, "hash": report.transaction_hash, "ours": held.ours,
    }  # fmt: skip


def quarantined_trade(detail: Mapping[str, Any]) -> QuarantinedTrade:
    """Return the trade of a detail. Raises `KeyError` or `ValueError` for one that does not say enough."""
    report = TradeReport(
        trade_id=detail["trade"],
        order_id=detail["order"],
        condition_id=detail["condition"],
        token_id=detail["token"],
        side=OrderSide(detail["side"]),
        price=detail["price"],
        size=detail["size"],
        liquidity=Liquidity(detail["liquidity"]),
        status=FillStatus(detail["status"]),
        matched_ns=detail["matched_ns"],
        transaction_hash=detail["hash"],
    )
    return QuarantinedTrade(report, ours=detail["ours"])
