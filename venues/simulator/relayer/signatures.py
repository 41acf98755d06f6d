"""Who signed a request to the relayer: the batch of a deposit wallet, a Safe's transaction or its creation, a proxy's call.

Sources: the contracts' EIP-712 types, Safe's packed signatures (v + 4 for a signed message), GSN's hash of relayed calls. Every function
returns the signer's checksummed address and raises `SignatureError` for what is no signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_account.messages import encode_defunct
from eth_utils.address import to_canonical_address
from eth_utils.crypto import keccak

from venues.simulator.chain.machine import Call
from venues.simulator.clob.signatures import SignatureError, digest, recover, signature_bytes, typed_message
from venues.simulator.contracts import CHAIN_ID, SAFE_FACTORY

_BATCH_TYPES = {
    "Batch": [
        {"name": "wallet", "type": "address"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
        {"name": "calls", "type": "Call[]"},
    ],
    "Call": [
        {"name": "target", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "data", "type": "bytes"},
    ],
}
_SAFE_TYPES = {
    "SafeTx": [
        {"name": "to", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "data", "type": "bytes"},
        {"name": "operation", "type": "uint8"},
        {"name": "safeTxGas", "type": "uint256"},
        {"name": "baseGas", "type": "uint256"},
        {"name": "gasPrice", "type": "uint256"},
        {"name": "gasToken", "type": "address"},
        {"name": "refundReceiver", "type": "address"},
        {"name": "nonce", "type": "uint256"},
    ]
}
_CREATE_TYPES = {
    "CreateProxy": [
        {"name": "paymentToken", "type": "address"},
        {"name": "payment", "type": "uint256"},
        {"name": "paymentReceiver", "type": "address"},
    ]
}
_SAFE_OFFSET = 4


def batch_signer(wallet: str, nonce: int, deadline: int, calls: Sequence[Call], signature: str) -> str:
    """Return who signed a deposit wallet's batch."""
    domain = {"name": "DepositWallet", "version": "1", "chainId": CHAIN_ID, "verifyingContract": wallet}
    listed = [{"target": call.target, "value": call.value, "data": call.data} for call in calls]
    message = {"wallet": wallet, "nonce": nonce, "deadline": deadline, "calls": listed}
    return recover(typed_message(domain, _BATCH_TYPES, message), signature_bytes(signature))


def safe_signer(safe: str, transaction: dict[str, Any], signature: str) -> str:
    """Return who signed a Safe's transaction (its fields under the names of the signed type)."""
    domain = {"chainId": CHAIN_ID, "verifyingContract": safe}
    signed = encode_defunct(digest(typed_message(domain, _SAFE_TYPES, transaction)))
    raw = signature_bytes(signature)
    if len(raw) != 65 or raw[64] not in (31, 32):
        raise SignatureError("the last byte of a Safe's signature is 31 or 32")
    return recover(signed, raw[:64] + bytes([raw[64] - _SAFE_OFFSET]))


def safe_create_signer(payment_token: str, payment: int, payment_receiver: str, signature: str) -> str:
    """Return who asked the factory for a Safe."""
    domain = {"name": "Polymarket Contract Proxy Factory", "chainId": CHAIN_ID, "verifyingContract": SAFE_FACTORY}
    message = {"paymentToken": payment_token, "payment": payment, "paymentReceiver": payment_receiver}
    return recover(typed_message(domain, _CREATE_TYPES, message), signature_bytes(signature))


def proxy_signer(
    sender: str, to: str, data: bytes, numbers: tuple[int, int, int, int], hub: str, relay: str, signature: str
) -> str:
    """Return who signed a proxy's call; `numbers` are relayer fee, gas price, gas limit and nonce."""
    try:
        packed = b"".join(number.to_bytes(32, "big") for number in numbers)
    except OverflowError as error:
        raise SignatureError("a number does not fit 256 bits") from error
    text = (
        b"rlx:"
        + to_canonical_address(sender)
        + to_canonical_address(to)
        + data
        + packed
        + to_canonical_address(hub)
        + to_canonical_address(relay)
    )
    return recover(encode_defunct(keccak(text)), signature_bytes(signature))
