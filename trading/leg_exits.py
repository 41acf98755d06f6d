"""Which purchases leave a broken leg group now: for each leg that nothing hedges, at prices that keep the whole within the loss that is allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.money import MICRO, multiply_ceil
from domain.order import OrderDraft
from trading.desk import Desk
from trading.leg_risk import GroupRisk
from trading.leg_run import GroupRun
from trading.leg_sizes import Exit, dearest_exit, exit_order

Asks = Callable[[str], Sequence[tuple[int, int]]]
"""Displayed asks of a token as (price, size), best first; empty where there is no book to rely on."""


class Exits:
    """Decides on purchases that leave groups; each refusal is audited with its reason."""

    def __init__(self, desk: Desk, risk: GroupRisk, *, asks_of: Asks) -> None:
        self._desk = desk
        self._risk = risk
        self._asks_of = asks_of

    def drafts(self, run: GroupRun, attempt: int) -> list[OrderDraft]:
        """Return the decided purchases of one attempt, the largest leg's first."""
        budget = self._risk.settings.max_unwind_loss - run.loss()
        drafts = []
        for number, shares in run.unhedged():
            leg, entry = run.group.legs[number], run.entry(number)
            dearest = dearest_exit(leg.market, entry, shares, budget)
            wanted = exit_order(leg.market, self._asks_of(leg.exit_token_id), shares, dearest) if dearest else None
            if wanted is None:
                continue
            decision = self._risk.decide_exit(run.group, number, attempt, wanted)
            if decision.draft is None:
                self._desk.audit("leg_exit_refused", group=run.group.id, leg=number, reason=decision.detail)
                continue
            budget -= self._cost(entry, wanted)
            drafts.append(decision.draft)
        return drafts

    @staticmethod
    def _cost(entry: int, wanted: Exit) -> int:
        return max(0, multiply_ceil(entry + wanted.price - MICRO, wanted.size))
