"""An account in virtual time: its books and desk over a memory journal, with a venue that answers as a test says."""

from __future__ import annotations

from typing import Any

from domain.fill import FillStatus
from domain.ledger import LedgerAccount, LedgerEntry
from domain.market import Market
from domain.money import MICRO
from domain.order import Order, OrderStatus
from domain.ports import AuditRecord, Lease, OrderState
from domain.reports import TradeReport
from tests.sim.virtual_time import VirtualClock
from tests.trading import factories as f
from tests.trading.scripted import ScriptedJournal, Venue
from trading.change import Change
from trading.desk import Desk
from trading.halts import Halts
from trading.journal_memory import MemoryTables
from trading.lease_holder import LeaseHolder
from trading.own_orders import OwnOrder
from trading.portfolio import Portfolio


class AccountRig:
    """The account starts with $1,000 and one market. `gateway` stands in for the scripted venue."""

    def __init__(
        self,
        clock: VirtualClock,
        *,
        deposit: int = 1_000 * MICRO,
        tables: MemoryTables | None = None,
        gateway: Any = None,
    ) -> None:
        self.clock = clock
        self.ids = f.CountingIds()
        self.markets = {"m1": f.market()}
        self.tables = tables or MemoryTables()
        self.tables.epochs[f.ACCOUNT] = 1
        self.lease = LeaseHolder()
        self.lease.lease = Lease(f.ACCOUNT, "me", 1, 1e9)
        self.journal = ScriptedJournal(self.tables, f.ACCOUNT, lambda: self.lease.epoch, self.markets.__getitem__)
        self.venue: Any = gateway or Venue(clock)
        self.portfolio = Portfolio(f.ACCOUNT, self._by_condition)
        self.halts = Halts(f.ACCOUNT)
        self.changes: list[Change] = []
        self.broken: list[str] = []
        self.desk = Desk(
            self.portfolio,
            self.halts,
            self.journal,
            clock,
            notify=self._changed,
            on_broken=self.broken.append,
        )
        if deposit:
            self.deposit(deposit)

    def _changed(self, change: Change) -> None:
        self.changes.append(change)

    def _market(self, market_id: str) -> Market | None:
        return self.markets.get(market_id)

    def _by_condition(self, condition_id: str):
        return next((market for market in self.markets.values() if market.condition_id == condition_id), None)

    def _of_token(self, token_id: str):
        return next((market for market in self.markets.values() if token_id in market.token_ids), None)

    def _event_of(self, market: Market) -> list[Market]:
        return [each for each in self.markets.values() if each.group_id == market.group_id]

    def _resolved(self, token_id: str) -> bool:
        return any(market.winner is not None and token_id in market.token_ids for market in self.markets.values())

    def deposit(self, amount: int) -> None:
        self.portfolio.transfer(
            journal_id=f"deposit:{amount}",
            kind="deposit",
            debit=LedgerAccount.CASH,
            credit=LedgerAccount.EQUITY,
            amount=amount,
            now_ns=self.clock.now_ns(),
        )

    def track(self, status: OrderStatus = OrderStatus.LIVE, **changes: Any) -> OwnOrder:
        """Put an order into the books as if it had been placed long ago."""
        order = f.order(f.draft(**({"market": self.markets["m1"]} | changes)))
        own = self.portfolio.add(order, self.clock.now_ns())
        own.status, own.acknowledged = status, status not in (OrderStatus.UNKNOWN, OrderStatus.PENDING)
        self.portfolio.orders.refresh(own)
        self.journal.submit([order])
        return own

    def fill(
        self, own: OwnOrder | Order, size: int = 10 * MICRO, *, settled: bool = True, **changes: Any
    ) -> TradeReport:
        """Fill an order and return the venue's report."""
        order = own.order if isinstance(own, OwnOrder) else own
        status = FillStatus.CONFIRMED if settled else FillStatus.MATCHED
        report = f.trade(order, size, **({"status": status, "matched_ns": self.clock.now_ns()} | changes))
        self.desk.apply(self.portfolio.apply_trade(report, now_ns=self.clock.now_ns()))
        return report

    def hold(self, size: int = 10 * MICRO, *, settled: bool = True, **changes: Any) -> OwnOrder:
        """Hold shares of a token, bought by an order of long ago."""
        own = self.track(size=size, **changes)
        self.fill(own, size, settled=settled)
        return own

    def written(self, kind: type[Any]) -> list[Any]:
        """Return the rows of a kind that were handed to the journal."""
        return [row for row in self.journal.submitted if isinstance(row, kind)]

    def audited(self, event: str) -> list[AuditRecord]:
        return [row for row in self.written(AuditRecord) if row.event == event]

    def ledger_kinds(self) -> list[str]:
        return [entry.kind for entry in self.written(LedgerEntry)]

    def states(self, own: OwnOrder) -> list[OrderStatus]:
        return [row.status for row in self.written(OrderState) if row.order_id == own.id]
