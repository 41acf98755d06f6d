"""The resolver reads what is not explained until it is: unknown, delayed and stuck orders, and every order after a cancel.

Absence is concluded only when order, open-order and trade reads of a healthy venue have agreed for `absence` seconds, all of them after the last
possible send. A read that fails proves nothing and is tried again later, less and less often. Nothing is ever sent again from here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterable, Sequence

import structlog

from domain.errors import VenueError
from domain.order import OrderStatus
from domain.ports import OrderGateway
from domain.reports import OrderReport, TradeReport
from trading.change import Alarm, Change
from trading.desk import Desk
from trading.own_orders import OwnOrder

FIRST_READ_SECONDS = 0.5
SLOWEST_READ_SECONDS = 10.0
PATIENCE_NS = 3_000_000_000
"""How long an order may stay in a passing state, or a named trade unseen, before it is looked up."""
TRADE_MARGIN_NS = 60_000_000_000
"""Venue and trader clocks may differ: trades are read from this long before the order."""
ENDED_NS = 10_000_000_000
"""How long an order that the venue said is over may be missing there before that is believed: some venues drop it at once."""
CONCURRENT_READS = 8

_RESTING = frozenset({OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED})
_PASSING = frozenset({OrderStatus.PENDING, OrderStatus.SUBMITTED, OrderStatus.DELAYED, OrderStatus.CANCELLING})

_log = structlog.get_logger(__name__)


class Resolver:
    """Reads orders of one account at its venue.

    Args:
        absence: how many seconds a venue must deny an order before it counts as never taken.
        in_flight: ids of orders whose answer is being awaited right now; those are left alone.
    """

    def __init__(self, desk: Desk, gateway: OrderGateway, *, absence: float, in_flight: Container[str]) -> None:
        self._desk = desk
        self._gateway = gateway
        self._absence_ns = int(absence * 1e9)
        self._in_flight = in_flight
        self._next_read: dict[str, tuple[float, float]] = {}

    async def run(self) -> None:
        """Resolve until cancelled."""
        while True:
            await self.resolve_due()
            await asyncio.sleep(FIRST_READ_SECONDS)

    async def resolve_due(self) -> int:
        """Read every order that needs it and is due; returns how many were read."""
        now = self._desk.clock.monotonic()
        unread = [own for own in self._desk.portfolio.orders.open() if self._needs_read(own)]
        self._next_read = {own.id: self._next_read[own.id] for own in unread if own.id in self._next_read}
        due = [own for own in unread if self._is_due(own, now)]
        if due:
            await self.read(due)
        return len(due)

    def _needs_read(self, own: OwnOrder) -> bool:
        if own.id in self._in_flight:
            return False
        if own.needs_read or own.status is OrderStatus.UNKNOWN:
            return True
        waited = self._desk.clock.now_ns() - own.updated_ns > PATIENCE_NS
        return waited and (own.status in _PASSING or bool(own.awaited) or own.status.terminal)

    def _is_due(self, own: OwnOrder, now: float) -> bool:
        due, delay = self._next_read.get(own.id, (0.0, FIRST_READ_SECONDS))
        if now < due:
            return False
        self._next_read[own.id] = (now + delay, min(delay * 2, SLOWEST_READ_SECONDS))
        return True

    async def explain(self) -> bool:
        """Read every open order that is not known to rest; False when one of them could not be read."""
        orders = self._desk.portfolio.orders.open()
        return await self.read(own for own in orders if own.status not in _RESTING or own.needs_read or own.awaited)

    async def read(self, orders: Iterable[OwnOrder]) -> bool:
        """Read orders and the trades they may have, and apply what comes back; False when one of them could not be read."""
        wanted = list(orders)
        if not wanted:
            return True
        begun = self._desk.clock.now_ns()
        try:
            reports = await self._reports([own.id for own in wanted])
            if not reports:
                return False
            listed = {r.order_id: r for r in await self._gateway.open_orders()} if None in reports.values() else {}
            trades = await self._gateway.trades(min(own.order.created_ns for own in wanted) - TRADE_MARGIN_NS)
        except VenueError as error:
            _log.warning("orders could not be read", orders=len(wanted), error=str(error))
            return False
        self._apply_trades(trades, {own.id for own in wanted})
        for own in wanted:
            if own.id in reports:
                self._apply(own, reports[own.id] or listed.get(own.id), begun)
        return len(reports) == len(wanted)

    async def _reports(self, order_ids: Sequence[str]) -> dict[str, OrderReport | None]:
        """Read each order; one that cannot be read is left out and keeps no other from being read."""
        reports: dict[str, OrderReport | None] = {}
        for start in range(0, len(order_ids), CONCURRENT_READS):
            part = order_ids[start : start + CONCURRENT_READS]
            answers = await asyncio.gather(*map(self._gateway.order, part), return_exceptions=True)
            failures = [answer for answer in answers if isinstance(answer, BaseException)]
            for failure in failures:
                if not isinstance(failure, VenueError):
                    raise failure
            reports |= {
                order_id: answer
                for order_id, answer in zip(part, answers, strict=True)
                if not isinstance(answer, BaseException)
            }
            if failures:
                _log.warning("orders could not be read", orders=len(failures), error=str(failures[0]))
            if len(failures) == CONCURRENT_READS:
                break  # The venue does not answer.
        return reports

    def _apply_trades(self, trades: Iterable[TradeReport], order_ids: set[str]) -> None:
        for trade in trades:
            if trade.order_id in order_ids:
                self._desk.apply(self._desk.portfolio.apply_trade(trade, now_ns=self._desk.clock.now_ns()))

    def _apply(self, own: OwnOrder, report: OrderReport | None, begun: int) -> None:
        portfolio, now = self._desk.portfolio, self._desk.clock.now_ns()
        fresh = own.updated_ns <= begun
        if report is not None:
            self._desk.apply(portfolio.apply_order(report, now_ns=now, fresh=fresh))
        elif fresh and own.id not in self._in_flight:
            self._desk.apply(self._absent(own, begun))

    def _absent(self, own: OwnOrder, read_ns: int) -> Change:
        """Conclude what the absence of an order at a healthy venue means, once it may be concluded."""
        portfolio = self._desk.portfolio
        if own.absent_since_ns is None:
            own.absent_since_ns = read_ns
        status, unexplained = own.status, own.status is OrderStatus.MATCHED and not own.seen
        patience = min(self._absence_ns, ENDED_NS) if status.terminal and not unexplained else self._absence_ns
        if read_ns < max(own.absent_since_ns, own.last_send_ns) + patience:
            return Change()
        if not own.acknowledged:
            return portfolio.conclude(own, OrderStatus.REJECTED, "absent: the venue never took it", read_ns)
        if not status.terminal:
            return portfolio.conclude(own, OrderStatus.CANCELLED, "gone from the venue", read_ns)
        if unexplained:
            change = portfolio.conclude(own, status, "matched, but no trade of it is known", read_ns)
            missing = f"order {own.id} matched without trades"
            change.alarms.append(Alarm(own.order.draft.market.id, missing, "find its trades at the venue"))
            return change
        return portfolio.conclude(own, status, own.reason, read_ns)
