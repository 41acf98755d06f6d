"""What was decided and what became of it: orders, their fills, positions and leg groups."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from domain.fill import FillStatus, Liquidity
from domain.legs import GroupState, LegPolicy
from domain.order import TERMINAL_STATUSES, Effect, OrderSide, OrderStatus, OrderType
from domain.position import PositionStatus
from trading.models.columns import account_column, choices_of, decimal_of


class Order(models.Model):
    """An order from the moment its intent is durable. Everything needed to repeat its exact bytes is in the row."""

    id = models.CharField(primary_key=True, max_length=80, help_text="the venue's order id, known before sending")
    account = account_column()
    wallet = models.CharField(max_length=64, help_text="address or name that holds the funds")
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_column="market_id", related_name="orders")
    token_id = models.CharField(max_length=100)
    side = models.CharField(max_length=4, choices=choices_of(OrderSide))
    order_type = models.CharField(max_length=3, choices=choices_of(OrderType))
    effect = models.CharField(max_length=6, choices=choices_of(Effect))
    price_ticks = models.BigIntegerField(help_text="limit price, micro-dollars")
    size_units = models.BigIntegerField(help_text="size, micro-shares")
    price = decimal_of(F("price_ticks"), 10)
    size = decimal_of(F("size_units"))
    filled_units = models.BigIntegerField(default=0)
    filled_size = decimal_of(F("filled_units"))
    status = models.CharField(max_length=16, choices=choices_of(OrderStatus), default=OrderStatus.PENDING)
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
    account = account_column()
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_column="market_id", related_name="fills")
    token_id = models.CharField(max_length=100)
    side = models.CharField(max_length=4, choices=choices_of(OrderSide))
    price_ticks = models.BigIntegerField()
    size_units = models.BigIntegerField()
    price = decimal_of(F("price_ticks"), 10)
    size = decimal_of(F("size_units"))
    fee_units = models.BigIntegerField(default=0)
    fee_rate_micros = models.BigIntegerField(default=0, help_text="the market's fee rate at the fill")
    liquidity = models.CharField(max_length=8, choices=choices_of(Liquidity))
    status = models.CharField(max_length=9, choices=choices_of(FillStatus))
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
    account = account_column()
    wallet = models.CharField(max_length=64)
    market = models.ForeignKey(
        "markets.Market", on_delete=models.PROTECT, db_column="market_id", related_name="positions"
    )
    token_id = models.CharField(max_length=100)
    side = models.CharField(max_length=6, choices=[("token1", "first outcome"), ("token2", "second outcome")])
    direction = models.CharField(max_length=4, choices=choices_of(OrderSide), default=OrderSide.BUY)
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
    size = decimal_of(F("settled_units") + F("unsettled_units"))
    entry_price = decimal_of(F("entry_price_ticks"), 10)
    realized_pnl = decimal_of(F("realised_units"))
    take_profit = decimal_of(F("take_profit_ticks"), 10)
    stop_loss = decimal_of(F("stop_loss_ticks"), 10)
    exit_price = decimal_of(F("exit_price_ticks"), 10)
    status = models.CharField(max_length=6, choices=choices_of(PositionStatus), default=PositionStatus.OPEN)
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


class LegGroup(models.Model):
    """Orders that are worth something only together, as they were decided, and what became of them."""

    id = models.CharField(primary_key=True, max_length=36)
    account = account_column()
    name = models.CharField(max_length=80, help_text="the strategy's leg_group_id")
    strategy_name = models.CharField(max_length=60)
    policy = models.CharField(max_length=12, choices=choices_of(LegPolicy))
    legs = models.JSONField(help_text="legs in the order in which they are placed")
    size_units = models.BigIntegerField(help_text="shares of each leg, micro-shares")
    payoff_units = models.BigIntegerField(help_text="what a whole set brings at the least, micro-dollars")
    arb_type = models.CharField(max_length=16, blank=True, default="")
    opportunity_id = models.CharField(max_length=64, blank=True, default="")
    edge_bps = models.IntegerField(null=True, help_text="gross edge as the strategy saw it")
    state = models.CharField(max_length=9, choices=choices_of(GroupState))
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
