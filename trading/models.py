"""The trading tables, named as in the specification. The trader's journal writer fills them; everything else reads.

Integers in micro-units are canonical (`price_ticks`, `size_units`, `…_units`); the decimal columns `price` and `size` are generated from them by
PostgreSQL and cannot disagree. Only `commands` rows are created outside the trader.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, GeneratedField, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Now

from domain.fill import FillStatus, Liquidity
from domain.halt import HaltScope
from domain.ledger import LedgerAccount
from domain.legs import GroupState, LegPolicy
from domain.order import TERMINAL_STATUSES, Effect, OrderSide, OrderStatus, OrderType
from domain.position import PositionStatus


def _account() -> models.CharField[str, str]:
    return models.CharField(
        max_length=120, help_text="sim:<venue id>, paper:<name> or live:<wallet>; accounts never mix"
    )


def _choices(values: type) -> list[tuple[str, str]]:
    return [(value, value.replace("_", " ")) for value in values]  # type: ignore[attr-defined]


def _decimal(expression: Combinable, digits: int = 20) -> GeneratedField:
    """Return the decimal column of an integer expression in micro-units."""
    exact: models.DecimalField[Decimal, Decimal] = models.DecimalField(max_digits=26, decimal_places=6)
    shown: models.DecimalField[Decimal, Decimal] = models.DecimalField(max_digits=digits, decimal_places=6)
    dollars = Cast(expression, exact) / Value(Decimal(1_000_000))
    return GeneratedField(expression=Cast(dollars, shown), output_field=shown, db_persist=True)


class Order(models.Model):
    """An order from the moment its intent is durable. Everything needed to repeat its exact bytes is in the row."""

    id = models.CharField(primary_key=True, max_length=80, help_text="the venue's order id, known before sending")
    account = _account()
    wallet = models.CharField(max_length=64, help_text="address or name that holds the funds")
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_column="market_id", related_name="orders")
    token_id = models.CharField(max_length=100)
    side = models.CharField(max_length=4, choices=_choices(OrderSide))
    order_type = models.CharField(max_length=3, choices=_choices(OrderType))
    effect = models.CharField(max_length=6, choices=_choices(Effect))
    price_ticks = models.BigIntegerField(help_text="limit price, micro-dollars")
    size_units = models.BigIntegerField(help_text="size, micro-shares")
    price = _decimal(F("price_ticks"), 10)
    size = _decimal(F("size_units"))
    filled_units = models.BigIntegerField(default=0)
    filled_size = _decimal(F("filled_units"))
    status = models.CharField(max_length=16, choices=_choices(OrderStatus), default=OrderStatus.PENDING)
    reason = models.TextField(blank=True, default="", help_text="why it was decided")
    status_reason = models.TextField(blank=True, default="", help_text="why it is in this status")
    strategy_name = models.CharField(max_length=60, blank=True, default="")
    intent_id = models.CharField(max_length=64)
    decision_id = models.CharField(max_length=64, unique=True)
    leg_group = models.CharField(max_length=36, blank=True, default="", help_text="id of its leg group, if any")
    lease_epoch = models.BigIntegerField()
    post_only = models.BooleanField(default=False)
    take_profit_ticks = models.BigIntegerField(null=True)
    stop_loss_ticks = models.BigIntegerField(null=True)
    salt = models.BigIntegerField()
    timestamp_ms = models.BigIntegerField()
    maker_amount = models.BigIntegerField()
    taker_amount = models.BigIntegerField()
    signature = models.TextField(blank=True, default="")
    signature_type = models.SmallIntegerField(default=0)
    venue_expiration = models.BigIntegerField(default=0)
    payload = models.BinaryField(help_text="the request body, byte for byte")
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    filled_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "orders"
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=["account", "status"], name="idx_orders_account_status"),
            models.Index(fields=["market"], name="idx_orders_market"),
            models.Index(fields=["created_at"], name="idx_orders_created"),
            models.Index(
                fields=["account"],
                name="idx_orders_open",
                condition=~Q(status__in=sorted(TERMINAL_STATUSES)),
            ),
        )
        constraints = (
            models.CheckConstraint(condition=Q(side__in=[s.value for s in OrderSide]), name="orders_side"),
            models.CheckConstraint(condition=Q(order_type__in=[t.value for t in OrderType]), name="orders_type"),
            models.CheckConstraint(condition=Q(price_ticks__gte=0, price_ticks__lte=1_000_000), name="orders_price"),
            models.CheckConstraint(condition=Q(size_units__gt=0), name="orders_size"),
        )

    def __str__(self) -> str:
        return f"{self.side} {self.size} @ {self.price} ({self.status})"


class Fill(models.Model):
    """Our part of one venue trade, unique by (account, trade id, order id). A failed fill stays, with its status."""

    id = models.BigAutoField(primary_key=True)
    trade_id = models.CharField(max_length=120)
    order_id = models.CharField(max_length=80)
    position_id = models.UUIDField()
    account = _account()
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_column="market_id", related_name="fills")
    token_id = models.CharField(max_length=100)
    side = models.CharField(max_length=4, choices=_choices(OrderSide))
    price_ticks = models.BigIntegerField()
    size_units = models.BigIntegerField()
    price = _decimal(F("price_ticks"), 10)
    size = _decimal(F("size_units"))
    fee_units = models.BigIntegerField(default=0)
    fee_rate_micros = models.BigIntegerField(default=0, help_text="the market's fee rate at the fill")
    liquidity = models.CharField(max_length=5, choices=_choices(Liquidity))
    status = models.CharField(max_length=9, choices=_choices(FillStatus))
    strategy_name = models.CharField(max_length=60, blank=True, default="")
    transaction_hash = models.CharField(max_length=80, blank=True, default="")
    matched_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "fills"
        ordering = (
            "-matched_at",
            "-id",
        )
        indexes = (
            models.Index(fields=["account", "matched_at"], name="idx_fills_account_matched"),
            models.Index(fields=["order_id"], name="idx_fills_order"),
            models.Index(fields=["position_id"], name="idx_fills_position"),
        )
        constraints = (
            models.UniqueConstraint(fields=["account", "trade_id", "order_id"], name="fills_account_trade_order"),
            models.CheckConstraint(condition=Q(size_units__gt=0), name="fills_size"),
        )

    def __str__(self) -> str:
        return f"{self.side} {self.size} @ {self.price} ({self.status})"


class Position(models.Model):
    """Inventory of one token held for one strategy, folded from its fills. Closed positions stay with their result."""

    id = models.UUIDField(primary_key=True)
    account = _account()
    wallet = models.CharField(max_length=64)
    market = models.ForeignKey(
        "markets.Market", on_delete=models.PROTECT, db_column="market_id", related_name="positions"
    )
    token_id = models.CharField(max_length=100)
    side = models.CharField(max_length=6, choices=[("token1", "first outcome"), ("token2", "second outcome")])
    direction = models.CharField(max_length=4, choices=_choices(OrderSide), default=OrderSide.BUY)
    strategy_name = models.CharField(max_length=60, blank=True, default="")
    settled_units = models.BigIntegerField(default=0)
    unsettled_units = models.BigIntegerField(default=0)
    cost_units = models.BigIntegerField(default=0, help_text="what the present size was bought for, at average cost")
    entry_price_ticks = models.BigIntegerField(default=0)
    realised_units = models.BigIntegerField(default=0)
    fees_units = models.BigIntegerField(default=0)
    take_profit_ticks = models.BigIntegerField(null=True)
    stop_loss_ticks = models.BigIntegerField(null=True)
    exit_price_ticks = models.BigIntegerField(null=True)
    payout_ticks = models.BigIntegerField(null=True, help_text="what the resolved market paid a share")
    size = _decimal(F("settled_units") + F("unsettled_units"))
    entry_price = _decimal(F("entry_price_ticks"), 10)
    realized_pnl = _decimal(F("realised_units"))
    take_profit = _decimal(F("take_profit_ticks"), 10)
    stop_loss = _decimal(F("stop_loss_ticks"), 10)
    exit_price = _decimal(F("exit_price_ticks"), 10)
    status = models.CharField(max_length=6, choices=_choices(PositionStatus), default=PositionStatus.OPEN)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "positions"
        ordering = ("-opened_at",)
        indexes = (
            models.Index(fields=["account", "status"], name="idx_positions_account_status"),
            models.Index(fields=["market"], name="idx_positions_market"),
        )

    def __str__(self) -> str:
        return f"{self.size} of {self.token_id[:12]}… ({self.status})"


class LedgerEntry(models.Model):
    """One side of a double entry. The entries of a journal sum to zero for each asset."""

    id = models.BigAutoField(primary_key=True)
    journal_id = models.CharField(max_length=240)
    account = _account()
    ledger_account = models.CharField(max_length=16, choices=_choices(LedgerAccount))
    asset = models.CharField(max_length=100, help_text="collateral, or a token id")
    amount_units = models.BigIntegerField(help_text="micro-units, a debit when positive")
    amount = _decimal(F("amount_units"))
    kind = models.CharField(max_length=24)
    strategy_name = models.CharField(max_length=60, blank=True, default="")
    market_id = models.CharField(max_length=80, blank=True, default="")
    token_id = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_entries"
        verbose_name_plural = "ledger entries"
        ordering = ("-id",)
        indexes = (models.Index(fields=["account", "created_at"], name="idx_ledger_account_created"),)
        constraints = (
            models.UniqueConstraint(
                fields=["account", "journal_id", "ledger_account", "asset"], name="ledger_journal_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.ledger_account} {self.amount} ({self.kind})"


class LegGroup(models.Model):
    """Orders that are worth something only together, as they were decided, and what became of them."""

    id = models.CharField(primary_key=True, max_length=36)
    account = _account()
    name = models.CharField(max_length=80, help_text="the strategy's leg_group_id")
    strategy_name = models.CharField(max_length=60)
    policy = models.CharField(max_length=12, choices=_choices(LegPolicy))
    legs = models.JSONField(help_text="legs in the order in which they are placed")
    size_units = models.BigIntegerField(help_text="shares of each leg, micro-shares")
    payoff_units = models.BigIntegerField(help_text="what a whole set brings at the least, micro-dollars")
    arb_type = models.CharField(max_length=16, blank=True, default="")
    opportunity_id = models.CharField(max_length=64, blank=True, default="")
    edge_bps = models.IntegerField(null=True, help_text="gross edge as the strategy saw it")
    state = models.CharField(max_length=9, choices=_choices(GroupState))
    state_reason = models.TextField(blank=True, default="")
    residual = models.JSONField(default=list, help_text="micro-shares of each leg that nothing hedges")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "leg_groups"
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["account", "state"], name="idx_leg_groups_account_state"),)
        constraints = (models.CheckConstraint(condition=Q(size_units__gt=0), name="leg_groups_size"),)

    def __str__(self) -> str:
        return f"{self.name}: {self.policy} ({self.state})"


class CommandStatus(models.TextChoices):
    PENDING = "pending"
    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"


class Command(models.Model):
    """What an operator asks of the trader of one account. It expires, and the same idempotency key is carried out once."""

    id = models.UUIDField(primary_key=True)
    account = _account()
    kind = models.CharField(max_length=24)
    payload = models.JSONField(default=dict)
    idempotency_key = models.CharField(max_length=120, blank=True, default="")
    issued_by = models.CharField(max_length=150)
    issued_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=CommandStatus.choices, default=CommandStatus.PENDING)
    result = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "commands"
        ordering = ("-issued_at",)
        indexes = (models.Index(fields=["account", "status", "issued_at"], name="idx_commands_account_status"),)
        constraints = (
            models.UniqueConstraint(
                fields=["idempotency_key"], condition=~Q(idempotency_key=""), name="commands_key_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} by {self.issued_by} ({self.status})"


class Lease(models.Model):
    """Who may trade for an account. The epoch grows with every new holder and fences the old one's journal."""

    account = models.CharField(primary_key=True, max_length=120)
    holder = models.CharField(max_length=120)
    epoch = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "leases"

    def __str__(self) -> str:
        return f"{self.account}: {self.holder} (epoch {self.epoch})"


class Halt(models.Model):
    """New risk is stopped for a scope until a named person lifts the halt."""

    id = models.BigAutoField(primary_key=True)
    account = _account()
    scope = models.CharField(max_length=9, choices=_choices(HaltScope))
    target = models.CharField(max_length=120, blank=True, default="")
    reason = models.TextField()
    set_by = models.CharField(max_length=150)
    set_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=150, blank=True, default="")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "halts"
        ordering = ("-set_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["account", "scope", "target"], condition=Q(lifted_at__isnull=True), name="halts_active_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.scope} {self.target}: {self.reason}"


class AuditLog(models.Model):
    """What happened and who did it. Append-only."""

    id = models.BigAutoField(primary_key=True)
    event = models.CharField(max_length=60)
    account = models.CharField(max_length=120, blank=True, default="")
    detail = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "audit_log"
        verbose_name_plural = "audit log"
        ordering = ("-id",)
        indexes = (models.Index(fields=["event", "created_at"], name="idx_audit_event"),)

    def __str__(self) -> str:
        return self.event


class EquitySnapshot(models.Model):
    """Worth of an account at a moment: cash, inventory at cost and at market, results so far; micro-units."""

    id = models.BigAutoField(primary_key=True)
    account = _account()
    cash_units = models.BigIntegerField()
    inventory_cost_units = models.BigIntegerField()
    inventory_value_units = models.BigIntegerField(help_text="held tokens at the best bid")
    realised_units = models.BigIntegerField()
    fees_units = models.BigIntegerField()
    receivable_units = models.BigIntegerField(default=0, help_text="payouts that are not in the wallet yet")
    deposits_units = models.BigIntegerField(default=0, help_text="deposits less withdrawals until then")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "equity_snapshots"
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["account", "created_at"], name="idx_equity_account_created"),)

    def __str__(self) -> str:
        return f"{self.account} at {self.created_at:%Y-%m-%d %H:%M:%S}"


class VenueBalance(models.Model):
    """What the venue said an account holds, and what our books said when everything explicable was booked. A row when either has changed."""

    id = models.BigAutoField(primary_key=True)
    account = _account()
    venue_cash_units = models.BigIntegerField()
    book_cash_units = models.BigIntegerField()
    tokens = models.JSONField(default=dict, help_text="tokens on which the two differ: [venue, books]")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "venue_balances"
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["account", "created_at"], name="idx_venue_balances_account"),)

    def __str__(self) -> str:
        return f"{self.account} at {self.created_at:%Y-%m-%d %H:%M:%S}"
