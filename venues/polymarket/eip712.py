"""The few EIP-712 encodings that orders and key requests need, packed directly into bytes.

Every atomic value takes one 32-byte word; strings are represented by their Keccak hash. Source: EIP-712. Values that do not fit raise
`ValueError` (addresses) or `OverflowError` (integers), never a wrong hash.
"""

from __future__ import annotations

from sha3 import keccak_256

WORD = 32
ZERO_WORD = bytes(WORD)


def keccak(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 hash."""
    digest: bytes = keccak_256(data).digest()
    return digest


def uint_word(value: int) -> bytes:
    """Return an unsigned integer as one word."""
    return value.to_bytes(WORD, "big")


def address_word(address: str) -> bytes:
    """Return an address ("0x" and 40 hex digits) as one word."""
    return bytes(12) + address_bytes(address)


def address_bytes(address: str) -> bytes:
    """Return the 20 bytes of an address; `ValueError` when it is not one."""
    if len(address) != 42 or not address.startswith("0x"):
        raise ValueError(f"address was {address!r}, expected 0x and 40 hex digits")
    return bytes.fromhex(address[2:])


def bytes32(text: str) -> bytes:
    """Return the 32 bytes of "0x" and 64 hex digits; `ValueError` when it is not that."""
    if len(text) != 66 or not text.startswith("0x"):
        raise ValueError(f"value was {text!r}, expected 0x and 64 hex digits")
    return bytes.fromhex(text[2:])


def domain_separator(*, name: str, version: str, chain_id: int, verifying_contract: str | None = None) -> bytes:
    """Return the hash of an EIP-712 domain with these fields, in this order."""
    fields = "string name,string version,uint256 chainId"
    words = keccak(name.encode()) + keccak(version.encode()) + uint_word(chain_id)
    if verifying_contract is not None:
        fields += ",address verifyingContract"
        words += address_word(verifying_contract)
    return keccak(keccak(f"EIP712Domain({fields})".encode()) + words)


def typed_digest(separator: bytes, struct_hash: bytes) -> bytes:
    """Return the digest that is signed for a struct under a domain."""
    return keccak(b"\x19\x01" + separator + struct_hash)


def checksum_address(address: bytes) -> str:
    """Return 20 bytes as an address with the EIP-55 checksum in its letter case."""
    text = address.hex()
    nibbles = keccak(text.encode()).hex()
    return "0x" + "".join(
        char.upper() if int(nibble, 16) >= 8 else char for char, nibble in zip(text, nibbles, strict=False)
    )
