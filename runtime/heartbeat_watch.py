"""The trader's side of the dead man's switch: the pulse it goes by, and what must happen when it was silent.

The pulse goes on only while the trader holds its lease: one that lost it, or slept through its end, keeps no order of its successor alive.
New risk waits until the first beat was answered, and again from the moment at which the venue may have cancelled (no answered beat for as
long as that takes) until beats are answered and the account has been read again. A switch that ends by itself raises `VenueError` in the
pulse, which stops the kernel: a trader without its switch places nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from domain.errors import VenueError
from domain.ports import Clock, DeadMansSwitch
from trading.venue_state import VenueState

_NAME = "heartbeat"

_log = structlog.get_logger(__name__)


class HeartbeatWatch:
    """Watches one switch, None for a venue without one. `turns` counts the pulses; `lapses` is how often the venue may have cancelled so far.

    Args:
        holds_lease: tells whether this trader may trade now.
        read_again: asks for the account to be read again; `read` is called when that was done.
    """

    def __init__(
        self,
        switch: DeadMansSwitch | None,
        state: VenueState,
        clock: Clock,
        *,
        holds_lease: Callable[[], bool],
        read_again: Callable[[], None],
    ) -> None:
        self.turns = 0
        self.lapses = 0
        self._switch = switch
        self._state = state
        self._clock = clock
        self._holds_lease = holds_lease
        self._read_again = read_again
        self._lapses_read = 0
        self._silent = False

    def start(self) -> None:
        """Begin to beat; new risk waits for the first answer."""
        if self._switch is not None:
            self._state.hold(_NAME, "no heartbeat was answered yet")
            self._switch.start(lambda: self.turns)

    def stop(self) -> None:
        """Begin no further beat: from now on the venue cancels what is still open."""
        if self._switch is not None:
            self._switch.stop()

    async def pulse(self) -> None:
        """Say that the trader lives, and look after the switch."""
        if self._holds_lease():
            self.turns += 1
        switch = self._switch
        if switch is None:
            return
        if switch.failed:
            raise VenueError(f"the heartbeat ended: {switch.failed}")
        answered_at = switch.answered_at
        if answered_at is None:
            return
        silence = self._clock.monotonic() - answered_at
        self._notice(silent=silence > switch.lapse_seconds, lapses=switch.lapses)
        if self._silent:
            self._state.hold(_NAME, f"no heartbeat was answered for {silence:.0f} s: the venue cancels every order")
        elif self._lapses_read < self.lapses:
            self._state.hold(_NAME, "heartbeats were late and the venue may have cancelled: the account is read again")
            self._read_again()
        else:
            self._state.release(_NAME)

    def _notice(self, *, silent: bool, lapses: int) -> None:
        if silent and not self._silent:
            _log.error("heartbeats are not answered")
        if lapses > self.lapses:
            _log.warning("heartbeats are answered again", lapses=lapses)
        self._silent, self.lapses = silent, lapses

    @property
    def unread(self) -> bool:
        """Tell whether the account must be read again because of a lapse."""
        return self._lapses_read < self.lapses

    def read(self, lapses: int) -> None:
        """The whole account was read, by a read that began when there had been `lapses`."""
        self._lapses_read = max(self._lapses_read, lapses)
