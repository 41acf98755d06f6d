"""Acts on what an answer means beyond its own request: waits, reads again, or stops new risk. Every act is audited.

`retry_after` goes to the venue's state. `resync` keeps new risk out of the market until the market, its books and the balances have been read again,
which is tried until it works, and waits longer each time the same market asks for it without an order being taken there. `halt` and `operator` stop
new risk at the venue with the reason and the fix; a named person lifts that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from domain.errors import VenueError
from domain.halt import HaltScope
from domain.market import Market
from domain.order import Effect, OrderDraft
from domain.reports import OVER_BUDGET, RATE_LIMITED, Accepted, Policy, Rejected, SendOutcome, Trouble
from trading.desk import Desk
from trading.risk.rejections import Rejections
from trading.venue_state import LONGEST_PAUSE, VenueState

RESYNC = "resync"
"""The name of the hold on a market that is being read again."""

_ASK_VENUE = "see at the venue what it wants"

_log = structlog.get_logger(__name__)

Resync = Callable[[Market, Trouble], Awaitable[None]]


class Policies:
    """The policies of one account at one venue.

    Args:
        venue: the name under which markets of this venue are halted.
        rejections: counts what the venue refuses.
        resync: reads a market, its books and the balances again; raises `VenueError` when that is not possible now.
        on_refused: called with every order that the venue refused, after the policy was acted on.
    """

    def __init__(
        self,
        desk: Desk,
        state: VenueState,
        *,
        venue: str,
        resync: Resync,
        rejections: Rejections,
        on_refused: Callable[[OrderDraft, Trouble], None],
    ) -> None:
        self._desk = desk
        self._state = state
        self._venue = venue
        self._resync = resync
        self._rejections = rejections
        self._on_refused = on_refused
        self._due: dict[str, tuple[float, Market, Trouble]] = {}
        self._repeats: dict[str, int] = {}
        self._wake = asyncio.Event()

    def stops(self, draft: OrderDraft) -> str:
        """Return why the venue would not take a decided order now, or ''."""
        now = self._desk.clock.monotonic()
        if draft.effect is Effect.REDUCE:
            return self._state.stops_reducing(now)
        return self._state.stops_opening(draft.market.id, now, post_only=draft.post_only)

    def placed(self, draft: OrderDraft, outcome: SendOutcome) -> None:
        """Act on the answer to an order."""
        self._rejections.answered(draft, outcome)
        if isinstance(outcome, Accepted):
            self._state.served(self._desk.clock.monotonic())
            self._repeats.pop(draft.market.id, None)
            return
        self.act(outcome, draft.market)
        if isinstance(outcome, Rejected):
            self._on_refused(draft, outcome)

    def not_cancelled(self, trouble: Trouble) -> None:
        """Act on a cancel that failed as a whole. That there were too many cancels says nothing of orders."""
        if trouble.code not in (RATE_LIMITED, OVER_BUDGET):
            self.act(trouble)

    def act(self, trouble: Trouble, market: Market | None = None) -> None:
        """Act on a trouble; only one with a market can ask for that market to be read again."""
        if trouble.policy is Policy.RETRY_AFTER:
            self._wait(trouble)
        elif trouble.policy is Policy.RESYNC and market is not None:
            self._read_again(trouble, market)
        elif trouble.policy in (Policy.HALT, Policy.OPERATOR):
            self._desk.stop(HaltScope.VENUE, self._venue, reason=trouble.says, fix=trouble.fix or _ASK_VENUE)

    def _wait(self, trouble: Trouble) -> None:
        now = self._desk.clock.monotonic()
        mode = self._state.note(trouble, now)
        if mode is not None:
            _log.warning("venue mode", mode=mode.value, code=trouble.code, text=trouble.text)
            self._desk.audit("venue_mode", mode=mode.value, code=trouble.code, state=self._state.text(now))

    def _read_again(self, trouble: Trouble, market: Market) -> None:
        if market.id in self._due:
            return
        repeats = self._repeats.get(market.id, 0)
        self._repeats[market.id] = repeats + 1
        delay = min(2.0 ** (repeats - 1), LONGEST_PAUSE) if repeats else 0.0
        self._due[market.id] = (self._desk.clock.monotonic() + delay, market, trouble)
        self._state.hold(RESYNC, f"market {market.id} is read again: {trouble.code}", market.id)
        self._desk.audit("market_read_again", market=market.id, code=trouble.code, text=trouble.text, after=delay)
        self._wake.set()

    async def run(self) -> None:
        """Read again what is due, until cancelled."""
        while True:
            await self.resync_due()
            self._wake.clear()
            moments = [due for due, _, _ in self._due.values()]
            wait = min(moments) - self._desk.clock.monotonic() if moments else None
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def resync_due(self) -> None:
        """Read again what is due now; what could not be read is tried again later."""
        now = self._desk.clock.monotonic()
        for market_id, (due, market, trouble) in list(self._due.items()):
            if due > now:
                continue
            try:
                await self._resync(market, trouble)
            except VenueError as error:
                _log.warning("market could not be read again", market_id=market_id, error=str(error))
                self._due[market_id] = (self._desk.clock.monotonic() + 1.0, market, trouble)
                continue
            del self._due[market_id]
            self._state.release(RESYNC, market_id)
