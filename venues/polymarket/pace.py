"""How fast requests may leave to one host, and what the venue's answers say about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Pace(Protocol):
    """Asked before every request, told of every complete answer."""

    async def admit(self, method: str, path: str, cost: int, deadline: float | None) -> None:
        """Wait until a request that counts as `cost` orders or cancels may leave.

        Raises:
            NotSentError: that will not be before the monotonic `deadline` (`order_connection`).
        """

    def heard(self, method: str, path: str, status: int, headers: Mapping[str, str]) -> None:
        """A complete answer came; header names are in lower case."""


class Unpaced:
    """Lets everything leave at once."""

    async def admit(self, method: str, path: str, cost: int, deadline: float | None) -> None:
        return None

    def heard(self, method: str, path: str, status: int, headers: Mapping[str, str]) -> None:
        return None
