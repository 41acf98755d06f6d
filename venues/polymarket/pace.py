"""How fast requests may leave: what every HTTP door of the client asks before it sends, and tells when it was answered.

`admit` waits, but never beyond the deadline: when it would have to, it raises `OverBudgetError` at once and nothing is sent. Every admitted request
is followed by exactly one `answered`, with status 0 when no complete answer came. Implementation: `venues.polymarket.budgets`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from domain.errors import PolybotError


class OverBudgetError(PolybotError):
    """The request was held back: its budget is used up. `retry_after` is how many seconds it takes until there may be room."""

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(f"{reason}, free again in {retry_after:.1f} s")
        self.retry_after = retry_after


class Ticket(NamedTuple):
    """One admitted request. `answered_before` is the cost of everything that had been answered when it was admitted."""

    method: str
    path: str
    cost: int
    answered_before: int = 0


class Pace(Protocol):
    """The budgets of one host."""

    async def admit(self, method: str, path: str, cost: int = 1, deadline: float | None = None) -> Ticket:
        """Wait until the request may leave; `path` has no query, `cost` is how many orders or ids it carries, `deadline` is monotonic.

        Raises:
            OverBudgetError: it may not leave before `deadline` (without one: within the patience of its kind).
        """

    def answered(self, ticket: Ticket, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer: its status, 0 when none came, and its headers with lower-case names."""

    def cancelled(self, count: int) -> None:
        """Charge what a cancel of everything, or of a market, turned out to cancel."""

    def sent(self, method: str, path: str) -> None:
        """Count a request that asks nobody: the heartbeats leave from a thread of their own."""


class Paces(Protocol):
    """The budgets of all of a venue's hosts."""

    @property
    def clob(self) -> Pace: ...
    @property
    def gamma(self) -> Pace: ...
    @property
    def data(self) -> Pace: ...
    @property
    def relayer(self) -> Pace: ...
