"""PostgreSQL as the kernel's durable memory: the journal's writer thread does all of it, in turn.

Loaded is what may still matter: orders and fills of the last day and those that are not final, what is held, and the markets that these rows name
or that are not settled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import Error, connection

from domain.market import ConditionGroup, Market, MarketStatus
from domain.ports import Clock, Journal, LeaseStore
from markets import store
from trading.account_state import REMEMBER_NS
from trading.journal_failures import journal_error
from trading.journal_load import Connection, load_market_ids
from trading.journal_postgres import PostgresJournal
from trading.lease import PostgresLeases

T = TypeVar("T")


class PostgresStorage:
    """The `Storage` port of a running trader.

    Args:
        conninfo: libpq connection string or URL.
        grace: seconds a new holder waits beyond the old lease (the send deadline).
    """

    def __init__(self, conninfo: str, account: str, venue: str, clock: Clock, *, grace: float) -> None:
        self._conninfo = conninfo
        self._account = account
        self._venue = venue
        self._clock = clock
        self._grace = grace

    def journal(self, epoch: Callable[[], int], market_of: Callable[[str], Market]) -> PostgresJournal:
        return PostgresJournal(
            self._conninfo,
            self._account,
            epoch=epoch,
            market_of=market_of,
            horizon=lambda: self._clock.now_ns() - REMEMBER_NS,
            now=self._clock.now_ns,
        )

    def leases(self, journal: Journal) -> LeaseStore:
        return PostgresLeases(_postgres(journal).call, self._clock, grace=self._grace)

    async def load_markets(self, journal: Journal) -> list[Market]:
        return await self._call(journal, self._load_markets)

    def _load_markets(self, connection: Connection) -> list[Market]:
        markets = store.load_markets(venue=self._venue, statuses=(MarketStatus.ACTIVE, MarketStatus.CLOSED))
        named = load_market_ids(connection, self._account, self._clock.now_ns() - REMEMBER_NS)
        settled = named - {market.id for market in markets}
        return markets + list(store.load_markets_by_id(settled).values())

    async def save_markets(self, journal: Journal, markets: Sequence[Market], groups: Sequence[ConditionGroup]) -> None:
        await self._call(journal, lambda _: store.save_markets(markets, groups))

    @staticmethod
    async def _call(journal: Journal, function: Callable[[Connection], T]) -> T:
        """Run a function of Django's on the writer thread."""
        return await _postgres(journal).call(lambda connection: on_django(lambda: function(connection)))


def on_django(function: Callable[[], T]) -> T:
    """Run a function of Django's on this thread. Its database errors are the journal's; after one, the next call connects anew."""
    try:
        return function()
    except Error as error:
        connection.close()
        cause = error.__cause__
        raise journal_error(cause if isinstance(cause, Exception) else error) from error


def _postgres(journal: Journal) -> PostgresJournal:
    if not isinstance(journal, PostgresJournal):
        raise TypeError(f"journal was {type(journal).__name__}, expected the one this storage made")
    return journal
