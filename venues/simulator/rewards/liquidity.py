"""Liquidity rewards: who quoted how well, sampled once a minute, and what that earns.

A resting order scores ((v − s) / v)² times its size, v being the market's maximum spread and s its distance from the midpoint of what is
left when orders below the minimum size are taken out. Bids and asks are summed apart, in terms of the first outcome (buying No is an ask);
an account counts by its weaker side, or by a third of the stronger one where the midpoint lies in [0.10, 0.90]. A day's pot is handed
out evenly over its 1440 minutes and shared by the sums of all samples. Scores are floats: statistics, from which whole micro-dollars are
cut. Source: the venue's documentation of its programme. Days older than `DAYS_KEPT` are forgotten.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from domain.money import CENT, MICRO
from venues.exchange import Exchange
from venues.exchange.events import OrderView, RestingOrder, VenueStatus
from venues.simulator.rewards.terms import RewardTerms
from venues.simulator.world.listings import Listing, Listings
from venues.simulator.world.universe import NANOS

DAY_NS = 86_400 * NANOS
SAMPLES_A_DAY = 1440
DAYS_KEPT = 8
ONE_SIDED_SHARE = 3.0
_MIDDLE_LOW, _MIDDLE_HIGH = 10 * CENT, 90 * CENT


@dataclass(slots=True)
class MarketDay:
    """One market's samples of one UTC day: their number, and the sum of every account's scores."""

    terms: RewardTerms
    samples: int = 0
    scores: dict[str, float] = field(default_factory=dict)

    def share(self, account: str) -> float:
        """Return the part of the market's pot that goes to `account`, 0 to 1."""
        total = sum(self.scores.values())
        return self.scores.get(account, 0.0) / total if total else 0.0

    def earned(self, account: str) -> int:
        """Return what `account` earned so far, in whole micro-dollars, rounded down."""
        return int(self.terms.daily * self.share(account) * min(self.samples / SAMPLES_A_DAY, 1.0))


class Rewards:
    """The programme over all markets. `days` is by UTC day (days since 1970), then by condition."""

    def __init__(self, exchange: Exchange, listings: Listings, seed: int) -> None:
        self.days: dict[int, dict[str, MarketDay]] = {}
        self._exchange = exchange
        self._listings = listings
        # A generator of its own: sampling must not change what the agents draw.
        self._rng = random.Random(f"{seed}/rewards")

    def next_sample_ns(self, now_ns: int) -> int:
        """Return a random moment of the next minute."""
        minute = 60 * NANOS
        return (now_ns // minute + 1) * minute + self._rng.randrange(minute)

    def sample(self, now_ns: int) -> None:
        """Score every market that pays rewards."""
        day = self.days.setdefault(now_ns // DAY_NS, {})
        for listing in self._listings.open():
            if listing.spec.rewards is None:
                continue
            scores = self.scores(listing, now_ns)
            if scores:
                market_day = day.setdefault(listing.spec.condition_id, MarketDay(listing.spec.rewards))
                market_day.samples += 1
                for account, score in scores.items():
                    market_day.scores[account] = market_day.scores.get(account, 0.0) + score
        while len(self.days) > DAYS_KEPT:
            del self.days[min(self.days)]

    def scores(self, listing: Listing, now_ns: int) -> dict[str, float]:
        """Return what a sample taken now would give each account in one market; accounts without a score are left out."""
        terms = listing.spec.rewards
        if terms is None:
            return {}
        orders = self._exchange.resting(listing.spec.condition_id)
        middle = _adjusted_midpoint(orders, terms)
        if middle is None:
            return {}
        sides: dict[str, list[float]] = {}
        for order in orders:
            score = _score(order, middle, terms, now_ns)
            if score:
                sides.setdefault(order.account, [0.0, 0.0])[order.is_bid] += score
        counted = {account: _counted(asks, bids, middle) for account, (asks, bids) in sides.items()}
        return {account: score for account, score in counted.items() if score}

    def scoring(self, order: OrderView, now_ns: int) -> bool:
        """Tell whether `order`, as it rests now, adds to its account's score."""
        listing = self._listings.by_condition(order.condition_id)
        if listing is None or listing.spec.rewards is None or order.status is not VenueStatus.LIVE:
            return False
        terms = listing.spec.rewards
        orders = self._exchange.resting(order.condition_id)
        middle = _adjusted_midpoint(orders, terms)
        own = next((resting for resting in orders if resting.order_id == order.id), None)
        if middle is None or own is None or not _score(own, middle, terms, now_ns):
            return False
        return order.account in self.scores(listing, now_ns)

    def earnings(self, account: str, day: int) -> dict[str, int]:
        """Return the micro-dollars `account` earned by condition on one UTC day; markets that gave nothing are left out."""
        earned = {condition_id: one.earned(account) for condition_id, one in self.days.get(day, {}).items()}
        return {condition_id: amount for condition_id, amount in earned.items() if amount}

    def shares(self, account: str, day: int) -> dict[str, float]:
        """Return the share of `account` (0 to 1) in each market's pot of one UTC day; markets without one are left out."""
        shares = {condition_id: one.share(account) for condition_id, one in self.days.get(day, {}).items()}
        return {condition_id: share for condition_id, share in shares.items() if share}


def _adjusted_midpoint(orders: list[RestingOrder], terms: RewardTerms) -> int | None:
    """Return the midpoint of the orders that are large enough, None while a side has none."""
    bid = max((order.price for order in orders if order.is_bid and order.size >= terms.min_size), default=None)
    ask = min((order.price for order in orders if not order.is_bid and order.size >= terms.min_size), default=None)
    return None if bid is None or ask is None else (bid + ask) // 2


def _score(order: RestingOrder, middle: int, terms: RewardTerms, now_ns: int) -> float:
    """Return S · size of one order, sizes in shares; 0 when it is too small, too far away or too young."""
    distance = abs(order.price - middle)
    too_young = now_ns - order.created_ns < terms.min_age_ms * 1_000_000
    if order.size < terms.min_size or distance >= terms.max_spread or too_young:
        return 0.0
    closeness = (terms.max_spread - distance) / terms.max_spread
    return closeness * closeness * order.size / MICRO


def _counted(asks: float, bids: float, middle: int) -> float:
    """Return Q_min of an account's two sides."""
    weaker = min(asks, bids)
    if _MIDDLE_LOW <= middle <= _MIDDLE_HIGH:
        return max(weaker, max(asks, bids) / ONE_SIDED_SHARE)
    return weaker
