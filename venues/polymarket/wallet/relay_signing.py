"""What the owner of a wallet signs so that the relayer may act for it: a deposit wallet's batch, a Safe's transaction, a proxy's relayed call.

A deposit wallet's batch is signed as typed data; the other two are signed as personal messages over their hash, a Safe's with its own mark in the
last byte. Sources: EIP-712, EIP-191, the Safe's transaction type, the relay hub's message, the venue's relayer documentation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from venues.polymarket.eip712 import (
    address_bytes,
    address_word,
    domain_separator,
    keccak,
    typed_digest,
    uint_word,
)
from venues.polymarket.wallet.contracts import RELAY_HUB, ZERO_ADDRESS

_CALL_TYPE = b"Call(address target,uint256 value,bytes data)"
_CALL_TYPE_HASH = keccak(_CALL_TYPE)
_BATCH_TYPE_HASH = keccak(b"Batch(address wallet,uint256 nonce,uint256 deadline,Call[] calls)" + _CALL_TYPE)
_SAFE_TYPE_HASH = keccak(
    b"SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,"
    b"uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)"
)
_SAFE_DOMAIN_TYPE_HASH = keccak(b"EIP712Domain(uint256 chainId,address verifyingContract)")
_PERSONAL_MARK = b"\x19Ethereum Signed Message:\n32"
_SAFE_PERSONAL = 4
"""What a Safe adds to the last byte of a signature to tell that a personal message was signed."""


class RawCall(Protocol):
    """What is signed of a contract call."""

    @property
    def target(self) -> str: ...
    @property
    def data(self) -> bytes: ...


def batch_digest(wallet: str, nonce: int, deadline: int, calls: Iterable[RawCall], chain_id: int) -> bytes:
    """Return what the owner of a deposit wallet signs for a batch; `deadline` is Unix seconds."""
    hashed = b"".join(
        keccak(_CALL_TYPE_HASH + address_word(call.target) + uint_word(0) + keccak(call.data)) for call in calls
    )
    contents = keccak(_BATCH_TYPE_HASH + address_word(wallet) + uint_word(nonce) + uint_word(deadline) + keccak(hashed))
    separator = domain_separator(name="DepositWallet", version="1", chain_id=chain_id, verifying_contract=wallet)
    return typed_digest(separator, contents)


def safe_digest(safe: str, to: str, data: bytes, operation: int, nonce: int, chain_id: int) -> bytes:
    """Return the hash of a Safe's transaction that pays nobody for its gas."""
    contents = keccak(
        _SAFE_TYPE_HASH
        + address_word(to)
        + uint_word(0)
        + keccak(data)
        + uint_word(operation)
        + uint_word(0) * 3
        + address_word(ZERO_ADDRESS) * 2
        + uint_word(nonce)
    )
    separator = keccak(_SAFE_DOMAIN_TYPE_HASH + uint_word(chain_id) + address_word(safe))
    return typed_digest(separator, contents)


def proxy_digest(owner: str, to: str, data: bytes, *, gas_limit: int, nonce: int, relay: str) -> bytes:
    """Return the hash of a call that the relay hub carries out for a proxy's owner, free of charge."""
    return keccak(
        b"rlx:"
        + address_bytes(owner)
        + address_bytes(to)
        + data
        + uint_word(0) * 2  # relayer's fee and gas price
        + uint_word(gas_limit)
        + uint_word(nonce)
        + address_bytes(RELAY_HUB)
        + address_bytes(relay)
    )


def personal_digest(digest: bytes) -> bytes:
    """Return what is signed for a hash as a personal message."""
    return keccak(_PERSONAL_MARK + digest)


def safe_signature(signature: bytes) -> bytes:
    """Return the signature of a personal message in the form a Safe takes."""
    return signature[:64] + bytes((signature[64] + _SAFE_PERSONAL,))
