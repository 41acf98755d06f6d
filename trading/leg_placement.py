"""How the legs of a group leave: all in one batch, or one after the other, each for what every leg before it received.

Every leg was decided with its group; one whose turn comes later is decided once more, because the world has moved. What falls short ends the turns:
the rest of the group is never placed, and the shares that are there alone are somebody else's business (`trading.leg_unwinding`).
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.legs import LegPolicy
from domain.order import OrderDraft
from domain.ticks import SIZE_STEP
from trading.desk import Desk
from trading.leg_risk import GroupRisk
from trading.leg_run import GroupRun
from trading.leg_sizes import equal_size
from trading.order_flow import OrderFlow


class Placement:
    """Places the decided legs of one account's groups."""

    def __init__(self, desk: Desk, risk: GroupRisk, flow: OrderFlow) -> None:
        self._desk = desk
        self._risk = risk
        self._flow = flow

    async def place(self, run: GroupRun, drafts: Sequence[OrderDraft]) -> None:
        """Place a group as its policy says; returns when nothing more of it will be placed."""
        if run.group.policy is LegPolicy.SEQUENTIAL:
            await self._in_turn(run, drafts)
        else:
            together = run.group.policy is LegPolicy.ALL_OR_NONE
            run.track(await self._flow.place_many(drafts, together=together))

    async def _in_turn(self, run: GroupRun, drafts: Sequence[OrderDraft]) -> None:
        prices = [(leg.side, leg.price) for leg in run.group.legs]
        for number, draft in enumerate(drafts):
            turn = draft
            if number:
                received = min(leg.received for leg in run.legs()[:number])
                size = equal_size(prices[number:], min(received, run.group.size))
                decision = self._risk.again(draft, size)
                if decision.draft is None:
                    self._desk.audit("leg_not_placed", group=run.group.id, leg=number, reason=decision.detail)
                    return
                turn = decision.draft
            try:
                run.track([await self._flow.place(turn)])
            finally:
                self._risk.release([turn])
            await run.answered(self.gap(run))
            if run.legs()[number].received < turn.size - SIZE_STEP and (number or not run.legs()[0].received):
                return

    def gap(self, run: GroupRun) -> float:
        """Return how many seconds an answer is waited for; some markets hold taking orders back."""
        delay = max(leg.market.taker_delay_ms for leg in run.group.legs)
        return (self._risk.settings.max_leg_gap_ms + delay) / 1000
