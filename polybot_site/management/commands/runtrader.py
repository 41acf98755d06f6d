"""`manage.py runtrader`: the process that trades. One for each account; a second one waits for the first one's lease to run out.

Tables of another version are refused at once. A database that is away is waited for.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from polybot_site.config_loader import current
from polybot_site.locations import database_url
from polybot_site.trader import run_trader
from runtime.config import Mode


class Command(BaseCommand):
    """Recovers, reconciles, then trades until SIGTERM or Ctrl-C."""

    help = "Run the trader: books, strategies, orders, positions"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--mode",
            choices=[mode.value for mode in Mode],
            help="trade, monitor or full (default: mode of the configuration)",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        _require_migrations()
        config = current().config
        config = config.model_copy(update={"mode": options["mode"] or config.mode})
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_trader(config, database_url()))


def _require_migrations() -> None:
    """Refuse to trade on tables that are not those of this version."""
    try:
        executor = MigrationExecutor(connection)
        missing = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    except OperationalError:
        return
    finally:
        connection.close()
    if missing:
        raise CommandError(f"{len(missing)} migrations are not applied, first {missing[0]}: run `manage.py migrate`")
