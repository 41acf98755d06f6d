"""Fills: our part of a venue trade. A fill's key is (trade id, order id); applying the same evidence twice changes nothing.

MATCHED is provisional: settlement may still fail, and then the fill never happened. Evidence may arrive in any order; CONFIRMED and
FAILED are final, except that FAILED after CONFIRMED is believed too (a reorganised chain) and audited.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domain.order import OrderSide


class FillStatus(StrEnum):
    MATCHED = "matched"
    MINED = "mined"
    CONFIRMED = "confirmed"
    RETRYING = "retrying"
    FAILED = "failed"

    @property
    def settled(self) -> bool:
        return self is FillStatus.CONFIRMED

    @property
    def terminal(self) -> bool:
        return self in (FillStatus.CONFIRMED, FillStatus.FAILED)


class Liquidity(StrEnum):
    """How a fill came about: by an order that rested, by one that did not, or by no trade at all: the shares were transferred."""

    MAKER = "maker"
    TAKER = "taker"
    TRANSFER = "transfer"


_F = FillStatus
FILL_TRANSITIONS: dict[FillStatus, frozenset[FillStatus]] = {
    _F.MATCHED: frozenset({_F.MINED, _F.CONFIRMED, _F.RETRYING, _F.FAILED}),
    _F.MINED: frozenset({_F.CONFIRMED, _F.RETRYING, _F.FAILED}),
    _F.RETRYING: frozenset({_F.MINED, _F.CONFIRMED, _F.FAILED}),
    _F.CONFIRMED: frozenset({_F.FAILED}),
    _F.FAILED: frozenset(),
}


def fill_may_move(current: FillStatus, wanted: FillStatus) -> bool:
    """Tell whether evidence of `wanted` is news for a fill in `current`; older evidence that arrives late is not."""
    return wanted in FILL_TRANSITIONS[current]


class FillKey(NamedTuple):
    trade_id: str
    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Our part of one trade, in terms of our own order: its token, its side, its price. `fee` is in micro-units of collateral.

    `position_id` names the position it was folded into.
    """

    key: FillKey
    account: str
    market_id: str
    token_id: str
    side: OrderSide
    price: int
    size: int
    fee: int
    fee_rate: int
    liquidity: Liquidity
    status: FillStatus
    strategy: str
    matched_ns: int
    transaction_hash: str = ""
    position_id: str = ""
