"""Settlement: moves every match to the chain after a while, and sometimes not at first try, and rarely not at all.

A trade may be diverted from that path to another one, which may also end nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.fill import FillStatus
from venues.exchange.commands import Settle
from venues.exchange.events import TradeView
from venues.simulator.floor import Floor


class Settlement:
    """Plans the steps of each trade: mined 1–2 s after the match, confirmed 1–2 s later.

    A share `retrying` goes through RETRYING first; a share `failing` ends as FAILED, so that the trade never happened.
    """

    def __init__(self, floor: Floor, retrying: float, failing: float) -> None:
        self._floor = floor
        self._retrying = retrying
        self._failing = failing
        self._diverted: set[str] = set()

    def matched(self, trade: TradeView) -> None:
        """Decide how a new trade will settle."""
        floor = self._floor
        draw = floor.rng.random()
        first = floor.rng.uniform(1.0, 2.0)
        second = first + floor.rng.uniform(1.0, 2.0)
        path: tuple[tuple[float, FillStatus], ...]
        if draw < self._failing:
            path = ((first, FillStatus.RETRYING), (second, FillStatus.FAILED))
        elif draw < self._failing + self._retrying:
            path = ((first, FillStatus.RETRYING), (second, FillStatus.MINED), (second + 1.0, FillStatus.CONFIRMED))
        else:
            path = ((first, FillStatus.MINED), (second, FillStatus.CONFIRMED))
        for seconds, status in path:
            floor.later(seconds, "settle", trade.id, status.value)

    def divert(self, trade_id: str, steps: Iterable[tuple[float, str]]) -> None:
        """Let a trade settle by these steps (seconds from now, status) and no others; without steps it stays as it is."""
        self._diverted.add(trade_id)
        for seconds, status in steps:
            self._floor.later(seconds, "settle_diverted", trade_id, FillStatus[status].value)

    def settle(self, trade_id: str, status: str) -> None:
        """Take one step of a trade's settlement."""
        if trade_id not in self._diverted:
            self._floor.do(Settle(trade_id, FillStatus(status)))

    def settle_diverted(self, trade_id: str, status: str) -> None:
        """Take one step of a diverted trade's settlement."""
        self._floor.do(Settle(trade_id, FillStatus(status)))
