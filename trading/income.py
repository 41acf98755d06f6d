"""Income: what the venue pays for liquidity and holdings, and the fees it gives back, booked as such.

The payments arrive as cash that nobody can tell from a deposit, and as one they are booked (`trading.reconcile`). The venue's index names
them, some minutes later or earlier: then the deposit becomes a reward or a rebate, each payment once, over restarts too. Payments of the time
before the account's books were opened are part of its first deposit. While the index is away nothing is lost: it is asked again.
"""

from __future__ import annotations

import structlog

from domain.errors import VenueError
from domain.ports import IncomeSource
from trading.desk import Desk

LOOK_BACK_NS = 7 * 86_400_000_000_000
"""How long the index may lag behind, and a trader be away, without a payment being missed."""

_log = structlog.get_logger(__name__)


class Income:
    """Books the payments to one account."""

    def __init__(self, desk: Desk, source: IncomeSource) -> None:
        self._desk = desk
        self._source = source

    async def read(self) -> None:
        """Ask the index and book what is new; call it every few minutes."""
        portfolio, clock = self._desk.portfolio, self._desk.clock
        opened = portfolio.ledger.opened_ns
        if opened is None:
            return
        try:
            incomes = await self._source.incomes(max(opened, clock.now_ns() - LOOK_BACK_NS))
        except VenueError as error:
            _log.warning("the venue's payments could not be read", error=str(error))
            return
        for income in incomes:
            if income.at_ns > opened:
                self._desk.apply(portfolio.pay(income, now_ns=clock.now_ns()))
