"""The money of one wallet: what came in, what it holds, and how it changes its form. Nothing is sent twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from domain.reports import IncomeReport
from domain.wallet import Submission, WalletOperation, WalletPlan, WalletReceipt, WalletStatus


class IncomeSource(Protocol):
    """Tells what the venue paid a wallet besides its trades."""

    async def incomes(self, after_ns: int, before_ns: int) -> list[IncomeReport]:
        """Return the payments of a span of time, oldest first. Raises `VenueError` when the list may be incomplete."""


class HoldingsIndex(Protocol):
    """Tells which tokens a wallet holds, wherever they came from. It lags: it says what to look at, never how much there is."""

    async def tokens(self) -> list[str]:
        """Return the ids of the tokens. Raises `VenueError`."""


class WalletOperations(Protocol):
    """Moves the money of one wallet between its forms: approvals, splits, merges, redemptions, conversions, wraps.

    Operations of a wallet run one after the other. Once something may have left, its end is looked up before anything else is sent.
    """

    @property
    def account(self) -> str: ...

    async def status(self) -> WalletStatus:
        """Return what the wallet holds and may do. Raises `VenueError`."""

    async def plan(self, operation: WalletOperation) -> WalletPlan:
        """Return exactly what `operation` would send; nothing leaves. Raises `WalletError` naming what is missing, or `VenueError`."""

    async def perform(self, plan: WalletPlan, progress: Callable[[WalletReceipt], None]) -> WalletReceipt:
        """Send a plan and follow it to its end; `progress` hears of every change of state.

        A bad or unknown end is a state of the receipt. Raises `WalletError` or `VenueError` only when nothing of the plan has left.
        """


class SubmissionLog(Protocol):
    """Durable memory of the one transaction of a wallet whose end is not known. What `save` returned from survives a crash."""

    def load(self, wallet: str) -> Submission | None: ...
    def save(self, submission: Submission) -> None: ...
    def clear(self, wallet: str) -> None: ...
