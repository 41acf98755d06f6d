"""The venue's rate limits, shared by every process of this installation through Redis."""

from __future__ import annotations

from domain.ports import Clock
from infra.ids import RandomIds
from infra.rate_limit_redis import RedisLender
from infra.redis import async_client
from venues.polymarket.budgets import Budgets


def open_budgets(venue: str, clock: Clock, redis_url: str) -> Budgets:
    """Return this process's budgets at `venue`; call within a running loop and close them."""
    return Budgets(venue, clock, RedisLender(async_client(redis_url), clock, RandomIds()))
