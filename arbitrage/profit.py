"""What the executions of an account brought since a moment: sums, also by type, and how they came about. Micro-units, summed by PostgreSQL.

An execution belongs to the moment of its first fill. The curve has those that are over, in the order in which they ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum, Window
from django.db.models.functions import Coalesce, Mod, RowNumber

from arbitrage.models import ArbExecution
from domain.arbitrage import ArbStatus

_SUMS = ("expected", "net_pnl", "fees", "slippage", "residual_cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Sums over executions; `arb_type` is empty where they are of all types. `executions` are all, `running` those that are not over.

    `expected` counts those that are over, so that it stands beside what they brought; `failed` left something or were bought out of.
    """

    arb_type: str
    executions: int
    running: int
    wins: int
    losses: int
    failed: int
    expected: int
    net_pnl: int
    fees: int
    slippage: int
    residual_cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Sums of expected and realised profit up to and with one execution, at its end."""

    at: datetime
    expected: int
    net_pnl: int


def executions_since(account: str, since: datetime, arb_type: str = "") -> QuerySet[ArbExecution]:
    """Return the rows of an account's executions since a moment, those of one type when it is given."""
    rows = ArbExecution.objects.filter(account=account, started_at__gte=since)
    return rows.filter(arb_type=arb_type) if arb_type else rows


def tallies(account: str, since: datetime, arb_type: str = "") -> tuple[Tally, list[Tally]]:
    """Return the sums over everything, and those of each type that has executions."""
    rows = executions_since(account, since, arb_type).order_by()
    over = Q(completed_at__isnull=False)
    figures: dict[str, Any] = {
        "executions": Count("id"),
        "running": Count("id", filter=~over),
        "wins": Count("id", filter=over & Q(net_pnl_units__gt=0)),
        "losses": Count("id", filter=over & Q(net_pnl_units__lt=0)),
        "failed": Count("id", filter=Q(status=ArbStatus.FAILED)),
    } | {name: Coalesce(Sum(f"{name}_units"), 0) for name in _SUMS}
    figures["expected"] = Coalesce(Sum("expected_units", filter=over), 0)
    grouped: Iterable[Any] = rows.values("arb_type").annotate(**figures).order_by("arb_type")
    total: dict[str, Any] = rows.aggregate(**figures)
    return Tally(arb_type=arb_type, **total), [Tally(**row) for row in grouped]


def curve(account: str, since: datetime, arb_type: str = "", *, most: int) -> list[Point]:
    """Return the running sums at the ends of executions, at most `most` of them, evenly picked, the newest always among them."""
    rows = executions_since(account, since, arb_type).filter(completed_at__isnull=False)
    step = max(1, -(-rows.count() // most))
    forth, back = (F("completed_at").asc(), F("id").asc()), (F("completed_at").desc(), F("id").desc())
    summed = rows.annotate(
        expected_sum=Window(Sum("expected_units"), order_by=forth),
        net_pnl_sum=Window(Sum("net_pnl_units"), order_by=forth),
        place=Window(RowNumber(), order_by=back),
    )
    picked = summed.annotate(rest=Mod(F("place") - 1, step)).filter(rest=0).order_by("completed_at", "id")
    found: Iterable[Any] = picked.values_list("completed_at", "expected_sum", "net_pnl_sum")
    return [Point(at=at, expected=int(expected), net_pnl=int(net_pnl)) for at, expected, net_pnl in found]
