"""Evidence from the account channel: held back while the venue is being read at start, applied at once afterwards.

A (re)connected channel may have missed anything, so every gap asks for a reconciliation. So does a trade of an order that is not known here: it is
adopted when REST knows it too, and never on the channel's word alone.
"""

from __future__ import annotations

import asyncio

import structlog

from domain.fill import FillKey
from domain.reports import OrderReport, TradeReport
from trading.desk import Desk

MAX_BUFFERED = 100_000

_log = structlog.get_logger(__name__)


class AccountEvents:
    """The `AccountListener` of one kernel; `gap` is set while a reconciliation is due."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._buffer: list[OrderReport | TradeReport] | None = []
        self.gap = asyncio.Event()
        self.refused = 0

    def release(self) -> None:
        """Apply what was held back, in order, and everything that follows at once."""
        held, self._buffer = self._buffer or [], None
        for report in held:
            self._apply(report)

    def on_order(self, report: OrderReport) -> None:
        self._take(report)

    def on_trade(self, report: TradeReport) -> None:
        self._take(report)

    def on_gap(self, reason: str) -> None:
        _log.info("account channel gap", reason=reason)
        self.gap.set()

    def on_refused(self, reason: str) -> None:
        self.refused += 1
        # A flood must not fill the audit log: the 1st, 2nd, 4th, 8th … are written down.
        if self.refused.bit_count() == 1:
            self._desk.audit("evidence_refused", reason=reason, refused_so_far=self.refused)
        self.gap.set()

    def _take(self, report: OrderReport | TradeReport) -> None:
        if self._buffer is None:
            self._apply(report)
        elif len(self._buffer) < MAX_BUFFERED:
            self._buffer.append(report)
        else:
            self._desk.fail(f"more than {MAX_BUFFERED} account events arrived before the venue was read")

    def _apply(self, report: OrderReport | TradeReport) -> None:
        portfolio, now = self._desk.portfolio, self._desk.clock.now_ns()
        if isinstance(report, OrderReport):
            self._desk.apply(portfolio.apply_order(report, now_ns=now, fresh=False))
        elif (
            report.order_id not in portfolio.orders and FillKey(report.trade_id, report.order_id) not in portfolio.fills
        ):
            _log.info("trade of an unknown order, reading the venue", trade=report.trade_id, order=report.order_id)
            self.gap.set()
        else:
            self._desk.apply(portfolio.apply_trade(report, now_ns=now))
