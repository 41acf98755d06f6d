"""The arbitrage tables, named as in the specification. Written by the trader's journal alone.

Integers in micro-units are canonical; the decimal columns of the specification are generated from them by PostgreSQL and cannot disagree.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, GeneratedField, Q, Value
from django.db.models.functions import Cast

from domain.arbitrage import ArbStatus, ArbType
from domain.order import OrderSide

_TYPES = [(each.value, each.value.replace("_", " ")) for each in ArbType]
_STATUSES = [(each.value, each.value) for each in ArbStatus]


def _decimal(units: str, digits: int = 20) -> GeneratedField:
    exact: models.DecimalField[Decimal, Decimal] = models.DecimalField(max_digits=26, decimal_places=6)
    shown: models.DecimalField[Decimal, Decimal] = models.DecimalField(max_digits=digits, decimal_places=6)
    dollars = Cast(F(units), exact) / Value(Decimal(1_000_000))
    return GeneratedField(expression=Cast(dollars, shown), output_field=shown, db_persist=True)


class ArbExecution(models.Model):
    """One executed opportunity, from its first fill on; its id is that of its leg group."""

    id = models.UUIDField(primary_key=True)
    account = models.CharField(max_length=120)
    opportunity_id = models.CharField(max_length=64, blank=True, default="")
    arb_type = models.CharField(max_length=16, choices=_TYPES)
    leg_group_id = models.CharField(max_length=80)
    strategy_name = models.CharField(max_length=60)
    gross_edge_bps = models.DecimalField(max_digits=10, decimal_places=2)
    expected_units = models.BigIntegerField(help_text="what the plan brings after worst fees, micro-dollars")
    fees_units = models.BigIntegerField(default=0)
    slippage_units = models.BigIntegerField(default=0)
    net_pnl_units = models.BigIntegerField(default=0, help_text="what whole sets bring at the least, after fees")
    residual_units = models.BigIntegerField(default=0, help_text="shares that nothing hedges, micro-shares")
    residual_cost_units = models.BigIntegerField(default=0)
    expected_pnl_usd = _decimal("expected_units")
    total_fees = _decimal("fees_units")
    total_slippage = _decimal("slippage_units")
    net_pnl_usd = _decimal("net_pnl_units")
    residual = _decimal("residual_units")
    residual_cost_usd = _decimal("residual_cost_units")
    status = models.CharField(max_length=9, choices=_STATUSES, default=ArbStatus.PENDING)
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "arb_executions"
        ordering = ("-started_at",)
        indexes = (
            models.Index(fields=["arb_type"], name="idx_arb_exec_type"),
            models.Index(fields=["started_at"], name="idx_arb_exec_started"),
            models.Index(fields=["status"], name="idx_arb_exec_status"),
            models.Index(fields=["account", "-started_at", "-id"], name="idx_arb_exec_account_started"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(arb_type__in=[t.value for t in ArbType]), name="arb_executions_type"),
            models.CheckConstraint(condition=Q(status__in=[s.value for s in ArbStatus]), name="arb_executions_status"),
        )

    def __str__(self) -> str:
        return f"{self.arb_type} {self.leg_group_id} ({self.status})"


class ArbExecutionLeg(models.Model):
    """One leg of an execution."""

    id = models.BigAutoField(primary_key=True)
    execution = models.ForeignKey(ArbExecution, on_delete=models.CASCADE, related_name="legs", db_index=False)
    account = models.CharField(max_length=120)
    number = models.SmallIntegerField(help_text="its place in the group")
    order_id = models.CharField(max_length=80, blank=True, default="")
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_column="market_id", related_name="+")
    token_id = models.CharField(max_length=100)
    side = models.CharField(max_length=4, choices=[(side.value, side.value) for side in OrderSide])
    expected_price_ticks = models.BigIntegerField()
    filled_price_ticks = models.BigIntegerField(null=True)
    size_units = models.BigIntegerField()
    filled_units = models.BigIntegerField(default=0)
    unwound_units = models.BigIntegerField(default=0, help_text="shares that were bought out of again")
    residual_units = models.BigIntegerField(default=0)
    fee_units = models.BigIntegerField(default=0)
    expected_price = _decimal("expected_price_ticks", 10)
    filled_price = _decimal("filled_price_ticks", 10)
    size = _decimal("size_units")
    fee_usd = _decimal("fee_units")
    slippage_bps = models.DecimalField(max_digits=10, decimal_places=2, default=Decimal(0))
    status = models.CharField(max_length=16, default="pending")

    class Meta:
        db_table = "arb_execution_legs"
        ordering = ("execution_id", "number")
        constraints = (
            models.UniqueConstraint(fields=["execution", "number"], name="arb_execution_legs_once"),
            models.CheckConstraint(condition=Q(side__in=[s.value for s in OrderSide]), name="arb_execution_legs_side"),
        )

    def __str__(self) -> str:
        return f"{self.side} {self.size} of {self.token_id[:12]}… ({self.status})"
