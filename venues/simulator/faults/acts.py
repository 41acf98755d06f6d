"""Faults of the venue itself: it restarts, drops connections, says what nobody asked for, its clock is wrong, a market changes.

What changes the world is submitted as an input and so remembered; what only concerns the wire ends with the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import orjson
import structlog

from domain.money import parse_micros
from venues.simulator.door import Door
from venues.simulator.faults.armed import Armed
from venues.simulator.faults.frames import Line
from venues.simulator.faults.model import (
    Change,
    Drop,
    Hold,
    Inject,
    LoseBook,
    Restart,
    Skew,
    TickChange,
    VenueKind,
)
from venues.simulator.inputs import ChangeTick, HoldOrders, Input, RestartEngine, SetMarket
from venues.simulator.venue import Venue

_SECOND_NS = 1_000_000_000

_log = structlog.get_logger(__name__)


class Desk(Protocol):
    """What the venue's faults need of the desk."""

    def lines(self, armed: Armed) -> Iterable[Line]: ...
    def later(self, seconds: float, call: Callable[[], None]) -> None: ...


class Acts:
    """Carries them out. Without a `door` (no server) a restart is the engine's alone."""

    def __init__(self, venue: Venue, desk: Desk) -> None:
        self._venue = venue
        self._desk = desk
        self.door: Door | None = None

    def act(self, armed: Armed) -> None:
        """Let the venue suffer one fault, now."""
        do = armed.fault.do
        if isinstance(do, Restart):
            self._restart(do)
        elif isinstance(do, Drop):
            for line in list(self._desk.lines(armed)):
                line.way.end(with_reset=do.reset)
        elif isinstance(do, Inject):
            frame = orjson.dumps(do.frame) if do.text is None else do.text.encode()
            for line in self._desk.lines(armed):
                line.way.write(frame)
        elif isinstance(do, Skew):
            self._skew(do)
        elif isinstance(do, Change):
            self._venue.submit(do.input)
        elif isinstance(do, TickChange | LoseBook | Hold):
            self._strike_market(armed, do)
        else:
            raise TypeError(f"{armed.fault.kind} is no fault of the venue")

    def undo(self, do: VenueKind) -> None:
        """Take back what only lasts as long as its fault is armed."""
        if isinstance(do, Skew):
            self._venue.skew_ns = 0

    def _restart(self, do: Restart) -> None:
        if self.door is not None:
            self.door.drop_all()
            if do.refuse_seconds:
                self.door.shut()
                self._desk.later(do.refuse_seconds, self.door.reopen)
        self._venue.submit(
            RestartEngine(int(do.down_seconds * 1000), int(do.post_only_seconds * 1000), orders=do.orders)
        )

    def _skew(self, do: Skew) -> None:
        self._venue.skew_ns = int(do.offset * _SECOND_NS)
        if do.seconds is not None:
            self._desk.later(do.seconds, lambda: self.undo(do))

    def _strike_market(self, armed: Armed, do: TickChange | LoseBook | Hold) -> None:
        condition_id = self._market(armed)
        if condition_id is None:
            _log.warning("a fault finds no market that trades", name=armed.fault.name, kind=armed.fault.kind)
            return
        armed.last = f"market {condition_id}"
        if isinstance(do, TickChange):
            self._venue.submit(ChangeTick(condition_id, parse_micros(do.tick)))
        elif isinstance(do, LoseBook):
            self._change(SetMarket(condition_id, "no_book"), do.seconds, SetMarket(condition_id, "ready"))
        else:
            usual = self._venue.world.listings.remembered(condition_id).delay_ms
            self._change(HoldOrders(condition_id, do.milliseconds), do.seconds, HoldOrders(condition_id, usual))

    def _change(self, change: Input, seconds: float | None, back: Input) -> None:
        """Change something of the world, and back again after `seconds` when they are given."""
        self._venue.submit(change)
        if seconds is not None:
            self._desk.later(seconds, lambda: self._submit(back))

    def _submit(self, event: Input) -> None:
        self._venue.submit(event)

    def _market(self, armed: Armed) -> str | None:
        """Return the condition of the market that a fault names, or of one that it draws; None when none trades."""
        trading = [listing.spec.condition_id for listing in self._venue.world.listings.open()]
        if armed.markets:
            return next((condition_id for condition_id in trading if condition_id in armed.markets), None)
        return armed.rng.choice(trading) if trading else None
