"""What the two ways to the chain have in common: a sender carries out the calls of a plan, and can tell later what became of a submission."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from domain.wallet import ContractCall, Submission, WalletReceipt, WalletTransaction

Progress = Callable[[WalletReceipt], None]

POLL_SECONDS = 2.0
MAX_POLLS = 100


class Sender(Protocol):
    """Sends calls of one wallet. `gas_payer` says in words who pays the network."""

    gas_payer: str

    async def send(self, calls: Sequence[ContractCall], description: str, progress: Progress) -> WalletReceipt:
        """Carry out the calls and follow them to their end.

        What left and cannot be explained ends as `UNKNOWN` and stays in the submission log. Raises `WalletError` or `VenueError` only when
        nothing has left.
        """

    async def recover(self, submission: Submission) -> WalletTransaction:
        """Look up what became of a submission; sends nothing. Raises `VenueError` when that cannot be read."""
