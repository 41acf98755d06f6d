"""`make run`: everything polybot needs, started in order and stopped in order, with one line that says where to look.

Order: one launcher per `var/` (a lock), ports, embedded servers, migration and login (`manage.py prepare`), the programs of the Procfile, and
the address once the site answers. Stopping goes the other way. A server that dies meanwhile is started again; a program too. What was running
before stays running afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from honcho.environ import parse_procfile

from domain.errors import PolybotError
from infra.clock import SystemClock
from infra.errors import ServiceError
from infra.files import take_lock
from infra.loopback import HOST, is_free
from infra.parent import MakeParent
from infra.paths import ROOT, var_dir
from infra.services import Services
from infra.supervisor import Output, Program, Supervisor
from polybot_site.config_loader import Loaded
from polybot_site.locations import service_environment, services
from polybot_site.run_file import RunFile

_PORTS_TRIED = 100
_SITE_ANSWERS_WITHIN = 120.0
_WATCH_EVERY = 0.5
_SERVERS_STOP_WITHIN = 2.5
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class LaunchError(PolybotError):
    """The platform could not be started; the message names the fix."""


def prepare(environ: Mapping[str, str]) -> None:
    """Migrate, seed and write `var/run.json` in a process of its own, which knows the servers' addresses from `environ`."""
    command = [sys.executable, "manage.py", "prepare", f"http://{HOST}:{environ['PORT']}"]
    if subprocess.run(command, cwd=ROOT, env=dict(environ), check=False).returncode != 0:
        raise LaunchError("the database could not be prepared; the reason is above")


def launch(
    loaded: Loaded,
    output: Output,
    *,
    procfile: Path = ROOT / "Procfile",
    prepare: Callable[[Mapping[str, str]], None] = prepare,
) -> None:
    """Run the platform until SIGINT or SIGTERM. Every line of every program goes to `output(name, line)`.

    Raises:
        PolybotError: something could not be started or did not stay up; everything was stopped.
    """
    parent = MakeParent()
    with _only_launcher(var_dir()):
        config = loaded.config
        environ = os.environ | {
            "PORT": str(_port(loaded, "server.port", config.server.port)),
            "POLYBOT_VENUE_PORT": str(_port(loaded, "venue.port", config.venue.port)),
            "POLYBOT_MODE": config.mode,
            "PYTHONUNBUFFERED": "1",
        }
        environ["POLYBOT_WEB_PORT"] = environ["PORT"]
        if config.log_format == "auto" and sys.stdout.isatty():
            environ["POLYBOT_LOG_FORMAT"] = "text"
        embedded = services(config)
        with _stop_signals_as_exit(), embedded.running(stop_within=_SERVERS_STOP_WITHIN) as endpoints:
            environ |= service_environment(endpoints)
            prepare(environ)
            programs = _programs(procfile, without=set() if config.venue.kind == "simulator" else {"venue"})
            try:
                asyncio.run(_supervise(programs, environ, output, embedded, parent))
            finally:
                _ignore_stop_signals()


async def _supervise(
    programs: list[Program], environ: Mapping[str, str], output: Output, embedded: Services, parent: MakeParent
) -> None:
    supervisor = Supervisor(programs, environ=environ, folder=ROOT, output=output, clock=SystemClock())
    loop = asyncio.get_running_loop()
    for signum in _STOP_SIGNALS:
        loop.add_signal_handler(signum, supervisor.stop)
    companions = [
        asyncio.create_task(_watch_parent(parent, supervisor)),
        asyncio.create_task(_keep_servers(embedded, output)),
        asyncio.create_task(_announce(int(environ["PORT"]), output)),
    ]
    try:
        await supervisor.run()
    finally:
        for task in companions:
            task.cancel()
        await asyncio.gather(*companions, return_exceptions=True)


async def _watch_parent(parent: MakeParent, supervisor: Supervisor) -> None:
    while not parent.wants_stop():  # noqa: ASYNC110 - another process changes it
        await asyncio.sleep(_WATCH_EVERY)
    supervisor.stop()


async def _keep_servers(embedded: Services, output: Output) -> None:
    """Start an embedded server again when it died; its address stays the same unless the port was taken meanwhile."""
    while True:
        await asyncio.sleep(_WATCH_EVERY)
        gone = [name for name, endpoint in embedded.status().items() if endpoint is None]
        if gone:
            output("polybot", f"{', '.join(gone)} died; starting again")
            try:
                await asyncio.to_thread(embedded.up, bound=True)
            except ServiceError as error:
                output("polybot", str(error))


async def _announce(port: int, output: Output) -> None:
    deadline = asyncio.get_running_loop().time() + _SITE_ANSWERS_WITHIN
    while not await _answers(port):
        if asyncio.get_running_loop().time() > deadline:
            output(
                "polybot",
                f"the site does not answer on port {port} after {_SITE_ANSWERS_WITHIN:.0f} s; see the lines of `web` above",
            )
            return
        await asyncio.sleep(0.3)
    login = RunFile.read()
    if login:
        output(
            "polybot",
            f"ready: {login.url}  user {login.username}  password {login.password}  (Ctrl-C stops everything)",
        )


async def _answers(port: int) -> bool:
    """Tell whether the site gives any HTTP answer but an error of the server."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(HOST, port)
            with contextlib.closing(writer):
                writer.write(b"GET /api/health/live HTTP/1.0\r\nHost: localhost\r\n\r\n")
                status = await reader.readline()
    except (OSError, TimeoutError):
        return False
    return status.startswith(b"HTTP/1.") and status[9:10] in {b"2", b"3", b"4"}


@contextlib.contextmanager
def _only_launcher(var: Path) -> Iterator[None]:
    """Hold the launcher's lock of `var`; it ends with this process, however that dies."""
    var.mkdir(mode=0o711, parents=True, exist_ok=True)
    path = var / "run.lock"
    try:
        lock = take_lock(path)
    except BlockingIOError:
        raise LaunchError(_already_running(path)) from None
    with lock:
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _already_running(lock: Path) -> str:
    login, process = RunFile.read(), lock.read_text(encoding="utf-8")
    where = f" at {login.url}" if login else ""
    return f"polybot is already running{where} (process {process}): stop it first, or set POLYBOT_VAR to run another beside it"


def _port(loaded: Loaded, key: str, wanted: int) -> int:
    """Return the configured port, or the next free one when nobody asked for that very port."""
    explicit = loaded.is_explicit(key)
    for port in [wanted] if explicit else range(wanted, min(wanted + _PORTS_TRIED, 65536)):
        if is_free(port):
            return port
    if explicit:
        raise LaunchError(f"{key} is {wanted} (from {loaded.sources[key]}), but that port is taken: choose another")
    raise LaunchError(f"no free port between {wanted} and {wanted + _PORTS_TRIED}: set {key}")


def _programs(procfile: Path, without: set[str]) -> list[Program]:
    lines = parse_procfile(procfile.read_text(encoding="utf-8")).processes
    return [Program(name, command) for name, command in lines.items() if name not in without]


@contextlib.contextmanager
def _stop_signals_as_exit() -> Iterator[None]:
    """Let the stop signals unwind the stack once, so that what was started before the supervisor runs is stopped too."""

    def leave(_signum: int, _frame: object) -> None:
        _ignore_stop_signals()
        raise KeyboardInterrupt

    for signum in _STOP_SIGNALS:
        signal.signal(signum, leave)
    yield


def _ignore_stop_signals() -> None:
    """Stopping has begun and must not be cut short."""
    for signum in _STOP_SIGNALS:
        signal.signal(signum, signal.SIG_IGN)
