"""Runs a set of programs as one: starts them together, passes their output on, restarts what dies, stops all of them within seconds.

- A program that ends is started again after a pause that grows; one that ends `MOST_FAILURES` times within `FAILURE_WINDOW` seconds stops
  the whole set, and `run` says so with `SupervisorError`.
- Stopping sends SIGTERM to each program's process group, and SIGKILL to what is left after `grace` seconds, helpers included. The first
  program serves the others: it gets its SIGTERM when they have ended, or when `_SERVED` of the grace is over.
- When this process dies, however it dies, all process groups are killed (`infra.guardian`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import string
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.errors import PolybotError
from domain.ports import Clock
from infra.guardian import Guardian

MOST_FAILURES = 5
FAILURE_WINDOW = 60.0
_SERVED = 0.8
"""Share of the grace."""
_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
_LONGEST_LINE = 1 << 20

Output = Callable[[str, str], None]


class SupervisorError(PolybotError):
    """A program does not stay up."""


@dataclass(frozen=True, slots=True)
class Program:
    """A name and a command line; `$NAME` stands for an environment variable, `python` for this interpreter."""

    name: str
    command: str

    def arguments(self, environ: Mapping[str, str]) -> list[str]:
        """Return the command as a list; a variable that is not set is a `KeyError`."""
        words = shlex.split(string.Template(self.command).substitute(environ))
        return [sys.executable if words[0] == "python" else words[0], *words[1:]]


class _Lines(asyncio.SubprocessProtocol):
    """Cuts what a program prints into lines; knows when it has ended, and when the last holder of its pipe has."""

    def __init__(self, name: str, output: Output) -> None:
        self._name = name
        self._output = output
        self._rest = b""
        self.last = ""
        self.ended = asyncio.Event()
        self.silent = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._show(line)
        if len(self._rest) > _LONGEST_LINE:
            self._flush()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._flush()
        self.silent.set()

    def process_exited(self) -> None:
        self.ended.set()

    def _flush(self) -> None:
        if self._rest:
            self._show(self._rest)
            self._rest = b""

    def _show(self, line: bytes) -> None:
        self.last = line.decode("utf-8", "replace")
        self._output(self._name, self.last)


class Supervisor:
    """One run of `programs` in `folder` with environment `environ`; `output(name, line)` receives what they print and what happens."""

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        environ: Mapping[str, str],
        folder: Path,
        output: Output,
        clock: Clock,
        grace: float = 8.0,
    ) -> None:
        self._programs = programs
        self._environ = dict(environ)
        self._folder = folder
        self._output = output
        self._clock = clock
        self._grace = grace
        self._stopping = asyncio.Event()
        self._groups: dict[str, int] = {}
        self._failure: str | None = None

    def stop(self) -> None:
        """Begin to stop; further calls change nothing (a terminal, `make` and a service manager may all pass the same signal on)."""
        if not self._stopping.is_set():
            self._stopping.set()
            for program in self._programs[1:]:
                self._ask(program)

    async def run(self) -> None:
        """Run until `stop` and return when every program has ended.

        Raises:
            SupervisorError: a program did not stay up; everything was stopped.
        """
        guardian = Guardian()
        try:
            tending = [
                asyncio.create_task(self._tend(program, guardian), name=program.name) for program in self._programs
            ]
            await self._stopping.wait()
            late = await self._ended(tending)
            if late:
                self._output(
                    "polybot", f"killing what did not stop: {', '.join(sorted(task.get_name() for task in late))}"
                )
            for group in self._groups.values():
                self._signal_group(group, signal.SIGKILL)
            await asyncio.gather(*tending)
        finally:
            guardian.close()
        if self._failure:
            raise SupervisorError(self._failure)

    async def _ended(self, tending: list[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
        """Wait for the programs that were asked to stop, ask the first one last, and return those that have not ended in time."""
        end = self._clock.monotonic() + self._grace
        if tending[1:]:
            await asyncio.wait(tending[1:], timeout=self._grace * _SERVED)
        self._ask(self._programs[0])
        return (await asyncio.wait(tending, timeout=end - self._clock.monotonic()))[1]

    async def _tend(self, program: Program, guardian: Guardian) -> None:
        ends: deque[float] = deque(maxlen=MOST_FAILURES)
        while not self._stopping.is_set():
            try:
                code, last = await self._run_once(program, guardian)
            except (OSError, KeyError, ValueError) as error:
                self._fail(f"{program.name} cannot be started: {error!r}")
                return
            if self._stopping.is_set():
                return
            now = self._clock.monotonic()
            ends.append(now)
            recent = [end for end in ends if now - end < FAILURE_WINDOW]
            if len(recent) == MOST_FAILURES:
                said = f": {last}" if last and code > 0 else ""
                self._fail(
                    f"{program.name} ended {MOST_FAILURES} times within {FAILURE_WINDOW:.0f} s, last with {_ending(code)}{said}"
                )
                return
            self._output("polybot", f"{program.name} ended with {_ending(code)}; starting it again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _PAUSES[len(recent) - 1])

    async def _run_once(self, program: Program, guardian: Guardian) -> tuple[int, str]:
        """Run a program to its end; returns its exit code and the last line it printed."""
        transport, lines = await asyncio.get_running_loop().subprocess_exec(
            lambda: _Lines(program.name, self._output),
            *program.arguments(self._environ),
            cwd=self._folder,
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        group = transport.get_pid()
        self._groups[program.name] = group
        guardian.watch(group)
        if self._stopping.is_set():
            self._ask(program)
        await lines.ended.wait()
        code = transport.get_returncode()
        # Helpers that outlive their program would hold its pipe, its ports and its lease.
        self._signal_group(group, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(lines.silent.wait(), 1.0)
        transport.close()
        del self._groups[program.name]
        guardian.forget(group)
        return code or 0, lines.last

    def _fail(self, reason: str) -> None:
        self._failure = self._failure or reason
        self.stop()

    def _ask(self, program: Program) -> None:
        """Ask a program to stop, if it runs."""
        if program.name in self._groups:
            self._signal_group(self._groups[program.name], signal.SIGTERM)

    @staticmethod
    def _signal_group(group: int, signum: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signum)


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
