"""Parameters of JSON-RPC calls: quantities, data, addresses, blocks, log filters. Anything else is -32602."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from eth_utils.address import is_hex_address, to_checksum_address

from venues.simulator.chain.blocks import FIRST_BLOCK, Blocks
from venues.simulator.chain.machine import Call
from venues.simulator.chain.node_errors import NodeError, invalid_params, refused
from venues.simulator.contracts import ZERO_ADDRESS

STATE_BLOCKS = 64
"""The state is known at the head only; a question about one of the last blocks is answered as of the head."""

_QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_DATA = re.compile(r"0x([0-9a-fA-F]{2})*")
_TAGS = ("latest", "pending", "safe", "finalized", "earliest")


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which logs are wanted: blocks from `first` to `last`, any of `addresses` (lower case; none: all), and at each place any of `topics`."""

    first: int
    last: int
    addresses: frozenset[str]
    topics: tuple[frozenset[str], ...]


def at(params: list[Any], index: int, default: Any = None) -> Any:
    """Return a parameter. Raises -32602 when it is missing and has no default."""
    if index < len(params) and params[index] is not None:
        return params[index]
    if default is None:
        raise invalid_params(f"missing value for required argument {index}")
    return default


def quantity(value: Any) -> int:
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise invalid_params(f"invalid argument: {value!r} is no hex quantity")
    return int(value, 16)


def block_hash(value: Any) -> str:
    """Return a 32-byte hash in lower case."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise invalid_params(f"invalid argument: {value!r} is no 32-byte hash")
    return value.lower()


def data(value: Any) -> bytes:
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise invalid_params("invalid argument: hex string of whole bytes expected")
    return bytes.fromhex(value[2:])


def address(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("0x") or not is_hex_address(value):
        raise invalid_params(f"invalid argument: {value!r} is no address")
    return to_checksum_address(value)


def block_number(blocks: Blocks, value: Any) -> int:
    """Return the number that a tag or quantity means; it may lie ahead of the chain."""
    if value in _TAGS:
        return FIRST_BLOCK if value == "earliest" else blocks.head
    return quantity(value)


def require_state(blocks: Blocks, value: Any) -> None:
    """Check that the state at a block can be told. Raises -32000 otherwise."""
    if isinstance(value, dict):
        value = _named(blocks, value)
    number = block_number(blocks, value)
    if not blocks.head - STATE_BLOCKS <= number <= blocks.head:
        raise refused(f"header not found: state of block {number} is not available, the head is {blocks.head}")


def call_of(value: Any) -> tuple[str, Call]:
    """Return who calls what in `eth_call` and `eth_estimateGas`."""
    if not isinstance(value, dict):
        raise invalid_params("invalid argument 0: a transaction object is expected")
    sender = address(value.get("from") or ZERO_ADDRESS)
    body = value.get("input") or value.get("data") or "0x"
    amount = value.get("value") or "0x0"
    return sender, Call(address(value.get("to")), data(body), quantity(amount))


def log_filter(blocks: Blocks, value: Any) -> LogFilter:
    """Return the filter of `eth_getLogs`."""
    if not isinstance(value, dict):
        raise invalid_params("invalid argument 0: a filter object is expected")
    if "blockHash" in value:
        if "fromBlock" in value or "toBlock" in value:
            raise invalid_params("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other")
        first = last = _named(blocks, value)
    else:
        first = block_number(blocks, value.get("fromBlock") or "latest")
        last = block_number(blocks, value.get("toBlock") or "latest")
    if first > last:
        raise invalid_params("invalid block range params")
    if first < blocks.oldest:
        raise NodeError(4444, f"pruned history unavailable: logs are kept from block {blocks.oldest} on")
    listed = value.get("address") or []
    addresses = frozenset(address(one).lower() for one in (listed if isinstance(listed, list) else [listed]))
    topics = value.get("topics") or []
    if not isinstance(topics, list) or len(topics) > 4:
        raise invalid_params("invalid topics: a list of at most 4 is expected")
    return LogFilter(first, last, addresses, tuple(_topic_set(one) for one in topics))


def _topic_set(value: Any) -> frozenset[str]:
    """Return the topics that fit a place; none: any."""
    if value is None:
        return frozenset()
    chosen = value if isinstance(value, list) else [value]
    if None in chosen:
        return frozenset()
    return frozenset(block_hash(one) for one in chosen)


def _named(blocks: Blocks, value: dict[str, Any]) -> int:
    """Return the number of the block that an object names by `blockHash` or `blockNumber`."""
    if "blockNumber" in value:
        return quantity(value["blockNumber"])
    number = blocks.number_of(block_hash(value.get("blockHash")))
    if number is None:
        raise refused("unknown block")
    return number
