"""The web process and its connections to PostgreSQL: other processes need some, too."""

from __future__ import annotations

import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

CLIENTS = 16
REQUESTS = 64


def _connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_requests_leave_no_connection_behind(site, person):
    bearer = person("viewer").bearer

    def ask(_number: int) -> int:
        request = urllib.request.Request(f"{site.url}/api/orders", headers=bearer)
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status

    before = _connections()
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(ask, range(REQUESTS)))
    assert answers == [200] * REQUESTS
    assert _connections() - before <= 2
