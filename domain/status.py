"""What the trader and its strategies say of themselves: plain facts for screens, never input to a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from domain.halt import Halt


@dataclass(frozen=True, slots=True, kw_only=True)
class TraderStatus:
    """The trader now. Money is micro-dollars; `last_message_ns` is when the last market frame arrived, 0 before the first.

    `ready` means recovered and reconciled. `venue_mode` says what the venue takes now: "normal", or why new risk waits. `refused_frames` counts
    what the venue sent and could not be believed. `counters` say what became of intents and leg groups since the start, and how the
    account stands to the venue, `leg_groups` how many groups
    are not over. `session_ns` is when the session began, 0 where there is none. `realised` is before fees, `unrealised` is at the best bid.
    """

    mode: str
    account: str
    venue: str
    ready: bool
    feed_connected: bool
    user_feed_connected: bool
    last_message_ns: int
    uptime_seconds: int
    epoch: int
    open_orders: int
    unknown_orders: int
    open_positions: int
    watched_markets: int
    venue_mode: str = "normal"
    refused_frames: int = 0
    counters: Mapping[str, int] = field(default_factory=dict)
    leg_groups: int = 0
    session_ns: int = 0
    active_strategies: tuple[str, ...] = ()
    halts: tuple[Halt, ...] = ()
    cash: int = 0
    realised: int = 0
    unrealised: int = 0
    fees: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetFigure:
    """One rate limit now: how much of `limit` may be used at once, and how many requests there were, waited, were held back, or were too many."""

    name: str
    left: int
    limit: int
    requests: int = 0
    waits: int = 0
    refusals: int = 0
    too_many: int = 0


class StrategyState(StrEnum):
    """Places in a strategy's life cycle."""

    PENDING = "pending"
    INITIALIZING = "initializing"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyInfo:
    """One strategy at run time. `parameters` are those in force, as JSON values; `budget_overruns` counts calls beyond the time budget.

    `refusals` counts, by reason, the opportunities that were seen and not taken.
    """

    name: str
    state: StrategyState
    enabled: bool
    signals_sent: int
    error_count: int
    budget_overruns: int
    last_signal_ns: int | None = None
    last_error: str = ""
    parameters: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
