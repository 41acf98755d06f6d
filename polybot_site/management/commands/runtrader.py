"""`manage.py runtrader`: the process that trades. One for each account; a second one waits for the first one's lease to run out."""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandParser

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
        config = current().config
        config = config.model_copy(update={"mode": options["mode"] or config.mode})
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_trader(config, database_url()))
