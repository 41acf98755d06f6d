"""The lease a trader holds now: taken before anything else, renewed three times in each term, given back at the end.

What cannot be renewed runs out by itself: `valid` is asked before every decision and every send. A lease that is another's now raises
`LeaseLostError`.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import structlog

from domain.errors import JournalError
from domain.ports import Lease, LeaseStore

_log = structlog.get_logger(__name__)


class LeaseHolder:
    """The right to trade for one account, as long as it lasts."""

    def __init__(self) -> None:
        self.lease: Lease | None = None
        self._doubted = asyncio.Event()

    @property
    def epoch(self) -> int:
        return self.lease.epoch if self.lease is not None else 0

    def valid(self, monotonic: float) -> bool:
        return self.lease is not None and monotonic < self.lease.deadline

    def doubt(self) -> None:
        """Count the lease as run out until it was renewed: more time may have passed than was counted."""
        if self.lease is not None:
            self.lease = replace(self.lease, deadline=float("-inf"))
            self._doubted.set()

    async def keep(self, store: LeaseStore, ttl: float) -> None:
        """Renew until cancelled.

        Raises:
            LeaseLostError: another trader holds the lease now.
        """
        failing = False
        while self.lease is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ttl / 3):
                    await self._doubted.wait()
            self._doubted.clear()
            try:
                renewed = await store.renew(self.lease, ttl)
                failing = False
                if not self._doubted.is_set():
                    self.lease = renewed
            except (JournalError, OSError) as error:
                if not failing:
                    _log.warning("lease not renewed, trying again", error=str(error))
                failing = True
