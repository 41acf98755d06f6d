"""The executor: intents in, orders out. Duplicates first, then the risk decision, then the flow, all counted.

A replacement is decided only after the order it replaces is over and accounted for: there are never two.

`submit` is synchronous: when it returns, the intent is refused, or decided and reserved with its order on the way. The number of orders
on the way is bounded, and a strategy has one order at a price: what opens beyond that is refused, counted and said. What reduces is bounded by
what is held, and always finds its way; an operator may repeat an order.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import structlog

from domain.order import Effect, OrderStatus
from domain.signal import Cancel, Intent, Replace, TradeSignal
from trading.desk import describe
from trading.order_flow import OrderFlow
from trading.own_orders import OwnOrder
from trading.portfolio import Portfolio
from trading.risk import Decision, Refusal, RiskCore, limit_price
from trading.withdrawals import Withdrawals

MANUAL = "manual"
"""Source of what operators order to open."""
MAX_IN_FLIGHT = 64
_REMEMBERED_INTENTS = 10_000

_log = structlog.get_logger(__name__)


class Executor:
    """Routes intents of strategies, exits and operators.

    Args:
        on_decision: called with every signal and what was decided, for the signal stream and the strategies' counters.
        on_failure: called when an order's task raised: its state can no longer be vouched for.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        risk: RiskCore,
        flow: OrderFlow,
        withdrawals: Withdrawals,
        *,
        on_decision: Callable[[TradeSignal, Decision], None],
        on_failure: Callable[[str], None],
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._portfolio = portfolio
        self._risk = risk
        self._flow = flow
        self._withdrawals = withdrawals
        self._on_decision = on_decision
        self._on_failure = on_failure
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._accepting = True

    def submit(self, intent: Intent) -> Decision | None:
        """Decide on an intent now; returns the decision on a signal, None for a cancel and a replacement."""
        if isinstance(intent, Cancel):
            self._cancel(intent)
            return None
        if isinstance(intent, Replace):
            self._replace(intent)
            return None
        decision = self._refuse_early(intent) or self._risk.decide_and_reserve(intent)
        self.counters["accepted" if decision.draft is not None else f"refused_{decision.refusal}"] += 1
        self._on_decision(intent, decision)
        if decision.draft is not None:
            self._start(self._flow.place(decision.draft))
        return decision

    def _refuse_early(self, signal: TradeSignal) -> Decision | None:
        if not self._accepting:
            return Decision(refusal=Refusal.HALTED, detail="the trader is stopping")
        if signal.id in self._seen:
            return Decision(refusal=Refusal.DUPLICATE, detail="the same signal was decided before")
        if signal.effect is Effect.OPEN:
            if signal.source != MANUAL and self._has_open(signal):
                return Decision(refusal=Refusal.DUPLICATE, detail="the same order is on its way or open already")
            if len(self._tasks) >= MAX_IN_FLIGHT:
                return Decision(refusal=Refusal.BUSY, detail=f"{MAX_IN_FLIGHT} orders are on their way")
        self._seen[signal.id] = None
        if len(self._seen) > _REMEMBERED_INTENTS:
            self._seen.popitem(last=False)
        return None

    def _has_open(self, signal: TradeSignal) -> bool:
        """Tell whether the same source has an order for the same token, side and price on its way or open."""
        wanted = (signal.source, signal.token_id, signal.side, limit_price(signal))
        drafts = [own.order.draft for own in self._portfolio.orders.open_in_market(signal.market.id)]
        drafts += self._risk.reservations.drafts()
        return any((draft.strategy, draft.token_id, draft.side, draft.price) == wanted for draft in drafts)

    def _cancel(self, intent: Cancel) -> None:
        own = self._portfolio.orders.get(intent.order_id)
        if own is None or own.status is OrderStatus.CANCELLING or own.status.terminal:
            self.counters["cancel_of_nothing"] += 1
            return
        self._start(self._flow.cancel(own, intent.reason or f"cancelled by {intent.source}"))

    def _replace(self, intent: Replace) -> None:
        own = self._portfolio.orders.get(intent.order_id)
        if own is None or own.unwanted or own.status.terminal:
            self.counters["replace_of_nothing"] += 1
            return
        draft, signal = own.order.draft, intent.signal
        if (draft.token_id, draft.side, draft.strategy) != (signal.token_id, signal.side, signal.source):
            self.counters["replace_by_another"] += 1
            _log.warning(
                "replacement by another token, side or strategy refused", order_id=own.id, source=intent.source
            )
            return
        own.unwanted = intent.reason or f"replaced by {intent.source}"
        self._start(self._place_rest(own, intent))

    async def _place_rest(self, own: OwnOrder, intent: Replace) -> None:
        if not await self._withdrawals.withdraw(own, own.unwanted, until_ns=intent.signal.expires_ns):
            self.counters["replace_unconfirmed"] += 1
            _log.warning("order not replaced: its end was not known in time", order_id=own.id, source=intent.source)
            return
        rest = intent.signal.size - own.filled
        if rest <= 0:
            self.counters["replace_of_filled"] += 1
            return
        self.submit(replace(intent.signal, size=rest))

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self.counters["failed"] += 1
            _log.error("order task failed", error=describe(error), exc_info=error)
            self._on_failure(f"an order task failed: {describe(error)}")

    async def drain(self, seconds: float) -> int:
        """Take nothing more and wait for orders on their way; returns how many were still on their way after `seconds`."""
        self._accepting = False
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        return len(self._tasks)

    async def abandon(self) -> None:
        """Give up what is still on its way: an order whose answer is not awaited any more is `unknown`."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
