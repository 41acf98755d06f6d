"""`manage.py runvenue`: the simulated Polymarket. Keeps its state in `var/venue/` and says where it is in `var/venue.json`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import urllib.request
from argparse import ArgumentTypeError
from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandError, CommandParser

from infra.clock import SystemClock
from infra.files import write_private
from infra.ids import RandomIds
from infra.paths import ROOT, var_dir
from polybot_site.config_loader import current
from polybot_site.protocol_coverage import CoverageError, read_coverage
from venues.simulator.faults import spec
from venues.simulator.faults.desk import FaultDesk
from venues.simulator.faults.model import NO_FAULTS, FaultError
from venues.simulator.server import Address, serve
from venues.simulator.state_log import StateLog, StateLogError
from venues.simulator.venue import Options

ASK = ""


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C; goes on where it stopped, also after a kill."""

    help = "Run the simulated venue"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=_port, help="port on 127.0.0.1, 0 for any free one (default: venue.port)")
        parser.add_argument("--seed", type=int, help="seed of a new venue (default: random)")
        parser.add_argument("--fresh", action="store_true", help="forget the stored venue and begin another")
        parser.add_argument("--forget", action="store_true", help="forget the stored venue, and stop")
        parser.add_argument("--speed", type=_within(0.1, 20), default=1.0, help="activity of a new venue's agents (1)")
        parser.add_argument(
            "--fail-share",
            type=_within(0, 0.5),
            default=0.001,
            help="share of a new venue's trades that fail to settle",
        )
        parser.add_argument(
            "--faults",
            nargs="?",
            const=ASK,
            metavar="SPEC",
            help="arm a mix (chaos, hostile), a JSON file or JSON text; without a value: show what is armed in the running venue",
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help="show which tests prove which sections of the venue's protocol, and stop",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["check"]:
            self._check()
        elif options["forget"]:
            self._forget()
        elif options["faults"] == ASK:
            self._show_armed()
        else:
            self._serve(options)

    def _forget(self) -> None:
        """Delete the stored venue. Its accounts' history stays in the database."""
        try:
            with contextlib.closing(StateLog(var_dir() / "venue")) as stored:
                known = stored.forget()
        except StateLogError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            "the simulated venue is forgotten; the next start begins another" if known else "no venue is stored"
        )

    def _serve(self, options: dict[str, Any]) -> None:
        made = Options(
            seed=options["seed"], fresh=options["fresh"], speed=options["speed"], failing=options["fail_share"]
        )
        port = current().config.venue.port if options["port"] is None else options["port"]
        try:
            faults = spec.load_plan(options["faults"]) if options["faults"] else NO_FAULTS
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serve(var_dir() / "venue", port, SystemClock(), RandomIds(), made, self._ready, faults))
            (var_dir() / "venue.json").unlink(missing_ok=True)
        except FaultError as error:
            raise CommandError(f"--faults: {error}") from None
        except StateLogError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(
                f"port {port} cannot be used ({error}); choose another with --port or POLYBOT_VENUE_PORT"
            ) from None

    def _ready(self, address: Address, desk: FaultDesk) -> None:
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
        for line in spec.lines(desk.view()):
            self.stdout.write(f"fault {line}")
        self.stdout.flush()

    def _show_armed(self) -> None:
        """Print the faults of the venue that runs now, and how often each struck."""
        try:
            where = json.loads((var_dir() / "venue.json").read_text(encoding="utf-8"))
            with urllib.request.urlopen(f"{where['url']}/admin/faults", timeout=5) as response:  # noqa: S310 (an address the venue wrote)
                armed = json.load(response)["armed"]
        except (OSError, ValueError, KeyError) as error:
            raise CommandError(
                f"no running venue tells its faults ({error!r}); start one with `manage.py runvenue --faults chaos`"
            ) from None
        self.stdout.write("\n".join(spec.lines(armed)) or "no faults are armed")

    def _check(self) -> None:
        """Print who proves which section of the protocol; fail when one has no test."""
        try:
            coverage = read_coverage(ROOT / "tests")
        except CoverageError as error:
            raise CommandError(str(error)) from None
        for section in coverage.sections:
            self.stdout.write(f"{section.number:<5} {section.title:<62} {len(section.tests) or 'NO TEST'}")
            for test in section.tests:
                self.stdout.write(f"      {test}")
        for number, reason in coverage.outside.items():
            self.stdout.write(f"{number:<5} not spoken: {reason}")
        if coverage.unproven:
            missing = ", ".join(section.number for section in coverage.unproven)
            raise CommandError(f'no test proves {missing}; mark one with @pytest.mark.protocol("…")')


def _port(text: str) -> int:
    """Return a port; a socket would take a larger number modulo 65536."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= 65_535):
        raise ArgumentTypeError(f"was {text}, expected 0 to 65535")
    return int(text)


def _within(low: float, high: float) -> Any:
    """Return an argument type: a number in [low, high]."""

    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ArgumentTypeError(f"was {text}, expected {low} to {high}")
        return value

    return number
