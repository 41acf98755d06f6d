"""Random identifiers from the operating system. The only module that draws them; everything else takes a `domain.ports.Ids`."""

from __future__ import annotations

import secrets
import uuid

_SALT_BOUND = 2**53


class RandomIds:
    """Identifiers nobody can guess (implements `domain.ports.Ids`)."""

    def uuid(self) -> str:
        """Return a new random UUID as text."""
        return str(uuid.uuid4())

    def salt(self) -> int:
        """Return a random order salt below 2^53, the largest range a JSON number carries exactly."""
        return secrets.randbelow(_SALT_BOUND)
