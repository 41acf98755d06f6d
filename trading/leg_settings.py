"""What leg groups may do: how long their legs are waited for, and what getting out of a broken one may cost. Nothing here can switch a
protection off.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from domain.money import MICRO


@dataclass(frozen=True, slots=True, kw_only=True)
class LegSettings:
    """Times in milliseconds, money in micro-dollars; every value must be positive.

    `max_leg_gap_ms` is how long the signals of a group are collected, and how long a leg's answer is waited for before the others act without it.
    `unwind_ms` and `max_unwind_loss` bound what buys out of a broken group. `max_unhedged_notional` is the most that may be at stake when all legs
    but one have filled.
    """

    max_leg_gap_ms: int = 2_000
    unwind_ms: int = 5_000
    max_unwind_loss: int = 2 * MICRO
    max_unhedged_notional: int = 100 * MICRO
    max_groups: int = 16

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
                raise ValueError(f"leg setting {item.name} was {value!r}, expected a positive whole number")
