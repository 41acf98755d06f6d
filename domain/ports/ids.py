"""Identifiers, the core's only randomness."""

from __future__ import annotations

from typing import Protocol


class Ids(Protocol):
    """The only source of randomness for identifiers."""

    def uuid(self) -> str:
        """Return a new UUID as text."""

    def salt(self) -> int:
        """Return a random order salt below 2^53."""
