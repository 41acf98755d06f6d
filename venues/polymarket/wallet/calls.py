"""Contract calls: what each function is called, what its arguments mean to a person, and its exact bytes (Solidity ABI).

Amounts are base units of six decimals, which are micro-units. A value that does not fit its type is an error of the encoder (`EncodingError`,
`ValueError`), never cut. Source: the venue's contract documentation and the Solidity ABI.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from eth_abi.abi import encode

from domain.money import format_micros
from domain.wallet import ContractCall
from venues.polymarket.eip712 import address_bytes, bytes32, keccak, uint_word
from venues.polymarket.wallet.contracts import CTF_ADAPTER, NEG_RISK_ADAPTER, OFFRAMP, ONRAMP, PUSD, ROUTER, Contract
from venues.polymarket.wallet.relay_signing import RawCall

MAX_UINT256 = (1 << 256) - 1
BOTH_OUTCOMES = (1, 2)
_NO_PARENT = bytes(32)


@cache
def selector(signature: str) -> bytes:
    """Return the four bytes that name a function, "name(type,type)"."""
    return keccak(signature.encode())[:4]


def encoded(signature: str, *values: Any) -> bytes:
    """Return the call data of a function."""
    types = _split_types(signature[signature.index("(") + 1 : -1])
    return selector(signature) + encode(types, list(values))


def _split_types(text: str) -> list[str]:
    """Split a list of types at the commas outside of tuples."""
    types, depth, begun = [], 0, 0
    for place, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            types.append(text[begun:place])
            begun = place + 1
    return [*types, text[begun:]] if text else []


def _call(contract: Contract, signature: str, *arguments: tuple[str, str, Any]) -> ContractCall:
    """Return a call whose arguments are (name, readable, value)."""
    return ContractCall(
        target=contract.address,
        contract=contract.name,
        function=signature.partition("(")[0],
        arguments=tuple((name, readable) for name, readable, _ in arguments),
        data=encoded(signature, *(value for _, _, value in arguments)),
    )


def approve(token: Contract, spender: Contract, amount: int = MAX_UINT256) -> ContractCall:
    """Let `spender` take up to `amount` of an ERC-20 token."""
    readable = "unlimited" if amount == MAX_UINT256 else f"${format_micros(amount)}"
    return _call(
        token,
        "approve(address,uint256)",
        ("spender", _named(spender), spender.address),
        ("amount", readable, amount),
    )


def approve_all(token: Contract, operator: Contract) -> ContractCall:
    """Let `operator` move every share of an ERC-1155 contract."""
    return _call(
        token,
        "setApprovalForAll(address,bool)",
        ("operator", _named(operator), operator.address),
        ("approved", "true", True),
    )


def adapter_of(*, neg_risk: bool) -> Contract:
    """Return the contract that splits, merges and redeems conditional tokens of a market."""
    return NEG_RISK_ADAPTER if neg_risk else CTF_ADAPTER


def split(condition_id: str, amount: int, *, neg_risk: bool) -> ContractCall:
    """Turn collateral into shares of both outcomes."""
    return _positions_call("splitPosition", "partition", condition_id, amount, neg_risk=neg_risk)


def merge(condition_id: str, amount: int, *, neg_risk: bool) -> ContractCall:
    """Turn shares of both outcomes into collateral."""
    return _positions_call("mergePositions", "partition", condition_id, amount, neg_risk=neg_risk)


def redeem(condition_id: str, *, neg_risk: bool) -> ContractCall:
    """Turn all shares of a resolved market into what they pay."""
    return _positions_call("redeemPositions", "indexSets", condition_id, None, neg_risk=neg_risk)


def _positions_call(function: str, sets: str, condition_id: str, amount: int | None, *, neg_risk: bool) -> ContractCall:
    types = "address,bytes32,bytes32,uint256[]" + ("" if amount is None else ",uint256")
    arguments: list[tuple[str, str, Any]] = [
        ("collateralToken", _named(PUSD), PUSD.address),
        ("parentCollectionId", "none", _NO_PARENT),
        ("conditionId", condition_id, bytes32(condition_id)),
        (sets, "both outcomes", list(BOTH_OUTCOMES)),
    ]
    if amount is not None:
        arguments.append(("amount", format_micros(amount), amount))
    return _call(adapter_of(neg_risk=neg_risk), f"{function}({types})", *arguments)


def convert(market_id: str, index_set: int, amount: int) -> ContractCall:
    """Turn NO of the questions whose bits are set into YES of the others and collateral."""
    given = ", ".join(str(index) for index in range(index_set.bit_length()) if index_set >> index & 1)
    return _call(
        NEG_RISK_ADAPTER,
        "convertPositions(bytes32,uint256,uint256)",
        ("marketId", market_id, bytes32(market_id)),
        ("indexSet", f"questions {given}", index_set),
        ("amount", format_micros(amount), amount),
    )


def position_condition(token_id: str) -> bytes:
    """Return the 31-byte condition id inside a Protocol-V2 position id."""
    return uint_word(int(token_id))[:31]


def router_split(condition: bytes, amount: int) -> ContractCall:
    """Split collateral of a Protocol-V2 market."""
    return _router_call("split", condition, ("amount", format_micros(amount), amount))


def router_merge(condition: bytes, amount: int) -> ContractCall:
    """Merge both outcomes of a Protocol-V2 market."""
    return _router_call("merge", condition, ("amount", format_micros(amount), amount))


def router_redeem(condition: bytes, outcome: int, amount: int) -> ContractCall:
    """Redeem shares of one outcome of a resolved Protocol-V2 market."""
    return _router_call(
        "redeem",
        condition,
        ("outcomeIndex", str(outcome), outcome),
        ("amount", format_micros(amount), amount),
    )


def _router_call(function: str, condition: bytes, *more: tuple[str, str, Any]) -> ContractCall:
    types = ",".join(["bytes31", *["uint256"] * len(more)])
    return _call(ROUTER, f"{function}({types})", ("conditionId", "0x" + condition.hex(), condition), *more)


def wrap(asset: Contract, wallet: str, amount: int) -> ContractCall:
    """Turn the stablecoin into collateral."""
    return _ramp_call(ONRAMP, "wrap", asset, wallet, amount)


def unwrap(asset: Contract, wallet: str, amount: int) -> ContractCall:
    """Turn collateral into the stablecoin."""
    return _ramp_call(OFFRAMP, "unwrap", asset, wallet, amount)


def _ramp_call(ramp: Contract, function: str, asset: Contract, wallet: str, amount: int) -> ContractCall:
    return _call(
        ramp,
        f"{function}(address,address,uint256)",
        ("asset", _named(asset), asset.address),
        ("to", wallet, wallet),
        ("amount", f"${format_micros(amount)}", amount),
    )


def proxy_batch(calls: Iterable[RawCall]) -> bytes:
    """Return the data with which the proxy factory makes an owner's proxy carry out calls."""
    batch = [(1, call.target, 0, call.data) for call in calls]
    return encoded("proxy((uint8,address,uint256,bytes)[])", batch)


def safe_batch(calls: Iterable[RawCall]) -> bytes:
    """Return the data with which a Safe carries out several calls through its MultiSend contract (all of them or none)."""
    packed = b"".join(
        b"\x00" + address_bytes(call.target) + uint_word(0) + uint_word(len(call.data)) + call.data for call in calls
    )
    return encoded("multiSend(bytes)", packed)


def _named(contract: Contract) -> str:
    return f"{contract.name} {contract.address}"
