"""The trader refuses tables that are not those of its version, and says what to do."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection


def test_the_trader_does_not_start_before_every_migration_was_applied(committed_database: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'trading' AND name NOT LIKE '0001%%'")

    with pytest.raises(CommandError, match=r"migrations are not applied, first trading\.0002.*manage\.py migrate"):
        call_command("runtrader")
