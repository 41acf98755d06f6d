"""The executor: intents in, orders out. Duplicates first, then the risk decision, then the flow, all counted.

A replacement is decided only after the order it replaces is over and accounted for: there are never two.

`submit` is synchronous: when it returns, the intent is refused, or decided and reserved with its order on the way; a leg waits for its group. The
number of orders on the way is bounded, so is each strategy's rate of intents; a strategy has one order at a price, and no two strategies take the
same offer at once. What opens beyond that is refused, counted and said. What reduces is bounded by what is held, and always finds its way; an
operator may repeat an order.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog

from domain.order import Effect, OrderDraft, OrderStatus
from domain.ports import Clock
from domain.signal import Cancel, Intent, Replace, TradeSignal
from infra.rate_limit import TokenBucket
from trading.leg_groups import LegGroups, is_leg
from trading.order_flow import OrderFlow
from trading.own_orders import OwnOrder
from trading.portfolio import Portfolio
from trading.risk import Decision, Refusal, RiskCore, limit_price
from trading.withdrawals import Withdrawals
from trading.work_set import WorkSet

MANUAL = "manual"
"""Source of what operators order to open."""
MAX_IN_FLIGHT = 64
INTENTS_PER_SECOND = 20.0
"""How many opening intents a strategy may have in the long run; `INTENTS_AT_ONCE` of them together."""
INTENTS_AT_ONCE = 100.0
_REMEMBERED_INTENTS = 10_000
_LEAVING = frozenset({OrderStatus.PENDING, OrderStatus.SUBMITTED})

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
        legs: LegGroups,
        clock: Clock,
        *,
        on_decision: Callable[[TradeSignal, Decision], None],
        on_failure: Callable[[str], None],
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._portfolio = portfolio
        self._risk = risk
        self._flow = flow
        self._withdrawals = withdrawals
        self._legs = legs
        self._clock = clock
        self._on_decision = on_decision
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._rates: dict[str, TokenBucket] = {}
        self._on_failure = on_failure
        self._work = WorkSet("an order task", self._failed)
        self._accepting = True

    @property
    def in_flight(self) -> int:
        """Return how many orders, cancels and replacements are on their way, of `MAX_IN_FLIGHT`."""
        return len(self._work)

    def submit(self, intent: Intent) -> Decision | None:
        """Decide on an intent now; returns the decision on a signal, None for a cancel, a replacement and a leg that waits for its group."""
        if isinstance(intent, Cancel):
            self._cancel(intent)
            return None
        if isinstance(intent, Replace):
            self._replace(intent)
            return None
        refused = self._refuse_early(intent)
        if refused is None and is_leg(intent):
            self.counters["legs"] += 1
            self._legs.add(intent)
            return None
        decision = refused or self._risk.decide_and_reserve(intent)
        self.counters["accepted" if decision.draft is not None else f"refused_{decision.refusal}"] += 1
        self._on_decision(intent, decision)
        if decision.draft is not None:
            self._work.start(self._flow.place(decision.draft, partial(self._unprepared, intent)))
        return decision

    def _unprepared(self, signal: TradeSignal, reason: str) -> None:
        """An accepted order that could not be built or signed never existed: whoever wanted it hears of a refusal."""
        self.counters[f"refused_{Refusal.NOT_PREPARED}"] += 1
        self._on_decision(signal, Decision(refusal=Refusal.NOT_PREPARED, detail=reason))

    def _refuse_early(self, signal: TradeSignal) -> Decision | None:
        if not self._accepting:
            return Decision(refusal=Refusal.HALTED, detail="the trader is stopping")
        if signal.id in self._seen:
            return Decision(refusal=Refusal.DUPLICATE, detail="the same signal was decided before")
        if signal.effect is Effect.OPEN:
            refused = self._refuse_opening(signal)
            if refused is not None:
                return refused
        self._seen[signal.id] = None
        if len(self._seen) > _REMEMBERED_INTENTS:
            self._seen.popitem(last=False)
        return None

    def _refuse_opening(self, signal: TradeSignal) -> Decision | None:
        if signal.source != MANUAL:
            if not self._within_rate(signal.source):
                rate = f"{INTENTS_PER_SECOND:g} intents a second, {INTENTS_AT_ONCE:g} at once"
                return Decision(refusal=Refusal.RATE, detail=f"{signal.source} had more than {rate}")
            if not is_leg(signal) and self._has_open(signal):
                return Decision(refusal=Refusal.DUPLICATE, detail="the same order is on its way or open already")
        if len(self._work) >= MAX_IN_FLIGHT:
            return Decision(refusal=Refusal.BUSY, detail=f"{MAX_IN_FLIGHT} orders are on their way")
        return None

    def _within_rate(self, source: str) -> bool:
        now = self._clock.monotonic()
        bucket = self._rates.get(source)
        if bucket is None:
            bucket = self._rates[source] = TokenBucket(INTENTS_PER_SECOND, INTENTS_AT_ONCE, now)
        if bucket.wait(now, 1.0):
            return False
        bucket.take(now, 1.0)
        return True

    def _has_open(self, signal: TradeSignal) -> bool:
        """Tell whether the same source has an order for the same token, side and price on its way or open, or any other has one on its way."""
        wanted = (signal.token_id, signal.side, limit_price(signal))

        def same(draft: OrderDraft) -> bool:
            return (draft.token_id, draft.side, draft.price) == wanted

        tracked = self._portfolio.orders.open_in_market(signal.market.id)
        return any(same(draft) for draft in self._risk.reservations.drafts()) or any(
            same(own.order.draft) and (own.order.draft.strategy == signal.source or own.status in _LEAVING)
            for own in tracked
        )

    def _cancel(self, intent: Cancel) -> None:
        own = self._portfolio.orders.get(intent.order_id)
        if own is None or own.unwanted or own.status is OrderStatus.CANCELLING or own.status.terminal:
            # What is unwanted is cancelled until it is gone, however often it is asked for.
            self.counters["cancel_of_nothing"] += 1
            return
        own.unwanted = intent.reason or f"cancelled by {intent.source}"
        self.counters["cancels"] += 1
        self._work.start(self._flow.cancel(own, own.unwanted))

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
        self.counters["replacements"] += 1
        own.unwanted = intent.reason or f"replaced by {intent.source}"
        self._work.start(self._place_rest(own, intent))

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

    def _failed(self, reason: str) -> None:
        self.counters["failed"] += 1
        self._on_failure(reason)

    async def drain(self, seconds: float) -> int:
        """Take nothing more and wait for orders on their way; returns how many were still on their way after `seconds`."""
        self._accepting = False
        return await self._work.drain(seconds)

    async def abandon(self) -> None:
        """Give up what is still on its way: an order whose answer is not awaited any more is `unknown`."""
        await self._work.abandon()
