"""What the kernel does when the machine's date is set while it trades: by NTP, by hand, or because the machine stood still for a while.

The kernel's own clock does not jump, so nothing that lasts is cut short or stretched. But one of the two is wrong: new risk waits until the venue has
said which. When it confirms the kernel's count, trading goes on, and health says that the machine's date is off until somebody mends it. When it
confirms the machine's, the kernel stops, because its every timestamp is wrong: start is recovery, by the new date. After a jump forward the lease
counts as run out until it was renewed: the time may have passed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from domain.errors import VenueError
from domain.ports import Clock
from runtime.ports import MachineTime
from trading.desk import Desk
from trading.venue_state import VenueState

CLOCK = "clock"
"""The name of the hold."""
JUMP_SECONDS = 2.0
"""Steps up to this size are what time servers do all the time."""
AGREE_SECONDS = 15.0
"""How far the venue's clock may be off the one it confirms: what a start allows too."""
ASK_EVERY_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class ClockWatch:
    """Watches the machine's date beside one kernel's clock. `trouble` says what is wrong with it now.

    Args:
        machine: the machine's date and the venue's; None where there is nothing to watch.
        forward: called after a jump forward: more time may have passed than was counted.
        wrong: called with the reason when the venue confirms the machine's date.
    """

    def __init__(
        self,
        desk: Desk,
        state: VenueState,
        machine: MachineTime | None,
        *,
        forward: Callable[[], None],
        wrong: Callable[[str], None],
    ) -> None:
        self.trouble = ""
        self._desk = desk
        self._clock: Clock = desk.clock
        self._state = state
        self._machine = machine
        self._forward = forward
        self._wrong = wrong
        self._noted = 0.0
        self._jumped = asyncio.Event()

    def check(self) -> None:
        """Compare the clocks; call it a few times a second."""
        if self._machine is None:
            return
        ahead = self._machine.ahead()
        if abs(ahead - self._noted) <= JUMP_SECONDS:
            return
        step, self._noted = ahead - self._noted, ahead if abs(ahead) > JUMP_SECONDS else 0.0
        _log.error("the machine's clock was set", by=round(step, 1), ahead=round(ahead, 1))
        self._desk.audit("clock_jumped", by=round(step, 1), ahead=round(ahead, 1))
        if step > 0:
            self._forward()
        self.trouble = f"the machine's clock was set by {step:+.0f} s: the venue is asked for the time"
        self._state.hold(CLOCK, self.trouble)
        self._jumped.set()

    async def run(self) -> None:
        """Ask the venue after every jump, until it has said which clock is right."""
        while self._machine is not None:
            await self._jumped.wait()
            if await self._explained(self._machine):
                self._jumped.clear()
            else:
                await asyncio.sleep(ASK_EVERY_SECONDS)

    async def _explained(self, machine: MachineTime) -> bool:
        noted = self._noted
        try:
            venue = await machine.venue_seconds()
        except VenueError as error:
            _log.warning("the venue's time could not be read", error=str(error))
            return False
        if self._noted != noted:
            return False
        ours = venue - self._clock.now_ns() / 1e9
        machines = ours - noted
        if min(abs(ours), abs(machines)) > AGREE_SECONDS:
            self.trouble = f"the venue's clock is {ours:+.0f} s ahead of ours and {machines:+.0f} s of the machine's: synchronise it"
            self._state.hold(CLOCK, self.trouble)
            return False
        if abs(machines) < abs(ours):
            self._wrong(f"the machine's clock was set by {noted:+.0f} s, and the venue's agrees with it")
            return True
        off = f"the machine's clock is {noted:+.0f} s off, which polybot does not follow: synchronise it"
        self.trouble = off if noted else ""
        _log.warning("the venue's clock agrees with ours", machine_ahead=round(noted, 1))
        self._desk.audit("clock_confirmed", machine_ahead=round(noted, 1))
        self._state.release(CLOCK)
        return True
