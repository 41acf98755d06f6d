"""Faults on frames: the way from a channel to one WebSocket client.

Faults stand on it in the order in which they were armed. PONG passes them all, but for those whose `where.event` is "PONG".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from venues.simulator.faults.armed import Armed
from venues.simulator.faults.edits import edit
from venues.simulator.faults.model import (
    Channel,
    Cut,
    Delay,
    Duplicate,
    Edit,
    EmptyDump,
    FrameKind,
    Freeze,
    Garbage,
    Lose,
    Reorder,
)

_SECOND_NS = 1_000_000_000
PONG = b"PONG"
_EVENTS = {"TRADE": "trade", "PLACEMENT": "order", "UPDATE": "order", "CANCELLATION": "order"}
"""What a frame of the account channel is about that lacks its `event_type`, by its `type`."""


class Desk(Protocol):
    """What the way of a frame needs of the desk."""

    def now_ns(self) -> int: ...
    def on_frames(self, channel: Channel) -> tuple[Armed, ...]: ...
    def same_owner(self, wallet: str, address: str) -> bool: ...
    def later(self, seconds: float, call: Callable[[], None]) -> None: ...


class Way(Protocol):
    """The connection itself."""

    def write(self, frame: bytes) -> None: ...
    def end(self, *, with_reset: bool) -> None: ...


@dataclass(slots=True)
class _Held:
    """A frame that waits for `left` others to go out."""

    left: int
    frame: bytes
    rest: tuple[Armed, ...]


class Line:
    """One connection's way. `address` is whose it is, "" on the market channel."""

    def __init__(self, desk: Desk, channel: Channel, address: str, way: Way) -> None:
        self.channel = channel
        self.address = address
        self.way = way
        self._desk = desk
        self._frozen: dict[Armed, int | None] = {}
        self._held: list[_Held] = []

    def send(self, frame: bytes) -> None:
        """Send one frame as the armed faults will have it."""
        self._pass(frame, self._desk.on_frames(self.channel))

    def _pass(self, frame: bytes, faults: tuple[Armed, ...]) -> None:
        told = _read(frame) if faults else None
        for index, armed in enumerate(faults):
            if self._freezes(armed, frame):
                return
            if self._fits(armed, told) and armed.strikes(self._desk.now_ns(), f"{self.channel} {_event(told)}"):
                self._strike(armed, frame, told, faults[index + 1 :])
                return
        self.way.write(frame)
        self._let_go()

    def _fits(self, armed: Armed, told: Any) -> bool:
        where = armed.fault.where
        if where.wallet and not self._desk.same_owner(where.wallet, self.address):
            return False
        if (told == "PONG" or where.event) and where.event not in _events(told):
            return False
        if isinstance(armed.fault.do, EmptyDump) and not isinstance(told, list):
            return False
        return not armed.markets or not armed.markets.isdisjoint(_markets(told))

    def _freezes(self, armed: Armed, frame: bytes) -> bool:
        if armed not in self._frozen or frame == PONG:
            return False
        until_ns = self._frozen[armed]
        if armed.disarmed or (until_ns is not None and self._desk.now_ns() >= until_ns):
            del self._frozen[armed]
            return False
        return True

    def _strike(self, armed: Armed, frame: bytes, told: Any, rest: tuple[Armed, ...]) -> None:
        do = armed.fault.do
        if not isinstance(do, FrameKind):
            raise TypeError(f"{armed.fault.kind} strikes no frames")
        if isinstance(do, Freeze):
            self._frozen[armed] = None if do.seconds is None else self._desk.now_ns() + int(do.seconds * _SECOND_NS)
        elif isinstance(do, Cut):
            self.way.end(with_reset=do.reset)
        elif isinstance(do, Delay):
            self._desk.later(do.seconds, lambda: self._pass(frame, rest))
        elif isinstance(do, Reorder):
            self._held.append(_Held(do.behind, frame, rest))
        elif not isinstance(do, Lose):
            for changed in _changed(do, armed, frame, told):
                self._pass(changed, rest)

    def _let_go(self) -> None:
        """A frame went out: those that waited for it follow."""
        if not self._held:
            return
        for held in self._held:
            held.left -= 1
        due = [held for held in self._held if held.left <= 0]
        self._held = [held for held in self._held if held.left > 0]
        for held in due:
            self._pass(held.frame, held.rest)


def _changed(do: Duplicate | Edit | EmptyDump | Garbage, armed: Armed, frame: bytes, told: Any) -> list[bytes]:
    """Return the frames that are sent instead of one."""
    if isinstance(do, Duplicate):
        return [frame] * (1 + do.copies)
    if isinstance(do, EmptyDump):
        return [b"[]"]
    if isinstance(do, Garbage):
        return [do.text.encode()]
    event = armed.fault.where.event
    parts = told if isinstance(told, list) else [told]
    edited = [edit(part, do.values) if event in ("", "dump") or event in _events(part) else part for part in parts]
    changed = orjson.dumps(edited if isinstance(told, list) else edited[0])
    return [frame, changed] if do.keep else [changed]


def _read(frame: bytes) -> Any:
    """Return what a frame tells; text that is no JSON tells itself."""
    try:
        return orjson.loads(frame)
    except orjson.JSONDecodeError:
        return frame.decode(errors="replace")


def _events(told: Any) -> set[str]:
    if isinstance(told, str):
        return {told}
    if isinstance(told, list):
        return {"dump"}.union(*(_events(part) for part in told))
    if not isinstance(told, dict):
        return set()
    return {str(told.get("event_type") or _EVENTS.get(str(told.get("type")), ""))}


def _event(told: Any) -> str:
    return "/".join(sorted(_events(told)))


def _markets(told: Any) -> set[str]:
    """Return the condition and token ids of a frame."""
    if isinstance(told, list):
        return set().union(*(_markets(part) for part in told))
    if not isinstance(told, dict):
        return set()
    named = {str(told.get(key, "")) for key in ("market", "asset_id")}
    if isinstance(tokens := told.get("assets_ids"), list):
        named.update(map(str, tokens))
    for key in ("price_changes", "maker_orders"):
        named |= _markets(told.get(key, []))
    return named
