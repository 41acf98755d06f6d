"""What the kernel needs to be told, already typed and validated. Durations are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trading.leg_settings import LegSettings
from trading.limits import RiskLimits


class Mode(StrEnum):
    """`trade` and `full` place orders; `monitor` runs the strategies on live data and places none."""

    TRADE = "trade"
    MONITOR = "monitor"
    FULL = "full"

    @property
    def places_orders(self) -> bool:
        return self is not Mode.MONITOR


@dataclass(frozen=True, slots=True)
class StrategySetting:
    """One strategy to register: values of its parameters (what is absent takes its default) and whether it starts."""

    values: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelConfig:
    """Settings of one trader. `session_ns` is when the session began that the loss limits count from.

    `absence` is how long a venue must deny an order before it counts as never taken.
    """

    mode: Mode
    account: str
    venue: str
    holder: str
    limits: RiskLimits = field(default_factory=RiskLimits)
    session_ns: int = 0
    legs: LegSettings = field(default_factory=LegSettings)
    strategies: Mapping[str, StrategySetting] = field(default_factory=dict)
    max_watched_markets: int = 300
    absence: float = 120.0
    send_deadline: float = 2.0
    lease_ttl: float = 15.0
    reconcile_every: float = 30.0
    discover_every: float = 60.0
    timer_every: float = 0.25
    pulse_every: float = 0.25
    status_every: float = 1.0
    equity_every: float = 10.0
    drain_seconds: float = 1.0
    drain_legs_seconds: float = 5.0
