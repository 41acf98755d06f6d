"""The lease a trader holds now: taken before anything else, renewed three times in each term, given back at the end.

What cannot be renewed runs out by itself: `valid` is asked before every decision and every send. A lease that is another's now raises
`LeaseLostError`.
"""

from __future__ import annotations

import asyncio

import structlog

from domain.errors import JournalError
from domain.ports import Lease, LeaseStore

_log = structlog.get_logger(__name__)


class LeaseHolder:
    """The right to trade for one account, as long as it lasts."""

    def __init__(self) -> None:
        self.lease: Lease | None = None

    @property
    def epoch(self) -> int:
        return self.lease.epoch if self.lease is not None else 0

    def valid(self, monotonic: float) -> bool:
        return self.lease is not None and monotonic < self.lease.deadline

    async def keep(self, store: LeaseStore, ttl: float) -> None:
        """Renew until cancelled.

        Raises:
            LeaseLostError: another trader holds the lease now.
        """
        failing = False
        while self.lease is not None:
            await asyncio.sleep(ttl / 3)
            try:
                self.lease = await store.renew(self.lease, ttl)
                failing = False
            except (JournalError, OSError) as error:
                if not failing:
                    _log.warning("lease not renewed, trying again", error=str(error))
                failing = True
