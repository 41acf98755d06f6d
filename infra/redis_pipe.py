"""A one-way pipe into Redis: callers hand over commands without waiting, batches leave every few milliseconds, answers are only checked.

Three ways in. `append` keeps every command in order; they are sent at least once, and when more than `capacity` wait, the oldest are dropped, counted
and reported by `probe`. `latest` keeps the newest command of each key. A `Source` is asked for commands at each flush, so that what changes
faster than it can be sent is conflated where it lies; at every (re)connection it is told to begin anew. Filling a batch stops after half a
millisecond, and one batch is under way at a time.

Without Redis nothing stops: the pipe reconnects with backoff, sends unconfirmed appends and latest commands again, and `age` grows. Errors that
say "not now" (loading, read-only, out of memory, a lost script) count as a lost connection; a command that Redis refuses is counted, logged and
dropped. A source that raises is logged and not asked again; `probe` tells of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

import hiredis
import structlog

from domain.ports import Clock
from infra.endings import end_tasks
from infra.errors import ServiceError
from infra.redis_batch import Batch
from infra.redis_wire import Answers, Argument, RedisWire, Script, connect, pack

__all__ = ["Argument", "RedisPipe", "Script", "Source", "Write"]

SLICE = 0.000_5
"""Seconds that filling one batch may take."""
BATCH_SIZE = 2_000
_ANSWER_TIMEOUT = 5.0
_IDLE = 1.0
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.05, 5.0
_STALE_AFTER = 5.0
_NOT_NOW: Final = frozenset(
    {"LOADING", "NOSCRIPT", "MASTERDOWN", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "OOM", "MISCONF", "READONLY", "NOREPLICAS"}
)

_log = structlog.get_logger(__name__)


class Write(Protocol):
    def __call__(self, *command: Argument) -> None: ...


class Source(Protocol):
    """Something that has commands for Redis again and again. It calls the pipe's `wake` when there are new ones."""

    def fill(self, write: Write, until: float) -> float | None:
        """Call `write` for each command that is due, but begin nothing after the monotonic time `until`.

        Returns:
            Seconds after which more will be due (0: at once); None when the source calls `wake` first.
        """

    def begin_anew(self) -> None:
        """Redis may have forgotten everything, and commands on the way may be lost: send the whole state again."""


class RedisPipe:
    """The pipe. Make it anywhere, `start` it in the event loop; all methods are called in that loop."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        scripts: Sequence[Script] = (),
        interval: float = 0.005,
        capacity: int = 100_000,
    ) -> None:
        self._url = url
        self._clock = clock
        self._scripts = scripts
        self._interval = interval
        self._capacity = capacity
        self._appended: deque[bytes] = deque()
        self._latest: dict[str, bytes] = {}
        self._sources: list[Source] = []
        self._wire: RedisWire | None = None
        self._batch: Batch | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._drained = asyncio.Event()
        self._woken = False
        self._next_due: float | None = None
        self._ping = False
        self._flushed_at = 0.0
        self._confirmed_at: float | None = None
        self._broken = ""
        self._dropped_told = 0
        self.dropped = 0
        self.refused = 0
        self.confirmed = 0

    # What callers do: never waits, never fails for what Redis does.

    def append(self, *command: Argument) -> None:
        """Send `command` in its turn; `TypeError` for an argument that is no text, bytes or number."""
        self._appended.append(pack(*command))
        self._drop_oldest()
        self.wake()

    def latest(self, key: str, *command: Argument) -> None:
        """Send `command` unless another one with the same `key` replaces it first."""
        self._latest[key] = pack(*command)
        self.wake()

    def add_source(self, source: Source) -> None:
        self._sources.append(source)
        self.wake()

    def wake(self) -> None:
        """See to it that a flush happens within `interval` of the last one."""
        if not self._woken:
            self._woken = True
            self._schedule()

    def _drop_oldest(self) -> None:
        while len(self._appended) > self._capacity:
            self._appended.popleft()
            self.dropped += 1

    # State.

    @property
    def connected(self) -> bool:
        return self._wire is not None

    @property
    def waiting(self) -> int:
        """Appends and latest commands that Redis has not confirmed."""
        on_the_way = len(self._batch.appended) + len(self._batch.latest) if self._batch else 0
        return len(self._appended) + len(self._latest) + on_the_way

    @property
    def age(self) -> float | None:
        """Seconds since Redis last confirmed a batch, None before the first; an idle pipe asks once a second."""
        return None if self._confirmed_at is None else self._clock.monotonic() - self._confirmed_at

    async def probe(self) -> None:
        """Return when all is well (a probe of `infra.health`).

        Raises:
            ServiceError: Redis has confirmed nothing for seconds, commands were dropped since the last probe, a source broke, or the
                pipe itself (a mistake in the code, or a URL that is none).
        """
        dropped, self._dropped_told = self.dropped - self._dropped_told, self.dropped
        if dropped:
            raise ServiceError(f"{dropped} commands were dropped: Redis is away or does not keep up")
        if self._broken:
            raise ServiceError(self._broken)
        age = self.age
        if age is None or age > _STALE_AFTER:
            said = "nothing yet" if age is None else f"nothing for {age:.0f} s"
            raise ServiceError(f"Redis has confirmed {said}; {self.waiting} commands wait")

    # Life.

    def start(self) -> None:
        """Begin connecting and sending in the running loop."""
        self._task = asyncio.create_task(self._run(), name="redis-pipe")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = f"the pipe ended: {error!r}"
            _log.error("redis_pipe_ended", exc_info=error)

    async def stop(self, patience: float = 2.0) -> None:
        """Send what is left, for at most `patience` seconds, then close; what could not be sent is logged."""
        if self.waiting and self.connected:
            self._drained.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._drained.wait()
        if self._task is not None:
            await end_tasks((self._task,))
        if self.waiting:
            _log.warning("redis_pipe_stopped", commands_left=self.waiting)

    async def _run(self) -> None:
        backoff = _FIRST_BACKOFF
        while True:
            confirmed = self.confirmed
            try:
                await self._serve()
            except (OSError, TimeoutError, ServiceError) as error:
                backoff = _FIRST_BACKOFF if self.confirmed > confirmed else min(backoff * 2, _LONGEST_BACKOFF)
                reason = str(error) or type(error).__name__
                _log.warning("redis_pipe_lost", reason=reason, waiting=self.waiting, retry_in=backoff)
            await asyncio.sleep(backoff)

    async def _serve(self) -> None:
        """Connect, and keep the connection until it is lost; always raises."""
        wire = await connect(self._url, self._scripts)
        wire.on_answers = self._on_answers
        try:
            for source in self._sources:
                source.begin_anew()
            self._wire, self._woken = wire, True
            self._schedule()
            while not wire.lost.done():
                await asyncio.wait({wire.lost}, timeout=_IDLE)
                self._look_after(wire)
            raise ConnectionResetError(wire.lost.result())
        finally:
            wire.end("closed")
            self._disconnected()

    def _look_after(self, wire: RedisWire) -> None:
        if self._batch is None:
            self._ping = True
            self.wake()
        elif self._clock.monotonic() - self._batch.sent_at > _ANSWER_TIMEOUT:
            wire.end(f"no answer for {_ANSWER_TIMEOUT:g} s")

    def _disconnected(self) -> None:
        self._wire = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch is not None:
            appended, latest = self._batch.unconfirmed()
            self._batch = None
            self._appended.extendleft(reversed(appended))
            self._drop_oldest()
            for key, command in latest:
                self._latest.setdefault(key, command)

    # Flushing.

    def _schedule(self) -> None:
        """Set the timer for the next flush: none while a batch is on the way or there is no connection."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch is not None or self._wire is None:
            return
        due = [self._flushed_at + self._interval] if self._woken else []
        due += [] if self._next_due is None else [self._next_due]
        if due:
            delay = max(min(due) - self._clock.monotonic(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(delay, self._flush)

    def _flush(self) -> None:
        self._timer = None
        wire = self._wire
        if wire is None or self._batch is not None:
            return
        self._woken = False
        self._flushed_at = self._clock.monotonic()
        of_sources = self._ask_sources(self._flushed_at + SLICE)
        appended = [self._appended.popleft() for _ in range(min(len(self._appended), BATCH_SIZE))]
        latest, self._latest = list(self._latest.items()), {}
        commands = [*appended, *(command for _, command in latest), *of_sources]
        if self._ping and not commands:
            commands = [pack("PING")]
        self._ping = False
        if self._appended:
            self._next_due = self._flushed_at
        if commands:
            self._batch = Batch(appended, latest, len(commands), self._flushed_at)
            wire.send(b"".join(commands))
        self._schedule()

    def _ask_sources(self, until: float) -> list[bytes]:
        commands: list[bytes] = []

        def write(*command: Argument) -> None:
            commands.append(pack(*command))

        waits: list[float] = []
        for source in list(self._sources):
            try:
                wait = source.fill(write, until)
            except Exception as error:  # noqa: BLE001 - the other sources and all appends go on; `probe` tells
                self._sources.remove(source)
                self._broken = f"{type(source).__name__} failed and is not published any more: {error!r}"
                _log.exception("redis_pipe_source_failed", source=type(source).__name__)
            else:
                waits += [] if wait is None else [wait]
        self._next_due = self._flushed_at + min(waits) if waits else None
        return commands

    def _on_answers(self, answers: Answers) -> None:
        batch, wire = self._batch, self._wire
        if batch is None or wire is None or batch.answered + len(answers) > batch.size:
            if wire is not None:
                wire.end("more answers than commands")
            return
        for answer in answers:
            if isinstance(answer, hiredis.ReplyError):
                self._on_error(batch, str(answer))
            batch.answered += 1
        if batch.answered < batch.size:
            return
        if batch.postponed:
            wire.end("Redis asked to come back later")
            return
        self.confirmed += batch.size
        self._confirmed_at = self._clock.monotonic()
        self._batch = None
        self._schedule()
        if not self.waiting:
            self._drained.set()

    def _on_error(self, batch: Batch, text: str) -> None:
        if text.split(" ", 1)[0] in _NOT_NOW:
            batch.postponed.add(batch.answered)
            return
        self.refused += 1
        _log.error("redis_command_refused", error=text[:200], refused_so_far=self.refused)
