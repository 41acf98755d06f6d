"""A running platform as a test sees it: its address and login, its API, and its programs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page

from infra.paths import ROOT

_READY_WITHIN = 180.0
_STOPS_WITHIN = 20.0
_KEPT = "kept"


@dataclass(frozen=True)
class Platform:
    """A running platform: its address, its login, its launcher's pid and its data."""

    url: str
    username: str
    password: str
    api_token: str
    pid: int
    var: Path

    @property
    def log(self) -> Path:
        """Everything the platform printed."""
        return self.var / "up.log"

    def keep(self) -> Path:
        """Leave the data where it is when the platform has stopped; returns where."""
        (self.var / _KEPT).touch()
        return self.var

    def get(self, path: str) -> Any:
        """Return the JSON the API answers with."""
        return self._send("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._send("POST", path, json.dumps(body).encode())

    def delete(self, path: str) -> Any:
        return self._send("DELETE", path)

    def _send(self, method: str, path: str, body: bytes | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.api_token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", data=body, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def halts(self, scope: str) -> list[Any]:
        """Return the halts of one scope: in another, the trader may halt by itself the market of a basket that broke."""
        return [halt for halt in self.get("/api/halt")["halts"] if halt["scope"] == scope]

    def program(self, word: str) -> psutil.Process:
        """Return the program of the platform whose command line has `word` in it; one that is being started again is waited for."""
        return eventually(lambda: self._program(word), within=30, what=f"a running {word}")

    def _program(self, word: str) -> psutil.Process | None:
        for child in psutil.Process(self.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if any(word in part for part in child.cmdline()):
                    return child
        return None


@contextmanager
def started(settings: Mapping[str, str] | None = None) -> Iterator[Platform]:
    """Start a platform of its own, on free ports and fresh data, and stop it in the end. `settings` are variables of its environment."""
    var = Path(tempfile.mkdtemp(prefix="polybot-e2e-"))
    var.chmod(0o711)
    web, venue = free_ports(2)
    ports = {"POLYBOT_WEB_PORT": str(web), "POLYBOT_VENUE_PORT": str(venue)}
    log = var / "up.log"
    with log.open("w") as output:
        launcher = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env={
                **os.environ,
                **ports,
                **(settings or {}),
                "POLYBOT_VAR": str(var),
                "DJANGO_SETTINGS_MODULE": "polybot_site.settings",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _ready(var, launcher, log)
    finally:
        launcher.send_signal(signal.SIGTERM)
        try:
            launcher.wait(_STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            launcher.kill()
            launcher.wait()
        if not (var / _KEPT).exists():
            shutil.rmtree(var, ignore_errors=True)


def _ready(var: Path, launcher: subprocess.Popen[bytes], log: Path) -> Platform:
    run_file = var / "run.json"

    def answers() -> Platform | None:
        if launcher.poll() is not None:
            pytest.fail(f"the platform stopped:\n{log.read_text()[-4000:]}")
        if not run_file.exists():
            return None
        found = Platform(**json.loads(run_file.read_text()), pid=launcher.pid, var=var)
        return found if found.get("/api/status")["ready"] else None

    try:
        found: Platform = eventually(answers, within=_READY_WITHIN, what="a trader that is ready")
    except pytest.fail.Exception as error:
        pytest.fail(f"{error}:\n{log.read_text()[-4000:]}")
    return found


def eventually(check: Callable[[], Any], *, within: float, what: str) -> Any:
    """Return the first true answer of `check`; fail when there is none in time. An answer of the site that fails is not true."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if answer := check():
                return answer
        except OSError:
            pass
        time.sleep(0.25)
    pytest.fail(f"{what} did not happen within {within:.0f} s")


def free_ports(count: int) -> list[int]:
    """Return ports on which nobody listens, no two the same: all are held until each is found."""
    with contextlib.ExitStack() as held:
        servers = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(server.getsockname()[1]) for server in servers]


def sign_in(page: Page, platform: Platform) -> None:
    page.goto(platform.url)
    page.get_by_label("Username").fill(platform.username)
    page.get_by_label("Password").fill(platform.password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{platform.url}/")
