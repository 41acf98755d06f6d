"""Who may trade from which wallet: API keys of signing addresses, and the wallets those addresses control.

Keys are derived from the venue's own secret, so that making the key of one nonce again is refused and deriving it gives the same one, as at
the venue. A plain address controls itself (signature type 0); proxies, Safes and deposit wallets are bound to their owner by the faucet.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Credentials of one signing address. `secret` is base64url, `passphrase` hexadecimal."""

    key: str
    secret: str
    passphrase: str
    address: str
    nonce: int


class Wallets:
    """The registry. Addresses are checksummed text."""

    def __init__(self, venue_secret: str) -> None:
        self._venue_secret = venue_secret.encode()
        self._keys: dict[str, ApiKey] = {}
        self._current: dict[tuple[str, int], str] = {}
        self._made: dict[tuple[str, int], int] = {}
        self._owner: dict[str, str] = {}
        self._bound: dict[str, dict[int, str]] = {}

    def create_key(self, address: str, nonce: int) -> ApiKey | None:
        """Make the key of (`address`, `nonce`); None when it exists already."""
        place = (address, nonce)
        if place in self._current:
            return None
        made = self._made[place] = self._made.get(place, 0) + 1
        label = f"{address}/{nonce}/{made}"
        key = ApiKey(
            key=str(uuid.UUID(bytes=self._derive("key", label)[:16], version=4)),
            secret=urlsafe_b64encode(self._derive("secret", label)).decode(),
            passphrase=self._derive("passphrase", label).hex(),
            address=address,
            nonce=nonce,
        )
        self._keys[key.key] = key
        self._current[place] = key.key
        return key

    def derive_key(self, address: str, nonce: int) -> ApiKey | None:
        """Return the key made for (`address`, `nonce`), None when there is none."""
        current = self._current.get((address, nonce))
        return self._keys[current] if current else None

    def delete_key(self, key: str) -> None:
        """End a key; unknown keys are ignored."""
        ended = self._keys.pop(key, None)
        if ended:
            del self._current[ended.address, ended.nonce]

    def key(self, key: str) -> ApiKey | None:
        """Return the credentials of an API key."""
        return self._keys.get(key)

    def keys_of(self, address: str) -> list[str]:
        """Return the API keys of a signing address, oldest first."""
        return [key.key for key in self._keys.values() if key.address == address]

    def bind(self, wallet: str, owner: str, signature_type: int) -> None:
        """Let `owner`'s key control `wallet` under `signature_type`; an earlier wallet of that type stays the owner's too."""
        self._owner[wallet] = owner
        self._bound.setdefault(owner, {})[signature_type] = wallet

    def owner(self, wallet: str) -> str:
        """Return the address whose key controls `wallet`: by default itself."""
        return self._owner.get(wallet, wallet)

    def wallet(self, owner: str, signature_type: int) -> str | None:
        """Return the wallet that `owner` uses under `signature_type`, None when there is none."""
        return owner if signature_type == 0 else self._bound.get(owner, {}).get(signature_type)

    def wallets_of(self, owner: str) -> tuple[str, ...]:
        """Return every wallet `owner` controls, its own address first."""
        return (owner, *(wallet for wallet, holder in self._owner.items() if holder == owner and wallet != owner))

    def _derive(self, purpose: str, label: str) -> bytes:
        return hmac.digest(self._venue_secret, f"{purpose}/{label}".encode(), hashlib.sha256)
