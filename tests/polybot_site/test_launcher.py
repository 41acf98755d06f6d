"""`make run`, with small programs in place of polybot's: it starts in order, says where, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.paths import ROOT

DRIVER = """
import sys
from pathlib import Path
from domain.errors import PolybotError
from polybot_site.config_loader import load
from polybot_site.launcher import launch
from polybot_site.run_file import RunFile

def prepare(environ):
    known = RunFile.read()
    RunFile(f"http://127.0.0.1:{environ['PORT']}", "admin", known.password if known else "pass-1", "token-1").write()

try:
    launch(load(), lambda name, line: print(name, line, flush=True), procfile=Path(sys.argv[1]), prepare=prepare)
except PolybotError as error:
    sys.exit(f"error: {error}")
"""
SITE = """
import http.server, os, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/health/live" else 500); self.end_headers()
    def log_message(self, *args): pass
print("asked for", os.environ["DATABASE_URL"].partition(":")[0], os.environ["REDIS_URL"].partition(":")[0], flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""
TRADER = """
import os, signal, subprocess, sys, time
if os.environ.get("STUBBORN"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"])
print("trading in mode", sys.argv[1], flush=True)
time.sleep(300)
"""


class Launch:
    """A `make run` in a folder of its own; what it printed grows in `lines`."""

    def __init__(self, folder: Path, environ: dict[str, str], command: list[str]) -> None:
        self.var = folder / "var"
        self.lines: list[str] = []
        # What runs in a shell's background ignores SIGINT, and its children would too.
        heard = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        signal.signal(signal.SIGINT, heard)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip() for line in self.process.stdout)

    def wait_for(self, text: str, seconds: float = 60.0) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in list(self.lines):
                if text in line:
                    return line
            time.sleep(0.05)
        raise AssertionError(f"{text!r} did not appear in {self.lines}")

    def leftovers(self) -> list[str]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                if process.environ().get("POLYBOT_VAR") == str(self.var) or process.cwd().startswith(f"{self.var}/"):
                    found.append(" ".join(process.cmdline()))
        return found

    def assert_ends(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        self.process.wait(timeout=seconds)
        while self.leftovers() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.leftovers() == []
        self._reader.join(timeout=5)
        assert self.process.stdout is not None
        self.process.stdout.close()


class Stage:
    """A folder with the small programs, a Makefile, and one `var/` for all launches of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "driver.py").write_text(DRIVER)
        (folder / "site.py").write_text(SITE)
        (folder / "trader.py").write_text(TRADER)
        (folder / "Procfile").write_text(
            f"trader: python {folder}/trader.py $POLYBOT_MODE\nweb: python {folder}/site.py $PORT\n"
        )
        (folder / "Makefile").write_text(f"run:\n\t@{sys.executable} driver.py Procfile\n")
        self.launches: list[Launch] = []

    def start(self, command: tuple[str, ...] = ("make", "run"), **variables: str) -> Launch:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("POLYBOT_")}
        environ |= {"POLYBOT_VAR": str(self.folder / "var"), "POLYBOT_CONFIG": "", "PYTHONPATH": str(ROOT), **variables}
        self.launches.append(Launch(self.folder, environ, list(command)))
        return self.launches[-1]


@pytest.fixture
def stage() -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="polybot-launch-"))
    folder.chmod(0o711)
    made = Stage(folder)
    yield made
    for launch in made.launches:
        if launch.process.poll() is None:
            os.killpg(launch.process.pid, signal.SIGTERM)
            launch.assert_ends(20)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("signum", "stubborn"),
    [(signal.SIGTERM, "1"), (signal.SIGINT, ""), (signal.SIGKILL, "")],
    ids=["SIGTERM, ignored by the trader", "SIGINT", "SIGKILL"],
)
def test_a_signal_to_make_alone_stops_everything_within_ten_seconds_and_leaves_nothing(stage, signum, stubborn):
    launch = stage.start(STUBBORN=stubborn)
    launch.wait_for("ready: http://127.0.0.1:")
    launch.wait_for("web asked for postgresql redis")
    launch.wait_for("trader trading in mode full")
    launch.process.send_signal(signum)
    launch.assert_ends(10)


def test_ctrl_c_reaches_the_whole_group_and_ends_without_an_error(stage):
    launch = stage.start((sys.executable, "driver.py", "Procfile"))
    launch.wait_for("ready: ")
    os.killpg(launch.process.pid, signal.SIGINT)
    launch.assert_ends(10)
    assert launch.process.returncode == 0


def test_nothing_outlives_a_killed_launcher_and_the_next_run_goes_on_with_the_same_data(stage):
    first = stage.start((sys.executable, "driver.py", "Procfile"))
    first.wait_for("ready: ")
    before = json.loads((first.var / "run.json").read_text())
    first.process.kill()
    first.assert_ends(5)
    second = stage.start()
    second.wait_for("ready: ")
    after = json.loads((first.var / "run.json").read_text())
    assert after["password"] == before["password"]
    assert stat.S_IMODE((first.var / "run.json").stat().st_mode) == 0o600
    assert list(after) == ["url", "username", "password", "api_token"]


def test_a_second_run_at_the_same_time_says_that_one_is_running(stage):
    first = stage.start()
    url = first.wait_for("ready: ").split()[2]
    second = stage.start()
    assert f"polybot is already running at {url}" in second.wait_for("already running")
    assert second.process.wait(timeout=10) == 2


def test_a_killed_server_is_started_again_while_everything_goes_on(stage):
    launch = stage.start()
    launch.wait_for("ready: ")
    notice = json.loads((launch.var / "services.json").read_text())["services"]
    os.kill(notice["valkey"]["pid"], signal.SIGKILL)
    launch.wait_for("valkey died; starting again")
    deadline = time.monotonic() + 20
    while (now := json.loads((launch.var / "services.json").read_text())["services"])["valkey"]["pid"] == notice[
        "valkey"
    ]["pid"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert now["valkey"]["url"] == notice["valkey"]["url"]
    launch.process.send_signal(signal.SIGTERM)
    launch.assert_ends(10)


def test_a_taken_port_is_an_error_when_it_was_asked_for_and_passed_over_when_not(stage):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = stage.start(POLYBOT_WEB_PORT=str(port))
        assert f"server.port is {port} (from POLYBOT_WEB_PORT), but that port is taken" in refused.wait_for("taken")
        refused.assert_ends(10)
    chosen = stage.start(POLYBOT_WEB_PORT=str(port))
    assert f"http://127.0.0.1:{port} " in chosen.wait_for("ready: ")


def test_a_signal_before_everything_is_up_stops_what_was_started(stage):
    launch = stage.start((sys.executable, "driver.py", "Procfile"))
    deadline = time.monotonic() + 30
    while not (launch.var / "services.json").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    launch.process.send_signal(signal.SIGTERM)
    launch.assert_ends(10)


def test_the_real_programs_are_commands_of_this_project():
    from honcho.environ import parse_procfile

    programs = parse_procfile((ROOT / "Procfile").read_text()).processes
    assert list(programs) == ["venue", "trader", "web", "worker", "beat"]
