"""Every request the client makes passes here: budgets of the IP address by endpoint, and of the signer by orders and cancels.

`Budgets` is made once for a process and gives each HTTP door its `Pace`. Limits of the address are shared with other processes through a
lender (`infra.rate_limit_redis`); without one, or while it is away, this process keeps to a small part of each limit. When a budget is nearly
gone orders are held back first, then reads; a part is kept for cancels and heartbeats. Waiting is bounded: an order never waits beyond its
deadline, anything else not beyond the patience of its kind, and what would have to is refused at once with the seconds it would have taken.
A 429 closes its endpoint for as long as the venue says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from domain.ports import Clock
from domain.status import BudgetFigure
from infra.rate_limit_window import LimitWindow
from venues.polymarket.pace import OverBudgetError, Ticket
from venues.polymarket.rate_headers import RateHeaders, read_rate_headers
from venues.polymarket.rate_table import GENERAL, RULES, Kind, Limit, Rule
from venues.polymarket.signer_budget import SignerBudget

_log = structlog.get_logger(__name__)

PATIENCE = {Kind.PLACE: 2.0, Kind.READ: 12.0, Kind.CANCEL: 5.0}
"""Seconds that a request without a deadline waits for room; reads outlast a window, so that a long series of them gets through without a lender."""
_RESERVE = {Kind.PLACE: 0.5, Kind.READ: 0.25, Kind.CANCEL: 0.0}
"""Part of this process's own share that each kind leaves to the next."""
_HOLD = {Kind.PLACE: 5.0, Kind.READ: 5.0, Kind.CANCEL: 1.0}
"""Seconds that a 429 closes an endpoint for when it does not say how long."""
_LONGEST_HOLD = {Kind.PLACE: 60.0, Kind.READ: 60.0, Kind.CANCEL: 10.0}
"""Seconds for which a 429 is believed: a wrong header must not keep us from cancelling."""
_SIGNED = (Kind.PLACE, Kind.CANCEL)


class Lender(Protocol):
    """Who lends blocks of the shared limits."""

    def serve(self, windows: Sequence[LimitWindow], on_news: Callable[[], None]) -> None: ...
    def wake(self) -> None: ...
    async def probe(self) -> None: ...
    async def close(self) -> None: ...


class _Endpoint:
    """One rule at work: its windows, and what happened there."""

    def __init__(self, name: str, kind: Kind, windows: tuple[LimitWindow, ...], *, signed: bool) -> None:
        self.name, self.kind, self.windows, self.signed = name, kind, windows, signed
        self.closed_until = 0.0
        self.requests = self.waits = self.refusals = self.too_many = 0


class Budgets:
    """All budgets of one process. `clob`, `gamma`, `data` and `relayer` are the paces of the venue's hosts.

    Args:
        venue: part of the limits' names in Redis, so that a simulated venue and the real one share nothing.
        lender: None keeps this process to its own small share.
    """

    def __init__(self, venue: str, clock: Clock, lender: Lender | None = None) -> None:
        self._clock = clock
        self._lender = lender
        self._venue = venue
        self._windows: dict[Limit, LimitWindow] = {}
        self._news = asyncio.Event()
        self.signer = SignerBudget(clock.monotonic())
        self.clob, self.gamma = HostPace(self, "clob"), HostPace(self, "gamma")
        self.data, self.relayer = HostPace(self, "data"), HostPace(self, "relayer")
        if lender is not None:
            lender.serve(tuple(self._windows.values()), self._tell)

    async def probe(self) -> None:
        """Return when limits are shared as they should be (a probe of `infra.health`); raises when they are not."""
        if self._lender is not None:
            await self._lender.probe()

    async def close(self) -> None:
        if self._lender is not None:
            await self._lender.close()

    def figures(self) -> list[BudgetFigure]:
        """Return the signer's budgets, every host's own, and each endpoint that was used."""
        now = self._clock.monotonic()
        lines = []
        for name, kind in (("orders", Kind.PLACE), ("cancels", Kind.CANCEL)):
            left, limit = self.signer.left(kind, now)
            lines.append(BudgetFigure(name=f"{name} ({self.signer.tier_name})", left=left, limit=limit))
        for pace in (self.clob, self.gamma, self.data, self.relayer):
            for endpoint in pace.used():
                tightest = min(endpoint.windows, key=lambda window: window.left(now))
                lines.append(
                    BudgetFigure(
                        name=endpoint.name,
                        left=tightest.left(now),
                        limit=tightest.limit,
                        requests=endpoint.requests,
                        waits=endpoint.waits,
                        refusals=endpoint.refusals,
                        too_many=endpoint.too_many,
                    )
                )
        return lines

    def window(self, limit: Limit) -> LimitWindow:
        """Return the one window of a limit, whatever number of endpoints fall under it."""
        if limit not in self._windows:
            name, requests, seconds = limit
            self._windows[limit] = LimitWindow(f"{self._venue}.{name}", requests, seconds)
        return self._windows[limit]

    async def admit(self, endpoint: _Endpoint, cost: int, deadline: float | None) -> int:
        """Wait for room and take it; returns what the ticket needs to know. Raises `OverBudgetError`."""
        begun = now = self._clock.monotonic()
        patience = begun + PATIENCE[endpoint.kind] if deadline is None else deadline
        while (wait := self._wait(endpoint, cost, now)) > 0:
            if self._lender is not None:
                self._lender.wake()
            if now + wait > patience:
                endpoint.refusals += 1
                raise OverBudgetError(f"the budget of {endpoint.name} is used up", wait)
            endpoint.waits += now == begun
            await self._news_within(wait)
            now = self._clock.monotonic()
        return self.charge(endpoint, cost, now)

    def charge(self, endpoint: _Endpoint, cost: int, now: float) -> int:
        """Count a request that leaves now."""
        endpoint.requests += 1
        for window in endpoint.windows:
            window.take(now)
        if self._lender is not None and any(window.wanted(now) for window in endpoint.windows):
            self._lender.wake()
        return self.signer.take(endpoint.kind, cost, now) if endpoint.signed else 0

    def answered(self, endpoint: _Endpoint, ticket: Ticket, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer."""
        now = self._clock.monotonic()
        told = read_rate_headers(headers)
        if endpoint.signed:
            self.signer.answered(endpoint.kind, ticket, told, now)
        if status == 429:
            endpoint.too_many += 1
            hold = min(self._hold(endpoint.kind, told), _LONGEST_HOLD[endpoint.kind])
            endpoint.closed_until = max(endpoint.closed_until, now + hold)
            _log.warning("the venue's rate limit was reached", endpoint=endpoint.name, closed_for=hold)
        self._tell()

    def now(self) -> float:
        return self._clock.monotonic()

    def _hold(self, kind: Kind, told: RateHeaders) -> float:
        if told.retry_after is not None:
            return float(told.retry_after)
        if told.reset is not None and told.reset > (now_s := self._clock.now_ns() // 1_000_000_000):
            return float(told.reset - now_s)
        return _HOLD[kind]

    def _wait(self, endpoint: _Endpoint, cost: int, now: float) -> float:
        wait, reserve = endpoint.closed_until - now, _RESERVE[endpoint.kind]
        for window in endpoint.windows:
            wait = max(wait, window.wait(now, reserve))
        return max(wait, self.signer.wait(endpoint.kind, cost, now)) if endpoint.signed else wait

    def _tell(self) -> None:
        """Let everyone who waits look again."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _news_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return


class HostPace:
    """The budgets of one host (implements `Pace`)."""

    def __init__(self, budgets: Budgets, host: str) -> None:
        self._budgets = budgets
        general = GENERAL[host]
        self._rules = RULES[host]
        self._endpoints = [self._endpoint(f"{host} {rule.name}", rule, general) for rule in self._rules]
        self._other = self._endpoint(f"{host} other", Rule("", "/"), general)

    def _endpoint(self, name: str, rule: Rule, general: tuple[Limit, ...]) -> _Endpoint:
        windows = tuple(self._budgets.window(limit) for limit in (*rule.limits, *general))
        signed = rule.kind in _SIGNED and bool(rule.limits)
        return _Endpoint(name, rule.kind, windows, signed=signed)

    def used(self) -> list[_Endpoint]:
        return [endpoint for endpoint in (*self._endpoints, self._other) if endpoint.requests or endpoint.refusals]

    async def admit(self, method: str, path: str, cost: int = 1, deadline: float | None = None) -> Ticket:
        """Wait until the request may leave."""
        answered_before = await self._budgets.admit(self._find(method, path), cost, deadline)
        return Ticket(method, path, cost, answered_before)

    def answered(self, ticket: Ticket, status: int, headers: Mapping[str, str]) -> None:
        self._budgets.answered(self._find(ticket.method, ticket.path), ticket, status, headers)

    def cancelled(self, count: int) -> None:
        self._budgets.signer.charge_cancelled(count, self._budgets.now())

    def sent(self, method: str, path: str) -> None:
        self._budgets.charge(self._find(method, path), 1, self._budgets.now())

    def _find(self, method: str, path: str) -> _Endpoint:
        for rule, endpoint in zip(self._rules, self._endpoints, strict=True):
            if rule.matches(method, path):
                return endpoint
        return self._other
