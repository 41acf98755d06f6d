"""Authentication: the one-time EIP-712 proof that creates API keys (L1), and the HMAC on every trading request (L2).

The HMAC covers the exact bytes of the body and the path without its query. Secrets appear in no `repr`. A secret that is not base64url
raises `ValueError` when the credentials are made, not when the first order leaves.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from functools import cached_property

from msgspec import Struct

from venues.polymarket.eip712 import address_word, domain_separator, keccak, typed_digest, uint_word
from venues.polymarket.signer import Signer

_AUTH_TYPE_HASH = keccak(b"ClobAuth(address address,string timestamp,uint256 nonce,string message)")
_MESSAGE_HASH = keccak(b"This message attests that I control the given wallet")


def auth_struct_hash(address: str, timestamp: int, nonce: int) -> bytes:
    """Return the EIP-712 struct hash of a key request; `timestamp` is Unix seconds."""
    return keccak(
        _AUTH_TYPE_HASH + address_word(address) + keccak(str(timestamp).encode()) + uint_word(nonce) + _MESSAGE_HASH
    )


def auth_domain(chain_id: int) -> bytes:
    """Return the domain separator of key requests."""
    return domain_separator(name="ClobAuthDomain", version="1", chain_id=chain_id)


class KeyRequest(Struct, frozen=True, dict=True, tag="key_request", forbid_unknown_fields=True):
    """The proof that an address wants an API key; `timestamp` is Unix seconds."""

    address: str
    timestamp: int
    nonce: int
    chain_id: int

    @cached_property
    def digest(self) -> bytes:
        return typed_digest(auth_domain(self.chain_id), auth_struct_hash(self.address, self.timestamp, self.nonce))


async def key_request_headers(signer: Signer, chain_id: int, timestamp: int, nonce: int = 0) -> dict[str, str]:
    """Return the L1 headers with which an address creates or derives its API key."""
    signature = await signer.sign(KeyRequest(signer.address, timestamp, nonce, chain_id))
    return {
        "POLY_ADDRESS": signer.address,
        "POLY_SIGNATURE": "0x" + signature.hex(),
        "POLY_TIMESTAMP": str(timestamp),
        "POLY_NONCE": str(nonce),
    }


@dataclass(frozen=True, slots=True)
class ApiCredentials:
    """An API key of one address. `repr` shows the key's id only."""

    address: str
    key: str
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)
    _hmac_key: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        padded = self.secret + "=" * (-len(self.secret) % 4)
        try:
            decoded = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("the API secret is not base64url text") from None
        object.__setattr__(self, "_hmac_key", decoded)

    def signature(self, timestamp: int, method: str, path: str, body: bytes = b"") -> str:
        """Return the base64url HMAC of one request; `timestamp` is Unix seconds, `path` has no query."""
        message = f"{timestamp}{method}{path}".encode() + body
        return base64.urlsafe_b64encode(hmac.digest(self._hmac_key, message, "sha256")).decode()

    def headers(self, timestamp: int, method: str, path: str, body: bytes = b"") -> dict[str, str]:
        """Return the L2 headers of one request."""
        return {
            "POLY_ADDRESS": self.address,
            "POLY_SIGNATURE": self.signature(timestamp, method, path, body),
            "POLY_TIMESTAMP": str(timestamp),
            "POLY_API_KEY": self.key,
            "POLY_PASSPHRASE": self.passphrase,
        }
