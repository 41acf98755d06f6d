"""Checks of signatures, done with eth_account alone: a mistake in polybot's own signer cannot hide here.

`order_digest` is the order's id; `order_signer` says who signed it. Source of the types: the venue's authentication and order
documentation (EIP-712 domains "ClobAuthDomain" and "Polymarket CTF Exchange", ERC-7739 wrap for deposit wallets). Whatever is not a
well-formed signature raises `SignatureError`; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.crypto import keccak

from venues.simulator.contracts import CHAIN_ID, domain_version

_AUTH_MESSAGE = "This message attests that I control the given wallet"
_AUTH_TYPES = {
    "ClobAuth": [
        {"name": "address", "type": "address"},
        {"name": "timestamp", "type": "string"},
        {"name": "nonce", "type": "uint256"},
        {"name": "message", "type": "string"},
    ]
}
_ORDER_FIELDS = [
    {"name": "salt", "type": "uint256"},
    {"name": "maker", "type": "address"},
    {"name": "signer", "type": "address"},
    {"name": "tokenId", "type": "uint256"},
    {"name": "makerAmount", "type": "uint256"},
    {"name": "takerAmount", "type": "uint256"},
    {"name": "side", "type": "uint8"},
    {"name": "signatureType", "type": "uint8"},
    {"name": "timestamp", "type": "uint256"},
    {"name": "metadata", "type": "bytes32"},
    {"name": "builder", "type": "bytes32"},
]
_ORDER_TYPE_STRING = b"Order(" + ",".join(f"{f['type']} {f['name']}" for f in _ORDER_FIELDS).encode() + b")"
_WALLET_FIELDS = [
    {"name": "contents", "type": "Order"},
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
    {"name": "salt", "type": "bytes32"},
]


class SignatureError(ValueError):
    """The signature is malformed or does not belong to what was signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOrder:
    """The eleven signed fields of an order; addresses checksummed, amounts in base units, `timestamp` in milliseconds."""

    salt: int
    maker: str
    signer: str
    token_id: int
    maker_amount: int
    taker_amount: int
    side: int
    signature_type: int
    timestamp: int
    metadata: bytes
    builder: bytes

    def as_message(self) -> dict[str, Any]:
        """Return the fields under the names of the signed type."""
        return {
            "salt": self.salt,
            "maker": self.maker,
            "signer": self.signer,
            "tokenId": self.token_id,
            "makerAmount": self.maker_amount,
            "takerAmount": self.taker_amount,
            "side": self.side,
            "signatureType": self.signature_type,
            "timestamp": self.timestamp,
            "metadata": self.metadata,
            "builder": self.builder,
        }


def auth_signer(address: str, timestamp: str, nonce: int, signature: str) -> str:
    """Return the address that signed the L1 statement "I control `address`" of `timestamp` (seconds, as text)."""
    domain = {"name": "ClobAuthDomain", "version": "1", "chainId": CHAIN_ID}
    message = {"address": address, "timestamp": timestamp, "nonce": nonce, "message": _AUTH_MESSAGE}
    return recover(typed_message(domain, _AUTH_TYPES, message), signature_bytes(signature))


def order_digest(order: SignedOrder, exchange: str) -> str:
    """Return the EIP-712 digest of `order` at `exchange`: the order id, the same for every signature type."""
    return "0x" + digest(typed_message(_exchange_domain(exchange), {"Order": _ORDER_FIELDS}, order.as_message())).hex()


def order_signer(order: SignedOrder, exchange: str, signature: str) -> str:
    """Return the address whose key signed `order`: the digest itself, or its ERC-7739 wrap for deposit wallets (type 3)."""
    raw = signature_bytes(signature)
    plain = typed_message(_exchange_domain(exchange), {"Order": _ORDER_FIELDS}, order.as_message())
    if order.signature_type != 3:
        return recover(plain, raw)
    return recover(_wallet_message(order, exchange), _unwrap(raw, plain))


def _unwrap(raw: bytes, plain: SignableMessage) -> bytes:
    """Return the inner signature of an ERC-7739 wrap whose stated domain, contents and type are those of the order."""
    tail = plain.header + plain.body + _ORDER_TYPE_STRING + len(_ORDER_TYPE_STRING).to_bytes(2, "big")
    if len(raw) != 65 + len(tail) or raw[65:] != tail:
        raise SignatureError("the wrapped signature does not name this order")
    return raw[:65]


def _wallet_message(order: SignedOrder, exchange: str) -> SignableMessage:
    message: Mapping[str, Any] = {
        "contents": order.as_message(),
        "name": "DepositWallet",
        "version": "1",
        "chainId": CHAIN_ID,
        "verifyingContract": order.maker,
        "salt": bytes(32),
    }
    return typed_message(_exchange_domain(exchange), {"TypedDataSign": _WALLET_FIELDS, "Order": _ORDER_FIELDS}, message)


def _exchange_domain(exchange: str) -> dict[str, Any]:
    version = domain_version(exchange)
    return {"name": "Polymarket CTF Exchange", "version": version, "chainId": CHAIN_ID, "verifyingContract": exchange}


def typed_message(domain: Mapping[str, Any], types: Mapping[str, Any], message: Mapping[str, Any]) -> SignableMessage:
    """Return EIP-712 data ready to be hashed. Raises `SignatureError` when it does not fit its types."""
    try:
        return encode_typed_data(dict(domain), dict(types), dict(message))
    except (ValueError, TypeError, OverflowError) as error:
        raise SignatureError(f"the signed data is malformed: {error}") from error


def digest(message: SignableMessage) -> bytes:
    """Return what is signed: keccak of the EIP-191 form."""
    return keccak(b"\x19" + message.version + message.header + message.body)


def recover(message: SignableMessage, signature: bytes) -> str:
    """Return the checksummed address that signed. Raises `SignatureError`."""
    if len(signature) != 65:
        raise SignatureError(f"the signature has {len(signature)} bytes, expected 65")
    try:
        return str(Account.recover_message(message, signature=signature))
    except Exception as error:  # eth_keys raises types of its own, all of them mean: not a signature
        raise SignatureError(f"the signature cannot be recovered: {error}") from error


def signature_bytes(signature: str) -> bytes:
    """Return the bytes of hexadecimal text. Raises `SignatureError`."""
    try:
        return bytes.fromhex(signature.removeprefix("0x"))
    except ValueError:
        raise SignatureError("the signature is not hexadecimal") from None
