"""Which contract calls of a wallet are signed: functions that polybot itself uses, on contracts that the policy names, for the wallet's own good.

A contract alone says too little: the one that takes approvals also transfers. So the function must be known, permissions must go to a contract of the
venue, and what is paid out must be paid to the wallet.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from venues.polymarket.eip712 import address_bytes, keccak
from venues.polymarket.isolated_signer.refusal import Code, RefusedError
from venues.polymarket.wallet import contracts
from venues.polymarket.wallet.contracts import Contract
from venues.polymarket.wallet.statements import SignedCall

VENUE_CONTRACTS = {
    contract.address.lower(): contract.name for contract in vars(contracts).values() if isinstance(contract, Contract)
}
_VENUE_ADDRESSES = frozenset(map(address_bytes, VENUE_CONTRACTS))
MAX_CALLS = 32


class _Argument(Enum):
    """What an address among a function's arguments must be."""

    CONTRACT = auto()
    WALLET = auto()


_FUNCTIONS: dict[str, tuple[_Argument, ...]] = {
    "approve(address,uint256)": (_Argument.CONTRACT,),
    "setApprovalForAll(address,bool)": (_Argument.CONTRACT,),
    "splitPosition(address,bytes32,bytes32,uint256[],uint256)": (_Argument.CONTRACT,),
    "mergePositions(address,bytes32,bytes32,uint256[],uint256)": (_Argument.CONTRACT,),
    "redeemPositions(address,bytes32,bytes32,uint256[])": (_Argument.CONTRACT,),
    "convertPositions(bytes32,uint256,uint256)": (),
    "split(bytes31,uint256)": (),
    "merge(bytes31,uint256)": (),
    "redeem(bytes31,uint256,uint256)": (),
    "wrap(address,address,uint256)": (_Argument.CONTRACT, _Argument.WALLET),
    "unwrap(address,address,uint256)": (_Argument.CONTRACT, _Argument.WALLET),
}
_BY_SELECTOR = {keccak(name.encode())[:4]: (name.partition("(")[0], rules) for name, rules in _FUNCTIONS.items()}


def check_calls(calls: Sequence[SignedCall], allowed: frozenset[str], wallet: str) -> None:
    """Raise `RefusedError` unless every call may be made; `allowed` are addresses in small letters, none for no call at all."""
    if not allowed:
        raise RefusedError(
            Code.WALLET_OPERATIONS, "this signer signs orders only; signer.wallet_contracts would allow more"
        )
    if not 0 < len(calls) <= MAX_CALLS:
        raise RefusedError(Code.CONTRACT, f"{len(calls)} calls were given, allowed are 1 to {MAX_CALLS}")
    for call in calls:
        _check(call, allowed, wallet)


def _check(call: SignedCall, allowed: frozenset[str], wallet: str) -> None:
    if call.target.lower() not in allowed:
        raise RefusedError(Code.CONTRACT, f"{call.target} is not among signer.wallet_contracts")
    known = _BY_SELECTOR.get(call.data[:4])
    if known is None:
        raise RefusedError(Code.FUNCTION, f"0x{call.data[:4].hex()} is no function that polybot uses")
    name, rules = known
    for place, rule in enumerate(rules):
        word = call.data[4 + 32 * place : 36 + 32 * place]
        good = _VENUE_ADDRESSES if rule is _Argument.CONTRACT else {address_bytes(wallet)}
        if len(word) != 32 or any(word[:12]) or word[12:] not in good:
            owner = "a contract of the venue" if rule is _Argument.CONTRACT else "the wallet itself"
            raise RefusedError(Code.ARGUMENT, f"argument {place + 1} of {name} is not {owner}")
