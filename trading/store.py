"""Reading the trading tables for everyone but the trader, which has its journal. Every function names its account; accounts never mix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, Sum

from domain.fill import Fill
from domain.ledger import COLLATERAL, LedgerAccount
from domain.order import TERMINAL_STATUSES, Order
from domain.ports import OrderState
from domain.position import Position, PositionStatus
from markets.store import load_markets_by_id
from trading import models
from trading.row_codec import decode_fill, decode_order, decode_position

OPEN_ORDER = ~Q(status__in=[status.value for status in TERMINAL_STATUSES])


def current_account() -> str | None:
    """Return the account that is traded now, or was last; None before the first trader started."""
    return models.Lease.objects.order_by("-expires_at").values_list("account", flat=True).first()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSummary:
    """What the books say, micro-dollars; `realised` is profit before fees. `balanced` is false when a journal does not sum to zero."""

    cash: int
    inventory: int
    realised: int
    fees: int
    balanced: bool


def ledger_summary(account: str) -> LedgerSummary:
    """Return the sums of the ledger's accounts."""
    entries = models.LedgerEntry.objects.filter(account=account)
    in_collateral = entries.filter(asset=COLLATERAL).values_list("ledger_account")
    sums = dict(in_collateral.annotate(total=Sum("amount_units")).order_by())
    journals = entries.values("journal_id", "asset").annotate(total=Sum("amount_units")).order_by()
    return LedgerSummary(
        cash=_sum(sums, [LedgerAccount.CASH]),
        inventory=_sum(sums, [LedgerAccount.INVENTORY]),
        realised=-_sum(sums, [LedgerAccount.REALISED]),
        fees=_sum(sums, [LedgerAccount.FEES]),
        balanced=not journals.exclude(total=0).exists(),
    )


def _sum(sums: dict[str, int], accounts: Iterable[LedgerAccount]) -> int:
    return sum(int(sums.get(account.value, 0)) for account in accounts)
