"""What the venue paid a wallet besides its trades, from the Data API's activity: rewards, yield and rebates (implements `domain.ports.IncomeSource`).

The index lags behind the chain by seconds to minutes. A list is whole or it raises `VenueError`.
Source: the venue's documentation of /v2/activity.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from domain.errors import MoneyError, VenueError
from domain.money import exact_micros
from domain.reports import IncomeReport
from venues.polymarket.data_pages import read_pages
from venues.polymarket.http import HttpClient

_REWARDS = ("REWARD", "YIELD", "REFERRAL_REWARD")
_REBATES = ("MAKER_REBATE", "TAKER_REBATE")
_PATH = "/v2/activity"


class _Row(msgspec.Struct):
    type: str
    timestamp: int
    usdc_size: Decimal
    proxy_wallet: str
    transaction_hash: str = ""
    condition_id: str = ""


class ActivityIncome:
    """Reads the payments to `wallet`, the one that holds the funds."""

    def __init__(self, http: HttpClient, wallet: str) -> None:
        self._http = http
        self._wallet = wallet

    async def incomes(self, after_ns: int, before_ns: int) -> list[IncomeReport]:
        """Return the payments of a span of time in whole seconds, the first and the last one included, oldest first."""
        query = [
            ("user", self._wallet),
            ("type", ",".join((*_REWARDS, *_REBATES))),
            ("start", str(after_ns // 1_000_000_000)),
            ("end", str(-(-before_ns // 1_000_000_000))),
            ("sort_direction", "ASC"),
        ]
        found: dict[str, IncomeReport] = {}
        for row in await read_pages(self._http, _PATH, query, _Row):
            if row.type in (*_REWARDS, *_REBATES) and row.proxy_wallet.lower() == self._wallet.lower():
                report = _report(row)
                found[report.id] = report
        return sorted(found.values(), key=lambda each: each.at_ns)


def _report(row: _Row) -> IncomeReport:
    try:
        amount = exact_micros(row.usdc_size)
    except MoneyError as error:
        raise VenueError(f"GET {_PATH}: {error}") from error
    if amount <= 0:
        raise VenueError(f"GET {_PATH}: a payment of {row.usdc_size} is none")
    # One transaction may pay a reward for several markets, and a rebate as well.
    parts = (row.type, row.transaction_hash, row.condition_id, str(row.timestamp), str(amount))
    return IncomeReport(
        id=":".join(parts),
        rebate=row.type in _REBATES,
        amount=amount,
        at_ns=row.timestamp * 1_000_000_000,
    )
