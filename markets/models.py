"""The market tables, named as in the specification: `markets`, `condition_groups` and their junction.

Integers in micro-units are canonical (`…_units`); the decimal columns are generated from them by PostgreSQL and cannot disagree. Rows are written
by `markets.store` alone. A market's id never changes its meaning: trading rows refer to it for ever.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Deferrable, F, GeneratedField, Q, Value
from django.db.models.functions import Cast, Now

from domain.market import MarketStatus

_STATUSES = [(status.value, status.value) for status in MarketStatus]


def _decimal(units: str, digits: int, places: int) -> GeneratedField:
    """Return the decimal column of an integer column, rounded to `places`."""
    exact: models.DecimalField[Decimal, Decimal] = models.DecimalField(max_digits=26, decimal_places=6)
    shown: models.DecimalField[Decimal, Decimal] = models.DecimalField(max_digits=digits, decimal_places=places)
    dollars = Cast(F(units), exact) / Value(Decimal(1_000_000))
    return GeneratedField(expression=Cast(dollars, shown), output_field=shown, db_persist=True)


class Market(models.Model):
    """One binary market with its two outcome tokens; the first outcome is the YES side."""

    id = models.TextField(primary_key=True, help_text="the venue's own id")
    venue = models.TextField()
    question = models.TextField()
    slug = models.TextField(null=True, blank=True)  # noqa: DJ001 - unique where there is one
    outcome_1 = models.TextField()
    outcome_2 = models.TextField()
    token_id_1 = models.TextField()
    token_id_2 = models.TextField()
    condition_id = models.TextField()
    neg_risk = models.BooleanField(default=False)
    status = models.TextField(choices=_STATUSES, default=MarketStatus.ACTIVE)
    accepting_orders = models.BooleanField(default=True)
    category = models.TextField(blank=True, default="")
    volume_units = models.BigIntegerField(default=0, help_text="traded since the market opened, micro-dollars")
    volume_24h_units = models.BigIntegerField(default=0, help_text="traded within 24 hours, micro-dollars")
    tick_units = models.BigIntegerField(help_text="distance of two prices, micro-dollars")
    minimum_size_units = models.BigIntegerField(help_text="smallest order, micro-shares")
    volume = _decimal("volume_units", 20, 2)
    volume_24h = _decimal("volume_24h_units", 20, 2)
    tick = _decimal("tick_units", 10, 6)
    minimum_size = _decimal("minimum_size_units", 20, 6)
    fee_rate_micros = models.BigIntegerField(default=0, help_text="rate of the taker fee, millionths")
    fee_exponent = models.SmallIntegerField(default=1)
    fee_taker_only = models.BooleanField(default=True)
    fee_rebate_micros = models.BigIntegerField(default=0, help_text="share of the fee that makers get back, millionths")
    taker_delay_ms = models.IntegerField(default=0, help_text="how long marketable orders wait before they match")
    rules_hash = models.TextField(blank=True, default="", help_text="changes when the rules' text changes")
    winner = models.SmallIntegerField(null=True, blank=True, help_text="index of the outcome that pays, once known")
    end_date = models.DateTimeField(null=True, blank=True, help_text="planned end; trading goes on until resolution")
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "markets"
        ordering = ["-volume_24h_units", "id"]
        indexes = [
            models.Index(fields=["token_id_1"], name="idx_markets_token1"),
            models.Index(fields=["token_id_2"], name="idx_markets_token2"),
            models.Index(fields=["condition_id"], name="idx_markets_condition"),
            models.Index(fields=["status", "-volume_24h_units", "id"], name="idx_markets_status"),
        ]
        constraints = [
            # Deferred, so that one statement may hand a slug from one market to another.
            models.UniqueConstraint(fields=["slug"], name="idx_markets_slug", deferrable=Deferrable.DEFERRED),
            models.CheckConstraint(condition=Q(status__in=[s.value for s in MarketStatus]), name="markets_status"),
            models.CheckConstraint(condition=Q(winner__isnull=True) | Q(winner__in=[0, 1]), name="markets_winner"),
            models.CheckConstraint(condition=Q(tick_units__gt=0), name="markets_tick"),
        ]

    def __str__(self) -> str:
        return self.question


class ConditionGroup(models.Model):
    """An event: several binary markets that belong together."""

    id = models.TextField(primary_key=True)
    title = models.TextField()
    status = models.TextField(choices=_STATUSES, default=MarketStatus.ACTIVE)
    exclusive = models.BooleanField(default=False, help_text="at most one of its markets pays YES")
    augmented = models.BooleanField(default=False, help_text="unnamed outcomes may still be added")
    category = models.TextField(blank=True, default="")
    conversion_fee_bips = models.SmallIntegerField(default=0, help_text="kept of a conversion's proceeds, 1/10000")
    markets = models.ManyToManyField(Market, through="ConditionGroupMarket", related_name="condition_groups")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "condition_groups"
        ordering = ["title"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in MarketStatus]), name="condition_groups_status"
            )
        ]

    def __str__(self) -> str:
        return self.title


class ConditionGroupMarket(models.Model):
    """Membership of a market in a group."""

    group = models.ForeignKey(
        ConditionGroup, on_delete=models.CASCADE, db_column="group_id", related_name="memberships", db_index=False
    )
    market = models.ForeignKey(
        Market, on_delete=models.CASCADE, db_column="market_id", related_name="memberships", db_index=False
    )

    class Meta:
        db_table = "condition_group_markets"
        verbose_name = "group membership"
        indexes = [models.Index(fields=["market"], name="idx_cgm_market")]
        constraints = [models.UniqueConstraint(fields=["group", "market"], name="condition_group_markets_once")]

    def __str__(self) -> str:
        return f"{self.group_id}: {self.market_id}"
