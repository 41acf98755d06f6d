"""Too many refusals by the venue are a sign that something is wrong with us: they halt the strategy, or everything at the venue.

Counted is what the venue refused as wrong. What it refuses because of the market or of itself is no sign: an order that found no counterpart, a
post-only order that would have taken, a rate limit, a mode, what never left.
"""

from __future__ import annotations

from collections import Counter, deque

from domain.halt import HaltScope
from domain.order import OrderDraft
from domain.reports import HARMLESS, Accepted, Policy, Rejected, SendOutcome
from trading.desk import Desk
from trading.limits import RiskLimits

MINUTE = 60.0
_FIX = "remove the cause of the refusals, which stand in the orders"


class Rejections:
    """Counts the refused orders of one account at one venue.

    Args:
        venue: the name under which the venue is halted.
    """

    def __init__(self, desk: Desk, limits: RiskLimits, *, venue: str) -> None:
        self._desk = desk
        self._limits = limits
        self._venue = venue
        self._in_row: Counter[str] = Counter()
        self._recent: deque[float] = deque()

    def answered(self, draft: OrderDraft, outcome: SendOutcome) -> None:
        """Count the answer to an order."""
        if isinstance(outcome, Accepted):
            self._in_row.pop(draft.strategy, None)
            return
        if not isinstance(outcome, Rejected) or outcome.policy is Policy.RETRY_AFTER or outcome.code in HARMLESS:
            return
        self._in_row[draft.strategy] += 1
        if self._in_row[draft.strategy] >= self._limits.max_rejections_in_row:
            count = self._in_row.pop(draft.strategy)
            reason = f"{count} orders in a row were refused, the last one: {outcome.says}"
            self._desk.stop(HaltScope.STRATEGY, draft.strategy, reason=reason, fix=_FIX)
        now = self._desk.clock.monotonic()
        self._recent.append(now)
        while self._recent[0] <= now - MINUTE:
            self._recent.popleft()
        if len(self._recent) >= self._limits.max_rejections_per_minute:
            reason = f"{len(self._recent)} orders were refused within a minute, the last one: {outcome.says}"
            self._recent.clear()
            self._desk.stop(HaltScope.VENUE, self._venue, reason=reason, fix=_FIX)
