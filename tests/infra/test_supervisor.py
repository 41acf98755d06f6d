"""A set of programs that run as one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from infra.clock import SystemClock
from infra.supervisor import MOST_FAILURES, Program, Supervisor, SupervisorError

IGNORES_TERM = "import signal, time, os; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', os.getpid(), flush=True); time.sleep(60)"
SLEEPS = "import os, time; print('up', os.getpid(), flush=True); time.sleep(60)"
HAS_HELPER = (
    "import subprocess, sys, time; helper = subprocess.Popen([sys.executable, '-c', 'import signal, time;"
    " signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)']); print('up', helper.pid, flush=True); time.sleep(60)"
)


SAYS_GOODBYE = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: (time.sleep({pause}), print('bye', flush=True), sys.exit(0)));"
    " print('up', flush=True); time.sleep(60)"
)


class Lines:
    """What the programs said, and a way to wait for it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self._news = asyncio.Event()

    def __call__(self, name: str, line: str) -> None:
        self.seen.append((name, line))
        self._news.set()

    def said(self, name: str) -> list[str]:
        return [line for who, line in self.seen if who == name]

    async def wait_for(self, name: str, start: str, count: int = 1) -> list[str]:
        async with asyncio.timeout(20):
            while len(found := [line for line in self.said(name) if line.startswith(start)]) < count:
                self._news.clear()
                await self._news.wait()
        return found


def supervisor(lines: Lines, grace: float = 6.0, **commands: str) -> Supervisor:
    programs = [Program(name, f'python -c "{code}"') for name, code in commands.items()]
    return Supervisor(
        programs, environ=dict(os.environ), folder=Path.cwd(), output=lines, clock=SystemClock(), grace=grace
    )


def is_gone(process: psutil.Process) -> bool:
    """Wait for a process that is not our child; one that nobody has collected yet counts as gone."""
    for _ in range(500):
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def pid_of(line: str) -> int:
    return int(line.split()[1])


async def test_stop_ends_every_program():
    lines = Lines()
    running = supervisor(lines, a=SLEEPS, b=SLEEPS)
    task = asyncio.create_task(running.run())
    pids = [pid_of((await lines.wait_for(name, "up"))[0]) for name in ("a", "b")]
    running.stop()
    await task
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_the_first_program_serves_the_others_until_they_have_ended():
    lines = Lines()
    running = supervisor(lines, server=SAYS_GOODBYE.format(pause=0), client=SAYS_GOODBYE.format(pause=0.3))
    task = asyncio.create_task(running.run())
    for name in ("server", "client"):
        await lines.wait_for(name, "up")
    running.stop()
    await task
    assert [name for name, line in lines.seen if line == "bye"] == ["client", "server"]


async def test_the_first_program_is_asked_to_stop_even_if_another_does_not():
    lines = Lines()
    running = supervisor(lines, grace=2.5, server=SAYS_GOODBYE.format(pause=0), client=IGNORES_TERM)
    task = asyncio.create_task(running.run())
    for name in ("server", "client"):
        await lines.wait_for(name, "up")
    running.stop()
    await task
    assert "bye" in lines.said("server")
    assert "killing what did not stop: client" in lines.said("polybot")


async def test_a_program_that_ignores_sigterm_is_killed_after_the_grace():
    lines = Lines()
    running = supervisor(lines, grace=0.3, stubborn=IGNORES_TERM)
    task = asyncio.create_task(running.run())
    pid = pid_of((await lines.wait_for("stubborn", "up"))[0])
    running.stop()
    running.stop()
    await task
    assert not psutil.pid_exists(pid)
    assert "killing what did not stop: stubborn" in lines.said("polybot")


async def test_a_helper_that_ignores_sigterm_does_not_outlive_its_program():
    lines = Lines()
    running = supervisor(lines, parent=HAS_HELPER)
    task = asyncio.create_task(running.run())
    helper = psutil.Process(pid_of((await lines.wait_for("parent", "up"))[0]))
    running.stop()
    await task
    assert is_gone(helper)


async def test_a_killed_program_is_started_again_and_the_others_go_on():
    lines = Lines()
    running = supervisor(lines, a=SLEEPS, b=SLEEPS)
    task = asyncio.create_task(running.run())
    await lines.wait_for("b", "up")
    first = pid_of((await lines.wait_for("a", "up"))[0])
    os.kill(first, signal.SIGKILL)
    second = pid_of((await lines.wait_for("a", "up", 2))[1])
    assert second != first
    assert "a ended with signal SIGKILL; starting it again" in lines.said("polybot")
    assert len(lines.said("b")) == 1
    running.stop()
    await task


async def test_a_program_that_keeps_ending_stops_everything_and_is_named(monkeypatch):
    monkeypatch.setattr("infra.supervisor._PAUSES", (0.0,) * MOST_FAILURES)
    lines = Lines()
    running = supervisor(lines, broken="import sys; print('no key'); sys.exit(3)", healthy=SLEEPS)
    with pytest.raises(SupervisorError, match=r"broken ended 5 times within 60 s, last with exit code 3: no key"):
        await running.run()
    for line in lines.said("healthy"):
        assert not psutil.pid_exists(pid_of(line))


async def test_a_program_that_does_not_exist_is_named():
    missing = Supervisor(
        [Program("x", "no-such-program --now")],
        environ=dict(os.environ),
        folder=Path.cwd(),
        output=Lines(),
        clock=SystemClock(),
    )
    with pytest.raises(SupervisorError, match="x cannot be started"):
        await missing.run()


async def test_a_line_longer_than_any_buffer_arrives_in_parts():
    lines = Lines()
    running = supervisor(
        lines, wordy="import time; print('w' * 3_000_000, flush=True); print('end', flush=True); time.sleep(60)"
    )
    task = asyncio.create_task(running.run())
    await lines.wait_for("wordy", "end")
    assert sum(len(line) for line in lines.said("wordy")) == 3_000_003
    running.stop()
    await task


def test_variables_in_a_command_are_filled_in_and_a_missing_one_is_an_error():
    program = Program("web", "python -m server --port $PORT --name 'two words'")
    assert program.arguments({"PORT": "8000"}) == [
        sys.executable,
        "-m",
        "server",
        "--port",
        "8000",
        "--name",
        "two words",
    ]
    with pytest.raises(KeyError):
        program.arguments({})


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the kernel of Linux kills the children of a dead parent"
)
def test_nothing_outlives_a_supervisor_that_was_killed():
    code = f"""
import asyncio, os
from pathlib import Path
from infra.clock import SystemClock
from infra.supervisor import Program, Supervisor
programs = [Program("stubborn", '''python -c "{IGNORES_TERM}"''')]
show = lambda name, line: print(line, flush=True)
asyncio.run(Supervisor(programs, environ=dict(os.environ), folder=Path.cwd(), output=show, clock=SystemClock()).run())
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout is not None
        child = psutil.Process(pid_of(launcher.stdout.readline()))
        launcher.kill()
    assert is_gone(child)
