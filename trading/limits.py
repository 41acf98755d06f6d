"""Risk limits: the caps that every opening intent has to pass. A limit that would disable a protection cannot be built."""

from __future__ import annotations

from dataclasses import dataclass, fields

from domain.money import MICRO


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """Caps in micro-dollars unless a name says otherwise; every one must be positive."""

    max_order_notional: int = 100 * MICRO
    max_market_notional: int = 500 * MICRO
    max_total_notional: int = 5_000 * MICRO
    max_open_positions: int = 50
    max_book_age_ms: int = 5_000
    min_price: int = 10_000
    max_price: int = 990_000

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
                raise ValueError(f"risk limit {item.name} was {value!r}, expected a positive whole number")
        if not self.min_price < self.max_price < MICRO:
            raise ValueError(
                "risk limits min_price and max_price were reversed, expected 0 < min_price < max_price < 1"
            )
