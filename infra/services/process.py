"""Server processes: start one detached from the terminal, recognise it later, stop it.

A process is recognised by its process id together with its working directory (both servers work in their data folder), so a number that
`kill -9` left behind in a file, and that another program got since, is never taken for the server.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from domain.ports import Clock
from infra.errors import ServiceError
from infra.services.account import Account

_PR_SET_PDEATHSIG = 1
_LOG_LIMIT = 10_000_000


def ends_with_parent(signum: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` that has the kernel send `signum` to the child when the thread that started it ends (Linux only)."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signum))
        if os.getppid() != parent:
            os.kill(os.getpid(), signum)

    return ask_kernel


def spawn(
    command: list[str], *, account: Account, folder: Path, log: Path, bound: signal.Signals | None
) -> subprocess.Popen[bytes]:
    """Start a server in `folder` as `account`, its output appended to `log`; `bound`: the signal it gets when we die."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_name(f"{log.name}.1"))
    with log.open("ab") as output:
        try:
            child: subprocess.Popen[bytes] = subprocess.Popen(
                command,
                cwd=folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=ends_with_parent(bound) if bound else None,  # noqa: PLW1509 - one system call, no lock
                **account.popen_arguments(),
            )
        except OSError as error:
            raise ServiceError(f"{command[0]} could not be started: {error}") from None
    return child


def is_server(pid: int, folder: Path) -> bool:
    """Tell whether `pid` is a living process that works in `folder`."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).samefile(folder)
    except (psutil.Error, OSError):
        return False


def stop(pid: int, folder: Path, signals: Iterable[tuple[signal.Signals, float]], clock: Clock) -> None:
    """Send each signal in turn and wait up to its seconds, until the server is gone.

    Raises:
        ServiceError: it outlived the last signal.
    """
    for signum, patience in signals:
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            return
        if wait_for(lambda: not is_server(pid, folder), patience, clock):
            return
    raise ServiceError(f"process {pid} in {folder} did not stop")


def wait_for(condition: Callable[[], bool], seconds: float, clock: Clock) -> bool:
    """Poll until `condition` holds; False when it did not within `seconds`."""
    deadline = clock.monotonic() + seconds
    while not condition():
        if clock.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def tail(log: Path, lines: int = 5) -> str:
    """Return the last lines of a log, for error messages."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError as error:
        return str(error)
