"""A paper twin beside a trading account: every order that leaves goes to the twin too, and the difference is measured.

The twin never influences the account: its work runs in tasks of its own, nothing waits for it, and whatever fails in it is counted and logged. It
begins with the cash and shares that the account is first read to hold. Give it no latency: the public book soon shows what the live order took and
where it rests, and the twin must have been there before that. When a live order ends, what is left of the twin's is cancelled: both have the same
time.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import structlog
from msgspec import structs

from domain.errors import InvalidOrderError, VenueError
from domain.market import MarketStatus
from domain.money import MICRO
from domain.order import OrderDraft, PreparedOrder
from domain.ports import AccountFeed, AccountListener, Clock, OrderGateway
from domain.reports import Accepted, Balances, CancelOutcome, OrderReport, Rejected, SendOutcome, TradeReport
from venues.paper.connect import Paper
from venues.paper.drift import MOST_PAIRS, Drift, Pair, drift

_log = structlog.get_logger(__name__)

_MOST_TASKS = 1_000

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _harmless(method: Callable[Concatenate[Twin, _P], _T]) -> Callable[Concatenate[Twin, _P], _T | None]:
    """Whatever goes wrong in the twin stays there."""

    @wraps(method)
    def guarded(twin: Twin, /, *args: _P.args, **named: _P.kwargs) -> _T | None:
        try:
            return method(twin, *args, **named)
        except Exception as error:  # noqa: BLE001 - counted and logged; the live account must not feel it
            twin.failed(error)
            return None

    return guarded


class Twin:
    """The twin's orders, each beside the live one that it follows."""

    def __init__(self, account: str, paper: Paper, clock: Clock) -> None:
        self.failures = 0
        self._account = account
        self._paper = paper
        self._since_ns = clock.now_ns()
        self._seeded = False
        self._drafts: dict[str, OrderDraft] = {}
        self._pairs: dict[str, Pair] = {}
        self._placing: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        paper.paper.on_events = lambda _: None

    @_harmless
    def figures(self) -> Drift:
        """Return the difference as it is now, None when that failed."""
        for pair in self._pairs.values():
            self._read_twin(pair)
        return drift(
            self._pairs.values(), self._mark, account=self._account, twin=self._paper.gateway.account, since_ns=self._since_ns,
            failures=self.failures + self._paper.witness.failures,
        )  # fmt: skip

    # What the live account does

    @_harmless
    def prepared(self, order_id: str, draft: OrderDraft) -> None:
        self._drafts[order_id] = draft
        while len(self._drafts) > MOST_PAIRS:
            del self._drafts[next(iter(self._drafts))]

    @_harmless
    def sent(self, order_id: str) -> None:
        draft = self._drafts.pop(order_id, None)
        if draft is None:
            return
        pair = self._pairs[order_id] = Pair(draft)
        while len(self._pairs) > MOST_PAIRS:
            del self._pairs[next(iter(self._pairs))]
        placing = self._spawn(self._place(pair))
        if placing is not None:
            self._placing[order_id] = placing
            placing.add_done_callback(lambda _: self._placing.pop(order_id, None))

    @_harmless
    def answered(self, outcome: SendOutcome) -> None:
        pair = self._pairs.get(outcome.order_id)
        if pair is not None and isinstance(outcome, Rejected):
            pair.live.refused = outcome.code
            self.ended([outcome.order_id])

    @_harmless
    def traded(self, report: TradeReport) -> None:
        pair = self._pairs.get(report.order_id)
        if pair is not None:
            pair.live_trade(report)

    @_harmless
    def ended(self, order_ids: Sequence[str]) -> None:
        """What is left of these orders' twins is cancelled, behind their placement."""
        known = [order_id for order_id in order_ids if order_id in self._pairs]
        if known:
            self._spawn(self._cancel(known))

    @_harmless
    def holds(self, balances: Balances) -> None:
        """The account was read: the first time, the twin gets as much."""
        if self._seeded:
            return
        self._seeded = True
        if balances.cash > 0:
            self._paper.paper.deposit(balances.cash)
        for token_id, size in balances.tokens.items():
            known = self._paper.paper.market_of(token_id)
            if size > 0 and known is not None and known.market.status is MarketStatus.ACTIVE:
                self._paper.paper.give(known.market, token_id, size)

    # The twin

    async def _place(self, pair: Pair) -> None:
        gateway = self._paper.gateway
        try:
            prepared = await gateway.prepare(structs.replace(pair.draft, account=gateway.account))
        except InvalidOrderError as error:
            pair.twin.refused = str(error)
            return
        pair.twin_id = prepared.order_id
        outcome = await gateway.send(prepared, math.inf)
        if not isinstance(outcome, Accepted):
            pair.twin.refused = outcome.code

    async def _cancel(self, order_ids: Sequence[str]) -> None:
        placing = [task for order_id in order_ids if (task := self._placing.get(order_id)) is not None]
        if placing:
            await asyncio.wait(placing)
        twins = [self._pairs[order_id].twin_id for order_id in order_ids if order_id in self._pairs]
        await self._paper.gateway.cancel([twin_id for twin_id in twins if twin_id])

    def _read_twin(self, pair: Pair) -> None:
        exchange = self._paper.paper.exchange
        view = exchange.order(pair.twin_id)
        if view is not None:
            trades = [trade for trade_id in view.trade_ids if (trade := exchange.trade(trade_id)) is not None]
            pair.twin.filled, pair.twin.cash = view.size_matched, view.cash_matched
            pair.twin.fees = sum(trade.fee for trade in trades if trade.taker_order_id == view.id)

    def _mark(self, token_id: str) -> int:
        """Return what a share is worth: its payout, or the best bid."""
        known = self._paper.paper.market_of(token_id)
        if known is None:
            return 0
        market = known.market
        if market.status is MarketStatus.SETTLED:
            return MICRO // 2 if market.winner is None else MICRO * (market.token_index(token_id) == market.winner)
        return known.best_bid(token_id)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None] | None:
        if len(self._tasks) >= _MOST_TASKS:
            work.close()
            self.failed(VenueError(f"{_MOST_TASKS} requests are on their way already"))
            return None
        task = asyncio.get_running_loop().create_task(work, name="paper twin")
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed(error)

    def failed(self, error: BaseException) -> None:
        """Count and log what went wrong in the twin."""
        self.failures += 1
        _log.warning("paper twin failed", error=f"{type(error).__name__}: {error}", failures=self.failures)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._paper.close()


class ShadowedGateway:
    """A live `OrderGateway` whose orders and cancels the twin hears of. What it answers is the live one's answer."""

    def __init__(self, live: OrderGateway, twin: Twin) -> None:
        self._live = live
        self._twin = twin

    @property
    def account(self) -> str:
        return self._live.account

    async def prepare(self, draft: OrderDraft) -> PreparedOrder:
        prepared = await self._live.prepare(draft)
        self._twin.prepared(prepared.order_id, draft)
        return prepared

    async def send(self, prepared: PreparedOrder, deadline: float) -> SendOutcome:
        self._twin.sent(prepared.order_id)
        outcome = await self._live.send(prepared, deadline)
        self._twin.answered(outcome)
        return outcome

    async def send_many(self, prepared: Sequence[PreparedOrder], deadline: float) -> list[SendOutcome]:
        for order in prepared:
            self._twin.sent(order.order_id)
        outcomes = await self._live.send_many(prepared, deadline)
        for outcome in outcomes:
            self._twin.answered(outcome)
        return outcomes

    async def cancel(self, order_ids: Sequence[str]) -> CancelOutcome:
        return self._cancelled(await self._live.cancel(order_ids))

    async def cancel_all(self) -> CancelOutcome:
        return self._cancelled(await self._live.cancel_all())

    async def cancel_market(self, condition_id: str = "", token_id: str = "") -> CancelOutcome:
        return self._cancelled(await self._live.cancel_market(condition_id, token_id))

    def _cancelled(self, outcome: CancelOutcome) -> CancelOutcome:
        self._twin.ended(outcome.cancelled)
        return outcome

    async def order(self, order_id: str) -> OrderReport | None:
        return await self._live.order(order_id)

    async def open_orders(self) -> list[OrderReport]:
        return await self._live.open_orders()

    async def trades(self, after_ns: int = 0) -> list[TradeReport]:
        trades = await self._live.trades(after_ns)
        for trade in trades:
            self._twin.traded(trade)
        return trades

    async def balances(self, token_ids: Sequence[str]) -> Balances:
        balances = await self._live.balances(token_ids)
        self._twin.holds(balances)
        return balances

    async def refresh_balances(self, token_ids: Sequence[str]) -> None:
        await self._live.refresh_balances(token_ids)


class ShadowedFeed:
    """A live `AccountFeed` whose news the twin hears too."""

    def __init__(self, live: AccountFeed, twin: Twin) -> None:
        self._live = live
        self._twin = twin

    async def start(self, listener: AccountListener) -> None:
        await self._live.start(_Heard(listener, self._twin))

    async def stop(self) -> None:
        await self._live.stop()

    @property
    def connected(self) -> bool:
        return self._live.connected

    @property
    def refused(self) -> int:
        return self._live.refused


class _Heard:
    def __init__(self, listener: AccountListener, twin: Twin) -> None:
        self._listener = listener
        self._twin = twin

    def on_order(self, report: OrderReport) -> None:
        self._listener.on_order(report)
        if report.status.terminal:
            self._twin.ended([report.order_id])

    def on_trade(self, report: TradeReport) -> None:
        self._listener.on_trade(report)
        self._twin.traded(report)

    def on_gap(self, reason: str) -> None:
        self._listener.on_gap(reason)

    def on_refused(self, reason: str) -> None:
        self._listener.on_refused(reason)
