"""The world around a desk, as a test says it is: a venue that lies, fails or waits, an index of holdings, a journal that refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain.errors import JournalError, VenueError
from domain.money import MICRO
from domain.order import OrderDraft, OrderStatus, PreparedOrder
from domain.ports import JournalRow
from domain.reports import Accepted, Balances, CancelOutcome, OrderReport, Rejected, SendOutcome, TradeReport
from tests.sim.virtual_time import VirtualClock
from tests.trading import factories as f
from trading.journal_memory import MemoryJournal


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
