"""An order's life, from decided to over: the only functions that move it. News may come in any order and any number of times.

Pure and synchronous: what changed is returned as a `Change`. What the transition table does not allow changes nothing; the order is marked for a
fresh read instead, and only a fresh read may reopen what was over.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.fill import FillKey
from domain.order import Order, OrderStatus, may_move, reopens
from domain.ports import AuditRecord
from domain.reports import OrderReport
from trading.account_state import AccountState
from trading.change import Change
from trading.own_orders import OwnOrder


class OrderLifecycle(AccountState):
    """The state of one account and what moves its orders."""

    def add(self, order: Order, now_ns: int) -> OwnOrder:
        """Track a decided order before it is journaled; it reserves from this moment."""
        own = OwnOrder(order, OrderStatus.PENDING, updated_ns=now_ns, last_send_ns=now_ns)
        self.orders.add(own)
        return own

    def move(self, own: OwnOrder, status: OrderStatus, reason: str, now_ns: int) -> Change:
        """Move an order where the transition table allows it; otherwise ask for a fresh read and change nothing else."""
        if status is own.status or not may_move(own.status, status):
            if status is not own.status:
                self._ask(own, now_ns)
            return Change()
        return self._set(own, status, reason, now_ns)

    def _set(self, own: OwnOrder, status: OrderStatus, reason: str, now_ns: int) -> Change:
        own.status, own.reason, own.updated_ns = status, reason, now_ns
        self.changed_ns = now_ns
        self.orders.refresh(own)
        return Change(rows=[own.state()], orders=[own])

    def acknowledge(self, own: OwnOrder, status: OrderStatus, trade_ids: Sequence[str], now_ns: int) -> Change:
        """Apply the venue's answer to a placement; fills and channel events may have come before it."""
        own.acknowledged = True
        own.awaited |= {trade for trade in trade_ids if FillKey(trade, own.id) not in self.fills}
        if status is OrderStatus.MATCHED and own.order.draft.order_type.rests and not own.whole:
            status = OrderStatus.PARTIALLY_FILLED
        if status is OrderStatus.MATCHED and not trade_ids and not own.seen:
            own.needs_read = True
        if own.status in (OrderStatus.SUBMITTED, OrderStatus.UNKNOWN) or status.terminal:
            return self.move(own, status, "", now_ns)
        self.orders.refresh(own)
        return Change()

    def conclude(self, own: OwnOrder, status: OrderStatus, reason: str, now_ns: int) -> Change:
        """End an order whose absence from the venue was established; nothing more is expected of it."""
        own.needs_read = False
        own.awaited.clear()
        own.reported = own.seen
        change = self._set(own, status, reason, now_ns)
        change.rows.append(self._audit("order_concluded", now_ns, order=own.id, status=status.value, reason=reason))
        return change

    def apply_order(self, report: OrderReport, *, now_ns: int, fresh: bool) -> Change:
        """Apply the venue's word on one of our orders; an order that is not ours changes nothing.

        `fresh` evidence comes from a read that began after everything known so far; only it may reopen a terminal state. Stale evidence that
        contradicts asks for a fresh read instead.
        """
        own = self.orders.get(report.order_id)
        if own is None:
            return Change()
        own.absent_since_ns = None
        if report.status is not OrderStatus.REJECTED:
            own.acknowledged = True
        comparable = report.size_matched is not None and not own.order.draft.spends_cash_amount
        if report.size_matched is not None and comparable:
            own.reported = max(own.reported or 0, report.size_matched)
        elif report.size_matched is not None and fresh:
            own.reported = own.seen
        own.awaited |= {trade for trade in report.trade_ids if FillKey(trade, own.id) not in self.fills}
        if fresh:
            own.needs_read = False
        elif report.status.terminal and not own.whole and not comparable:
            own.needs_read = True  # It is over, but nothing says how much of it was filled.
        wanted = self._wanted_status(own, report)
        if wanted is own.status:
            self.orders.refresh(own)
            return Change()
        if may_move(own.status, wanted) and not (
            own.status is OrderStatus.CANCELLING and not wanted.terminal and not fresh
        ):
            why = own.unwanted if wanted is OrderStatus.CANCELLED else ""
            return self._set(own, wanted, report.reason or why, now_ns)
        if fresh and reopens(own.status, wanted):
            change = self._set(own, wanted, f"reopened: {report.reason or 'the venue says so'}", now_ns)
            change.rows.append(self._audit("order_reopened", now_ns, order=own.id, status=wanted.value))
            return change
        if own.status.terminal and not wanted.terminal:
            self._ask(own, now_ns)
        self.orders.refresh(own)
        return Change()

    def _ask(self, own: OwnOrder, now_ns: int) -> None:
        """Ask for a read that begins after now: one on its way may have been answered before what is contradicted was said."""
        own.needs_read, own.updated_ns = True, now_ns
        self.orders.refresh(own)

    @staticmethod
    def _wanted_status(own: OwnOrder, report: OrderReport) -> OrderStatus:
        if report.status is OrderStatus.LIVE and (own.filled or report.size_matched):
            return OrderStatus.PARTIALLY_FILLED
        return report.status

    def audit(self, event: str, now_ns: int, **detail: str | float | bool | None) -> Change:
        return Change(rows=[self._audit(event, now_ns, **detail)])

    def _audit(self, event: str, now_ns: int, **detail: str | float | bool | None) -> AuditRecord:
        return AuditRecord(event=event, account=self.account, detail=dict(detail), at_ns=now_ns)
