"""Which purchases leave a broken leg group now: for each leg that nothing hedges, at prices that keep the whole within the loss that is allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.market import Market
from domain.order import OrderDraft
from trading.desk import Desk
from trading.leg_risk import GroupRisk
from trading.leg_run import GroupRun
from trading.leg_sizes import dearest_exit, exit_loss, exit_order

Asks = Callable[[str], Sequence[tuple[int, int]] | None]
"""Displayed asks of a token as (price, size), best first; None where there is no book to rely on."""


class Exits:
    """Decides on purchases that leave groups; each refusal is audited with its reason.

    `market_of` finds a market by its id as it is now: its grid may be another one than when the group was decided.
    """

    def __init__(
        self, desk: Desk, risk: GroupRisk, *, asks_of: Asks, market_of: Callable[[str], Market | None]
    ) -> None:
        self._desk = desk
        self._risk = risk
        self._asks_of = asks_of
        self._market_of = market_of

    def drafts(self, run: GroupRun, *, blind: bool) -> list[OrderDraft]:
        """Return the decided purchases of the next attempt, the largest leg's first. `blind`: also where no book says what is offered."""
        budget = self._risk.settings.max_unwind_loss - run.loss()
        drafts = []
        for number, shares in run.unhedged():
            leg, entry = run.group.legs[number], run.entry(number)
            market = self._market_of(leg.market.id) or leg.market
            asks = self._asks_of(leg.exit_token_id)
            dearest = dearest_exit(market, entry, shares, budget)
            if not dearest or (asks is None and not blind):
                continue
            wanted = exit_order(market, asks, shares, dearest)
            if wanted is None:
                continue
            decision = self._risk.decide_exit(run.group, number, run.attempts, wanted, market)
            if decision.draft is None:
                self._desk.audit("leg_exit_refused", group=run.group.id, leg=number, reason=decision.detail)
                continue
            budget -= max(0, exit_loss(market.fees, entry, wanted.price, wanted.size))
            drafts.append(decision.draft)
        return drafts
