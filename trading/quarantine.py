"""A trade in quarantine, as the audit log keeps it: everything the venue said of it, so that a restart looks at it again.

Its market is halted. It counts until it is booked as it was told, or a named person has lifted that halt: then it is dealt with, and the same words
of the venue halt nothing again. What can be booked later is booked all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.fill import FillStatus, Liquidity
from domain.money import format_micros
from domain.order import OrderSide
from domain.ports import QuarantinedTrade
from domain.reports import TradeReport

QUARANTINED = "fill_quarantined"
"""The event of the audit log, written again when the reason or the halted market is another."""
LEFT = "fill_left_quarantine"
"""The event that ends it: the trade is booked, or the venue took back what contradicted the books."""
DISMISSED = "fill_dismissed"
"""Somebody lifted the halt of a trade that still cannot be booked."""

SELECT_QUARANTINED = """
SELECT id, detail, created_at, lifted FROM (
    SELECT DISTINCT ON (a.detail->>'trade', a.detail->>'order') a.id, a.event, a.detail, a.created_at,
        EXISTS (SELECT FROM halts h WHERE h.account = a.account AND h.scope = 'market' AND h.target = a.detail->>'market'
                AND h.lifted_at >= a.created_at) AS lifted
    FROM audit_log a WHERE a.account = %(account)s AND a.event IN ('fill_quarantined', 'fill_left_quarantine')
    ORDER BY a.detail->>'trade', a.detail->>'order', a.id DESC
) newest
WHERE event = 'fill_quarantined' AND (NOT lifted OR created_at >= %(since)s) ORDER BY id
"""
"""The trades in quarantine, and of those whose halt was lifted the ones since a moment."""


def quarantine_detail(held: QuarantinedTrade) -> dict[str, str | int | bool]:
    """Return the audit log's detail."""
    report = held.report
    return {
        "trade": report.trade_id, "order": report.order_id, "market": held.market_id, "reason": held.reason,
        "price": report.price, "size": report.size,
        "side": report.side.value, "condition": report.condition_id, "token": report.token_id, "liquidity": report.liquidity.value,
        "status": report.status.value, "matched_ns": report.matched_ns, "hash": report.transaction_hash, "ours": held.ours,
    }  # fmt: skip


def quarantined_trade(detail: Mapping[str, Any], *, lifted: bool) -> QuarantinedTrade:
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
    return QuarantinedTrade(
        report, ours=detail["ours"], market_id=detail["market"], reason=detail["reason"], lifted=lifted
    )


def said(held: QuarantinedTrade) -> str:
    """Return a trade by name with what it is and why it is not booked, for people."""
    report = held.report
    what = f"{report.side.value} {format_micros(report.size)} at ${format_micros(report.price)}"
    return f"trade {report.trade_id} of order {report.order_id} ({what}): {held.reason}"
