"""`manage.py prepare URL`: bring the tables up to date, seed settings and a login, and write `var/run.json`. Safe to repeat."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from polybot_site.config_loader import current
from polybot_site.run_file import RunFile
from polybot_site.seed import seed
from strategies.configs import seed_configs


class Command(BaseCommand):
    """Run by `manage.py up` before anything else starts."""

    help = "Migrate, seed, and write var/run.json for the site at URL"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", help="address of the site, such as http://127.0.0.1:8000")

    def handle(self, *_args: Any, **options: Any) -> None:
        if current().config.database.run_migrations:
            call_command("migrate", interactive=False, verbosity=0)
        seed_configs(current().config.strategy.model_dump())
        known = RunFile.read()
        login = seed(known.username if known else "admin")
        RunFile(options["url"], login.username, login.password, login.api_token).write()
