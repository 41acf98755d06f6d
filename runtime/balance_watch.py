"""A trader that is never quiet would never have its balances compared with the venue's: after ten minutes new risk waits for it, a minute at most.

Orders and fills on their way end by themselves within that minute, and the account is read again and again meanwhile. What does not end (an order of
which the venue says nothing, a trade in quarantine) is told in the log and the audit, and tried again ten minutes later; new risk goes on, because
such an order keeps what it may cost reserved.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from trading.desk import Desk
from trading.venue_state import VenueState

COMPARE_SECONDS = 600.0
"""How long a trader may go without a comparison."""
WAIT_SECONDS = 60.0
"""How long new risk waits for one."""
READ_SECONDS = 5.0
"""How often the account is read while new risk waits."""
BALANCES = "balances"
"""The name of the hold."""

_log = structlog.get_logger(__name__)


class BalanceWatch:
    """Counts the time since one kernel's balances were compared.

    Args:
        read_again: asks for the account to be read again; `compared` is called when that compared balances.
    """

    def __init__(self, desk: Desk, state: VenueState, *, read_again: Callable[[], None]) -> None:
        self._desk = desk
        self._state = state
        self._read_again = read_again
        self._since: float | None = None
        self._compared_at: float | None = None
        self._waiting_since: float | None = None
        self._read_at = 0.0

    @property
    def age(self) -> float:
        """Return the seconds since balances were compared, or since the first look when they never were."""
        return 0.0 if self._compared_at is None else self._desk.clock.monotonic() - self._compared_at

    def check(self) -> None:
        """Look whether it is time; call it a few times a second."""
        now = self._desk.clock.monotonic()
        if self._compared_at is None or self._since is None:
            self._compared_at = self._since = now
        if self._waiting_since is None and now - self._since >= COMPARE_SECONDS:
            self._waiting_since = now
            self._state.hold(
                BALANCES, "too much was on its way to compare balances with the venue: they are compared now"
            )
        if self._waiting_since is None:
            return
        if now - self._waiting_since >= WAIT_SECONDS:
            _log.error("balances could not be compared with the venue", seconds=int(self.age))
            self._desk.audit("balances_not_compared", seconds=int(self.age))
            self._rest(now)
        elif now >= self._read_at:
            self._read_at = now + READ_SECONDS
            self._read_again()

    def compared(self) -> None:
        """Balances were compared just now."""
        self._compared_at = self._desk.clock.monotonic()
        self._rest(self._compared_at)

    def _rest(self, now: float) -> None:
        self._since, self._waiting_since = now, None
        self._state.release(BALANCES)
