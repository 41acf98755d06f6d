"""The methods of the JSON-RPC node: questions about the chain, simulated calls, and sending a plain address's transaction.

Every method takes the list of parameters and returns its result or raises `NodeError`. Log queries give way to others between blocks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from venues.simulator.chain import node_params as params
from venues.simulator.chain.abi import RevertError
from venues.simulator.chain.blocks import FIRST_BLOCK, Blocks
from venues.simulator.chain.chain import Chain
from venues.simulator.chain.gas import (
    BASE_FEE,
    BLOCK_LIMIT,
    GAS_PRICE,
    LEAST_PRIORITY_FEE,
    PRIORITY_FEE,
    gas_used,
    intrinsic_gas,
)
from venues.simulator.chain.machine import CONTRACTS, run
from venues.simulator.chain.node_errors import (
    LIMIT_EXCEEDED,
    METHOD_NOT_FOUND,
    REVERTED,
    NodeError,
    invalid_params,
    refused,
)
from venues.simulator.chain.node_views import Views, waiting
from venues.simulator.chain.pool import MOST_WAITING, REPLACEMENT_PERCENT, Signed
from venues.simulator.chain.raw_transactions import RawTransactionError, decode_raw
from venues.simulator.chain.scratch import Scratch
from venues.simulator.contracts import CHAIN_ID, CTF_EXCHANGE, EXCHANGE_V3, NEG_RISK_EXCHANGE
from venues.simulator.venue import Venue

MAX_RANGE = 1_000
MAX_LOGS = 10_000
MAX_FEE_BLOCKS = 1_024
_CODE = "0x60806040526004361015"
Params = list[Any]
Method = Callable[[Params], Any | Awaitable[Any]]


class Node:
    """Answers for the chain of one venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._views = Views(venue.world.chain.blocks, self._builder_of)
        self._methods: dict[str, Method] = {
            "web3_clientVersion": lambda _: "polybot/simulated-chain",
            "net_version": lambda _: str(CHAIN_ID),
            "net_listening": lambda _: True,
            "eth_chainId": lambda _: hex(CHAIN_ID),
            "eth_syncing": lambda _: False,
            "eth_accounts": lambda _: [],
            "eth_blockNumber": lambda _: hex(self._blocks.head),
            "eth_gasPrice": lambda _: hex(GAS_PRICE),
            "eth_maxPriorityFeePerGas": lambda _: hex(PRIORITY_FEE),
            "eth_feeHistory": self.fee_history,
            "eth_getBlockByNumber": self.block_by_number,
            "eth_getBlockByHash": self.block_by_hash,
            "eth_getTransactionByHash": self.transaction,
            "eth_getTransactionReceipt": self.receipt,
            "eth_getTransactionCount": self.transaction_count,
            "eth_getBalance": self.balance,
            "eth_getCode": self.code,
            "eth_call": self.call,
            "eth_estimateGas": self.estimate_gas,
            "eth_sendRawTransaction": self.send,
            "eth_getLogs": self.logs,
        }

    async def answer(self, method: str, arguments: Params) -> Any:
        """Return a method's result. Raises `NodeError`."""
        handler = self._methods.get(method)
        if handler is None:
            raise NodeError(METHOD_NOT_FOUND, f"the method {method} does not exist/is not available")
        result = handler(arguments)
        return await result if isinstance(result, Awaitable) else result

    def block_by_number(self, arguments: Params) -> Any:
        number = params.block_number(self._blocks, params.at(arguments, 0))
        return self._block(number, arguments)

    def block_by_hash(self, arguments: Params) -> Any:
        number = self._blocks.number_of(params.block_hash(params.at(arguments, 0)))
        return None if number is None else self._block(number, arguments)

    def transaction(self, arguments: Params) -> Any:
        wanted = params.block_hash(params.at(arguments, 0))
        found = self._blocks.find(wanted)
        if found is not None:
            number, index, transaction = found
            return self._views.transaction(transaction, number, index)
        signed = self._chain.pool.find(wanted)
        return None if signed is None else waiting(signed)

    def receipt(self, arguments: Params) -> Any:
        found = self._blocks.find(params.block_hash(params.at(arguments, 0)))
        if found is None:
            return None
        number, index, transaction = found
        return self._views.receipt(transaction, number, index)

    def transaction_count(self, arguments: Params) -> str:
        address, block = params.address(params.at(arguments, 0)), params.at(arguments, 1, "latest")
        params.require_state(self._blocks, block)
        mined = self._chain.accounts.nonce(address)
        return hex(self._chain.pool.next_nonce(address, mined) if block == "pending" else mined)

    def balance(self, arguments: Params) -> str:
        params.require_state(self._blocks, params.at(arguments, 1, "latest"))
        return hex(self._chain.accounts.pol(params.address(params.at(arguments, 0))))

    def code(self, arguments: Params) -> str:
        """Tell contracts and deployed wallets from plain addresses; the code itself is made up."""
        params.require_state(self._blocks, params.at(arguments, 1, "latest"))
        address = params.address(params.at(arguments, 0))
        known = address in CONTRACTS or address in (CTF_EXCHANGE, NEG_RISK_EXCHANGE, EXCHANGE_V3)
        return _CODE if known or address in self._chain.accounts.deployed else "0x"

    def call(self, arguments: Params) -> str:
        sender, call = params.call_of(params.at(arguments, 0))
        params.require_state(self._blocks, params.at(arguments, 1, "latest"))
        try:
            return "0x" + run(Scratch(self._chain.ledgers), sender, call).hex()
        except RevertError as reverted:
            raise NodeError(REVERTED, reverted.text, reverted.data) from None

    def estimate_gas(self, arguments: Params) -> str:
        sender, call = params.call_of(params.at(arguments, 0))
        scratch = Scratch(self._chain.ledgers)
        try:
            run(scratch, sender, call)
        except RevertError as reverted:
            raise NodeError(REVERTED, reverted.text, reverted.data) from None
        return hex(gas_used(call.data, len(scratch.logs)))

    def send(self, arguments: Params) -> str:
        try:
            signed = decode_raw(params.data(params.at(arguments, 0)))
        except RawTransactionError as error:
            raise refused(str(error)) from None
        self._check(signed)
        self._venue.submit(signed)
        return signed.hash

    def fee_history(self, arguments: Params) -> Any:
        count = (
            arguments[0] if arguments and isinstance(arguments[0], int) else params.quantity(params.at(arguments, 0))
        )
        count = max(1, min(count, MAX_FEE_BLOCKS))
        newest = min(params.block_number(self._blocks, params.at(arguments, 1)), self._blocks.head)
        percentiles = params.at(arguments, 2, [])
        if not isinstance(percentiles, list):
            raise invalid_params("invalid argument 2: a list of percentiles is expected")
        first = max(FIRST_BLOCK, newest - count + 1)
        blocks = newest - first + 1
        history = {
            "oldestBlock": hex(first),
            "baseFeePerGas": [hex(BASE_FEE)] * (blocks + 1),
            "gasUsedRatio": [0.5] * blocks,
        }
        return history | ({"reward": [[hex(PRIORITY_FEE)] * len(percentiles)] * blocks} if percentiles else {})

    async def logs(self, arguments: Params) -> Any:
        wanted = params.log_filter(self._blocks, params.at(arguments, 0))
        if wanted.last - wanted.first >= MAX_RANGE:
            raise NodeError(LIMIT_EXCEEDED, f"block range is too large: at most {MAX_RANGE} blocks at once")
        found: list[Any] = []
        for number in self._blocks.with_transactions(wanted.first, wanted.last):
            found.extend(self._views.logs(number, wanted))
            if len(found) > MAX_LOGS:
                raise NodeError(LIMIT_EXCEEDED, f"query returned more than {MAX_LOGS} results")
            await asyncio.sleep(0)
        return found

    def _check(self, signed: Signed) -> None:
        """Refuse what a node would not take into its pool. Raises `NodeError`."""
        chain, gas_price = self._chain, int(signed.gas_price)
        waits = chain.pool.at(signed.sender, signed.nonce)
        if waits is not None and waits.hash == signed.hash:
            raise refused("already known")
        if signed.nonce < chain.accounts.nonce(signed.sender):
            expected = chain.accounts.nonce(signed.sender)
            raise refused(f"nonce too low: next nonce {expected}, tx nonce {signed.nonce}")
        if waits is not None and gas_price * 100 < int(waits.gas_price) * REPLACEMENT_PERCENT:
            raise refused("replacement transaction underpriced")
        if waits is None and len(chain.pool) >= MOST_WAITING:
            raise refused("txpool is full")
        if signed.gas > BLOCK_LIMIT:
            raise refused("exceeds block gas limit")
        needed = intrinsic_gas(bytes.fromhex(signed.data[2:]))
        if signed.gas < needed:
            raise refused(f"intrinsic gas too low: gas {signed.gas}, minimum needed {needed}")
        if gas_price < LEAST_PRIORITY_FEE:
            raise refused(f"transaction underpriced: gas price {gas_price}, minimum needed {LEAST_PRIORITY_FEE}")
        cost, owned = signed.gas * gas_price + int(signed.value), chain.accounts.pol(signed.sender)
        if cost > owned:
            raise refused(f"insufficient funds for gas * price + value: balance {owned}, tx cost {cost}")

    def _block(self, number: int, arguments: Params) -> Any:
        if not FIRST_BLOCK <= number <= self._blocks.head:
            return None
        return self._views.block(number, full=params.at(arguments, 1, default=False) is True)

    @property
    def _chain(self) -> Chain:
        return self._venue.world.chain

    @property
    def _blocks(self) -> Blocks:
        return self._venue.world.chain.blocks

    def _builder_of(self, order_id: str) -> bytes:
        code = self._venue.world.history.builders.get(order_id, "")
        return bytes.fromhex(code.removeprefix("0x")) or bytes(32)
