"""People with roles, and the site as a process of its own on a real port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from psycopg.conninfo import make_conninfo

from polybot_site import tokens
from polybot_site.roles import sync_roles

ROOT = Path(__file__).resolve().parents[2]
PROCFILE_WEB = next(line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("web:"))
SERVERS = {
    "uvicorn": PROCFILE_WEB.removeprefix("web: python ").split(),
    "daphne": ["-m", "daphne", "-b", "127.0.0.1", "-p", "$PORT", "polybot_site.asgi:application"],
}


@dataclass(frozen=True)
class Person:
    user: User
    token: str
    password: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Site:
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"


@pytest.fixture
def person(db):
    """Make somebody: `person("viewer")`, `person("admin")`, `person(None)` for a user without a role."""
    sync_roles()

    def make(role: str | None, name: str | None = None) -> Person:
        user = User.objects.create_user(name or f"the-{role}", password="correct horse battery")
        if role:
            user.groups.add(Group.objects.get(name=role))
        text, _ = tokens.issue(user=user, name="test")
        return Person(user, text, "correct horse battery")

    return make


@contextmanager
def serving(server: str, database: dict, redis_url: str, var: Path) -> Iterator[Site]:
    """Run the web process with `server` until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("POLYBOT_", "DJANGO_"))}
    conninfo = make_conninfo(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
    )
    environ |= {"DATABASE_URL": conninfo, "REDIS_URL": redis_url, "POLYBOT_VAR": str(var), "POLYBOT_CONFIG": ""}
    environ |= {"PORT": str(port), "POLYBOT_LOG_FORMAT": "text", "POLYBOT_SERVER__SECRET_KEY": settings.SECRET_KEY}
    arguments = [argument.replace("$PORT", str(port)) for argument in SERVERS[server]]
    log = var / f"{server}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_it_answers(port, process, log)
        yield Site(port)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _wait_until_it_answers(port: int, process: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health/live", timeout=2).close()
        except (urllib.error.URLError, OSError):
            if process.poll() is not None:
                raise AssertionError(log.read_text()) from None
            signal.sigtimedwait([], 0.05)
        else:
            return
    raise AssertionError(f"the site does not answer:\n{log.read_text()}")


@pytest.fixture(scope="module")
def site_process(django_db_setup, django_db_blocker, valkey_server, tmp_path_factory, request) -> Iterator[Site]:
    """The site under uvicorn, shared by the tests of a module; parametrize indirectly for another server."""
    from django.db import connections

    server = getattr(request, "param", "uvicorn")
    settings = connections["default"].settings_dict
    with serving(server, settings, valkey_server.url, tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def site(site_process: Site, transactional_db, redis_url) -> Site:
    """The running site over an empty database and an empty Valkey."""
    return site_process
