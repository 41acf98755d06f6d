"""Risk limits: what every opening intent has to pass. A limit that would disable a protection cannot be built."""

from __future__ import annotations

from dataclasses import dataclass, fields

from domain.money import MICRO


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """Limits in micro-dollars unless a name says otherwise; every one must be positive.

    `max_event_notional` bounds the loss in an event's worst outcome, `max_slippage` is for a share, above the best ask. Losses and drawdown are
    realised and unrealised: since UTC midnight, since the session began, and from the highest profit since then.
    """

    max_order_notional: int = 100 * MICRO
    max_market_notional: int = 500 * MICRO
    max_event_notional: int = 1_000 * MICRO
    max_venue_notional: int = 5_000 * MICRO
    max_total_notional: int = 5_000 * MICRO
    max_open_positions: int = 50
    max_book_age_ms: int = 5_000
    max_slippage: int = 50_000
    min_price: int = 10_000
    max_price: int = 990_000
    max_daily_loss: int = 500 * MICRO
    max_session_loss: int = 500 * MICRO
    max_drawdown: int = 500 * MICRO
    max_rejections_in_row: int = 10
    max_rejections_per_minute: int = 60

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
                raise ValueError(f"risk limit {item.name} was {value!r}, expected a positive whole number")
        if not self.min_price < self.max_price < MICRO:
            raise ValueError(
                "risk limits min_price and max_price were reversed, expected 0 < min_price < max_price < 1"
            )
