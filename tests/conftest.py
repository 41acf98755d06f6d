"""Fixtures every test may use: real PostgreSQL and Valkey servers of this test run, and a guard that keeps sockets on loopback.

Servers start at the first test that asks for one and stop with the run; they share nothing with the developer's own `var/`.

    db, transactional_db   pytest-django's, on the run's own PostgreSQL
    postgres_url           an empty database of its own for one test, without Django
    committed_database     a migrated database of its own for one test, seen by threads and processes
    redis_url              the run's Valkey, emptied before the test
    warm_folder            a simulated venue whose agents have quoted for a while; copy it, a venue writes to its folder
"""

from __future__ import annotations

import ipaddress
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis as redis_py
from asgiref.sync import SyncToAsync
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from infra.services import Endpoint, Services
from infra.services.postgres import Postgres
from infra.services.valkey import Valkey

_LOCAL_NAMES = {"localhost", "testserver", ""}

# A busy machine is no counterexample: hypothesis asks what a property says, not how soon.
hypothesis_settings.register_profile(
    "unhurried", hypothesis_settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("unhurried")


class FastPostgres(Postgres):
    """Survives kill -9, not a power failure, and is fast."""

    durable = False
    usual_port = 0


class FreePortValkey(Valkey):
    """Any free port: the usual one belongs to the developer's own servers."""

    usual_port = 0


@pytest.fixture(scope="session")
def servers_var() -> Iterator[Path]:
    """A `var/` of this test run that the servers' user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="polybot-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_server(servers_var: Path) -> Iterator[Endpoint]:
    with Services(servers_var / "postgres", kinds=(FastPostgres,)).running() as endpoints:
        yield endpoints["postgres"]


@pytest.fixture(scope="session")
def valkey_server(servers_var: Path) -> Iterator[Endpoint]:
    with Services(servers_var / "valkey", kinds=(FreePortValkey,)).running() as endpoints:
        yield endpoints["valkey"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres_server: Endpoint) -> None:
    """Point Django at this run's PostgreSQL before pytest-django makes its test database there."""
    from django.conf import settings

    parts = conninfo_to_dict(postgres_server.url)
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
    settings.DATABASES["default"].update({ours: str(parts[theirs]) for ours, theirs in names.items()})


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment, django_db_blocker, django_db_modify_db_settings, postgres_server: Endpoint
) -> Iterator[None]:
    """Migrate the test database, whichever tests ask first: pytest-django's own looks only for its own fixtures."""
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    with django_db_blocker.unblock():
        databases = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        with psycopg.connect(postgres_server.url, autocommit=True) as admin:
            _end_sessions(admin, connection.settings_dict["NAME"])
        teardown_databases(databases, verbosity=0)


def _end_sessions(admin: psycopg.Connection[Any], database: str) -> None:
    """End the sessions that threads of earlier tests kept: a database that somebody uses can be neither cloned nor dropped.

    The thread of `sync_to_async` lives on and has to know; other threads are over.
    """
    from django.db import connections

    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
    admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [database])


@pytest.fixture
def postgres_url(postgres_server: Endpoint, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"t{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(postgres_server.url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        yield make_conninfo(postgres_server.url, dbname=name)
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def committed_database(django_db_setup, django_db_blocker, postgres_server: Endpoint) -> Iterator[str]:
    """A migrated database for one test, cloned in a blink: what is committed here is seen by every thread and process, and then dropped.

    Django speaks to it as long as the test lasts. Much faster than `transactional_db`, which empties every table.
    """
    from django.db import connection

    database, clone = connection.settings_dict["NAME"], "polybot_clone"
    with django_db_blocker.unblock(), psycopg.connect(postgres_server.url, autocommit=True) as admin:
        connection.close()
        admin.execute(f'DROP DATABASE IF EXISTS "{clone}" WITH (FORCE)')
        _end_sessions(admin, database)
        admin.execute(f'CREATE DATABASE "{clone}" TEMPLATE "{database}"')
        connection.settings_dict["NAME"] = clone
        try:
            yield make_conninfo(postgres_server.url, dbname=clone)
        finally:
            connection.close()
            connection.settings_dict["NAME"] = database
            admin.execute(f'DROP DATABASE "{clone}" WITH (FORCE)')


@pytest.fixture
def redis_url(valkey_server: Endpoint, settings) -> str:
    """The Valkey of this run, emptied; `settings.REDIS_URL` points at it as well."""
    with redis_py.Redis.from_url(valkey_server.url) as client:
        client.flushall()
    settings.REDIS_URL = settings.CELERY_BROKER_URL = valkey_server.url
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [valkey_server.url]},
        }
    }
    return valkey_server.url


@pytest.fixture(scope="session")
def warm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a simulated venue whose agents have quoted for a while; copy it, a venue writes to its folder."""
    from tests.venues.simulator.kit import warm_up

    folder = tmp_path_factory.mktemp("simulator") / "venue"
    warm_up(folder)
    return folder


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave this machine, whoever opens it."""
    import uvloop

    connect, connect_ex, create_connection = (
        socket.socket.connect,
        socket.socket.connect_ex,
        uvloop.Loop.create_connection,
    )

    def guarded_connect(self, address):
        _refuse_outside(self.family, address)
        return connect(self, address)

    def guarded_connect_ex(self, address):
        _refuse_outside(self.family, address)
        return connect_ex(self, address)

    async def guarded_create_connection(self, protocol_factory, host=None, port=None, **options):
        if host is not None:
            _refuse_outside(socket.AF_INET, (host, port))
        return await create_connection(self, protocol_factory, host, port, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(uvloop.Loop, "create_connection", guarded_create_connection)


def _refuse_outside(family: int, address: object) -> None:
    if family not in {socket.AF_INET, socket.AF_INET6} or not isinstance(address, tuple):
        return
    host = str(address[0])
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host in _LOCAL_NAMES
    if not local:
        raise PermissionError(f"a test tried to reach {host}: tests stay on loopback")
