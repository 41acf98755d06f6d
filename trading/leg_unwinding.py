"""Getting out of a broken group: the other side of what is left over is bought, in two attempts at the most, within a time and a loss.

A leg that the venue says is filled is not bought out of because its fill is late. Where no book says what is offered, one is waited for, and only
the end of the time lets an order go out blind. What is left after all that is for the caller to say.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from trading.desk import Desk
from trading.leg_exits import Exits
from trading.leg_risk import GroupRisk
from trading.leg_run import ATTEMPTS, GroupRun
from trading.order_flow import OrderFlow

_LOOKS = 8
"""How often the offers are looked at again while there is nothing to buy."""
_SEEING = 0.75
"""The part of the time in which an order needs a book that says what is offered."""


class Unwinding:
    """Buys out of the groups of one account. `on_begin` is told of each group that has something to be bought out of."""

    def __init__(
        self,
        desk: Desk,
        risk: GroupRisk,
        flow: OrderFlow,
        exits: Exits,
        counters: Counter[str],
        *,
        on_begin: Callable[[GroupRun], None],
    ) -> None:
        self._clock = desk.clock
        self._counters = counters
        self._risk = risk
        self._flow = flow
        self._exits = exits
        self._on_begin = on_begin

    async def unwind(self, run: GroupRun) -> None:
        """Return when the group is whole, kept, or cannot be left any further."""
        seconds = self._risk.settings.unwind_ms / 1000
        begin = self._clock.monotonic()
        end, blind_from = begin + seconds, begin + seconds * _SEEING
        while run.unhedged() and run.attempts < ATTEMPTS and self._clock.monotonic() < end:
            self._on_begin(run)
            self._risk.let_go(run.group)
            drafts = self._exits.drafts(run, blind=self._clock.monotonic() >= blind_from)
            placed = await self._flow.place_many(drafts) if drafts else []
            if any(placed):
                self._counters["exits"] += len(drafts)
                run.track(placed)
                await run.answered(max(0.0, end - self._clock.monotonic()))
            else:
                # Nothing can be bought out with now, or no order came to be; books and grids move.
                await asyncio.sleep(seconds / _LOOKS)
