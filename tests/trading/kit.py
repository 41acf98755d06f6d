"""A whole trading desk in virtual time: the real parts over a memory journal and a venue that answers as a test says."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain.errors import JournalError, VenueError
from domain.fill import FillStatus
from domain.ledger import LedgerAccount, LedgerEntry
from domain.legs import LegGroupReport
from domain.market import Market
from domain.money import MICRO
from domain.order import Order, OrderDraft, OrderStatus, PreparedOrder
from domain.ports import AuditRecord, JournalRow, Lease, OrderState
from domain.reports import Accepted, Balances, CancelOutcome, OrderReport, Rejected, SendOutcome, TradeReport, Trouble
from domain.signal import TradeSignal
from runtime.unknown_markets import UnknownMarkets
from tests.sim.virtual_time import VirtualClock, run_virtual
from tests.trading import factories as f
from trading.change import Change
from trading.desk import Desk
from trading.executor import Executor
from trading.exits import Exits
from trading.halts import Halts
from trading.journal_memory import MemoryJournal, MemoryTables
from trading.lease_holder import LeaseHolder
from trading.leg_exits import Exits as LegExits
from trading.leg_groups import LegGroups
from trading.leg_risk import GroupRisk
from trading.leg_settings import LegSettings
from trading.limits import RiskLimits
from trading.order_flow import OrderFlow
from trading.own_orders import OwnOrder
from trading.policies import Policies
from trading.portfolio import Portfolio
from trading.reconcile import Reconciler
from trading.resolver import Resolver
from trading.risk import Decision, RiskCore
from trading.risk.rejections import Rejections
from trading.venue_state import VenueState
from trading.withdrawals import Withdrawals

SECOND = 1_000_000_000
ABSENCE = 120.0


def virtual(test: Callable[..., Any]) -> Callable[..., None]:
    """Run an asynchronous test in virtual time; its parameter `clock` is that time."""

    def run(*arguments: Any, **named: Any) -> None:
        clock = VirtualClock()
        run_virtual(lambda: test(*arguments, clock=clock, **named), clock)

    signature = inspect.signature(test)
    others = [each for each in signature.parameters.values() if each.name != "clock"]
    vars(run)["__signature__"] = signature.replace(parameters=others)
    return functools.wraps(test)(run)


async def until(holds: Callable[[], Awaitable[object]], *, seconds: float = 10.0) -> None:
    """Wait in real time until something holds."""
    for _ in range(round(seconds / 0.01)):
        if await holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"did not come true within {seconds} s")


@dataclass
class Book:
    """An order book as risk and exits see it."""

    best_bid: int = 490_000
    best_ask: int = 510_000
    received_ns: int = f.NOW
    trusted: bool = True


class Venue:
    """The `OrderGateway` port: keeps the orders it accepted, and lies, fails or waits where a test says so.

    `log` is every call in order. `answers` are used up before the default, which accepts; each is an outcome or a function of the prepared order.
    """

    account = f.ACCOUNT

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.log: list[tuple[str, ...]] = []
        self.answers: list[Any] = []
        self.cancel_answers: list[Any] = []
        self.orders: dict[str, OrderReport] = {}
        self.foreign: list[OrderReport] = []
        self.reports: list[TradeReport] = []
        self.cash = 1_000 * MICRO
        self.tokens: dict[str, int] = {}
        self.down: set[str] = set()
        self.before: Callable[[str], Any] | None = None
        self.prepare_error: Exception | None = None
        self.drafts: dict[str, OrderDraft] = {}

    async def _enter(self, name: str, *words: str) -> None:
        self.log.append((name, *words))
        if self.before is not None:
            waits = self.before(name)
            if waits is not None:
                await waits
        if name in self.down:
            raise VenueError(f"{name} is down")

    def instead(self, name: str, call: Callable[..., Any]) -> None:
        """Answer calls of `name` by another function from now on."""
        setattr(self, name, call)

    def calls(self, name: str) -> list[tuple[str, ...]]:
        return [call for call in self.log if call[0] == name]

    async def prepare(self, draft: OrderDraft) -> PreparedOrder:
        await self._enter("prepare")
        if self.prepare_error is not None:
            raise self.prepare_error
        prepared = f.order(draft).prepared
        self.drafts[prepared.order_id] = draft
        return prepared

    async def send(self, prepared: PreparedOrder, deadline: float) -> SendOutcome:
        if self._clock.monotonic() >= deadline:
            return Rejected(order_id=prepared.order_id, code="deadline")
        await self._enter("send", prepared.order_id)
        if self.answers:
            answer = self.answers.pop(0)
            outcome = answer(prepared) if callable(answer) else replace(answer, order_id=prepared.order_id)
            if not isinstance(outcome, Accepted):
                return outcome
        else:
            outcome = Accepted(order_id=prepared.order_id, status=OrderStatus.LIVE)
        self.rest(prepared.order_id, outcome.status)
        return outcome

    async def send_many(self, prepared: Sequence[PreparedOrder], deadline: float) -> list[SendOutcome]:
        self.log.append(("send_many", *(order.order_id for order in prepared)))
        return [await self.send(order, deadline) for order in prepared]

    def rest(self, order_id: str, status: OrderStatus = OrderStatus.LIVE, matched: int = 0) -> None:
        """Let the venue know an order that was prepared here."""
        draft = self.drafts[order_id]
        self.orders[order_id] = f.report(f.order(draft, order_id=order_id), status, matched=matched)

    async def cancel(self, order_ids: Sequence[str]) -> CancelOutcome:
        await self._enter("cancel", *order_ids)
        if self.cancel_answers:
            return self.cancel_answers.pop(0)
        live = [each for each in order_ids if each in self.orders and not self.orders[each].status.terminal]
        for each in live:
            self.orders[each] = replace(self.orders[each], status=OrderStatus.CANCELLED)
        self.foreign = [report for report in self.foreign if report.order_id not in order_ids]
        refused = {each: "can't be found" for each in order_ids if each not in live}
        return CancelOutcome(cancelled=tuple(live), refused=refused)

    async def cancel_all(self) -> CancelOutcome:
        await self._enter("cancel_all")
        live = [key for key, report in self.orders.items() if not report.status.terminal]
        for each in live:
            self.orders[each] = replace(self.orders[each], status=OrderStatus.CANCELLED)
        self.foreign = []
        return CancelOutcome(cancelled=tuple(live))

    async def cancel_market(self, condition_id: str = "", token_id: str = "") -> CancelOutcome:
        await self._enter("cancel_market", condition_id, token_id)
        wanted = [key for key, report in self.orders.items() if report.condition_id == condition_id]
        return await self.cancel(wanted)

    async def order(self, order_id: str) -> OrderReport | None:
        await self._enter("order", order_id)
        return self.orders.get(order_id)

    async def open_orders(self) -> list[OrderReport]:
        await self._enter("open_orders")
        return [report for report in self.orders.values() if not report.status.terminal] + self.foreign

    async def trades(self, after_ns: int = 0) -> list[TradeReport]:
        await self._enter("trades")
        return [report for report in self.reports if report.matched_ns >= after_ns]

    async def balances(self, token_ids: Sequence[str]) -> Balances:
        await self._enter("balances")
        return Balances(cash=self.cash, tokens={token: self.tokens.get(token, 0) for token in token_ids})

    async def refresh_balances(self, token_ids: Sequence[str]) -> None:
        await self._enter("refresh_balances", *token_ids)


class Index:
    """A `HoldingsIndex` that lists what a test says, or fails."""

    def __init__(self) -> None:
        self.listed: list[str] = []
        self.asked = 0
        self.down = False

    async def tokens(self) -> list[str]:
        self.asked += 1
        if self.down:
            raise VenueError("the index is down")
        return self.listed


class ScriptedJournal(MemoryJournal):
    """A memory journal; `failures` are raised for the next submissions, and nothing is written for those."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.failures: list[JournalError | None] = []
        self.refuse: Callable[[Sequence[JournalRow]], Exception | None] = lambda _: None
        self.submitted: list[JournalRow] = []

    def submit(self, rows: Sequence[JournalRow]) -> Any:
        self.submitted += rows
        failure = self.refuse(rows)
        if failure is None:
            return super().submit(rows)
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        failed.set_exception(failure)
        return failed


class Rig:
    """Desk, risk, flow and everything around them; the account starts with $1,000. `gateway` stands in for the scripted venue."""

    def __init__(
        self,
        clock: VirtualClock,
        *,
        limits: RiskLimits | None = None,
        legs: LegSettings | None = None,
        deposit: int = 1_000 * MICRO,
        tables: MemoryTables | None = None,
        gateway: Any = None,
    ) -> None:
        self.clock = clock
        self.markets = {"m1": f.market()}
        self.exclusive: set[str] = set()
        self.book: Book | None = Book()
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
        self.decisions: list[tuple[TradeSignal, Decision]] = []
        self.ids = f.CountingIds()
        self.desk = Desk(
            self.portfolio,
            self.halts,
            self.journal,
            clock,
            notify=self._changed,
            on_broken=self.broken.append,
        )
        self.venue_state = VenueState()
        self.risk = RiskCore(
            self.portfolio,
            self.halts,
            limits or RiskLimits(max_slippage=MICRO),
            clock,
            self.ids,
            self.venue_state,
            book_of=lambda _: self.book,
            lease_valid=lambda: self.lease.valid(clock.monotonic()),
            committed=lambda market_id: market_id in self.markets,
            market_of=self._market,
            exclusive=lambda event: event in self.exclusive,
        )
        self.resyncs: list[tuple[str, str]] = []
        self.refused: list[tuple[str, str]] = []
        self.fee_bips = 0
        self.index = Index()
        self.policies = Policies(
            self.desk,
            self.venue_state,
            venue="polymarket",
            resync=self._resync,
            rejections=Rejections(self.desk, self.risk.limits, venue="polymarket"),
            on_refused=lambda draft, trouble: self.refused.append((draft.token_id, trouble.code)),
        )
        self.flow = OrderFlow(
            self.desk, self.venue, self.risk.reservations, self.lease, self.policies, send_deadline=2.0
        )
        self.resolver = Resolver(self.desk, self.venue, absence=ABSENCE, in_flight=self.flow.in_flight)
        self.unlisted: dict[str, Market] = {}
        self.unknown_markets = UnknownMarkets(self.portfolio, clock, known=self._by_condition, read=self._read_market)
        self.reconciler = Reconciler(
            self.desk,
            self.venue,
            resolved=self._resolved,
            market_of=self._of_token,
            event_of=self._event_of,
            fee_bips_of=lambda _: self.fee_bips,
            look_up=self.unknown_markets.look_up,
            holdings=self.index,
        )
        self.withdrawals = Withdrawals(self.desk, self.venue, self.flow, self.resolver)
        self.reports: list[LegGroupReport] = []
        self.asks: dict[str, list[tuple[int, int]] | None] = {}
        self.depth: dict[str, int] = {}
        self.group_risk = GroupRisk(
            self.risk,
            self.portfolio,
            self.halts,
            clock,
            self.ids,
            self.venue_state,
            legs or LegSettings(),
            depth_of=lambda token, side, price: self.depth.get(token, 0),
            lease_valid=lambda: self.lease.valid(clock.monotonic()),
        )
        self.legs = LegGroups(
            self.desk,
            self.group_risk,
            self.flow,
            LegExits(
                self.desk,
                self.group_risk,
                asks_of=lambda token: self.asks.get(token, []),
                market_of=self.markets.get,
            ),
            on_decision=self._decided,
            on_report=self.reports.append,
            on_failure=self.desk.fail,
        )
        self.executor = Executor(
            self.portfolio,
            self.risk,
            self.flow,
            self.withdrawals,
            self.legs,
            clock,
            on_decision=self._decided,
            on_failure=self.desk.fail,
        )
        self.exits = Exits(
            self.portfolio,
            self.risk.reservations,
            clock,
            self.ids,
            submit=self.executor.submit,
            market_of=self.markets.get,
        )
        if deposit:
            self.deposit(deposit)

    def _changed(self, change: Change) -> None:
        self.changes.append(change)
        self.legs.on_change(change)

    def _decided(self, signal: TradeSignal, decision: Decision) -> None:
        self.decisions.append((signal, decision))

    async def _resync(self, market: Market, trouble: Trouble) -> None:
        await self.venue._enter("resync", market.id)
        self.resyncs.append((market.id, trouble.code))

    async def _read_market(self, condition_id: str) -> bool:
        """Know a market from now on that is in `unlisted` by its condition id."""
        await self.venue._enter("market", condition_id)
        found = self.unlisted.get(condition_id)
        if found is not None:
            self.markets[found.id] = found
        return found is not None

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

    def signal(self, **changes: Any) -> TradeSignal:
        now = self.clock.now_ns()
        return f.signal(**({"created_ns": now, "expires_ns": now + 60 * SECOND} | changes))

    def decide(self, **changes: Any) -> Decision:
        """Decide on a signal, with a book that is as old as now."""
        if self.book is not None:
            self.book.received_ns = self.clock.now_ns()
        return self.risk.decide_and_reserve(self.signal(**changes))

    def refusal(self, **changes: Any) -> str:
        decision = self.decide(**changes)
        return decision.refusal.value if decision.refusal is not None else ""

    async def place(self, **changes: Any) -> OwnOrder:
        """Carry an order to the venue and return it."""
        decision = self.decide(**changes)
        assert decision.draft is not None, decision
        own = await self.flow.place(decision.draft)
        assert own is not None
        return own

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
