"""The lease: one trader per account, fenced by an epoch.

The table's clock decides who may take a lease; the holder's own monotonic clock decides until when it may send. A new holder waits until the old
lease has run out and adds `grace` (the send deadline), so that nothing of the old holder can still be on its way. Losing the lease raises
`LeaseLostError`: the trader stops sending at once.

A lease that ends later than any term from now was written before the table's clock was set back. It is taken when it was not renewed for a whole
term of our own counting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from domain.errors import LeaseLostError
from domain.ports import Clock, Lease
from trading.journal_load import Connection
from trading.journal_memory import MemoryTables

T = TypeVar("T")

_TAKE = """
INSERT INTO leases AS held (account, holder, epoch, expires_at)
VALUES (%(account)s, %(holder)s, 1, now() + make_interval(secs => %(ttl)s))
ON CONFLICT (account) DO UPDATE
    SET holder = EXCLUDED.holder, epoch = held.epoch + 1, expires_at = EXCLUDED.expires_at
    WHERE held.expires_at + make_interval(secs => %(grace)s) < now() OR held.expires_at = %(stale)s
RETURNING epoch
"""
_REMAINING = """
SELECT extract(epoch FROM expires_at + make_interval(secs => %(grace)s) - now())::float8 AS seconds, expires_at
FROM leases WHERE account = %(account)s
"""
_RENEW = """
UPDATE leases SET expires_at = now() + make_interval(secs => %(ttl)s)
WHERE account = %(account)s AND holder = %(holder)s AND epoch = %(epoch)s
"""
_RELEASE = """
UPDATE leases SET expires_at = now() - make_interval(secs => %(grace)s) - interval '1 microsecond'
WHERE account = %(account)s AND holder = %(holder)s AND epoch = %(epoch)s
"""


class DatabaseCalls(Protocol):
    """Runs a function on a database connection: `PostgresJournal.call`."""

    def __call__(self, function: Callable[[Connection], T]) -> Awaitable[T]: ...


class PostgresLeases:
    """The `LeaseStore` port over the `leases` table."""

    def __init__(self, call: DatabaseCalls, clock: Clock, *, grace: float) -> None:
        self._call = call
        self._clock = clock
        self._grace = grace

    async def acquire(self, account: str, holder: str, ttl: float) -> Lease:
        seen: datetime | None = None
        stale_at = float("inf")
        while True:
            begun = self._clock.monotonic()
            stale = seen if begun >= stale_at else None
            taken = await self._call(partial(self._take, account=account, holder=holder, ttl=ttl, stale=stale))
            if isinstance(taken, int):
                return Lease(account, holder, taken, begun + ttl)
            wait, ends = taken
            if ends != seen:
                term = ttl + self._grace
                seen, stale_at = ends, self._clock.monotonic() + term if wait > term else float("inf")
            await asyncio.sleep(min(max(wait, 0.05), 1.0))

    def _take(
        self, connection: Connection, *, account: str, holder: str, ttl: float, stale: datetime | None
    ) -> int | tuple[float, datetime | None]:
        """Return the new epoch, or the seconds until the lease can be taken and when it ends. `stale`: an end that is not believed."""
        arguments = {"account": account, "holder": holder, "ttl": ttl, "grace": self._grace, "stale": stale}
        row = connection.execute(_TAKE, arguments).fetchone()
        if row is not None:
            return int(row["epoch"])
        remaining = connection.execute(_REMAINING, arguments).fetchone()
        return (float(remaining["seconds"]), remaining["expires_at"]) if remaining is not None else (0.0, None)

    async def renew(self, lease: Lease, ttl: float) -> Lease:
        begun = self._clock.monotonic()
        arguments = {"account": lease.account, "holder": lease.holder, "epoch": lease.epoch, "ttl": ttl}
        if await self._call(lambda connection: connection.execute(_RENEW, arguments).rowcount) != 1:
            raise LeaseLostError(f"the lease of {lease.account} is held by another trader")
        return Lease(lease.account, lease.holder, lease.epoch, begun + ttl)

    async def release(self, lease: Lease) -> None:
        arguments = {"account": lease.account, "holder": lease.holder, "epoch": lease.epoch, "grace": self._grace}
        await self._call(lambda connection: connection.execute(_RELEASE, arguments).rowcount)


class MemoryLeases:
    """The `LeaseStore` port over `MemoryTables`, on the injected clock."""

    def __init__(self, tables: MemoryTables, clock: Clock, *, grace: float) -> None:
        self._tables = tables
        self._clock = clock
        self._grace = grace

    async def acquire(self, account: str, holder: str, ttl: float) -> Lease:
        while (wait := self._free_in(account)) > 0:  # noqa: ASYNC110 - what is awaited is time itself
            await asyncio.sleep(wait)
        epoch = self._tables.epochs.get(account, 0) + 1
        self._tables.epochs[account] = epoch
        return self._extend(Lease(account, holder, epoch, 0.0), ttl)

    def _free_in(self, account: str) -> float:
        return self._tables.lease_ends.get(account, float("-inf")) + self._grace - self._clock.monotonic()

    async def renew(self, lease: Lease, ttl: float) -> Lease:
        if self._tables.epochs.get(lease.account) != lease.epoch:
            raise LeaseLostError(f"the lease of {lease.account} is held by another trader")
        return self._extend(lease, ttl)

    def _extend(self, lease: Lease, ttl: float) -> Lease:
        deadline = self._clock.monotonic() + ttl
        self._tables.lease_ends[lease.account] = deadline
        return Lease(lease.account, lease.holder, lease.epoch, deadline)

    async def release(self, lease: Lease) -> None:
        if self._tables.epochs.get(lease.account) == lease.epoch:
            self._tables.lease_ends[lease.account] = float("-inf")
