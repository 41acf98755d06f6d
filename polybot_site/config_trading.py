"""The keys of strategies and of the limits every order passes. What would switch a limit off is refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from polybot_site.config_fields import Count, Duration, Names, Number, Price, Section, Usd


class FlashCrash(Section):
    """Buys a sudden fall and sells the recovery."""

    enabled: bool = Field(True, description="Run this strategy when it is in strategy.active")
    drop_threshold: Annotated[Price, Field(ge=Decimal("0.001"))] = Field(
        Decimal("0.10"), description="Fall from the recent high that counts as a crash, in dollars"
    )
    recovery_target: Annotated[Price, Field(ge=Decimal("0.001"))] = Field(
        Decimal("0.05"), description="Rise above the entry at which the position is sold, in dollars"
    )


class MeanReversion(Section):
    """Buys far below the recent middle and sells on the way back."""

    enabled: bool = Field(True, description="Run this strategy when it is in strategy.active")
    std_dev_threshold: Annotated[Number, Field(ge=0.5, le=20)] = Field(
        2.0, description="Distance from the middle that is traded, in standard deviations"
    )
    lookback_window: Annotated[Duration, Field(ge=timedelta(seconds=10), le=timedelta(hours=1))] = Field(
        timedelta(minutes=5), description="History the middle is taken from"
    )


class RebalancingArb(Section):
    """Buys NO of every outcome of an exclusive event where that costs less than it must pay."""

    enabled: bool = Field(True, description="Run this strategy when it is in strategy.active")
    min_edge_bps: Annotated[Count, Field(ge=1, le=10_000)] = Field(
        50, description="What a set must bring after fees, in hundredths of a percent of a dollar"
    )
    max_group_size: Annotated[Count, Field(ge=2, le=15)] = Field(10, description="Most outcomes of an event")
    size_per_leg: Usd = Field(Decimal(5), description="What the dearest leg of a set may spend, in dollars")
    ttl_seconds: Annotated[Count, Field(ge=1, le=300)] = Field(30, description="How long a signal is good")
    max_stale_sec: Annotated[Count, Field(ge=1, le=60)] = Field(5, description="Oldest book of a leg, in seconds")


class Strategy(Section):
    """Which strategies run, and what they share. A strategy's stored parameters start from these and are edited in the admin."""

    active: Names = Field(("flash_crash", "mean_reversion", "rebalancing_arb"), description="Strategies to run")
    size: Usd = Field(Decimal(10), description="What one entry may spend, in dollars")
    max_positions: Annotated[Count, Field(ge=1, le=1000)] = Field(5, description="Open positions per strategy")
    take_profit: Price = Field(Decimal("0.10"), description="Rise above the entry that takes the profit, in dollars")
    stop_loss: Price = Field(Decimal("0.05"), description="Fall below the entry that stops the loss, in dollars")
    flash_crash: FlashCrash = Field(default_factory=FlashCrash)
    mean_reversion: MeanReversion = Field(default_factory=MeanReversion)
    rebalancing_arb: RebalancingArb = Field(default_factory=RebalancingArb)


class Trading(Section):
    """Limits every order passes, whoever wants it. They stop new risk, never an exit."""

    live: bool = Field(False, description="Trade real money")
    max_order_notional: Usd = Field(Decimal(50), description="One order, in dollars")
    max_market_notional: Usd = Field(Decimal(200), description="All positions and orders of one market, in dollars")
    max_event_notional: Usd = Field(
        Decimal(300), description="Loss in the worst outcome of one event, with all orders there, in dollars"
    )
    max_venue_notional: Usd = Field(Decimal(1000), description="All positions and orders at one venue, in dollars")
    max_total_notional: Usd = Field(Decimal(1000), description="All positions and orders, in dollars")
    max_open_positions: Annotated[Count, Field(ge=1, le=10_000)] = Field(
        20, description="Open positions of all strategies"
    )
    max_book_age_ms: Annotated[Count, Field(ge=50, le=600_000)] = Field(
        60_000, description="Silence of a book after which it is too old to trade on, in milliseconds"
    )
    max_slippage: Price = Field(
        Decimal("0.05"), description="Most that a purchase may pay above the best ask, in dollars a share"
    )
    max_daily_loss: Usd = Field(
        Decimal(100),
        description="Loss since midnight UTC, at the best bids, that halts everything for the day, in dollars",
    )
    max_session_loss: Usd = Field(
        Decimal(200),
        description="Loss in the session, which restarts do not end but a break of 15 minutes does, that halts everything, in dollars",
    )
    max_drawdown: Usd = Field(
        Decimal(200), description="Fall from the highest profit of the session that halts everything, in dollars"
    )
    max_rejections_in_row: Annotated[Count, Field(ge=1, le=1000)] = Field(
        10, description="Orders refused by the venue in a row that halt their strategy"
    )
    max_rejections_per_minute: Annotated[Count, Field(ge=1, le=10_000)] = Field(
        60, description="Orders refused by the venue within a minute that halt the venue"
    )
    min_price: Price = Field(Decimal("0.02"), description="Cheapest price that is bought, in dollars")
    max_price: Price = Field(Decimal("0.98"), description="Dearest price that is bought, in dollars")
    absence_seconds: Annotated[Count, Field(ge=5, le=86_400)] = Field(
        120, description="How long all reads must agree before an unanswered order counts as never placed, in seconds"
    )
    send_deadline_ms: Annotated[Count, Field(ge=50, le=60_000)] = Field(
        2000, description="Time from the decision to the last moment an order may leave, in milliseconds"
    )
    lease_ttl_s: Annotated[Number, Field(ge=2, le=300)] = Field(
        10.0, description="How long a trader owns its wallet without renewing, in seconds"
    )

    heartbeat: bool = Field(
        True,
        description="Let the venue cancel every open order when the trader falls silent for 10 s; an API key that has begun with it needs it",
    )
    heartbeat_s: Annotated[Number, Field(ge=1, le=8)] = Field(
        5.0, description="Time between heartbeats to the venue, in seconds"
    )
    heartbeat_stall_s: Annotated[Number, Field(ge=1, le=10)] = Field(
        3.0, description="Standstill of the trader after which it sends no heartbeats, in seconds"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.live:
            raise ValueError(
                "trading.live was true, allowed: false (real money is refused until `manage.py doctor` exists)"
            )
        if self.min_price >= self.max_price:
            raise ValueError(
                f"trading.min_price was {self.min_price}, allowed: below trading.max_price ({self.max_price})"
            )
        return self


class Arbitrage(Section):
    """How leg groups are collected, and what getting out of a broken one may cost."""

    max_leg_gap_ms: Annotated[Count, Field(ge=50, le=60_000)] = Field(
        2000,
        description="How long the legs of a group are collected, and a leg's answer is waited for, in milliseconds",
    )
    max_unhedged_notional: Usd = Field(
        Decimal(100), description="At stake while one leg of a group is missing, in dollars"
    )
    unwind_ms: Annotated[Count, Field(ge=100, le=60_000)] = Field(
        5000, description="Time for buying out of a broken group, in milliseconds"
    )
    max_unwind_loss: Usd = Field(Decimal(2), description="What buying out of one broken group may lose, in dollars")
