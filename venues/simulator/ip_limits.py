"""How much one address of the network may ask: requests in ten seconds (some also in ten minutes), by endpoint and by service.

A little too much is only delayed, more is answered 429 with `Retry-After`. Budgets are token buckets, full when first seen, never stored.
Source: the venue's table of rate limits. The machine's own administration has none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import ceil

from aiohttp import web

from venues.simulator.refusals import too_many_requests

_TEN_SECONDS = 10
_TEN_MINUTES = 600
_QUEUE_SECONDS = 0.2
"""Who asks too much waits up to this long before being refused."""
_MOST_ADDRESSES = 1000

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Budget = tuple[int, int]
"""Requests, and the seconds they are for."""

ENDPOINTS: dict[str, tuple[Budget, ...]] = {
    "GET /book": ((1500, _TEN_SECONDS),),
    "GET /price": ((1500, _TEN_SECONDS),),
    "GET /midpoint": ((1500, _TEN_SECONDS),),
    "POST /books": ((500, _TEN_SECONDS),),
    "POST /prices": ((500, _TEN_SECONDS),),
    "POST /midpoints": ((500, _TEN_SECONDS),),
    "GET /prices-history": ((1000, _TEN_SECONDS),),
    "GET /tick-size": ((200, _TEN_SECONDS),),
    "GET /data/order/{order_id}": ((900, _TEN_SECONDS),),
    "GET /data/orders": ((500, _TEN_SECONDS),),
    "GET /data/trades": ((500, _TEN_SECONDS),),
    "GET /notifications": ((125, _TEN_SECONDS),),
    "DELETE /notifications": ((125, _TEN_SECONDS),),
    "GET /balance-allowance": ((200, _TEN_SECONDS),),
    "GET /balance-allowance/update": ((50, _TEN_SECONDS),),
    "GET /ok": ((100, _TEN_SECONDS),),
    "POST /order": ((5000, _TEN_SECONDS), (120_000, _TEN_MINUTES)),
    "DELETE /order": ((5000, _TEN_SECONDS), (120_000, _TEN_MINUTES)),
    "POST /orders": ((2000, _TEN_SECONDS), (21_000, _TEN_MINUTES)),
    "DELETE /orders": ((2000, _TEN_SECONDS), (15_000, _TEN_MINUTES)),
    "DELETE /cancel-all": ((250, _TEN_SECONDS), (6000, _TEN_MINUTES)),
    "DELETE /cancel-market-orders": ((1500, _TEN_SECONDS), (21_000, _TEN_MINUTES)),
    "POST /relayer/submit": ((25, 60),),
}
"""By method and path of the route."""

SERVICES: tuple[tuple[str, tuple[Budget, ...]], ...] = (
    ("/gamma/events", ((500, _TEN_SECONDS),)),
    ("/gamma/markets", ((300, _TEN_SECONDS),)),
    ("/gamma/public-search", ((350, _TEN_SECONDS),)),
    ("/gamma/tags", ((200, _TEN_SECONDS),)),
    ("/gamma/comments", ((200, _TEN_SECONDS),)),
    ("/gamma", ((4000, _TEN_SECONDS),)),
    ("/data-api/v2/trades", ((300, _TEN_SECONDS),)),
    ("/data-api/trades", ((200, _TEN_SECONDS),)),
    ("/data-api/v2/positions", ((150, _TEN_SECONDS),)),
    ("/data-api/positions", ((150, _TEN_SECONDS),)),
    ("/data-api/closed-positions", ((150, _TEN_SECONDS),)),
    ("/data-api", ((1000, _TEN_SECONDS),)),
    ("/auth", ((100, _TEN_SECONDS),)),
    ("/relayer", ((1000, _TEN_SECONDS),)),
    ("/rpc", ((1000, _TEN_SECONDS),)),
    ("", ((9000, _TEN_SECONDS),)),
)
"""By the path's beginning; the first that fits counts."""

_FREE = ("/admin", "/ws")


class _Bucket:
    __slots__ = ("level", "seen_ns")

    def __init__(self, level: float, now_ns: int) -> None:
        self.level = level
        self.seen_ns = now_ns


class IpLimits:
    """The budgets of all network addresses. `now_ns` is the clock."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._buckets: dict[tuple[str, str, Budget], _Bucket] = {}
        self._scopes: dict[tuple[str, str], list[tuple[str, Budget]]] = {}

    @web.middleware
    async def middleware(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let a request pass, at once or a moment later, or refuse it."""
        resource = request.match_info.route.resource
        path = resource.canonical if resource is not None else ""
        if path.startswith(_FREE):
            return await handler(request)
        delay = self.admit(request.remote or "", request.method, path)
        if delay > 0:
            await asyncio.sleep(delay)
        return await handler(request)

    def admit(self, address: str, method: str, path: str) -> float:
        """Return how many seconds a request has to wait. Raises `RefusalError` 429 when that would be too long."""
        now_ns = self._now_ns()
        buckets = [self._bucket(address, scope, budget, now_ns) for scope, budget in self._budgets(method, path)]
        delay = max((1 - bucket.level) / (most / seconds) for bucket, (most, seconds) in buckets)
        if delay > _QUEUE_SECONDS:
            raise too_many_requests(max(1, ceil(delay)), {})
        for bucket, _ in buckets:
            bucket.level -= 1
        return delay

    def _budgets(self, method: str, path: str) -> list[tuple[str, Budget]]:
        """Return all budgets that a route counts against."""
        found = self._scopes.get((method, path))
        if found is None:
            endpoint = f"{method} {path}"
            found = [(endpoint, budget) for budget in ENDPOINTS.get(endpoint, ())]
            for prefix, budgets in SERVICES:
                if path.startswith(prefix):
                    found += [(prefix, budget) for budget in budgets]
                    break
            self._scopes[method, path] = found
        return found

    def _bucket(self, address: str, scope: str, budget: Budget, now_ns: int) -> tuple[_Bucket, Budget]:
        key = (address, scope, budget)
        bucket = self._buckets.get(key)
        most, seconds = budget
        if bucket is None:
            if len(self._buckets) > _MOST_ADDRESSES * len(ENDPOINTS):
                self._buckets.clear()
            bucket = self._buckets[key] = _Bucket(most, now_ns)
        elif now_ns > bucket.seen_ns:
            refilled = bucket.level + (now_ns - bucket.seen_ns) / 1e9 * most / seconds
            bucket.level, bucket.seen_ns = min(most, refilled), now_ns
        return bucket, budget
