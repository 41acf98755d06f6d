"""The right to trade for an account: one trader at a time. Who has lost it hears so with `LeaseLostError`, and trades no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to trade for an account until the monotonic `deadline`; `epoch` grows with each new holder."""

    account: str
    holder: str
    epoch: int
    deadline: float


class LeaseStore(Protocol):
    """One trader per account."""

    async def acquire(self, account: str, holder: str, ttl: float) -> Lease:
        """Wait out another holder's lease, then take it with the next epoch."""

    async def renew(self, lease: Lease, ttl: float) -> Lease:
        """Extend; raises `LeaseLostError` when the lease is another's now."""

    async def release(self, lease: Lease) -> None: ...
