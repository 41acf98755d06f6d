"""What the chain says of a wallet: balances, shares, permissions. The venue's own view of them may lag behind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from domain.errors import VenueError
from venues.polymarket.contracts import is_position_id
from venues.polymarket.wallet.approvals import REQUIRED, Permission
from venues.polymarket.wallet.calls import encoded
from venues.polymarket.wallet.contracts import CTF, POSITION_MANAGER, Contract
from venues.polymarket.wallet.node import Node


class ChainReader:
    """Reads one wallet's side of the venue's contracts."""

    def __init__(self, node: Node, wallet: str) -> None:
        self._node = node
        self._wallet = wallet

    async def balance(self, token: Contract) -> int:
        """Return the base units of an ERC-20 token."""
        return await self._number(token, encoded("balanceOf(address)", self._wallet))

    async def allowance(self, token: Contract, spender: Contract) -> int:
        """Return how much of an ERC-20 token `spender` may take."""
        return await self._number(token, encoded("allowance(address,address)", self._wallet, spender.address))

    async def shares(self, token_ids: Sequence[str]) -> dict[str, int]:
        """Return the shares held of each token."""
        held: dict[str, int] = {}
        for contract in (CTF, POSITION_MANAGER):
            theirs = [token for token in token_ids if is_position_id(int(token)) == (contract is POSITION_MANAGER)]
            if theirs:
                numbers = [int(token) for token in theirs]
                asked = encoded("balanceOfBatch(address[],uint256[])", [self._wallet] * len(theirs), numbers)
                (amounts,) = _decoded("uint256[]", await self._node.call(contract.address, asked))
                held |= dict(zip(theirs, amounts, strict=True))
        return held

    async def granted(self, permissions: Sequence[Permission] = REQUIRED) -> list[bool]:
        """Tell of each permission whether the wallet has granted it. An allowance that is not enough for anything counts as none."""
        return list(await asyncio.gather(*map(self._granted, permissions)))

    async def _granted(self, permission: Permission) -> bool:
        token, spender = permission
        if permission.is_allowance:
            return await self.allowance(token, spender) >= _ALMOST_UNLIMITED
        asked = encoded("isApprovedForAll(address,address)", self._wallet, spender.address)
        return bool(await self._number(token, asked))

    async def _number(self, contract: Contract, data: bytes) -> int:
        (number,) = _decoded("uint256", await self._node.call(contract.address, data))
        return int(number)


_ALMOST_UNLIMITED = 1 << 128
"""More than all money there is: an unlimited allowance may be counted down by some tokens."""


def _decoded(kind: str, answer: bytes) -> tuple[Any, ...]:
    try:
        return decode([kind], answer)
    except DecodingError as error:
        raise VenueError(f"a contract's answer was malformed: {error}") from error
