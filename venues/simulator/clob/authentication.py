"""The venue's two ways to know a caller: L1 (an EIP-712 statement, only to make keys) and L2 (an HMAC over every trading request).

The HMAC covers the timestamp, method, path without query and the raw body as it came; nothing is serialised again. Every failure is the
same 401, as at the venue. Timestamps may differ by one minute from the venue's clock, and must be seconds.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping

from eth_utils.address import is_checksum_address, is_hex_address, to_checksum_address

from venues.simulator.clob.signatures import SignatureError, auth_signer
from venues.simulator.http import is_whole
from venues.simulator.refusals import invalid_l1_headers, unauthorized
from venues.simulator.world.wallets import ApiKey, Wallets

TOLERANCE_SECONDS = 60


def authenticate_l1(headers: Mapping[str, str], now_seconds: int) -> tuple[str, int]:
    """Return the (address, nonce) that an L1 request proves. Raises `RefusalError` 401."""
    address, signature = headers.get("POLY_ADDRESS", ""), headers.get("POLY_SIGNATURE", "")
    timestamp, nonce = headers.get("POLY_TIMESTAMP", ""), headers.get("POLY_NONCE", "0")
    if not is_checksum_address(address) or not _fresh(timestamp, now_seconds) or not is_whole(nonce):
        raise invalid_l1_headers()
    try:
        signer = auth_signer(address, timestamp, int(nonce), signature)
    except SignatureError:
        raise invalid_l1_headers() from None
    if signer != address:
        raise invalid_l1_headers()
    return address, int(nonce)


def authenticate_l2(
    wallets: Wallets, headers: Mapping[str, str], method: str, path: str, body: bytes, now_seconds: int
) -> ApiKey:
    """Return the key that signed this very request. Raises `RefusalError` 401."""
    address = headers.get("POLY_ADDRESS", "")
    key = wallets.key(headers.get("POLY_API_KEY", ""))
    if key is None or not is_hex_address(address) or to_checksum_address(address) != key.address:
        raise unauthorized()
    _check_request("POLY_", key, headers, method, path, body, now_seconds)
    return key


def is_builder_request(headers: Mapping[str, str]) -> bool:
    """Tell whether a request carries a builder's headers."""
    return "POLY_BUILDER_API_KEY" in headers


def authenticate_builder(
    wallets: Wallets, headers: Mapping[str, str], method: str, path: str, body: bytes, now_seconds: int
) -> ApiKey:
    """Return the builder key that signed this very request (POLY_BUILDER_* headers). Raises `RefusalError` 401."""
    key = wallets.builder_key(headers.get("POLY_BUILDER_API_KEY", ""))
    if key is None:
        raise unauthorized()
    _check_request("POLY_BUILDER_", key, headers, method, path, body, now_seconds)
    return key


def authenticate_channel(wallets: Wallets, api_key: str, secret: str, passphrase: str) -> ApiKey | None:
    """Return the key whose three parts a user channel named in plain, None when they do not match."""
    key = wallets.key(api_key)
    known = key is not None and same_secret(secret, key.secret) and same_secret(passphrase, key.passphrase)
    return key if known else None


def same_secret(given: str, expected: str) -> bool:
    """Compare in constant time; `given` may hold anything that a header can."""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), expected.encode())


def request_signature(secret: str, timestamp: str, method: str, path: str, body: bytes) -> str:
    """Return the L2 signature: base64url, padded, of HMAC-SHA256 over timestamp, method, path and body."""
    try:
        key = urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    except (Base64Error, ValueError):
        raise unauthorized() from None
    digest = hmac.digest(key, timestamp.encode() + method.encode() + path.encode() + body, hashlib.sha256)
    return urlsafe_b64encode(digest).decode()


def _check_request(
    prefix: str, key: ApiKey, headers: Mapping[str, str], method: str, path: str, body: bytes, now_seconds: int
) -> None:
    """Check passphrase, time and signature of a request whose headers begin with `prefix`."""
    timestamp = headers.get(f"{prefix}TIMESTAMP", "")
    if not same_secret(headers.get(f"{prefix}PASSPHRASE", ""), key.passphrase):
        raise unauthorized()
    if not _fresh(timestamp, now_seconds):
        raise unauthorized()
    expected = request_signature(key.secret, timestamp, method, path, body)
    if not same_secret(headers.get(f"{prefix}SIGNATURE", ""), expected):
        raise unauthorized()


def _fresh(timestamp: str, now_seconds: int) -> bool:
    return is_whole(timestamp) and abs(int(timestamp) - now_seconds) <= TOLERANCE_SECONDS
