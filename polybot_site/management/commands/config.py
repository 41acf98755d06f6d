"""`manage.py config`: the effective settings with their sources; `--example`: the commented `config.example.toml`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from polybot_site.config import Config
from polybot_site.config_loader import current
from polybot_site.config_text import effective, example


class Command(BaseCommand):
    """Prints; changes nothing. Secrets are masked."""

    help = "Print the effective settings and where each comes from"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--example", action="store_true", help="print config.example.toml instead")

    def handle(self, *_args: Any, **options: Any) -> None:
        loaded = current()
        text = example(Config) if options["example"] else effective(loaded.config, loaded.sources)
        self.stdout.write(text, ending="")
