"""`manage.py paper reset`: begins another paper account; the present one keeps its history."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from domain.errors import MoneyError, PolybotError
from domain.money import exact_micros, format_micros
from infra.clock import SystemClock
from infra.ids import RandomIds
from polybot_site.config_loader import current
from polybot_site.trader_account import paper_folder
from venues.paper.connect import begin_another


class Command(BaseCommand):
    """Refused while a trader uses the account: stop it first."""

    help = "Begin another paper account with a balance of its own"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        reset = actions.add_parser("reset", help="begin another account under the configured name")
        reset.add_argument("--balance", help="dollars it begins with (default: paper.balance of the configuration)")

    def handle(self, *_args: Any, **options: Any) -> None:
        config = current().config.paper
        text = options["balance"]
        try:
            balance = exact_micros(config.balance if text is None else Decimal(text))
        except (InvalidOperation, MoneyError) as error:
            raise CommandError(f"--balance was {text}, expected dollars such as 1000") from error
        if not 0 < balance <= 10**13:
            raise CommandError(f"--balance was {text}, expected more than 0 and at most 10000000 dollars")
        try:
            account = begin_another(paper_folder(), config.name, balance, SystemClock(), RandomIds())
        except PolybotError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{account} begins with ${format_micros(balance)}")
