"""Markets in which the account traded and that discovery does not list: each is read by its condition id, so that its trades can be booked.

What the venue does not know, or could not be asked for, is asked for again, at first every half minute and in the end every hour; the account is told
why the market is still not known, and keeps its trades in quarantine. A round asks for `MOST_ASKED` markets at most.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog

from domain.errors import JournalUnavailableError, MarketConflictError, VenueError
from domain.market import Market
from domain.ports import Clock
from trading.portfolio import Portfolio

MOST_ASKED = 5
FIRST_PAUSE = 30.0
LONGEST_PAUSE = 3600.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Asked:
    """When a market may be asked for again, and the pause after that."""

    due: float
    pause: float
    why: str


class UnknownMarkets:
    """Reads what is missing for one account.

    Args:
        known: finds a market by its condition id.
        read: takes over one market as the venue has it, False when the venue does not know it.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        clock: Clock,
        *,
        known: Callable[[str], Market | None],
        read: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._portfolio = portfolio
        self._clock = clock
        self._known = known
        self._read = read
        self._asked: dict[str, _Asked] = {}

    async def look_up(self, condition_ids: Iterable[str]) -> None:
        """Read those of the markets that are not known, as far as they are due."""
        missing = [each for each in dict.fromkeys(condition_ids) if self._known(each) is None]
        self._asked = {each: self._asked[each] for each in missing if each in self._asked}
        now = self._clock.monotonic()
        due = [each for each in missing if each not in self._asked or self._asked[each].due <= now]
        for condition_id in due[:MOST_ASKED]:
            await self._ask(condition_id)
        self._portfolio.unread = {each: asked.why for each, asked in self._asked.items()}

    async def _ask(self, condition_id: str) -> None:
        try:
            why = "" if await self._read(condition_id) else "the venue does not know it either"
        except (VenueError, JournalUnavailableError, MarketConflictError) as error:
            _log.warning("market could not be read by its condition", condition_id=condition_id, error=str(error))
            why = "it could not be read from the venue, see the trader's log"
        if not why:
            self._asked.pop(condition_id, None)
            return
        before = self._asked.get(condition_id)
        pause = min(before.pause * 2, LONGEST_PAUSE) if before is not None else FIRST_PAUSE
        self._asked[condition_id] = _Asked(self._clock.monotonic() + pause, pause, why)
