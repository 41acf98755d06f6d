"""PostgreSQL as the kernel's durable memory: the journal's writer thread does all of it, in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.market import ConditionGroup, Market
from domain.ports import Clock, Journal, LeaseStore
from markets import store
from trading.journal_postgres import PostgresJournal
from trading.lease import PostgresLeases


class PostgresStorage:
    """The `Storage` port of a running trader.

    Args:
        conninfo: libpq connection string or URL.
        grace: seconds a new holder waits beyond the old lease (the send deadline).
    """

    def __init__(self, conninfo: str, account: str, clock: Clock, *, grace: float) -> None:
        self._conninfo = conninfo
        self._account = account
        self._clock = clock
        self._grace = grace

    def journal(self, epoch: Callable[[], int], market_of: Callable[[str], Market]) -> PostgresJournal:
        return PostgresJournal(self._conninfo, self._account, epoch=epoch, market_of=market_of)

    def leases(self, journal: Journal) -> LeaseStore:
        return PostgresLeases(_postgres(journal).call, self._clock, grace=self._grace)

    async def load_markets(self, journal: Journal) -> list[Market]:
        return await _postgres(journal).call(lambda _: store.load_markets())

    async def save_markets(self, journal: Journal, markets: Sequence[Market], groups: Sequence[ConditionGroup]) -> None:
        await _postgres(journal).call(lambda _: store.save_markets(markets, groups))


def _postgres(journal: Journal) -> PostgresJournal:
    if not isinstance(journal, PostgresJournal):
        raise TypeError(f"journal was {type(journal).__name__}, expected the one this storage made")
    return journal
