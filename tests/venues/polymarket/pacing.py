"""Budgets for tests that are about something else: none, or all the limits of an address that nobody else uses."""

from __future__ import annotations

from collections.abc import Mapping

from infra.clock import SystemClock
from tests.infra.sole_lender import SoleLender
from venues.polymarket.budgets import Budgets
from venues.polymarket.pace import Ticket


class Unpaced:
    """No budget, for servers without limits."""

    async def admit(self, method: str, path: str, cost: int = 1, deadline: float | None = None) -> Ticket:
        return Ticket(method, path, cost)

    def answered(self, ticket: Ticket, status: int, headers: Mapping[str, str]) -> None: ...

    def cancelled(self, count: int) -> None: ...

    def sent(self, method: str, path: str) -> None: ...


class NoLimits:
    clob = gamma = data = relayer = Unpaced()


def alone() -> Budgets:
    clock = SystemClock()
    return Budgets("simulator", clock, SoleLender(clock))
