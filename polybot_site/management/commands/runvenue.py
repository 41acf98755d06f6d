"""`manage.py runvenue`: the simulated Polymarket. Keeps its state in `var/venue/` and says where it is in `var/venue.json`."""

from __future__ import annotations

import asyncio
import json
import os
from argparse import ArgumentTypeError
from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandError, CommandParser

from infra.clock import SystemClock
from infra.files import write_private
from infra.ids import RandomIds
from infra.paths import var_dir
from polybot_site.config_loader import current
from venues.simulator.faults.desk import FaultDesk
from venues.simulator.server import Address, serve
from venues.simulator.state_log import StateLogError
from venues.simulator.venue import Options


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C; goes on where it stopped, also after a kill."""

    help = "Run the simulated venue"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, help="port on 127.0.0.1, 0 for any free one (default: venue.port)")
        parser.add_argument("--seed", type=int, help="seed of a new venue (default: random)")
        parser.add_argument("--fresh", action="store_true", help="forget the stored venue and begin another")
        parser.add_argument("--speed", type=_within(0.1, 20), default=1.0, help="activity of a new venue's agents (1)")
        parser.add_argument(
            "--fail-share",
            type=_within(0, 0.5),
            default=0.001,
            help="share of a new venue's trades that fail to settle",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        made = Options(
            seed=options["seed"], fresh=options["fresh"], speed=options["speed"], failing=options["fail_share"]
        )
        port = current().config.venue.port if options["port"] is None else options["port"]
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serve(var_dir() / "venue", port, SystemClock(), RandomIds(), made, self._ready))
            (var_dir() / "venue.json").unlink(missing_ok=True)
        except StateLogError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(
                f"port {port} cannot be used ({error}); choose another with --port or POLYBOT_VENUE_PORT"
            ) from None

    def _ready(self, address: Address, _desk: FaultDesk) -> None:
        where = {
            "url": address.url,
            "ws_url": address.ws_url,
            "gamma_url": address.gamma_url,
            "data_url": address.data_url,
            "relayer_url": address.relayer_url,
            "rpc_url": address.rpc_url,
            "venue_id": address.venue_id,
            "pid": os.getpid(),
        }
        write_private(var_dir() / "venue.json", json.dumps(where, indent=2) + "\n")
        self.stdout.write(
            f"simulated Polymarket {address.venue_id}: CLOB {address.url}, WebSocket {address.ws_url}/ws/market and /ws/user, "
            f"Gamma {address.gamma_url}"
        )
        self.stdout.flush()


def _within(low: float, high: float) -> Any:
    """Return an argument type: a number in [low, high]."""

    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ArgumentTypeError(f"was {text}, expected {low} to {high}")
        return value

    return number
