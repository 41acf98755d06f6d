"""A node of a small chain on a real socket: JSON-RPC as nodes speak it, transactions decoded and their signers recovered with eth_account.

`faults` are used up, one for each transaction handed in: "lost" takes it and cuts the answer off, "gone" cuts off without taking it, "garbled" takes
it and answers what is no answer, "internal" takes it and says that the node failed, a text is the node's refusal. `answers` are results by method
that replace its own. What was taken is mined at the next look at its receipt, unless `mines` is off or it pays less than `least_price`. While it
`grows`, every look at the height is one more block.
"""

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import rlp
from aiohttp import web
from eth_abi.abi import encode
from eth_account import Account
from eth_utils.crypto import keccak

GWEI = 10**9


@dataclass
class Sent:
    """A transaction as the node decoded it."""

    hash: str
    sender: str
    nonce: int
    price: int
    gas: int
    to: str
    data: bytes
    chain_id: int


class FakeNode:
    def __init__(self) -> None:
        self.url = ""
        self.chain_id = 137
        self.gas_price = 30 * GWEI
        self.gas = 100_000
        self.coins = 10 * 10**18
        self.nonce = 4
        self.height = 1_000
        self.faults: list[Any] = []
        self.handed_in: list[Sent] = []
        self.waiting: dict[str, Sent] = {}
        self.receipts: dict[str, dict[str, Any]] = {}
        self.mines = True
        self.grows = True
        self.least_price = 0
        self.reverts: list[bytes] = []
        self.revert_on_estimate = ""
        self.others_pending = 0
        self.answers: dict[str, Any] = {}

    async def handle(self, request: web.Request) -> web.Response:
        asked = await request.json()
        try:
            result = getattr(self, asked["method"])(request, *asked["params"])
            result = self.answers.get(asked["method"], result)
        except BrokenError as broken:
            return web.json_response({"jsonrpc": "2.0", "id": asked["id"], **broken.answer})
        except RefusedError as refused:
            error = {"code": -32000, "message": str(refused)}
            if str(refused).startswith("execution reverted: "):
                reason = encode(["string"], [str(refused).removeprefix("execution reverted: ")])
                error = {"code": 3, "message": str(refused), "data": "0x08c379a0" + reason.hex()}
            return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "error": error})
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": result})

    def eth_chainId(self, _request) -> str:  # noqa: N802 - the methods' own names
        return hex(self.chain_id)

    def eth_gasPrice(self, _request) -> str:  # noqa: N802
        return hex(self.gas_price)

    def eth_getBalance(self, _request, _address, _block) -> str:  # noqa: N802
        return hex(self.coins)

    def eth_estimateGas(self, _request, _transaction, *_block) -> str:  # noqa: N802
        if self.revert_on_estimate:
            raise RefusedError(self.revert_on_estimate)
        return hex(self.gas)

    def eth_blockNumber(self, _request) -> str:  # noqa: N802
        self.height += self.grows
        return hex(self.height)

    def eth_getTransactionCount(self, _request, _address, block) -> str:  # noqa: N802
        waiting = {sent.nonce for sent in self.waiting.values()} if block == "pending" else set()
        return hex(self.nonce + len(waiting) + (self.others_pending if block == "pending" else 0))

    def eth_sendRawTransaction(self, request, raw) -> str:  # noqa: N802
        sent = decoded(bytes.fromhex(raw[2:]))
        self.handed_in.append(sent)
        fault = self.faults.pop(0) if self.faults else None
        if fault == "gone":
            request.transport.abort()
        elif isinstance(fault, str) and fault not in ("lost", *BROKEN):
            raise RefusedError(fault)
        elif sent.hash in self.waiting or sent.hash in self.receipts:
            raise RefusedError("already known")
        elif sent.nonce < self.nonce:
            raise RefusedError("nonce too low")
        else:
            self.waiting[sent.hash] = sent
        if fault == "lost":
            request.transport.abort()
        if fault in BROKEN:
            raise BrokenError(BROKEN[fault])
        return sent.hash

    def eth_getTransactionReceipt(self, _request, transaction_hash) -> dict[str, Any] | None:  # noqa: N802
        sent = self.waiting.get(transaction_hash)
        if sent is not None and self.mines and sent.price >= self.least_price:
            self.mine(sent)
        return self.receipts.get(transaction_hash)

    def mine(self, sent: Sent) -> None:
        """Put a transaction into a block; others with its nonce can never be mined any more."""
        self.nonce = sent.nonce + 1
        self.waiting = {key: other for key, other in self.waiting.items() if other.nonce != sent.nonce}
        self.height += 1
        self.receipts[sent.hash] = {
            "transactionHash": sent.hash,
            "transactionIndex": "0x0",
            "blockHash": "0x" + "bb" * 32,
            "blockNumber": hex(self.height),
            "from": sent.sender,
            "to": sent.to,
            "status": "0x0" if sent.data in self.reverts else "0x1",
            "gasUsed": hex(self.gas),
            "cumulativeGasUsed": hex(self.gas),
            "effectiveGasPrice": hex(sent.price),
            "contractAddress": None,
            "logs": [],
            "logsBloom": "0x" + "00" * 256,
            "type": "0x0",
        }


BROKEN: dict[str, dict[str, Any]] = {
    "garbled": {"error": "oops"},
    "internal": {"error": {"code": -32603, "message": "Internal error"}},
}


class BrokenError(Exception):
    """The node's answer is this."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(str(answer))
        self.answer = answer


class RefusedError(Exception):
    """The node's answer is an error with this text."""


def decoded(raw: bytes) -> Sent:
    """Read a signed legacy transaction without polybot's code."""
    nonce, price, gas, to, _value, data, v, _r, _s = rlp.decode(raw)
    return Sent(
        hash="0x" + keccak(raw).hex(),
        sender=Account.recover_transaction(raw),
        nonce=int.from_bytes(nonce, "big"),
        price=int.from_bytes(price, "big"),
        gas=int.from_bytes(gas, "big"),
        to="0x" + to.hex(),
        data=data,
        chain_id=(int.from_bytes(v, "big") - 35) // 2,
    )


@asynccontextmanager
async def fake_node():
    node = FakeNode()
    app = web.Application()
    app.add_routes([web.post("/", node.handle)])
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        node.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield node
    finally:
        await runner.cleanup()
