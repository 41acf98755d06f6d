"""Maker rebates: a share of the taker fees a market collected on a day goes back to those whose resting orders were taken.

What a maker filled counts by the fee a taker would have paid for it, so size and price both matter. Only confirmed trades count. Days are
UTC days since 1970; those older than `DAYS_KEPT` are forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.money import MICRO
from venues.exchange.events import TradeView
from venues.simulator.rewards.liquidity import DAY_NS, DAYS_KEPT
from venues.simulator.world.listings import Listing


@dataclass(slots=True)
class MarketFees:
    """One market's day: `collected` micro-dollars of taker fees, the `share` of them that goes back, and every maker's weight."""

    share: int
    collected: int = 0
    weights: dict[str, int] = field(default_factory=dict)

    def due(self, account: str) -> int:
        """Return the rebate of `account` in micro-dollars, rounded down."""
        total = sum(self.weights.values())
        return self.collected * self.share * self.weights.get(account, 0) // (MICRO * total) if total else 0


class Rebates:
    """The programme over all markets. `days` is by UTC day, then by condition."""

    def __init__(self) -> None:
        self.days: dict[int, dict[str, MarketFees]] = {}

    def confirmed(self, trade: TradeView, listing: Listing) -> None:
        """Count a trade that was confirmed."""
        fees = listing.spec.fees
        if not fees.rate:
            return
        day = self.days.setdefault(trade.updated_ns // DAY_NS, {})
        market = day.setdefault(trade.condition_id, MarketFees(fees.rebate))
        market.collected += trade.fee
        for fill in trade.makers:
            weight = fees.taker_fee(fill.price, fill.size)
            market.weights[fill.account] = market.weights.get(fill.account, 0) + weight
        while len(self.days) > DAYS_KEPT:
            del self.days[min(self.days)]

    def due(self, account: str, day: int) -> dict[str, int]:
        """Return the micro-dollars due to `account` by condition for one UTC day; markets that owe nothing are left out."""
        due = {condition_id: market.due(account) for condition_id, market in self.days.get(day, {}).items()}
        return {condition_id: amount for condition_id, amount in due.items() if amount}
