"""Contract ABI: functions by selector, events by topic, return data and revert reasons. Malformed call data is a `RevertError`.

Types are ABI strings; addresses come and go checksummed, integers as int, `bytes32` as bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

_REVERT_SELECTOR = bytes.fromhex("08c379a0")


class RevertError(Exception):
    """A call fails as a whole: nothing it did remains. `reason` is the contract's text, "" when it gives none."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def text(self) -> str:
        """Return the message a node gives."""
        return f"execution reverted: {self.reason}" if self.reason else "execution reverted"

    @property
    def data(self) -> str:
        """Return the revert data: an ABI `Error(string)`."""
        return "0x" + (_REVERT_SELECTOR + encode(["string"], [self.reason])).hex() if self.reason else "0x"


@dataclass(frozen=True, slots=True)
class Function:
    """A function's name, its arguments' and results' types."""

    name: str
    arguments: tuple[str, ...]
    results: tuple[str, ...] = ()

    @property
    def selector(self) -> bytes:
        return keccak(text=f"{self.name}({','.join(self.arguments)})")[:4]

    def decode(self, data: bytes) -> list[Any]:
        """Return the arguments of call data without its selector."""
        return decode_values(self.arguments, data)

    def encode_results(self, values: Sequence[Any]) -> bytes:
        return encode(self.results, values)


@dataclass(frozen=True, slots=True)
class EventType:
    """An event: its types in order, the indexed ones marked, and its topic. Only words of 32 bytes and lists of numbers occur."""

    name: str
    fields: tuple[tuple[str, bool], ...]
    topic: str

    def topics_and_data(self, values: Sequence[Any]) -> tuple[tuple[str, ...], str]:
        """Return the log's topics (the event's own first) and its data."""
        topics, heads, tails = [self.topic], list[bytes](), b""
        rest = sum(not indexed for _, indexed in self.fields)
        for (kind, indexed), value in zip(self.fields, values, strict=True):
            if indexed:
                topics.append("0x" + _word(kind, value).hex())
            elif kind == "uint256[]":
                heads.append((32 * rest + len(tails)).to_bytes(32, "big"))
                tails += b"".join(number.to_bytes(32, "big") for number in (len(value), *value))
            else:
                heads.append(_word(kind, value))
        return tuple(topics), "0x" + (b"".join(heads) + tails).hex()


def decode_values(kinds: Sequence[str], data: bytes) -> list[Any]:
    """Return ABI values. Raises `RevertError` when `data` is not what `kinds` say."""
    try:
        values = decode(kinds, data)
    except (DecodingError, OverflowError, UnicodeDecodeError) as error:
        raise RevertError from error
    return [_checksummed(kind, value) for kind, value in zip(kinds, values, strict=True)]


def event(name: str, *fields: str) -> EventType:
    """Return an event type; indexed fields end in a star, as in `event("Transfer", "address*", "address*", "uint256")`."""
    kinds = tuple((field.removesuffix("*"), field.endswith("*")) for field in fields)
    return EventType(name, kinds, "0x" + keccak(text=f"{name}({','.join(kind for kind, _ in kinds)})").hex())


def raw(text: str) -> bytes:
    """Return the bytes of 0x-prefixed hexadecimal text. Raises ValueError."""
    if not text.startswith("0x"):
        raise ValueError(f"{text[:20]!r} does not start with 0x")
    return bytes.fromhex(text[2:])


def _word(kind: str, value: Any) -> bytes:
    """Return a value as one word; logs are many, and the general encoder is slow."""
    if kind == "bytes32":
        return bytes(value)
    return (int(value, 16) if kind == "address" else int(value)).to_bytes(32, "big")


def _checksummed(kind: str, value: Any) -> Any:
    if kind == "address":
        return to_checksum_address(value)
    if kind == "address[]":
        return [to_checksum_address(item) for item in value]
    return value
