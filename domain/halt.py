"""Halts: who stopped new risk, where and why. A halt stops intents that `open`, never those that `reduce`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HaltScope(StrEnum):
    ALL = "all"
    VENUE = "venue"
    MARKET = "market"
    STRATEGY = "strategy"
    ARBITRAGE = "arbitrage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """New risk is stopped for `scope` (and `target`: a venue, market id or strategy name).

    Arbitrage has no target. `all` has none either when a person halted it, and the name of the limit when a limit did.
    """

    account: str
    scope: HaltScope
    target: str
    reason: str
    set_by: str
    set_ns: int
