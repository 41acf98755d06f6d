"""A node of the chain, spoken to through web3: reads, and one way to hand in signed bytes.

web3 takes a second to import, so it is imported when a node is opened and nowhere else. Nothing is repeated here, and no key is ever given to it.
Reads raise `VenueError`; `send_raw` raises `NodeRefusedError` when the node answered no, and `VenueError` when it did not answer.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from domain.errors import VenueError
from infra.nesting import bound_nesting

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from web3 import AsyncWeb3


class NodeRefusedError(VenueError):
    """The node answered with an error: a revert, a nonce that is used, too low a fee."""


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction's place on the chain; `block_hash` changes when the chain is reorganised."""

    succeeded: bool
    block: int
    block_hash: str


class Node:
    """One JSON-RPC endpoint."""

    def __init__(self, web3: AsyncWeb3[Any], host: str) -> None:
        self._web3 = web3
        self._host = host

    async def call(self, target: str, data: bytes) -> bytes:
        """Return what a contract's view answers."""
        return bytes(await self._asked("eth_call", self._web3.eth.call(_transaction(target, data))))

    async def coins(self, address: str) -> int:
        """Return what an address can pay gas with, in wei."""
        return int(await self._asked("eth_getBalance", self._web3.eth.get_balance(_checksummed(address))))

    async def chain_id(self) -> int:
        return int(await self._asked("eth_chainId", self._web3.eth.chain_id))

    async def gas_price(self) -> int:
        """Return the present price of gas in wei."""
        return int(await self._asked("eth_gasPrice", self._web3.eth.gas_price))

    async def estimate_gas(self, sender: str, target: str, data: bytes) -> int:
        """Return the gas a call would use; a call that would revert is refused."""
        sent: Any = {**_transaction(target, data), "from": _checksummed(sender)}
        return int(await self._asked("eth_estimateGas", self._web3.eth.estimate_gas(sent)))

    async def nonce(self, address: str, *, pending: bool) -> int:
        """Return how many transactions of an address were mined, or also wait to be (`pending`)."""
        block = "pending" if pending else "latest"
        counted = self._web3.eth.get_transaction_count(_checksummed(address), block)  # type: ignore[arg-type]
        return int(await self._asked("eth_getTransactionCount", counted))

    async def height(self) -> int:
        """Return the number of the newest block."""
        return int(await self._asked("eth_blockNumber", self._web3.eth.block_number))

    async def send_raw(self, signed: bytes) -> None:
        """Hand in a signed transaction."""
        await self._asked("eth_sendRawTransaction", self._web3.eth.send_raw_transaction(signed))

    async def mined(self, transaction_hash: str) -> Mined | None:
        """Return where a transaction was mined, None while it was not."""
        from web3.exceptions import TransactionNotFound

        try:
            asked = self._web3.eth.get_transaction_receipt(transaction_hash)  # type: ignore[arg-type]
            receipt = await self._asked("eth_getTransactionReceipt", asked)
        except TransactionNotFound:
            return None
        return Mined(receipt["status"] == 1, int(receipt["blockNumber"]), bytes(receipt["blockHash"]).hex())

    async def close(self) -> None:
        await self._web3.provider.disconnect()

    async def _asked(self, method: str, answer: Awaitable[Any]) -> Any:
        import aiohttp
        from web3.exceptions import TransactionNotFound, Web3Exception

        try:
            return await answer
        except TransactionNotFound:
            raise
        except Web3Exception as error:
            raise NodeRefusedError(f"{method}: the node answered: {error}") from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise VenueError(f"{method}: the node at {self._host} did not answer: {type(error).__name__}") from error


def open_node(url: str, *, timeout: float = 10.0) -> Node:
    """Return a node; nothing is sent before it is used, and whoever opens closes."""
    import aiohttp
    from web3 import AsyncHTTPProvider, AsyncWeb3

    bound_nesting()
    logging.getLogger("web3").setLevel(logging.WARNING)
    # web3 would repeat requests by itself, and a submission must leave once.
    provider = AsyncHTTPProvider(
        url,
        request_kwargs={"timeout": aiohttp.ClientTimeout(total=timeout)},
        exception_retry_configuration=None,
    )
    # The rest of the address may hold a key.
    return Node(AsyncWeb3(provider), urlsplit(url).netloc.rpartition("@")[2])


def _transaction(target: str, data: bytes) -> Any:
    return {"to": _checksummed(target), "data": "0x" + data.hex()}


def _checksummed(address: str) -> Any:
    from web3 import Web3

    return Web3.to_checksum_address(address)
