"""A signer that refuses after a while, as an isolated one may."""

from __future__ import annotations

from domain.errors import SigningError
from tests.venues.polymarket.vectors import PRIVATE_KEY
from venues.polymarket.signer import LocalSigner, Statement


class RefusingSigner:
    """Signs `count` statements and refuses all others."""

    def __init__(self, count: int = 0) -> None:
        self._local = LocalSigner(PRIVATE_KEY)
        self._left = count
        self.address = self._local.address

    async def sign(self, statement: Statement) -> bytes:
        if not self._left:
            raise SigningError("the signer refused (rate): more than 20 signatures a second were asked for", "rate")
        self._left -= 1
        return await self._local.sign(statement)

    async def close(self) -> None:
        """Nothing is open."""
