"""Leg groups from their first signal to their last evidence: collected, decided as a whole, placed, bought out of where they broke, and ended.

`trading.leg_placement` places them as their policy says, `trading.leg_unwinding` leaves what is unequal. What is left even then is residual
inventory: its markets are halted for new risk, it is journaled, the operator is told. A group ends when every order of it is explained; a
settlement that fails later takes a good end back. After a crash nothing more of a group is placed: its evidence is read, and it is left if it is
broken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import structlog

from domain.halt import HaltScope
from domain.legs import GroupState, LegGroup, LegGroupReport, LegGroupState, group_may_move, residual_of
from domain.money import format_micros
from domain.order import OrderDraft
from domain.signal import TradeSignal
from domain.ticks import SIZE_STEP
from trading.change import Change
from trading.desk import Desk
from trading.leg_accumulator import GROUP, Collected, LegGroupAccumulator
from trading.leg_exits import Exits
from trading.leg_placement import Placement
from trading.leg_risk import GroupRisk
from trading.leg_run import GroupRun
from trading.leg_unwinding import Unwinding
from trading.order_flow import OrderFlow
from trading.own_orders import OwnOrder
from trading.risk import Decision, Refusal
from trading.work_set import WorkSet

_log = structlog.get_logger(__name__)


class LegGroups:
    """The leg groups of one account.

    Args:
        on_decision: called with every signal of a group and what was decided.
        on_report: called whenever a group that has a fill changed, and when it ends.
        on_failure: called when a group's task raised: its state can no longer be vouched for.
    """

    def __init__(
        self,
        desk: Desk,
        risk: GroupRisk,
        flow: OrderFlow,
        exits: Exits,
        *,
        on_decision: Callable[[TradeSignal, Decision], None],
        on_report: Callable[[LegGroupReport], None],
        on_failure: Callable[[str], None],
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._desk = desk
        self._risk = risk
        self._settings = risk.settings
        self._flow = flow
        self._placement = Placement(desk, risk, flow)
        self._unwinding = Unwinding(desk, risk, flow, exits, self.counters, on_begin=self._unwinds)
        self._on_decision = on_decision
        self._on_report = on_report
        self._work = WorkSet("a leg group", on_failure)
        self._runs: dict[str, GroupRun] = {}
        self._accumulator = LegGroupAccumulator(
            gap=self._settings.max_leg_gap_ms / 1000,
            most=self._settings.max_groups,
            on_complete=self._complete,
            on_dropped=self._dropped,
        )

    @property
    def collecting(self) -> int:
        return len(self._accumulator)

    def running(self) -> list[LegGroupReport]:
        """Return the groups that are not over."""
        return [run.report() for run in self._runs.values() if not run.over]

    # Collecting and deciding

    def add(self, signal: TradeSignal) -> None:
        """Take one leg's signal."""
        self._accumulator.add(signal)

    def _dropped(self, name: str, signals: tuple[TradeSignal, ...], code: str, reason: str) -> None:
        self.counters[f"dropped_{code}"] += 1
        self._desk.audit("leg_group_dropped", group=name, code=code, reason=reason, legs=len(signals))
        self._tell(signals, Decision(refusal=Refusal.GROUP, detail=reason))

    def _complete(self, collected: Collected) -> None:
        self.counters["complete"] += 1
        busy = self._busy(collected)
        if busy is not None:
            self._refuse(collected, busy)
            return
        decided = self._risk.decide(collected)
        if decided.group is None:
            self._refuse(collected, Decision(refusal=decided.refusal, detail=decided.detail))
            return
        self.counters["accepted"] += 1
        drafts = {draft.intent_id: draft for draft in decided.drafts}
        for signal in collected.signals:
            draft = drafts[signal.id]
            self._on_decision(signal, Decision(decision_id=draft.decision_id, draft=draft))
        run = self._runs[decided.group.id] = GroupRun(decided.group, None, self._desk.portfolio)
        # Rows are written in the order in which they are handed over: the group's is there before the first of its orders.
        self._desk.write([decided.group])
        self._work.start(self._run(run, decided.drafts))

    def _busy(self, collected: Collected) -> Decision | None:
        running = [run.group for run in self._runs.values() if not run.over]
        if len(running) >= self._settings.max_groups:
            return Decision(refusal=Refusal.BUSY, detail=f"{len(running)} leg groups are on their way")
        wanted = {(signal.token_id, signal.side) for signal in collected.signals}
        if any({(leg.token_id, leg.side) for leg in group.legs} == wanted for group in running):
            return Decision(refusal=Refusal.DUPLICATE, detail="a group of the same legs is on its way")
        return None

    def _refuse(self, collected: Collected, decision: Decision) -> None:
        self.counters[f"refused_{decision.refusal}"] += 1
        self._desk.audit(
            "leg_group_refused", group=collected.name, refusal=str(decision.refusal), reason=decision.detail
        )
        self._tell(collected.signals, decision)

    def _tell(self, signals: Iterable[TradeSignal], decision: Decision) -> None:
        for signal in signals:
            self._on_decision(signal, decision)

    # Placing

    async def _run(self, run: GroupRun, drafts: Sequence[OrderDraft]) -> None:
        try:
            await self._placement.place(run, drafts)
            await self._conclude(run)
        finally:
            self._risk.release(drafts)
            self._risk.let_go(run.group)

    # Ending

    async def _conclude(self, run: GroupRun) -> None:
        """Bring a group to its end, from whatever state."""
        if not await run.answered(self._placement.gap(run)):
            await self._flow.cancel_many(run.unanswered(), "its group goes on without it")
        await self._unwinding.unwind(run)
        self._risk.let_go(run.group)
        while run.unexplained():
            await self._explained(run)
            # What the venue had promised did not all come, or came too late: attempts that are left may be made now.
            await self._unwinding.unwind(run)
        self._end(run)

    @staticmethod
    async def _explained(run: GroupRun) -> None:
        while run.unexplained():
            await run.changed()

    def _unwinds(self, run: GroupRun) -> None:
        if run.state.state is GroupState.PLACING:
            self._move(run, GroupState.UNWINDING, "its legs are not equal")

    def _end(self, run: GroupRun) -> None:
        if run.over:
            return
        state = run.judged()
        self.counters[state.value] += 1
        self._finish(run, state, "")
        _log.info("leg group over", group=run.group.name, state=state.value, residual=run.state.residual)
        self._forget_final(run)

    def _finish(self, run: GroupRun, state: GroupState, reason: str) -> None:
        """Journal an end. New risk stops first where something is left that was not meant to be kept: a crash in between ends the group again."""
        if state is GroupState.FAILED:
            for leg, shares in zip(run.group.legs, residual_of(run.legs()), strict=True):
                if abs(shares) >= SIZE_STEP:
                    self._alarm(run.group, leg.market.id, leg.token_id, shares)
        self._move(run, state, reason)

    def _forget_final(self, run: GroupRun) -> None:
        if all(leg.final for leg in run.legs()):
            self._runs.pop(run.group.id, None)

    def _alarm(self, group: LegGroup, market_id: str, token_id: str, shares: int) -> None:
        held = format_micros(shares)
        reason = f"residual inventory: {held} shares of {token_id} are left of leg group {group.name}"
        if self._desk.stop(HaltScope.MARKET, market_id, reason=reason, fix="sell them, or keep them as a position"):
            self.counters["residuals"] += 1
        self._desk.audit("leg_group_residual", group=group.id, market=market_id, token=token_id, shares=shares)

    def _move(self, run: GroupRun, state: GroupState, reason: str) -> None:
        if state is not run.state.state and not group_may_move(run.state.state, state):
            raise AssertionError(f"leg group {run.group.id} was {run.state.state}, evidence says {state}")
        run.state = LegGroupState(
            group_id=run.group.id,
            state=state,
            reason=reason,
            residual=residual_of(run.legs()),
            updated_ns=self._desk.clock.now_ns(),
        )
        self._desk.write([run.state])
        self._report(run)

    def _report(self, run: GroupRun) -> None:
        report = run.report()
        if any(leg.first_fill_ns is not None for leg in report.legs):
            self._on_report(report)

    # News from the account

    def on_change(self, change: Change) -> None:
        """Hear of what changed in the account; orders and fills of groups are acted on."""
        touched = {id(run): run for run in self._touched(change)}
        for run in touched.values():
            run.wake()
            if run.over:
                self._late(run)
            else:
                self._report(run)

    def _touched(self, change: Change) -> Iterable[GroupRun]:
        if not self._runs:
            return
        orders = self._desk.portfolio.orders
        own_orders: list[OwnOrder] = change.orders + [
            own for fill in change.fills if (own := orders.get(fill.key.order_id)) is not None
        ]
        for own in own_orders:
            run = self._runs.get(own.order.draft.leg_group)
            if run is not None:
                run.track([own])
                yield run

    def _late(self, run: GroupRun) -> None:
        """Evidence after the end: a settlement failed, or confirmed what was believed."""
        state = run.judged()
        worse = state is not run.state.state and group_may_move(run.state.state, state)
        if worse or residual_of(run.legs()) != run.state.residual:
            self.counters["revised"] += 1
            self._desk.audit("leg_group_revised", group=run.group.id, before=run.state.state.value, now=state.value)
            self._finish(run, state if worse else run.state.state, "evidence came after its end")
        else:
            self._report(run)
        self._forget_final(run)

    # Start and stop

    def restore(self, groups: Iterable[tuple[LegGroup, LegGroupState]]) -> None:
        """Take up the groups of an earlier life; call it before evidence is applied, and `resume` once orders may be sent."""
        for group, state in groups:
            run = self._runs[group.id] = GroupRun(group, state, self._desk.portfolio)
            run.track(own for own in self._desk.portfolio.orders.all() if own.order.draft.leg_group == group.id)

    def resume(self) -> None:
        """Bring what an earlier life left to its end; nothing more of it is placed."""
        for run in list(self._runs.values()):
            if not run.over:
                self.counters["resumed"] += 1
                self._desk.audit("leg_group_resumed", group=run.group.id, state=run.state.state.value)
                self._report(run)
                self._work.start(self._conclude(run))
            else:
                self._late(run)

    async def drain(self, seconds: float) -> int:
        """Drop what is being collected and wait for groups on their way; returns how many were still on it after `seconds`."""
        self._accumulator.cancel("the trader stops")
        return await self._work.drain(seconds)

    async def abandon(self) -> None:
        """Give up waiting; the next start takes the groups up where their rows say they are."""
        await self._work.abandon()


def is_leg(signal: TradeSignal) -> bool:
    """Tell whether a signal belongs to a leg group."""
    return GROUP in signal.metadata
