"""The dead man's switch: who has begun to send heartbeats, which id comes next, and whose beats have stopped. State of the world.

A chain of beats belongs to an API key. Each answer names the id that the next beat must carry; the first beat carries none. Once begun it
never becomes optional: as long as no beat comes, every check finds the key lapsed again.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from eth_utils.crypto import keccak

LAPSE_SECONDS = 10
CHECK_SECONDS = 5.0
_LAPSE_NS = LAPSE_SECONDS * 1_000_000_000


@dataclass(slots=True)
class Chain:
    """One key's beats: the id expected next, how many there were, and when the last came."""

    expected: str
    count: int
    last_ns: int


class Heartbeats:
    """The chains of all keys."""

    def __init__(self, venue_secret: str) -> None:
        self._secret = venue_secret
        self._chains: dict[str, Chain] = {}

    def expected(self, api_key: str) -> str:
        """Return the id that the next beat of a key must carry, "" before the first."""
        chain = self._chains.get(api_key)
        return chain.expected if chain else ""

    def beat(self, api_key: str, now_ns: int) -> None:
        """Count a valid beat."""
        count = self._chains[api_key].count + 1 if api_key in self._chains else 1
        digest = keccak(text=f"{self._secret}/heartbeat/{api_key}/{count}")
        self._chains[api_key] = Chain(str(uuid.UUID(bytes=digest[:16], version=4)), count, now_ns)

    def forget(self, api_key: str) -> None:
        """End the chain of a key that ended."""
        self._chains.pop(api_key, None)

    def lapsed(self, now_ns: int) -> list[str]:
        """Return the keys of which no beat came for too long."""
        return [key for key, chain in self._chains.items() if now_ns - chain.last_ns > _LAPSE_NS]
