"""`manage.py up`, behind `make run`: the whole platform in one terminal."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand
from honcho.colour import get_colours
from honcho.printer import Message, Printer

from polybot_site.config_loader import current
from polybot_site.launcher import launch

_NAME_WIDTH = 8
_NO_TIME = datetime.min.replace(tzinfo=UTC)  # the programs' own lines say when


class Command(BaseCommand):
    """Ends with exit code 0 after Ctrl-C or SIGTERM, and with one message when something did not stay up."""

    help = "Start services, venue, trader, web, worker and beat, and print the dashboard's address"
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        printer = Printer(sys.stdout, time_format="", width=_NAME_WIDTH)
        palette = get_colours()
        colours: dict[str, str] = {}

        def show(name: str, line: str) -> None:
            if name not in colours:
                colours[name] = next(palette)
            printer.write(Message("line", line, _NO_TIME, name, colours[name]))

        try:
            launch(current(), show)
        except KeyboardInterrupt:
            show("polybot", "stopped before everything was up")
