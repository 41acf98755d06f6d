"""Keys: who signs. A signer turns a 32-byte digest into a 65-byte recoverable signature and shows its key to nobody."""

from __future__ import annotations

from typing import Protocol, final

from coincurve import PrivateKey

from venues.polymarket.eip712 import checksum_address, keccak


class Signer(Protocol):
    """Signs digests for one address (an EOA)."""

    @property
    def address(self) -> str: ...

    async def sign(self, digest: bytes) -> bytes:
        """Return r ‖ s ‖ v over `digest`, v being 27 or 28; the same digest always gives the same bytes (RFC 6979)."""


@final
class LocalSigner:
    """A key in this process. Neither `repr`, nor pickling, nor an exception shows it."""

    __slots__ = ("_key", "address")

    def __init__(self, private_key: str) -> None:
        try:
            secret = bytes.fromhex(private_key.strip().removeprefix("0x"))
            if len(secret) != 32:
                raise ValueError("wrong length")
            self._key = PrivateKey(secret)
        except ValueError:
            # The cause would carry the key's text into a traceback.
            raise ValueError("the private key is not valid: expected 64 hex digits, optionally after 0x") from None
        self.address = checksum_address(keccak(self._key.public_key.format(compressed=False)[1:])[-20:])

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"

    def __reduce__(self) -> str:
        raise TypeError("a signer cannot be copied or pickled: it would carry the key along")

    async def sign(self, digest: bytes) -> bytes:
        return self.sign_now(digest)

    def sign_now(self, digest: bytes) -> bytes:
        """Sign without yielding to the loop (about 30 µs)."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes((signature[64] + 27,))
