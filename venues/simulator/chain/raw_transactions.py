"""Signed transactions as they are sent: legacy (EIP-155), with an access list (EIP-2930), and with a fee market (EIP-1559).

The sender is recovered from the signature by eth_account. What cannot be read raises `RawTransactionError` with a node's words.
"""

from __future__ import annotations

import rlp
from eth_account import Account
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from rlp.exceptions import RLPException

from venues.simulator.chain.gas import BASE_FEE
from venues.simulator.chain.pool import Signed
from venues.simulator.contracts import CHAIN_ID

_LEGACY_FIELDS, _ACCESS_FIELDS, _MARKET_FIELDS = 9, 11, 12


class RawTransactionError(ValueError):
    """The bytes are no transaction that this chain takes."""


def decode_raw(raw: bytes) -> Signed:
    """Return the transaction; `gas_price` is what a unit costs its sender at the present base fee. Raises `RawTransactionError`."""
    kind = raw[0] if raw else 0
    typed = kind in (1, 2)
    try:
        fields = rlp.decode(raw[1:] if typed else raw)
    except RLPException as error:
        raise RawTransactionError(f"rlp: {error}") from error
    expected = {1: _ACCESS_FIELDS, 2: _MARKET_FIELDS}.get(kind, _LEGACY_FIELDS) if typed else _LEGACY_FIELDS
    scalars = fields[:7] if not typed else fields[: 8 if kind == 2 else 7]
    if not isinstance(fields, list) or len(fields) != expected or not all(isinstance(one, bytes) for one in scalars):
        raise RawTransactionError("transaction type not supported" if typed else "rlp: expected a transaction")
    if typed:
        chain_id, rest = _number(fields[0]), fields[1:]
    else:
        chain_id, rest = (_number(fields[6]) - 35) // 2, fields
    if chain_id != CHAIN_ID:
        raise RawTransactionError(f"invalid sender: invalid chain id for signer: have {chain_id} want {CHAIN_ID}")
    if kind == 2:
        tip, most = _number(rest[1]), _number(rest[2])
        price, rest = min(most, BASE_FEE + tip), [rest[0], *rest[2:]]
    else:
        price = _number(rest[1])
    nonce, gas, to, value, data = _number(rest[0]), _number(rest[2]), rest[3], _number(rest[4]), rest[5]
    if len(to) != 20:
        raise RawTransactionError("contract creation is not possible on this chain")
    return Signed(
        hash="0x" + keccak(raw).hex(),
        sender=_sender(raw),
        to=to_checksum_address(to),
        data="0x" + data.hex(),
        nonce=_small(nonce),
        gas=_small(gas),
        gas_price=str(price),
        value=str(value),
    )


def _sender(raw: bytes) -> str:
    try:
        return str(Account.recover_transaction(raw))
    except Exception as error:  # eth_keys and eth_account raise many kinds, all of them mean: not signed by anyone
        raise RawTransactionError("invalid sender: invalid transaction v, r, s values") from error


def _number(raw: bytes) -> int:
    if len(raw) > 32:
        raise RawTransactionError("rlp: input string too long for uint256")
    return int.from_bytes(raw, "big")


def _small(number: int) -> int:
    if number >= 2**63:
        raise RawTransactionError("rlp: input string too long for uint64")
    return number
