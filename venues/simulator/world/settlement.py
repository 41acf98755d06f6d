"""Settlement: moves every match to the chain after a while, and sometimes not at first try, and rarely not at all.

What is mined is in the block sealed at that moment. A trade may be diverted from its path to another one, which may also end nowhere; a
reorganised chain does so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domain.fill import FillStatus
from venues.exchange.commands import Settle
from venues.exchange.events import TradeMoved, TradeView
from venues.simulator.world.floor import Floor
from venues.simulator.world.universe import NANOS

_STAYS, _RETRIED = 0.6, 0.9


class Settlement:
    """Plans the steps of each trade: mined in the first block 1–2 s after the match, confirmed 1–2 s later.

    A share `retrying` goes through RETRYING first; a share `failing` ends as FAILED, so that the trade never happened.
    `next_seal_ns` tells when the first block after a moment is sealed.
    """

    def __init__(self, floor: Floor, retrying: float, failing: float, next_seal_ns: Callable[[int], int]) -> None:
        self._floor = floor
        self._retrying = retrying
        self._failing = failing
        self._next_seal_ns = next_seal_ns
        self._diverted: set[str] = set()

    def matched(self, trade: TradeView) -> None:
        """Decide how a new trade will settle."""
        floor = self._floor
        draw = floor.rng.random()
        sent_ns = floor.now_ns + _nanos(floor.rng.uniform(1.0, 2.0))
        wait_ns = _nanos(floor.rng.uniform(1.0, 2.0))
        path: list[tuple[int, FillStatus]] = []
        if draw < self._failing + self._retrying:
            path.append((sent_ns, FillStatus.RETRYING))
            sent_ns += wait_ns
        if draw < self._failing:
            path.append((sent_ns, FillStatus.FAILED))
        else:
            mined_ns = self._before_seal(sent_ns)
            path += [(mined_ns, FillStatus.MINED), (mined_ns + wait_ns, FillStatus.CONFIRMED)]
        for due_ns, status in path:
            floor.schedule.add(due_ns, "settle", trade.id, status.value)

    def divert(self, trade_id: str, steps: Iterable[tuple[float, str]]) -> None:
        """Let a trade settle by these steps (seconds from now, status) and no others; without steps it stays as it is."""
        self._diverted.add(trade_id)
        for seconds, status in steps:
            self._floor.later(seconds, "settle_diverted", trade_id, FillStatus[status].value)

    def replaced(self, trade_id: str) -> None:
        """Decide what becomes of a mined trade whose block was replaced: it stays, is tried again, or rarely never happened."""
        draw = self._floor.rng.random()
        if draw < _STAYS:
            return
        self._diverted.add(trade_id)
        self.settle_diverted(trade_id, FillStatus.RETRYING.value)
        mined_ns = self._before_seal(self._floor.now_ns + NANOS)
        path = [(mined_ns, FillStatus.MINED), (mined_ns + NANOS, FillStatus.CONFIRMED)]
        if draw >= _RETRIED:
            path = [(mined_ns, FillStatus.FAILED)]
        for due_ns, status in path:
            self._floor.schedule.add(due_ns, "settle_diverted", trade_id, status.value)

    def settle(self, trade_id: str, status: str) -> None:
        """Take one step of a trade's settlement."""
        if trade_id not in self._diverted:
            self._floor.do(Settle(trade_id, FillStatus(status)))

    def settle_diverted(self, trade_id: str, status: str) -> None:
        """Take one step of a diverted trade's settlement; after its last nothing can move it any more."""
        answer = self._floor.do(Settle(trade_id, FillStatus(status)))[-1]
        if isinstance(answer, TradeMoved) and answer.trade.status.terminal:
            self._diverted.discard(trade_id)

    def _before_seal(self, moment_ns: int) -> int:
        """Return the last moment that still belongs to the first block sealed after `moment_ns`."""
        return self._next_seal_ns(moment_ns) - 1


def _nanos(seconds: float) -> int:
    return int(seconds * NANOS)
