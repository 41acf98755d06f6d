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
from enum import StrEnum


class KeyKind(StrEnum):
    """What a key is good for: everything of its address, reads only, or the relayer."""

    TRADING = "trading"
    READONLY = "readonly"
    BUILDER = "builder"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Credentials of one signing address. `secret` is base64url, `passphrase` hexadecimal; `nonce` counts for trading keys alone."""

    key: str
    secret: str
    passphrase: str
    address: str
    nonce: int
    kind: KeyKind
    created_ns: int

    @property
    def readonly(self) -> bool:
        return self.kind is KeyKind.READONLY


class Wallets:
    """The registry. Addresses are checksummed text."""

    def __init__(self, venue_secret: str) -> None:
        self._venue_secret = venue_secret.encode()
        self._keys: dict[str, ApiKey] = {}
        self._current: dict[tuple[str, int], str] = {}
        self._issued = 0
        self._made: dict[tuple[str, int], int] = {}
        self._owner: dict[str, str] = {}
        self._bound: dict[str, dict[int, str]] = {}

    def create_key(self, address: str, nonce: int, now_ns: int) -> ApiKey | None:
        """Make the trading key of (`address`, `nonce`); None when it exists already."""
        place = (address, nonce)
        if place in self._current:
            return None
        made = self._made[place] = self._made.get(place, 0) + 1
        key = self._make(f"{address}/{nonce}/{made}", address, nonce, KeyKind.TRADING, now_ns)
        self._current[place] = key.key
        return key

    def issue_key(self, address: str, kind: KeyKind, now_ns: int) -> ApiKey:
        """Make another read-only or builder key."""
        self._issued += 1
        return self._make(f"{kind}/{address}/{self._issued}", address, 0, kind, now_ns)

    def derive_key(self, address: str, nonce: int) -> ApiKey | None:
        """Return the key made for (`address`, `nonce`), None when there is none."""
        current = self._current.get((address, nonce))
        return self._keys[current] if current else None

    def delete_key(self, key: str) -> None:
        """End a key; unknown keys are ignored."""
        ended = self._keys.pop(key, None)
        if ended and ended.kind is KeyKind.TRADING:
            del self._current[ended.address, ended.nonce]

    def key(self, key: str) -> ApiKey | None:
        """Return the credentials of a trading or read-only key."""
        found = self._keys.get(key)
        return found if found and found.kind is not KeyKind.BUILDER else None

    def builder_key(self, key: str) -> ApiKey | None:
        """Return the credentials of a builder key."""
        found = self._keys.get(key)
        return found if found and found.kind is KeyKind.BUILDER else None

    def relayer_key(self, address: str) -> str:
        """Return the relayer key of an address; at the venue it is made with a web login, here it simply exists."""
        return str(uuid.UUID(bytes=self._derive("relayer", address)[:16], version=4))

    def keys_of(self, address: str, kind: KeyKind) -> list[ApiKey]:
        """Return the keys of one kind of a signing address, oldest first."""
        return [key for key in self._keys.values() if key.address == address and key.kind is kind]

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

    def _make(self, label: str, address: str, nonce: int, kind: KeyKind, now_ns: int) -> ApiKey:
        key = ApiKey(
            key=str(uuid.UUID(bytes=self._derive("key", label)[:16], version=4)),
            secret=urlsafe_b64encode(self._derive("secret", label)).decode(),
            passphrase=self._derive("passphrase", label).hex(),
            address=address,
            nonce=nonce,
            kind=kind,
            created_ns=now_ns,
        )
        self._keys[key.key] = key
        return key

    def _derive(self, purpose: str, label: str) -> bytes:
        return hmac.digest(self._venue_secret, f"{purpose}/{label}".encode(), hashlib.sha256)
