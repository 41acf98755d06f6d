"""Income: what the venue pays for liquidity and holdings, and the fees it gives back, booked as such.

The payments arrive as cash that nobody can tell from a deposit, and as one they are booked (`trading.reconcile`). The venue's index names
them, some minutes later or earlier: then the deposit becomes a reward or a rebate, each payment once, over restarts too. Payments of the time
before the account's books were opened are part of its first deposit.

A start reads on from a week before the newest payment that is booked, or from when the books were opened, a month at a time: what was paid while no
trader ran is found however long that was. All that one reading finds is booked together, or nothing: a trader that dies meanwhile, or an index that
is away, leaves nothing out. It is asked again.
"""

from __future__ import annotations

import structlog

from domain.errors import VenueError
from domain.ports import IncomeSource
from domain.reports import IncomeReport
from trading.change import Change
from trading.desk import Desk

LOOK_BACK_NS = 7 * 86_400_000_000_000
"""How long the index may lag behind without a payment being missed."""
SPAN_NS = 30 * 86_400_000_000_000
"""How much is asked for at once: a list of payments has a limited number of pages."""

_log = structlog.get_logger(__name__)


class Income:
    """Books the payments to one account."""

    def __init__(self, desk: Desk, source: IncomeSource) -> None:
        self._desk = desk
        self._source = source
        self._read_ns: int | None = None

    async def read(self) -> None:
        """Ask the index and book what is new; call it every few minutes."""
        portfolio, now = self._desk.portfolio, self._desk.clock.now_ns()
        opened = portfolio.ledger.opened_ns
        if opened is None:
            return
        last = self._read_ns if self._read_ns is not None else portfolio.income_ns
        try:
            incomes = await self._since(opened if last is None else max(opened, last - LOOK_BACK_NS), now)
        except VenueError as error:
            _log.warning("the venue's payments could not be read", error=str(error))
            return
        change = Change()
        for income in incomes:
            if income.at_ns > opened:
                change.merge(portfolio.pay(income, now_ns=self._desk.clock.now_ns()))
        self._desk.apply(change)
        self._read_ns = now

    async def _since(self, start: int, now_ns: int) -> list[IncomeReport]:
        """Return the payments from a moment on. Raises `VenueError`."""
        found: list[IncomeReport] = []
        while start <= now_ns:
            found += await self._source.incomes(start, start + SPAN_NS)
            start += SPAN_NS
        return found
