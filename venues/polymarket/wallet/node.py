"""A node of the chain, spoken to through web3: reads, and one way to hand in signed bytes.

web3 takes a second to import, so it is imported when a node is opened and nowhere else. Nothing is repeated here, and no key is ever given to it.
Reads raise `VenueError`; `send_raw` raises `NodeRefusedError` when the node answered no, and `VenueError` when it did not answer, or with words that
prove nothing (an internal error, a timeout of its own, an answer that is none).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from domain.errors import VenueError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from web3 import AsyncWeb3


class NodeRefusedError(VenueError):
    """The node answered with an error: a revert, a nonce that is used, too low a fee. `code` is JSON-RPC's, 0 where there was none."""

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(reason)
        self.code = code


_INTERNAL_ERROR = -32603
"""JSON-RPC's code for a node that failed itself: what it was asked to do may have been done."""


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction's place on the chain."""

    succeeded: bool
    block: int


class Node:
    """One JSON-RPC endpoint."""

    def __init__(self, web3: AsyncWeb3[Any], host: str) -> None:
        self._web3 = web3
        self._host = host

    async def call(self, target: str, data: bytes) -> bytes:
        """Return what a contract's view answers."""
        told = await self._asked("eth_call", self._web3.eth.call(_transaction(target, data)))
        if not isinstance(told, bytes):
            raise VenueError(f"eth_call: the node at {self._host} answered {str(told)[:80]!r}, expected bytes")
        return bytes(told)

    async def coins(self, address: str) -> int:
        """Return what an address can pay gas with, in wei."""
        return await self._number("eth_getBalance", self._web3.eth.get_balance(_checksummed(address)))

    async def chain_id(self) -> int:
        return await self._number("eth_chainId", self._web3.eth.chain_id)

    async def gas_price(self) -> int:
        """Return the present price of gas in wei."""
        return await self._number("eth_gasPrice", self._web3.eth.gas_price)

    async def estimate_gas(self, sender: str, target: str, data: bytes) -> int:
        """Return the gas a call would use; a call that would revert is refused."""
        sent: Any = {**_transaction(target, data), "from": _checksummed(sender)}
        return await self._number("eth_estimateGas", self._web3.eth.estimate_gas(sent))

    async def nonce(self, address: str, *, pending: bool) -> int:
        """Return how many transactions of an address were mined, or also wait to be (`pending`)."""
        block = "pending" if pending else "latest"
        counted = self._web3.eth.get_transaction_count(_checksummed(address), block)  # type: ignore[arg-type]
        return await self._number("eth_getTransactionCount", counted)

    async def height(self) -> int:
        """Return the number of the newest block."""
        return await self._number("eth_blockNumber", self._web3.eth.block_number)

    async def send_raw(self, signed: bytes) -> None:
        """Hand in a signed transaction."""
        try:
            await self._asked("eth_sendRawTransaction", self._web3.eth.send_raw_transaction(signed))
        except NodeRefusedError as error:
            if error.code == _INTERNAL_ERROR:
                raise VenueError(str(error)) from error
            raise

    async def mined(self, transaction_hash: str) -> Mined | None:
        """Return where a transaction was mined, None while it was not."""
        from web3.exceptions import TransactionNotFound

        try:
            asked = self._web3.eth.get_transaction_receipt(transaction_hash)  # type: ignore[arg-type]
            receipt = await self._asked("eth_getTransactionReceipt", asked)
        except TransactionNotFound:
            return None
        try:
            return Mined(receipt["status"] == 1, int(receipt["blockNumber"]))
        except (KeyError, TypeError, ValueError) as error:
            raise VenueError(f"eth_getTransactionReceipt: the receipt was malformed: {error!r}") from error

    async def close(self) -> None:
        await self._web3.provider.disconnect()

    async def _number(self, method: str, answer: Awaitable[Any]) -> int:
        number = await self._asked(method, answer)
        if type(number) is not int or number < 0:
            raise VenueError(f"{method}: the node at {self._host} answered {str(number)[:80]!r}, expected a number")
        return number

    async def _asked(self, method: str, answer: Awaitable[Any]) -> Any:
        import aiohttp
        from web3.exceptions import (
            ContractLogicError,
            RequestTimedOut,
            TransactionNotFound,
            Web3Exception,
            Web3RPCError,
        )

        try:
            return await answer
        except TransactionNotFound:
            raise
        except RequestTimedOut as error:
            raise VenueError(f"{method}: the node at {self._host} gave up: {error}") from error
        except (Web3RPCError, ContractLogicError) as error:
            raise NodeRefusedError(f"{method}: the node answered: {error}", _code_of(error)) from error
        except (Web3Exception, aiohttp.ClientError, TimeoutError, OSError, ValueError, TypeError) as error:
            raise VenueError(f"{method}: the node at {self._host} did not answer: {type(error).__name__}") from error


def _code_of(error: Exception) -> int:
    """Return the code inside a node's answer."""
    answer = getattr(error, "rpc_response", None) or {}
    told = answer.get("error") if isinstance(answer, dict) else None
    code = told.get("code") if isinstance(told, dict) else None
    return code if isinstance(code, int) else 0


def open_node(url: str, *, timeout: float = 10.0) -> Node:
    """Return a node; nothing is sent before it is used. Call within a running loop; whoever opens closes."""
    from web3 import AsyncWeb3

    from venues.polymarket.wallet.node_session import NodeSession

    logging.getLogger("web3").setLevel(logging.WARNING)
    # The rest of the address may hold a key.
    return Node(AsyncWeb3(NodeSession(url, timeout)), urlsplit(url).netloc.rpartition("@")[2])


def _transaction(target: str, data: bytes) -> Any:
    return {"to": _checksummed(target), "data": "0x" + data.hex()}


def _checksummed(address: str) -> Any:
    from web3 import Web3

    return Web3.to_checksum_address(address)
