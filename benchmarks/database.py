"""A PostgreSQL of the benchmarks' own, as durable as the trader's: every commit waits for the disk. It is gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from psycopg.conninfo import conninfo_to_dict

from infra.services import Services
from infra.services.postgres import Postgres


class _OwnPostgres(Postgres):
    """Any free port: the usual one belongs to the developer's own server."""

    usual_port = 0


@contextmanager
def migrated_database() -> Iterator[str]:
    """Start a server, make every table, and yield where it is; Django's models speak to it meanwhile."""
    folder = Path(tempfile.mkdtemp(prefix="polybot-bench-"))
    folder.chmod(0o711)
    try:
        with Services(folder, kinds=(_OwnPostgres,)).running() as endpoints:
            url = endpoints["postgres"].url
            _point_django_at(url)
            call_command("migrate", verbosity=0)
            try:
                yield url
            finally:
                connection.close()
    finally:
        shutil.rmtree(folder)


def _point_django_at(url: str) -> None:
    parts = conninfo_to_dict(url)
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
    connection.close()
    connection.settings_dict.update({ours: str(parts[theirs]) for ours, theirs in names.items()})
