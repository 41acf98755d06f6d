"""`manage.py wallet`: the wallet's keys, what it holds and may do, and its money operations, shown before they are sent and followed to their end.

On the simulated venue it works as it is. On the real one it needs the wallet's key, shows the status and what `--dry-run` would send, and refuses to
send, like orders with real money are refused. It may run beside the trader: it takes nothing that open orders need, and the trader adopts what
changed (docs/adr/0006). Exit code 0 means confirmed, 1 anything else.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from domain.errors import MoneyError, PolybotError, WalletError
from domain.market import Market
from domain.money import parse_micros
from domain.wallet import (
    Approve,
    Convert,
    Merge,
    Redeem,
    Split,
    TransactionState,
    Unwrap,
    WalletOperation,
    WalletReceipt,
    Wrap,
)
from infra.clock import SystemClock
from polybot_site.config import Config
from polybot_site.config_loader import current
from polybot_site.key_actions import KEY_ACTIONS, act, add_arguments
from polybot_site.key_status import key_status, signer_lines, signer_status, signer_values, storage_lines
from polybot_site.storage import storage_status
from polybot_site.wallet_session import configured_wallet, submission_files
from polybot_site.wallet_text import as_values, plan_lines, receipt_line, status_lines
from venues.polymarket.wallet.opening import OpenWallet

_CONDITION = "condition id of the market (0x and 64 hexadecimal digits)"
_SHARES = "shares, such as 10 or 2.5"
_DOLLARS = "dollars, such as 10 or 2.5"
_ACTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "status": ("show balances, permissions and what is missing", {}),
    "approve": ("grant the permissions that trading needs and that are missing", {}),
    "split": ("turn pUSD into shares of both outcomes", {"condition": _CONDITION, "amount": _DOLLARS}),
    "merge": ("turn shares of both outcomes into pUSD", {"condition": _CONDITION, "amount": _SHARES}),
    "redeem": ("turn the shares of a resolved market into what they pay", {"condition": _CONDITION}),
    "convert": (
        "turn No shares of an exclusive event's markets into Yes of its other markets",
        {"amount": _SHARES, "conditions": "condition ids of the markets whose No shares are given"},
    ),
    "wrap": ("turn USDC.e into pUSD", {"amount": _DOLLARS}),
    "unwrap": ("turn pUSD into USDC.e", {"amount": _DOLLARS}),
    "forget": ("let go of an earlier transaction whose end cannot be found", {}),
}


class Command(BaseCommand):
    """One action a call."""

    help = "Keep the wallet's key, look at the wallet, and move its money: approve, split, merge, redeem, convert, wrap, unwrap"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        for name, text in KEY_ACTIONS.items():
            action = actions.add_parser(name, help=text, description=text)
            add_arguments(action, name)
            action.add_argument("--json", action="store_true", help="print JSON")
        for name, (text, arguments) in _ACTIONS.items():
            action = actions.add_parser(name, help=text, description=text)
            for argument, help_text in arguments.items():
                action.add_argument(argument, help=help_text, nargs="+" if argument == "conditions" else None)
            action.add_argument("--json", action="store_true", help="print JSON")
            if name == "forget":
                action.add_argument(
                    "--yes", action="store_true", help="let go of it although it may still be carried out"
                )
            elif name != "status":
                action.add_argument("--dry-run", action="store_true", help="print what would be sent, and send nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        config = current().config
        try:
            if options["action"] in KEY_ACTIONS:
                self._print(options, *act(config, options))
            else:
                asyncio.run(self._run(config, options))
        except PolybotError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("interrupted: what has left goes on, and `manage.py wallet status` names it") from None

    async def _run(self, config: Config, options: dict[str, Any]) -> None:
        if config.venue.kind != "simulator" and not options.get("dry_run", True):
            raise WalletError(
                f"`wallet {options['action']}` would move real money, which is refused until `manage.py doctor` exists: "
                "add --dry-run to see what it would send, or set POLYBOT_VENUE=simulator"
            )
        key = await self._key(config, options) if options["action"] == "status" else {}
        async with configured_wallet(config, SystemClock()) as opened:
            if options["action"] == "status":
                status = await opened.operations.status()
                self._print(options, key | as_values(status), status_lines(status))
            elif options["action"] == "forget":
                self._forget(opened, options)
            else:
                await self._operate(opened, options)

    async def _key(self, config: Config, options: dict[str, Any]) -> dict[str, Any]:
        """Return what is known of the key; people see it first, because what is wrong with it is why nothing else can be shown."""
        key, storage = key_status(config), storage_status(config.s3)
        if not options["json"]:
            self._print(options, {}, [*key.lines(), *storage_lines(storage)])
        values = {"key": key.values(), "storage": storage}
        signer = await signer_status(config)
        if signer is None:
            return values
        if not options["json"]:
            self._print(options, {}, signer_lines(signer))
        return values | {"signer": signer_values(signer)}

    async def _operate(self, opened: OpenWallet, options: dict[str, Any]) -> None:
        with submission_files(opened.operations.account).exclusive(opened.operations.identity.wallet):
            plan = await opened.operations.plan(await self._operation(opened, options))
            if options["dry_run"]:
                self._print(options, {"plan": as_values(plan)}, plan_lines(plan))
                return
            if not options["json"]:
                self._print(options, {}, plan_lines(plan))
            receipt = await opened.operations.perform(plan, self._progress)
            self._print(
                options, {"plan": as_values(plan), "receipt": as_values(receipt)}, (f"end: {receipt_line(receipt)}",)
            )
        if not receipt.done:
            raise CommandError(_advice(receipt))

    def _forget(self, opened: OpenWallet, options: dict[str, Any]) -> None:
        log, wallet = submission_files(opened.operations.account), opened.operations.identity.wallet
        with log.exclusive(wallet):
            earlier = log.load(wallet)
            if earlier is not None and not options["yes"]:
                raise WalletError(
                    f"'{earlier.description}' (nonce {earlier.nonce}) may still be carried out: run it again with --yes when you know its end"
                )
            log.clear(wallet)
        forgotten = "" if earlier is None else earlier.description
        self._print(options, {"forgotten": forgotten}, (f"forgotten: {forgotten or 'nothing was open'}",))

    async def _operation(self, opened: OpenWallet, options: dict[str, Any]) -> WalletOperation:
        """Return what the options ask for; raises `WalletError` for what cannot be meant."""
        action = options["action"]
        amount = _amount(options["amount"]) if "amount" in options else 0
        if action == "approve":
            return Approve()
        if action in ("wrap", "unwrap"):
            return Wrap(amount=amount) if action == "wrap" else Unwrap(amount=amount)
        if action == "convert":
            conditions = dict.fromkeys(options["conditions"])
            markets = [await _market(opened, condition) for condition in conditions]
            return Convert(markets=tuple(markets), amount=amount)
        market = await _market(opened, options["condition"])
        if action == "redeem":
            return Redeem(market=market)
        return Split(market=market, amount=amount) if action == "split" else Merge(market=market, amount=amount)

    def _progress(self, receipt: WalletReceipt) -> None:
        self.stderr.write(receipt_line(receipt))
        self.stderr.flush()

    def _print(self, options: dict[str, Any], values: dict[str, Any], lines: Any) -> None:
        self.stdout.write(json.dumps(values, indent=2) if options["json"] else "\n".join(lines))


async def _market(opened: OpenWallet, condition: str) -> Market:
    if not re.fullmatch(r"0x[0-9a-fA-F]{64}", condition):
        raise WalletError(f"the market was {condition!r}, expected its condition id: 0x and 64 hexadecimal digits")
    market = await opened.catalog.market(condition.lower())
    if market is None:
        raise WalletError(f"the venue knows no market {condition}: look it up in the dashboard or GET /api/markets")
    return market


def _amount(text: str) -> int:
    try:
        return parse_micros(text)
    except MoneyError as error:
        raise WalletError(str(error)) from None


def _advice(receipt: WalletReceipt) -> str:
    """Return what to do after an operation that was not confirmed."""
    if receipt.state is TransactionState.UNKNOWN:
        return (
            "nobody knows yet what became of it. Do not repeat it: `manage.py wallet status` shows what is open, and the next "
            "operation looks it up before it sends anything"
        )
    return "the operation failed: the transactions before the last one happened, the last one changed nothing"
