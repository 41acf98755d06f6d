"""What `manage.py halt`, `resume` and `flatten` share: a command through PostgreSQL, without Redis and without the web process.

A running trader carries it out. Without one a halt is made durable at once, so that the next start begins halted. Exit code 0 means carried out.
"""

from __future__ import annotations

import getpass
import json
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from domain.errors import MoneyError
from domain.halt import HaltScope
from domain.money import MICRO, parse_micros
from polybot_site.halt_text import halt_lines
from trading.commands import issue, stand_in, wait
from trading.models import CommandStatus
from trading.store import accounts, current_account

_EXAMPLES = {HaltScope.VENUE: "polymarket", HaltScope.MARKET: "512340", HaltScope.STRATEGY: "flash_crash"}
"""What a target looks like; a market's id is in the address of its page on the dashboard."""


class HaltCommand(BaseCommand):
    """One kind of command on one scope."""

    kind: ClassVar[str]
    wait_seconds: ClassVar[float] = 30.0
    ttl_seconds: ClassVar[float] = 86_400.0
    """A halt is carried out even if the trader only comes back tomorrow."""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        scopes = [scope.value for scope in HaltScope]
        parser.add_argument("scope", nargs="?", default=HaltScope.ALL.value, choices=scopes, help="default: all")
        parser.add_argument(
            "target", nargs="?", default="", help="venue, market id or strategy; for resume also a limit"
        )
        parser.add_argument("--by", default=getpass.getuser(), help="your name (default: your login)")
        parser.add_argument("--account", help="default: the account that is traded, or was last")
        parser.add_argument("--json", action="store_true", help="print JSON")
        if self.kind != "resume":
            parser.add_argument(
                "--reason", default="stopped by an operator", help="is shown with the halt (stopped by an operator)"
            )
        if self.kind == "flatten":
            parser.add_argument(
                "--max-slippage", default="0.05", help="most below the first best bid, in dollars a share (0.05)"
            )

    def handle(self, *_args: Any, **options: Any) -> None:
        scope, target = HaltScope(options["scope"]), options["target"]
        wanted = scope not in (HaltScope.ALL, HaltScope.ARBITRAGE)
        if wanted != bool(target) and not (self.kind == "resume" and scope is HaltScope.ALL):
            missing = f"a target, such as `{self.kind} {scope.value} {_EXAMPLES[scope]}`" if wanted else "no target"
            raise CommandError(f"scope {scope.value} takes {missing}")
        if not options["by"].strip():
            raise CommandError("--by was empty, allowed: your name")
        if self.kind == "flatten":
            _check_flattening(scope, options["max_slippage"])
        account = options["account"] or current_account()
        if account is None:
            raise CommandError("no trader has run here: there is no account to halt")
        known = [each.account for each in accounts()]
        if account not in known:
            raise CommandError(f"account {account} was never traded here; known are {', '.join(known)}")
        payload = {"scope": scope.value, "target": target}
        payload |= {name: options[name] for name in ("reason", "max_slippage") if name in options}
        command = stand_in(
            issue(
                account=account,
                kind=self.kind,
                payload=payload,
                issued_by=options["by"].strip(),
                ttl_seconds=self.ttl_seconds,
            )
        )
        if command.status == CommandStatus.PENDING and "detail" not in command.result:
            command = wait(command, timeout=self.wait_seconds)
        status, result = command.status, command.result
        if options["json"]:
            self.stdout.write(json.dumps({"status": status, "account": account, **result}))
        if status not in (CommandStatus.DONE, CommandStatus.PENDING):
            raise CommandError(str(result.get("detail", status)))
        lines = "\n".join([account, *halt_lines(self.kind, scope, target, status, result)])
        if status == CommandStatus.PENDING and "halted" not in result:
            raise CommandError(lines)
        if not options["json"]:
            self.stdout.write(lines)


def _check_flattening(scope: HaltScope, slippage: str) -> None:
    if scope is HaltScope.ARBITRAGE:
        raise CommandError("legs hedge each other and are not sold one by one: flatten the strategy, or all")
    try:
        allowed = 0 < parse_micros(slippage) < MICRO
    except MoneyError:
        allowed = False
    if not allowed:
        raise CommandError(f"--max-slippage was {slippage}, allowed: above 0, below 1, in dollars a share")
