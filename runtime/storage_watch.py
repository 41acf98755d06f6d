"""What the kernel does while nothing can be written: a full disk, a read-only database, a table that is gone, a server that is away.

New risk waits from the moment at which that is known until everything that waited was written and the account has been read again. Orders are
cancelled all the same, and what reduces risk is sent as long as its own row can be written. The reason is on every screen; the log and the audit
have its beginning and its end. A database that says nothing at all is noticed by what waits for it.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from domain.ports import Journal
from trading.desk import Desk
from trading.venue_state import VenueState

STORAGE = "storage"
"""The name of the hold."""
SILENT_SECONDS = 5.0
"""How long a change may wait to be written before that is a trouble too."""

_log = structlog.get_logger(__name__)


class StorageWatch:
    """Listens to one kernel's journal. `trouble` is why nothing can be written now, `troubles` how often that was so.

    Args:
        read_again: asks for the account to be read again; `read` is called when that was done.
    """

    def __init__(self, desk: Desk, journal: Journal, state: VenueState, *, read_again: Callable[[], None]) -> None:
        self.trouble = ""
        self.troubles = 0
        self._troubles_read = 0
        self._desk = desk
        self._state = state
        self._read_again = read_again
        self._told = ""
        journal.watch(self._heard)

    def check(self) -> None:
        """Look whether the database answers at all; call it a few times a second."""
        since = self._desk.unwritten_since
        waited = 0.0 if since is None else self._desk.clock.monotonic() - since
        if not self._told:
            self._update("the database does not answer: see whether it runs" if waited > SILENT_SECONDS else "")

    def _heard(self, trouble: str) -> None:
        self._told = trouble
        self._update(trouble)

    def _update(self, trouble: str) -> None:
        if trouble:
            if not self.trouble:
                self.troubles += 1
                _log.error("nothing can be journaled, new risk waits", reason=trouble)
                self._desk.audit("storage_trouble", reason=trouble)
            self.trouble = trouble
            self._state.hold(STORAGE, f"nothing can be journaled: {trouble}")
        elif self.trouble:
            self.trouble = ""
            _log.warning("journaled again, the account is read before new risk")
            self._desk.audit("storage_works_again")
            self._state.hold(STORAGE, "nothing could be journaled for a while: the account is read again")
            self._read_again()

    def read(self, troubles: int) -> None:
        """The whole account was read, by a read that began when there had been `troubles` and none of them was left."""
        self._troubles_read = max(self._troubles_read, troubles)
        if not self.trouble and self._troubles_read == self.troubles:
            self._state.release(STORAGE)

    @property
    def seen(self) -> int:
        """Return how many troubles are over: what a read that begins now may put at rest."""
        return self.troubles - bool(self.trouble)
