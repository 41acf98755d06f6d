"""What can be traded: a binary market with two outcome tokens, and the event (condition group) it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.fees import NO_FEES, FeeSchedule
from domain.ticks import TickSize, tick_size


class MarketStatus(StrEnum):
    ACTIVE = "active"
    CLOSED = "closed"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One binary market. `tick`, `min_size`, `volume` and `volume_24h` are micro-units, `*_ns` UTC nanoseconds.

    `outcomes[i]` is paid by `token_ids[i]`; index 0 is the YES (or first) side. `winner` is the index of the token that pays, once known.
    """

    id: str
    venue: str
    question: str
    slug: str
    condition_id: str
    token_ids: tuple[str, str]
    outcomes: tuple[str, str] = ("Yes", "No")
    tick: int = 10_000
    min_size: int = 5_000_000
    neg_risk: bool = False
    status: MarketStatus = MarketStatus.ACTIVE
    accepting_orders: bool = True
    fees: FeeSchedule = NO_FEES
    category: str = ""
    group_id: str | None = None
    volume: int = 0
    volume_24h: int = 0
    taker_delay_ms: int = 0
    rules_hash: str = ""
    end_ns: int | None = None
    created_ns: int | None = None
    closed_ns: int | None = None
    winner: int | None = None

    @property
    def tick_size(self) -> TickSize:
        return tick_size(self.tick)

    @property
    def tradable(self) -> bool:
        return self.status is MarketStatus.ACTIVE and self.accepting_orders

    def complement(self, token_id: str) -> str:
        """Return the other outcome's token id; `KeyError` when the token is not of this market."""
        return self.token_ids[1 - self.token_index(token_id)]

    def token_index(self, token_id: str) -> int:
        """Return 0 or 1 for a token of this market; `KeyError` otherwise."""
        if token_id == self.token_ids[0]:
            return 0
        if token_id == self.token_ids[1]:
            return 1
        raise KeyError(f"token {token_id} does not belong to market {self.id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionGroup:
    """The event that wraps `market_ids`. `exclusive`: at most one market pays YES. `augmented`: unnamed outcomes may still be added.

    `conversion_fee_bips` is what the venue keeps of the proceeds when NO shares of an exclusive event are converted, in hundredths of a percent.
    """

    id: str
    title: str
    market_ids: tuple[str, ...]
    status: MarketStatus = MarketStatus.ACTIVE
    exclusive: bool = False
    augmented: bool = False
    category: str = ""
    conversion_fee_bips: int = 0
