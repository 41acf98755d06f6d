"""Blocks: numbers and times follow from the venue's time, hashes from the venue's id, contents are what was mined. Memory is bounded.

A block every `BLOCK_SECONDS`; one without transactions is not stored. Nothing is computed before somebody asks, and older blocks are kept packed.
Blocks older than `KEPT` are pruned; asking for their contents is an error of the caller's, see `oldest`.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

import msgspec
from eth_utils.crypto import keccak

from venues.simulator.chain.transactions import Transaction, decode_transaction, encode_transaction

BLOCK_SECONDS = 2
KEPT = 1_800
FIRST_BLOCK = 90_000_000
_UNPACKED = 30
"""The latest blocks may yet be replaced. What is older is packed: an hour of settlements is tens of megabytes, and every snapshot has it."""
_NANOS = 1_000_000_000
_BLOCK_NS = BLOCK_SECONDS * _NANOS
_encode_block = msgspec.msgpack.Encoder().encode
_decode_block = msgspec.msgpack.Decoder(list[bytes]).decode


class Blocks:
    """The chain of one venue. `head` is the latest sealed block; what is mined waits in `pending` for the next."""

    def __init__(self, venue_id: str, started_ns: int) -> None:
        self.head = FIRST_BLOCK
        self.pending: list[bytes] = []
        self._venue_id = venue_id
        self._started_ns = started_ns
        self._sealed: dict[int, list[bytes]] = {}
        self._packed: dict[int, bytes] = {}
        self._places: dict[str, int] = {}
        self._forks: list[tuple[int, int]] = []

    @property
    def oldest(self) -> int:
        """Return the first block whose transactions are still known."""
        return max(FIRST_BLOCK, self.head - KEPT + 1)

    def next_seal_ns(self, now_ns: int) -> int:
        """Return when the first block after `now_ns` is sealed."""
        return now_ns + _BLOCK_NS - (now_ns - self._started_ns) % _BLOCK_NS

    def timestamp(self, number: int) -> int:
        """Return a block's time in Unix seconds."""
        return self._started_ns // _NANOS + (number - FIRST_BLOCK) * BLOCK_SECONDS

    def hash(self, number: int) -> str:
        """Return a block's hash; a block that replaced another has another."""
        generation = sum(first <= number <= last for first, last in self._forks)
        return _block_hash(self._venue_id, number, generation)

    def number_of(self, block_hash: str) -> int | None:
        """Return the number of a block of the present chain by its hash, None when there is none among those kept."""
        return next((n for n in range(self.head, self.oldest - 1, -1) if self.hash(n) == block_hash), None)

    def add(self, transaction: Transaction) -> None:
        """Mine a transaction: it will be in the next block."""
        self.pending.append(encode_transaction(transaction))

    def seal(self, now_ns: int) -> None:
        """Close the block that is due and drop what is too old."""
        self.head = FIRST_BLOCK + (now_ns - self._started_ns) // _BLOCK_NS
        if self.pending:
            self._place(self.head, self.pending)
            self.pending = []
        for number in [number for number in self._sealed if number <= self.head - _UNPACKED]:
            self._packed[number] = zlib.compress(_encode_block(self._sealed.pop(number)), 1)
        oldest = self.oldest
        for number in [number for number in self._packed if number < oldest]:
            for transaction in self.transactions(number):
                self._places.pop(transaction.hash, None)
            del self._packed[number]

    def transactions(self, number: int) -> list[Transaction]:
        """Return the transactions of a block in order."""
        return [decode_transaction(data) for data in self._held(number)]

    def with_transactions(self, first: int, last: int) -> list[int]:
        """Return the blocks from `first` to `last` that hold anything, in order."""
        return sorted(number for number in (*self._packed, *self._sealed) if first <= number <= last)

    def find(self, transaction_hash: str) -> tuple[int, int, Transaction] | None:
        """Return (block, index, transaction) of a sealed transaction."""
        number = self._places.get(transaction_hash)
        if number is None:
            return None
        return next(
            (number, index, found)
            for index, found in enumerate(self.transactions(number))
            if found.hash == transaction_hash
        )

    def drop(self, transaction_hash: str) -> None:
        """Take a transaction out of the chain: blocks from its own on are replaced. Unknown ones are ignored."""
        number = self._places.pop(transaction_hash, None)
        if number is None:
            self.pending = [data for data in self.pending if decode_transaction(data).hash != transaction_hash]
            return
        held = [data for data in self._held(number) if decode_transaction(data).hash != transaction_hash]
        self._hold(number, held)
        self._fork(number)

    def replace(self, depth: int) -> list[Transaction]:
        """Replace the last `depth` blocks: what they held is mined again one block later, the last block's in the same. Return it."""
        first = max(self.oldest, self.head - depth + 1)
        moved = {number: self._held(number) for number in self.with_transactions(first, self.head)}
        for number in moved:
            self._hold(number, [])
        self._fork(first)
        for number, data in moved.items():
            self._place(min(number + 1, self.head), data)
        return [decode_transaction(data) for block in moved.values() for data in block]

    def _place(self, number: int, transactions: list[bytes]) -> None:
        self._hold(number, self._held(number) + transactions)
        for data in transactions:
            self._places[decode_transaction(data).hash] = number

    def _held(self, number: int) -> list[bytes]:
        """Return the encoded transactions of a block."""
        packed = self._packed.get(number)
        return self._sealed.get(number, []) if packed is None else _decode_block(zlib.decompress(packed))

    def _hold(self, number: int, transactions: list[bytes]) -> None:
        """Let a block hold these transactions, and forget one that holds none."""
        self._packed.pop(number, None)
        self._sealed.pop(number, None)
        if transactions:
            self._sealed[number] = transactions

    def _fork(self, first: int) -> None:
        oldest = self.oldest
        self._forks = [fork for fork in self._forks if fork[1] >= oldest]
        self._forks.append((first, self.head))


@lru_cache(maxsize=2 * KEPT)
def _block_hash(venue_id: str, number: int, generation: int) -> str:
    return "0x" + keccak(text=f"{venue_id}/block/{number}/{generation}").hex()
