"""What a market promises to those who quote it: the parameters of the liquidity reward programme."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardTerms:
    """Parameters of one market. `daily` is micro-dollars a day, `min_size` micro-shares, `max_spread` a micro-price distance from the
    adjusted midpoint, `min_age_ms` how long an order must have rested before it counts."""

    daily: int
    min_size: int
    max_spread: int
    min_age_ms: int = 0
