"""The signer's own limits: a bucket for orders and one for cancels, as its tier allows, corrected by what the venue's answers say is left.

Ours are a quarter smaller than the venue's, because requests do not travel equally fast and may arrive closer together than they left. An answer's
`remaining` is the truth of a moment on the way: requests that the venue may not have counted then may come off it still. What we think is corrected
only where that truth contradicts it, downwards and upwards. The tier is Standard until an answer names another.
"""

from __future__ import annotations

import structlog

from infra.rate_limit import TokenBucket
from venues.polymarket.pace import Ticket
from venues.polymarket.rate_headers import RateHeaders
from venues.polymarket.rate_table import STANDARD, TIERS, Kind, Tier

_log = structlog.get_logger(__name__)

_BURST_PART = 0.75
_CANCEL_RESERVE = 0.1
"""Part of the cancel bucket that must be left for an order to be placed: what cannot be taken back is not placed."""
_LONGEST_DEBT = 30.0
"""Seconds of refill that an answer may make us owe at most: a wrong header must not stop cancels for long."""


class _Bucket:
    """One bucket and what was admitted to it and answered, so that an answer can be placed in time."""

    def __init__(self, allowance: tuple[int, int], now: float) -> None:
        rate, burst = allowance
        self.tokens = TokenBucket(rate, burst * _BURST_PART, now)
        self.admitted = 0
        self.answered = 0

    def correct(self, now: float, ticket: Ticket, remaining: float) -> None:
        """Believe that `remaining` tokens were left when the venue took the request of `ticket`."""
        others = self.admitted - ticket.answered_before - ticket.cost
        ours, surely_left = self.tokens.tokens(now), remaining - others
        if ours > remaining or ours < min(surely_left, self.tokens.burst):
            self.tokens.set(now, max(surely_left, -_LONGEST_DEBT * self.tokens.rate))


class SignerBudget:
    """Orders and cancels of one signer. `warnings` counts answers that said a limit would have been, or was, exceeded."""

    def __init__(self, now: float) -> None:
        self.tier_name = STANDARD
        self.warnings = 0
        self._cancels_told = False
        self._tier: Tier = TIERS[STANDARD]
        self._buckets = {Kind.PLACE: _Bucket(self._tier.orders, now), Kind.CANCEL: _Bucket(self._tier.cancels, now)}

    def left(self, kind: Kind, now: float) -> tuple[int, int]:
        """Return how many orders (`Kind.PLACE`) or cancels may leave now, and how many at most."""
        bucket = self._buckets[kind].tokens
        return int(bucket.tokens(now)), int(bucket.burst)

    def wait(self, kind: Kind, cost: int, now: float) -> float:
        """Return the seconds until a request of `cost` orders or cancels may leave."""
        orders, cancels = self._buckets[Kind.PLACE].tokens, self._buckets[Kind.CANCEL].tokens
        if kind is Kind.PLACE:
            return max(orders.wait(now, cost), cancels.wait(now, cancels.burst * _CANCEL_RESERVE))
        return cancels.wait(now, min(cost, 1) if self._tier.cancels_may_owe else cost)

    def take(self, kind: Kind, cost: int, now: float) -> int:
        """Charge a request that leaves now; returns the cost of all that was answered before, for its ticket."""
        bucket = self._buckets[kind]
        bucket.tokens.take(now, cost)
        bucket.admitted += cost
        return bucket.answered

    def charge_cancelled(self, count: int, now: float) -> None:
        """Charge what a cancel of many turned out to cancel, unless its answer said what was left after it."""
        if self._cancels_told:
            return
        bucket = self._buckets[Kind.CANCEL]
        bucket.tokens.take(now, count)
        bucket.admitted += count
        bucket.answered += count

    def answered(self, kind: Kind, ticket: Ticket, told: RateHeaders, now: float) -> None:
        """Learn from the answer to a request, or from there being none."""
        bucket = self._buckets[kind]
        bucket.answered += ticket.cost
        self._learn_tier(told.tier, now)
        self.warnings += told.warning
        if kind is Kind.CANCEL:
            self._cancels_told = told.remaining is not None
        if told.remaining is not None:
            bucket.correct(now, ticket, told.remaining)

    def _learn_tier(self, name: str, now: float) -> None:
        if name == self.tier_name or name not in TIERS:
            return
        _log.info("rate limit tier", was=self.tier_name, now=name)
        self.tier_name, self._tier = name, TIERS[name]
        for kind, (rate, burst) in ((Kind.PLACE, self._tier.orders), (Kind.CANCEL, self._tier.cancels)):
            self._buckets[kind].tokens.resize(now, rate, burst * _BURST_PART)
