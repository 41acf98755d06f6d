"""What an order would match with right now: a plan, computed without changing anything.

Best price first, oldest order first within a price. Resting orders trade at their own price, so improvement goes to the taker. Where shares
times price is not a whole micro-unit the taker bears the rounding: a BUY pays up, a SELL gets down. A FOK/FAK BUY fills a cash amount and
spends all of it when there is enough to buy; every other order fills shares.
"""

from __future__ import annotations

from typing import NamedTuple

from domain.fees import FeeSchedule
from domain.money import MICRO, multiply_ceil, multiply_floor
from domain.order import OrderSide
from venues.exchange.book import Level, MarketBook
from venues.exchange.records import OrderRecord


class MakerPart(NamedTuple):
    """`size` shares of a resting order; `cash` is what the taker pays or gets for them."""

    order: OrderRecord
    size: int
    cash: int


class LevelPlan(NamedTuple):
    """What one price level contributes: it becomes one trade. `price` is in terms of the taker's token."""

    ladder_price: int
    price: int
    size: int
    cash: int
    fee: int
    parts: list[MakerPart]


class Plan(NamedTuple):
    """All that matches, and what then remains of the order (shares, or cash for a FOK/FAK BUY)."""

    levels: list[LevelPlan]
    remaining: int

    @property
    def cost(self) -> int:
        """Collateral a BUY pays, fees included."""
        return sum(level.cash + level.fee for level in self.levels)


def plan_matches(book: MarketBook, taker: OrderRecord, fees: FeeSchedule) -> Plan:
    """Return what `taker` would match with at its limit price or better."""
    side = book.asks if taker.is_bid else book.bids
    limit = taker.ladder_price * side.sign
    buys = taker.side is OrderSide.BUY
    remaining = taker.remaining
    levels: list[LevelPlan] = []
    for key in reversed(side.keys):
        if key < limit or remaining == 0:
            break
        ladder_price = key * side.sign
        price = ladder_price if taker.is_first else MICRO - ladder_price
        parts, remaining = _take(side.levels[ladder_price], price, remaining, buys, taker.spends_cash)
        size = sum(part.size for part in parts)
        cash = sum(part.cash for part in parts)
        fee = fees.taker_fee(price, size)
        if not buys:
            fee = min(fee, cash)  # a settlement whose fee exceeds the proceeds would revert
        levels.append(LevelPlan(ladder_price, price, size, cash, fee, parts))
    return Plan(levels, remaining)


def _take(level: Level, price: int, remaining: int, buys: bool, spends_cash: bool) -> tuple[list[MakerPart], int]:
    parts: list[MakerPart] = []
    for order in level.orders.values():
        wanted = remaining * MICRO // price if spends_cash else remaining
        size = min(wanted, order.remaining)
        cash = multiply_ceil(price, size) if buys else multiply_floor(price, size)
        parts.append(MakerPart(order, size, cash))
        remaining -= cash if spends_cash else size
        if remaining == 0:
            break
    return parts, remaining
