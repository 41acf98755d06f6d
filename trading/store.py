"""Reading the trading tables for everyone but the trader, which has its journal. Every function names its account; accounts never mix."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q, Sum
from django.db.models.functions import Now

from domain.fill import Fill
from domain.ledger import COLLATERAL, LedgerAccount
from domain.order import TERMINAL_STATUSES, Order
from domain.ports import OrderState, QuarantinedTrade
from domain.position import Position, PositionStatus
from markets.store import load_markets_by_id
from trading import models
from trading.order_rows import decode_order
from trading.quarantine import SELECT_QUARANTINED, quarantined_trade
from trading.row_codec import decode_fill, decode_position

OPEN_ORDER = ~Q(status__in=[status.value for status in TERMINAL_STATUSES])


_KINDS = ("live", "paper", "sim")
"""Of several accounts that are traded at once, the one that screens show: real money first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that was traded at some time. `kind` is what stands before its colon; `running` means a trader holds its lease."""

    account: str
    kind: str
    running: bool
    last_seen: datetime


def accounts() -> list[Account]:
    """Return every account, those that are traded now first, real money before paper before simulation, then the one that was traded last."""
    rows = models.Lease.objects.annotate(running=Q(expires_at__gt=Now())).values_list(
        "account", "running", "expires_at"
    )
    found = [
        Account(account=account, kind=account.partition(":")[0], running=running, last_seen=last_seen)
        for account, running, last_seen in rows
    ]
    return sorted(found, key=_place)


def _place(account: Account) -> tuple[bool, int, float, str]:
    rank = _KINDS.index(account.kind) if account.kind in _KINDS else len(_KINDS)
    if account.running:
        return False, rank, 0.0, account.account
    return True, 0, -account.last_seen.timestamp(), account.account


def current_account() -> str | None:
    """Return the account that is traded now (of several the first of `accounts`), or was last; None before the first trader started."""
    return next((each.account for each in accounts()), None)


def orders(account: str, *, recent: int) -> list[tuple[Order, OrderState]]:
    """Return all open orders and the `recent` newest others, oldest first."""
    rows = models.Order.objects.filter(account=account)
    ended = rows.exclude(OPEN_ORDER).order_by("-created_at").values()[:recent]
    found = sorted([*rows.filter(OPEN_ORDER).values(), *ended], key=lambda row: row["created_at"])
    markets = load_markets_by_id({row["market_id"] for row in found})
    return [decode_order(row, markets.__getitem__) for row in found]


def open_positions(account: str) -> list[Position]:
    """Return the positions that hold something, oldest first."""
    rows = models.Position.objects.filter(account=account, status=PositionStatus.OPEN)
    return [decode_position(row) for row in rows.order_by("opened_at").values()]


def recent_fills(account: str, *, recent: int) -> list[Fill]:
    """Return the `recent` newest fills, oldest first."""
    rows = models.Fill.objects.filter(account=account).order_by("-matched_at", "-id").values()[:recent]
    return [decode_fill(row) for row in rows][::-1]


def fills_between(account: str, start: datetime, end: datetime, *, most: int) -> list[models.Fill]:
    """Return the rows of the fills that matched in a span, with their markets, oldest first."""
    rows = models.Fill.objects.filter(account=account, matched_at__gte=start, matched_at__lt=end)
    return list(rows.select_related("market").order_by("matched_at", "id")[:most])


@dataclass(frozen=True, slots=True)
class HeldTrade:
    """A trade in quarantine, since when."""

    trade: QuarantinedTrade
    since: datetime


def quarantine(account: str) -> list[HeldTrade]:
    """Return the trades that could not be booked and with which nobody has dealt yet, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT_QUARANTINED, {"account": account, "since": "infinity"})
        rows = [(json.loads(detail), since) for _, detail, since, _ in cursor.fetchall()]
    # Rows of an earlier version say too little of their trade; the halt of their market names it.
    return [HeldTrade(quarantined_trade(detail, lifted=False), since) for detail, since in rows if "ours" in detail]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSummary:
    """What the books say, micro-dollars; `realised` is profit before fees, `rewards` are with rebates, `rounding` is what converged to the venue's
    books (negative: money was missing). `balanced` is false when an asset does not sum to zero.
    """

    cash: int
    inventory: int
    receivable: int
    realised: int
    fees: int
    rewards: int
    rounding: int
    deposits: int
    balanced: bool

    @property
    def profit(self) -> int:
        """Return the profit so far with inventory at cost: what the account is worth beyond its deposits."""
        return self.realised - self.fees + self.rewards + self.rounding


def ledger_summary(account: str) -> LedgerSummary:
    """Return the balances of the ledger's accounts."""
    entries = models.LedgerEntry.objects.filter(account=account)
    sums = entries.values_list("ledger_account", "asset").annotate(total=Sum("amount_units")).order_by()
    balances = {LedgerAccount(name): int(total) for name, asset, total in sums if asset == COLLATERAL}
    assets: defaultdict[str, int] = defaultdict(int)
    for _, asset, total in sums:
        assets[asset] += int(total)
    return LedgerSummary(
        cash=balances.get(LedgerAccount.CASH, 0),
        inventory=balances.get(LedgerAccount.INVENTORY, 0),
        receivable=balances.get(LedgerAccount.RECEIVABLE, 0),
        realised=-balances.get(LedgerAccount.REALISED, 0),
        fees=balances.get(LedgerAccount.FEES, 0),
        rewards=-balances.get(LedgerAccount.REWARDS, 0),
        rounding=-balances.get(LedgerAccount.ROUNDING, 0),
        deposits=-balances.get(LedgerAccount.EQUITY, 0) - balances.get(LedgerAccount.TRANSFERS, 0),
        balanced=not any(assets.values()),
    )
