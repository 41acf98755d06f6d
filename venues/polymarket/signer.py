"""Keys: who signs. A signer turns a statement into a 65-byte recoverable signature over its digest and shows its key to nobody.

A statement holds everything its digest is made from, so that a signer in a process of its own (`isolated_signer`) can judge it and need not trust a
digest. Statements are defined where their hashes are.
"""

from __future__ import annotations

from typing import Protocol, final

from coincurve import PrivateKey

from venues.polymarket.eip712 import checksum_address, keccak


class Statement(Protocol):
    """What can be signed."""

    @property
    def digest(self) -> bytes:
        """Return the 32 bytes that are signed. Values that do not fit raise `ValueError` or `OverflowError`."""


class Signer(Protocol):
    """Signs for one address (an EOA)."""

    @property
    def address(self) -> str: ...

    async def sign(self, statement: Statement) -> bytes:
        """Return r ‖ s ‖ v over the statement's digest, v being 27 or 28; the same digest always gives the same bytes (RFC 6979).

        Raises `SigningError` when it is refused or not done in time, `WrongAccountError` when the key is another address'.
        """

    async def close(self) -> None: ...


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

    async def sign(self, statement: Statement) -> bytes:
        return self.sign_now(statement)

    async def close(self) -> None:
        """Nothing is open."""

    def sign_now(self, statement: Statement) -> bytes:
        """Sign without yielding to the loop (about 30 µs)."""
        signature = self._key.sign_recoverable(statement.digest, hasher=None)
        return signature[:64] + bytes((signature[64] + 27,))
