"""The running venue: applies inputs to the world, remembers them first, lets time pass, and tells the channels what happened.

One event loop owns it; `submit` never waits. If the state log cannot be written the venue stops: an order that was answered but not
remembered would be lost money on a real venue. Snapshots are taken every `SNAPSHOT_SECONDS`, so that a restart replays little.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from domain.ports import Clock, Ids
from venues.exchange.events import Event
from venues.simulator.inputs import Input, Tick
from venues.simulator.persistence import freeze, layout, thaw
from venues.simulator.state_log import ANEW, Record, Snapshot, StateLog, StateLogError
from venues.simulator.world.world import Genesis, World

TICK_SECONDS = 0.05
SYNC_SECONDS = 0.5
SNAPSHOT_SECONDS = 60.0

Listener = Callable[[list[Event], int], None]
"""Hears the events of one input, and the time in milliseconds as the venue tells it."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a new venue is made; a venue that goes on keeps what it was made with. `seed` None draws one."""

    seed: int | None = None
    fresh: bool = False
    speed: float = 1.0
    failing: float = 0.001
    reorging: float = 0.0


class Venue:
    """A world with a memory."""

    def __init__(self, world: World, log: StateLog, clock: Clock) -> None:
        self.world = world
        self._log = log
        self._clock = clock
        self._listeners: list[Listener] = []
        self._following: deque[Callable[[], None]] = deque()
        self.skew_ns = 0

    @classmethod
    def open(cls, folder: Path, clock: Clock, ids: Ids, options: Options) -> Venue:
        """Go on with the venue kept in `folder`, or begin one. Raises `StateLogError` when what is there cannot be used."""
        log = StateLog(folder)
        try:
            stored = None if options.fresh else log.load()
            world = _new_world(clock, ids, options) if stored is None else _replay(*stored)
            if options.seed not in (None, world.genesis.seed):
                raise StateLogError(
                    f"the stored venue was made with seed {world.genesis.seed}, not {options.seed}; {ANEW}"
                )
            venue = cls(world, log, clock)
            venue._write_snapshot(*venue._cut())
        except BaseException:
            log.close()
            raise
        return venue

    def listen(self, listener: Listener) -> None:
        """Tell `listener` about everything from now on."""
        self._listeners.append(listener)

    def now_ns(self) -> int:
        """Return the venue's time: the clock's, but never behind what was already seen."""
        return max(self._clock.now_ns(), self.world.now_ns)

    def told_ns(self) -> int:
        """Return the time as the venue tells it to its clients: off by `skew_ns`, for those who want a venue whose clock is wrong."""
        return self.now_ns() + self.skew_ns

    def follow(self, call: Callable[[], None]) -> None:
        """Call this once the listeners of the present input have heard it; a listener itself must submit nothing."""
        self._following.append(call)

    def submit(self, event: Input) -> list[Event]:
        """Remember and carry out one input; return what happened, the answer to a client's command last."""
        happened = self._submit(event)
        while self._following:
            self._following.popleft()()
        return happened

    def _submit(self, event: Input) -> list[Event]:
        at_ns = self.now_ns()
        self._log.append(at_ns, event)
        happened = self.world.apply(at_ns, event)
        now_ms = (at_ns + self.skew_ns) // 1_000_000
        for listener in self._listeners:
            listener(happened, now_ms)
        return happened

    async def run(self) -> None:
        """Let time pass until cancelled."""
        loop = asyncio.get_running_loop()
        next_sync = next_snapshot = self._clock.monotonic()
        next_snapshot += SNAPSHOT_SECONDS
        while True:
            self.submit(Tick(self.world.mark()))
            now = self._clock.monotonic()
            if now >= next_snapshot:
                next_snapshot = now + SNAPSHOT_SECONDS
                number, snapshot = self._cut()
                await loop.run_in_executor(None, self._write_snapshot, number, snapshot)
            elif now >= next_sync:
                next_sync = now + SYNC_SECONDS
                await loop.run_in_executor(None, self._log.sync)
            await asyncio.sleep(TICK_SECONDS)

    def close(self) -> None:
        """Store the state as it is and release it, also when it cannot be stored: the log has everything."""
        try:
            self._write_snapshot(*self._cut())
        finally:
            self._log.close()

    def _cut(self) -> tuple[int, Snapshot]:
        number = self._log.rotate()
        return number, Snapshot(self._log.sequence, layout(), freeze(self.world))

    def _write_snapshot(self, number: int, snapshot: Snapshot) -> None:
        self._log.write_snapshot(number, snapshot)


def _new_world(clock: Clock, ids: Ids, options: Options) -> World:
    genesis = Genesis(
        venue_id=ids.uuid(),
        secret=ids.uuid(),
        seed=ids.salt() if options.seed is None else options.seed,
        started_ns=clock.now_ns(),
        speed=options.speed,
        failing=options.failing,
        reorging=options.reorging,
    )
    _log.info("a new venue begins", venue_id=genesis.venue_id, seed=genesis.seed)
    return World(genesis)


def _replay(snapshot: Snapshot, records: list[Record]) -> World:
    if snapshot.layout != layout():
        raise StateLogError(f"the stored venue was made by another version of polybot; {ANEW}")
    world = thaw(snapshot.state)
    for record in records:
        if isinstance(record.input, Tick) and record.input.mark != world.mark():
            raise StateLogError(
                f"replaying the venue's log led elsewhere at record {record.sequence}: the program has changed since; {ANEW}"
            )
        world.apply(record.at_ns, record.input)
    _log.info("the venue goes on", venue_id=world.genesis.venue_id, replayed=len(records))
    return world
