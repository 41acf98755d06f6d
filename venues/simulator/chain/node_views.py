"""Blocks, transactions, receipts and logs as a node shows them. Built when asked for, never kept.

Roots are made up (they depend on the block's hash alone), signatures of transactions are not reproduced, `extraData` is as long as this
chain's really is, which readers made for other chains stumble over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eth_utils.crypto import keccak

from venues.simulator.chain.blocks import Blocks
from venues.simulator.chain.events import Log
from venues.simulator.chain.gas import BASE_FEE, BLOCK_LIMIT
from venues.simulator.chain.node_params import LogFilter
from venues.simulator.chain.pool import Signed
from venues.simulator.chain.settlement_logs import BuilderOf, settlement_logs
from venues.simulator.chain.transactions import Transaction
from venues.simulator.contracts import CHAIN_ID, ZERO_ADDRESS

View = dict[str, Any]
_EXTRA_BYTES = 97
_BLOOM_BITS = 2048


class Views:
    """Shows what `blocks` holds; `builder_of` tells the builder code of an order."""

    def __init__(self, blocks: Blocks, builder_of: BuilderOf) -> None:
        self._blocks = blocks
        self._builder_of = builder_of

    def block(self, number: int, *, full: bool) -> View:
        """Return one block, with its transactions or their hashes."""
        own_hash = self._blocks.hash(number)
        found = self._blocks.transactions(number)
        shown = [self.transaction(tx, number, index) if full else tx.hash for index, tx in enumerate(found)]
        return {
            "number": hex(number),
            "hash": own_hash,
            "parentHash": self._blocks.hash(number - 1),
            "nonce": "0x" + "00" * 8,
            "sha3Uncles": _made_up("uncles", own_hash),
            "logsBloom": _bloom([log for tx in found for log in self.logs_of(tx)]),
            "transactionsRoot": _made_up("transactions", own_hash),
            "stateRoot": _made_up("state", own_hash),
            "receiptsRoot": _made_up("receipts", own_hash),
            "miner": ZERO_ADDRESS,
            "difficulty": "0x15",
            "totalDifficulty": hex(21 * number),
            "extraData": "0x" + "00" * _EXTRA_BYTES,
            "size": hex(700 + 600 * len(found)),
            "gasLimit": hex(BLOCK_LIMIT),
            "gasUsed": hex(sum(tx.gas_used for tx in found)),
            "timestamp": hex(self._blocks.timestamp(number)),
            "transactions": shown,
            "uncles": [],
            "baseFeePerGas": hex(BASE_FEE),
            "mixHash": "0x" + "00" * 32,
        }

    def transaction(self, tx: Transaction, number: int, index: int) -> View:
        """Return a sealed transaction."""
        place = {"blockHash": self._blocks.hash(number), "blockNumber": hex(number), "transactionIndex": hex(index)}
        return _transaction(tx) | place

    def receipt(self, tx: Transaction, number: int, index: int) -> View:
        """Return what became of a sealed transaction."""
        before = self._blocks.transactions(number)[:index]
        first = sum(len(self.logs_of(one)) for one in before)
        logs = self.logs_of(tx)
        return {
            "transactionHash": tx.hash,
            "transactionIndex": hex(index),
            "blockHash": self._blocks.hash(number),
            "blockNumber": hex(number),
            "from": tx.sender,
            "to": tx.to,
            "cumulativeGasUsed": hex(sum(one.gas_used for one in before) + tx.gas_used),
            "gasUsed": hex(tx.gas_used),
            "effectiveGasPrice": hex(int(tx.gas_price)),
            "contractAddress": None,
            "logs": [self._log(log, tx, number, index, first + place) for place, log in enumerate(logs)],
            "logsBloom": _bloom(logs),
            "status": hex(tx.ok),
            "type": "0x0",
        }

    def logs(self, number: int, wanted: LogFilter) -> Iterator[View]:
        """Iterate over the logs of one block that fit a filter."""
        place = 0
        for index, tx in enumerate(self._blocks.transactions(number)):
            for log in self.logs_of(tx):
                if _fits(log, wanted):
                    yield self._log(log, tx, number, index, place)
                place += 1

    def logs_of(self, tx: Transaction) -> tuple[Log, ...]:
        """Return a transaction's logs."""
        if tx.trade is None or tx.token_ids is None:
            return tx.logs
        return settlement_logs(tx.trade, tx.to, tx.token_ids, self._builder_of)

    def _log(self, log: Log, tx: Transaction, number: int, index: int, place: int) -> View:
        return {
            "address": log.address,
            "topics": list(log.topics),
            "data": log.data,
            "blockNumber": hex(number),
            "blockHash": self._blocks.hash(number),
            "blockTimestamp": hex(self._blocks.timestamp(number)),
            "transactionHash": tx.hash,
            "transactionIndex": hex(index),
            "logIndex": hex(place),
            "removed": False,
        }


def waiting(signed: Signed) -> View:
    """Return a transaction that is in no block yet."""
    return _transaction(signed) | dict.fromkeys(("blockHash", "blockNumber", "transactionIndex"))


def _transaction(tx: Transaction | Signed) -> View:
    return {
        "hash": tx.hash,
        "from": tx.sender,
        "to": tx.to,
        "input": tx.data,
        "nonce": hex(tx.nonce),
        "value": hex(int(tx.value)),
        "gas": hex(tx.gas),
        "gasPrice": hex(int(tx.gas_price)),
        "chainId": hex(CHAIN_ID),
        "type": "0x0",
        "v": hex(2 * CHAIN_ID + 35),
        "r": "0x0",
        "s": "0x0",
    }


def _fits(log: Log, wanted: LogFilter) -> bool:
    if wanted.addresses and log.address.lower() not in wanted.addresses:
        return False
    if len(log.topics) < len(wanted.topics):
        return False
    return all(not chosen or topic in chosen for topic, chosen in zip(log.topics, wanted.topics, strict=False))


def _bloom(logs: list[Log] | tuple[Log, ...]) -> str:
    """Return the 2048-bit filter over addresses and topics: three bits each, from the first six bytes of the keccak."""
    bits = 0
    for item in {text for log in logs for text in (log.address.lower(), *log.topics)}:
        digest = keccak(hexstr=item)
        for place in (0, 2, 4):
            bits |= 1 << (int.from_bytes(digest[place : place + 2], "big") % _BLOOM_BITS)
    return f"0x{bits:0512x}"


def _made_up(label: str, block: str) -> str:
    return "0x" + keccak(text=f"{label}/{block}").hex()
