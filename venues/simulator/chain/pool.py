"""Signed transactions of plain addresses that wait for a block: one for each (sender, nonce); those behind a gap wait for it to close."""

from __future__ import annotations

import msgspec

REPLACEMENT_PERCENT = 110
MOST_WAITING = 4_096


class Signed(msgspec.Struct, frozen=True, kw_only=True, tag="signed"):
    """A plain address's transaction whose signature was recovered. `data` hexadecimal, `value` and `gas_price` (the most a unit) wei, as text."""

    hash: str
    sender: str
    to: str
    data: str
    nonce: int
    gas: int
    gas_price: str
    value: str


class Pool:
    """What waits, by sender and nonce."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, int], Signed] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, signed: Signed) -> None:
        """Let a transaction wait, in place of another one of its nonce."""
        self._waiting[signed.sender, signed.nonce] = signed

    def at(self, sender: str, nonce: int) -> Signed | None:
        """Return the transaction that waits at a nonce, None when there is none."""
        return self._waiting.get((sender, nonce))

    def take(self, sender: str, nonce: int) -> Signed | None:
        """Take out the transaction that waits at a nonce, None when there is none."""
        return self._waiting.pop((sender, nonce), None)

    def find(self, transaction_hash: str) -> Signed | None:
        """Return a waiting transaction by its hash."""
        return next((one for one in self._waiting.values() if one.hash == transaction_hash), None)

    def senders(self) -> list[str]:
        """Return whose transactions wait, in the order of their arrival."""
        return list(dict.fromkeys(sender for sender, _ in self._waiting))

    def next_nonce(self, sender: str, mined: int) -> int:
        """Return the nonce after all that wait without a gap behind `mined`."""
        while (sender, mined) in self._waiting:
            mined += 1
        return mined
