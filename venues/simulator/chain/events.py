"""The contract events that appear in the chain's logs, and the logs themselves. Source: the venue's contracts (exchange V2, adapters), the
Conditional Tokens framework, ERC-20 and ERC-1155."""

from __future__ import annotations

from typing import Any

import msgspec

from venues.simulator.chain.abi import EventType, event

ORDER_FILLED = event(
    "OrderFilled",
    "bytes32*",
    "address*",
    "address*",
    "uint8",
    "uint256",
    "uint256",
    "uint256",
    "uint256",
    "bytes32",
    "bytes32",
)
ORDERS_MATCHED = event("OrdersMatched", "bytes32*", "address*", "uint8", "uint256", "uint256", "uint256")
FEE_CHARGED = event("FeeCharged", "address*", "uint256")
TRANSFER = event("Transfer", "address*", "address*", "uint256")
APPROVAL = event("Approval", "address*", "address*", "uint256")
TRANSFER_SINGLE = event("TransferSingle", "address*", "address*", "address*", "uint256", "uint256")
TRANSFER_BATCH = event("TransferBatch", "address*", "address*", "address*", "uint256[]", "uint256[]")
APPROVAL_FOR_ALL = event("ApprovalForAll", "address*", "address*", "bool")
POSITION_SPLIT = event("PositionSplit", "address*", "address", "bytes32*", "bytes32*", "uint256[]", "uint256")
POSITIONS_MERGE = event("PositionsMerge", "address*", "address", "bytes32*", "bytes32*", "uint256[]", "uint256")
PAYOUT_REDEMPTION = event("PayoutRedemption", "address*", "address*", "bytes32*", "bytes32", "uint256[]", "uint256")
POSITIONS_CONVERTED = event("PositionsConverted", "address*", "bytes32*", "uint256*", "uint256")
CONDITION_RESOLUTION = event("ConditionResolution", "bytes32*", "address*", "bytes32*", "uint256", "uint256[]")


class Log(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One log as it is stored: where it comes from, topics and data as 0x-prefixed hexadecimal."""

    address: str
    topics: tuple[str, ...]
    data: str


def log(address: str, kind: EventType, *values: Any) -> Log:
    """Return the log of one event that the contract at `address` emits."""
    topics, data = kind.topics_and_data(values)
    return Log(address, topics, data)
