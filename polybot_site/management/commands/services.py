"""`manage.py services up|down|status|run`: the embedded PostgreSQL and Valkey of this installation."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from infra.services import Endpoint
from polybot_site.config_loader import current
from polybot_site.locations import service_environment, services


class Command(BaseCommand):
    """`up` starts what is not running and leaves it running; `run -- PROGRAM` has it running as long as PROGRAM runs."""

    help = "Start, stop or show the embedded PostgreSQL and Valkey"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["up", "down", "status", "run"])
        parser.add_argument("program", nargs="*", help="with `run`: -- and the program with its arguments")

    def handle(self, *_args: Any, **options: Any) -> None:
        embedded = services(current().config)
        match options["action"]:
            case "up":
                for name, found in embedded.up().items():
                    self._show(name, found)
            case "down":
                stopped = embedded.down()
                self.stdout.write("\n".join(f"{name}: stopped" for name in stopped) or "nothing was running")
            case "status":
                for name, endpoint in embedded.status().items():
                    self._show(name, endpoint)
            case "run":
                with embedded.running() as endpoints:
                    finished = subprocess.run(
                        options["program"], env={**os.environ, **service_environment(endpoints)}, check=False
                    )
                sys.exit(finished.returncode)

    def _show(self, name: str, endpoint: Endpoint | None) -> None:
        if endpoint is None:
            self.stdout.write(f"{name}: not running")
        elif endpoint.pid is None:
            self.stdout.write(f"{name}: configured, not ours to run")
        else:
            self.stdout.write(
                f"{name}: running on 127.0.0.1:{endpoint.port} (process {endpoint.pid}, version {endpoint.version} from {endpoint.source}, "
                f"data in {endpoint.data})"
            )
