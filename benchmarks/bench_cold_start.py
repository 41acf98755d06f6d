"""From a cold start to reconciled: the kernel over a day's journal in PostgreSQL (10,000 orders, 5,000 fills, 500 markets); the venue is at hand.

`import` is the start of the process until its code is loaded. Then the steps of the start, each in its best round: `markets` are loaded from the
database, `discovery` lists the venue and saves them, `load` reads the journal, `restore` folds it, `reconcile` compares it with the venue, `explain`
reads the orders that nobody can vouch for. The whole is the best import and the best start. The venue answers from memory.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import structlog
import uvloop

from benchmarks.database import migrated_database
from benchmarks.measure import Result
from domain.fill import FillStatus
from domain.ledger import LedgerAccount
from domain.market import ConditionGroup, Market
from domain.money import MICRO
from domain.order import OrderStatus
from domain.ports import AccountListener, FeedListener, JournalRow
from infra.clock import SystemClock
from infra.ids import RandomIds
from runtime.config import KernelConfig, Mode
from runtime.kernel import Kernel
from runtime.ports import Ports
from runtime.storage import PostgresStorage
from tests.runtime.kit import Events
from tests.trading import factories as f
from tests.trading.scripted import Venue
from trading.journal_postgres import PostgresJournal
from trading.lease import PostgresLeases
from trading.portfolio import Portfolio

ORDERS, FILLS, OPEN, MARKETS, OUTCOMES = 10_000, 5_000, 200, 500, 10
ROUNDS = 5
HOUR = 3_600_000_000_000
ROOT = Path(__file__).resolve().parents[1]


class QuietFeed:
    """A market feed of which nothing comes."""

    connected, refused, last_message_ns = True, 0, 0

    async def start(self, listener: FeedListener) -> None: ...
    async def watch(self, token_ids: Sequence[str]) -> None: ...
    async def unwatch(self, token_ids: Sequence[str]) -> None: ...
    def request_snapshot(self, token_id: str) -> None: ...
    async def stop(self) -> None: ...


class QuietAccountFeed:
    """An account channel of which nothing comes."""

    connected, refused = True, 0

    async def start(self, listener: AccountListener) -> None: ...
    async def stop(self) -> None: ...


class Catalog:
    """A venue's list of markets."""

    venue = "polymarket"

    def __init__(self, markets: list[Market], groups: list[ConditionGroup]) -> None:
        self._listed = markets, groups

    async def markets(self) -> tuple[list[Market], list[ConditionGroup]]:
        return self._listed

    async def market(self, condition_id: str) -> Market | None:
        return next((market for market in self._listed[0] if market.condition_id == condition_id), None)


class Past:
    """A day of trading: its rows in the order in which they were written, and the venue as it is now."""

    def __init__(self, orders: int, fills: int, still_open: int, markets: int) -> None:
        clock = SystemClock()
        self.markets = [_market(number) for number in range(markets)]
        self.groups = [_event(self.markets[n : n + OUTCOMES]) for n in range(0, markets, OUTCOMES)]
        self.venue = Venue(clock)  # type: ignore[arg-type]
        self.rows: list[JournalRow] = []
        self._portfolio = Portfolio(f.ACCOUNT, lambda _: None)
        begun = clock.now_ns() - 20 * HOUR
        self.rows += self._portfolio.transfer(
            journal_id="deposit",
            kind="deposit",
            debit=LedgerAccount.CASH,
            credit=LedgerAccount.EQUITY,
            amount=10**6 * MICRO,
            now_ns=begun,
        ).rows
        for number in range(orders):
            at_ns = begun + number * 19 * HOUR // orders
            self._order(number, at_ns, filled=number < fills, still_open=number >= orders - still_open)
        self.venue.cash = self._portfolio.ledger.cash
        positions = self._portfolio.positions
        self.venue.tokens = {token: positions.size(token) for token in positions.held_tokens()}

    def _order(self, number: int, at_ns: int, *, filled: bool, still_open: bool) -> None:
        portfolio, market, ids = self._portfolio, self.markets[number % len(self.markets)], RandomIds()
        draft = f.draft(
            market=market, token_id=market.token_ids[0], price=400_000, decision_id=ids.uuid(), intent_id=ids.uuid()
        )
        order = replace(f.order(draft), created_ns=at_ns)
        own = portfolio.add(order, at_ns)
        own.status = OrderStatus.SUBMITTED
        self.rows += [order, *portfolio.acknowledge(own, OrderStatus.LIVE, (), at_ns).rows]
        if filled:
            trade = f.trade(order, draft.size, status=FillStatus.CONFIRMED, matched_ns=at_ns)
            self.rows += portfolio.apply_trade(trade, now_ns=at_ns).rows
            self.venue.reports.append(trade)
        elif not still_open:
            self.rows += portfolio.move(own, OrderStatus.CANCELLED, "", at_ns).rows
        self.venue.orders[own.id] = f.report(order, own.status, matched=own.filled)

    async def write(self, conninfo: str) -> None:
        """Journal everything."""
        storage = PostgresStorage(conninfo, f.ACCOUNT, "polymarket", SystemClock(), grace=0.0)
        epoch = 0
        journal = PostgresJournal(conninfo, f.ACCOUNT, epoch=lambda: epoch, market_of=lambda _: f.market())
        leases = PostgresLeases(journal.call, SystemClock(), grace=0.0)
        lease = await leases.acquire(f.ACCOUNT, "yesterday", 60.0)
        epoch = lease.epoch
        await storage.save_markets(journal, self.markets, self.groups)
        await asyncio.gather(*(journal.submit(self.rows[n : n + 100]) for n in range(0, len(self.rows), 100)))
        await leases.release(lease)
        await journal.close()


def run() -> list[Result]:
    with migrated_database() as conninfo:
        return measure(conninfo, Past(ORDERS, FILLS, OPEN, MARKETS), rounds=ROUNDS)


def measure(conninfo: str, past: Past, *, rounds: int) -> list[Result]:
    """Measure on a migrated database without an account."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    steps: defaultdict[str, list[float]] = defaultdict(list)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(past.write(conninfo))
        for _ in range(rounds):
            steps["import"].append(_import_seconds())
            runner.run(_start(conninfo, past, steps))
    best = {step: min(times) for step, times in steps.items()}
    return [
        Result("cold start to reconciled", "s", best["import"] + best.pop("start")),
        *(Result(f"cold start, of it {step}", "s", seconds) for step, seconds in best.items()),
    ]


def _import_seconds() -> float:
    begun = perf_counter()
    subprocess.run(
        [sys.executable, "manage.py", "runtrader", "--help"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    return perf_counter() - begun


async def _start(conninfo: str, past: Past, steps: defaultdict[str, list[float]]) -> None:
    """Start a trader, note how long it took, and end it."""
    clock = SystemClock()
    ports = Ports(
        clock=clock,
        ids=RandomIds(),
        feed=QuietFeed(),
        account_feed=QuietAccountFeed(),
        gateway=past.venue,
        catalog=Catalog(past.markets, past.groups),
        storage=PostgresStorage(conninfo, f.ACCOUNT, "polymarket", clock, grace=0.0),
        events=Events(),
    )
    kernel = Kernel(ports, KernelConfig(mode=Mode.TRADE, account=f.ACCOUNT, venue="polymarket", holder="bench"))
    for step, owner, method in (
        ("markets", kernel.watch, "load"),
        ("discovery", kernel.watch, "discover"),
        ("load", kernel.journal, "load"),
        ("restore", kernel.portfolio, "restore"),
        ("reconcile", kernel.reconciler, "run"),
        ("explain", kernel.resolver, "explain"),
    ):
        setattr(owner, method, _timed(getattr(owner, method), steps[step]))
    begun = perf_counter()
    await kernel.start()
    steps["start"].append(perf_counter() - begun)
    known = len(kernel.portfolio.orders), len(kernel.portfolio.fills), len(kernel.portfolio.orders.open())
    wanted = (len(past.venue.orders), len(past.venue.reports), len(await past.venue.open_orders()))
    if not kernel.ready or known != wanted:
        raise AssertionError(f"orders, fills and open orders were {known}, expected {wanted}")
    await _end(kernel)


async def _end(kernel: Kernel) -> None:
    """End a trader as a kill would, its orders left at the venue, but for the lease: the next one need not wait for it."""
    await kernel.tasks.stop()
    await kernel.executor.abandon()
    if kernel.lease.lease is not None:
        await kernel.ports.storage.leases(kernel.journal).release(kernel.lease.lease)
    await kernel.journal.close()


def _timed(function: Callable[..., Any], times: list[float]) -> Callable[..., Any]:
    """Note how long each call takes, or the awaiting of its answer."""

    def call(*arguments: Any, **named: Any) -> Any:
        begun = perf_counter()
        answer = function(*arguments, **named)
        if inspect.isawaitable(answer):
            return _noted(answer, begun, times)
        times.append(perf_counter() - begun)
        return answer

    return call


async def _noted(answer: Any, begun: float, times: list[float]) -> Any:
    result = await answer
    times.append(perf_counter() - begun)
    return result


def _market(number: int) -> Market:
    tokens = (f"{number}001", f"{number}002")
    event = f"e{number // OUTCOMES}"
    return f.market(id=f"m{number}", slug=f"m{number}", condition_id=f"0xc{number}", token_ids=tokens, group_id=event)


def _event(markets: Sequence[Market]) -> ConditionGroup:
    ids = tuple(market.id for market in markets)
    return ConditionGroup(id=str(markets[0].group_id), title="?", market_ids=ids, exclusive=True)
