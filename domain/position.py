"""Positions: what a strategy holds of one token, folded from the fills that have not failed.

Sizes are micro-shares, `cost` micro-dollars at average cost. Negative inventory is representable: it means the venue took back a fill
after we had sold it on, and `trading/` halts the market.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PositionStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Inventory of `token_id` held for `strategy`. `settled` + `unsettled` = `size`; `cost` is what the present size was bought for.

    `side` is "token1" or "token2": which outcome of the market. `payout` is what its resolved market paid a share, None before.
    """

    id: str
    account: str
    market_id: str
    token_id: str
    side: str
    strategy: str
    settled: int
    unsettled: int
    cost: int
    realised: int
    fees: int
    take_profit: int | None
    stop_loss: int | None
    opened_ns: int
    closed_ns: int | None
    exit_price: int | None
    status: PositionStatus
    payout: int | None = None

    @property
    def size(self) -> int:
        return self.settled + self.unsettled

    @property
    def entry_price(self) -> int:
        """Average cost a share, rounded to the nearest micro-unit (0 when flat)."""
        return (self.cost * 1_000_000 + self.size // 2) // self.size if self.size > 0 else 0
