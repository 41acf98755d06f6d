"""Watches how long matches take to settle: while one is older than a minute, no new risk is taken.

A venue that matches but does not settle (its relayer blocks the wallet's calls, the chain stands still) would fill order after order with money and
shares that never move. The hold ends by itself when the last late match is confirmed or has failed; beginning and end are audited.
"""

from __future__ import annotations

from trading.desk import Desk
from trading.venue_state import VenueState

LATE_NS = 60_000_000_000
HOLD = "settlement"
"""The name of the hold on new risk while a match is late."""


class SettlementWatch:
    """Looks at the fills of one account."""

    def __init__(self, desk: Desk, state: VenueState) -> None:
        self._desk = desk
        self._state = state
        self._late = False

    async def check(self) -> None:
        """Begin or end the hold; call it every few seconds."""
        before = self._desk.clock.now_ns() - LATE_NS
        late = [fill for fill in self._desk.portfolio.positions.with_unsettled() if fill.matched_ns < before]
        if late:
            oldest = min(late, key=lambda fill: fill.matched_ns)
            reason = f"{len(late)} matches have not settled for more than a minute, the oldest is trade {oldest.key.trade_id}"
            self._state.hold(HOLD, reason)
            if not self._late:
                self._desk.audit("settlement_late", trade=oldest.key.trade_id, market=oldest.market_id, late=len(late))
        elif self._late:
            self._state.release(HOLD)
            self._desk.audit("settlement_caught_up")
        self._late = bool(late)
