"""A relayer that follows the venue's protocol on a real socket: verifies keys and signatures with eth_account, counts nonces, carries out once.

`faults` are used up, one for each submission: "lost" takes it and cuts the answer off, "gone" cuts off without taking it, "broken"
takes it and answers 500, "twice" lists bytes that were taken before once more, and a (status, text) is a refusal. `script` is the run of
states of what it took, `hides` keeps its list empty (`hides_for`: so many looks), `stale` is a nonce it reports instead of its own.
`executed` is what happened on its chain.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_utils.crypto import keccak

SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
RELAY = "0x7DB63fE6D62EB73Fb01F8009416F4c2bB4fBdA6a"
HAPPY = ("STATE_NEW", "STATE_EXECUTED", "STATE_MINED", "STATE_CONFIRMED")


class FakeRelayer:
    def __init__(self) -> None:
        self.url = ""
        self.nonce = 3
        self.faults: list[Any] = []
        self.script: tuple[str, ...] = HAPPY
        self.submitted: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []
        self.executed: list[dict[str, Any]] = []
        self.hides = False
        self.hides_for: int | None = None
        self.stale: int | None = None
        self.created: list[dict[str, Any]] = []
        self.deployed_after = 0

    async def submit(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._authenticate(request, await request.read())
        if body["type"] == "WALLET-CREATE":
            self.created.append(body)
            return web.json_response({"transactionID": "tx-0", "state": "STATE_NEW"})
        self.submitted.append(body)
        fault = self.faults.pop(0) if self.faults else None
        if fault == "gone":
            request.transport.abort()
            return web.Response()
        if isinstance(fault, tuple):
            return web.json_response({"error": fault[1]}, status=fault[0])
        if fault == "twice":
            return web.json_response({"transactionID": self._doomed(body), "state": "STATE_NEW"})
        if int(body["nonce"]) != self.nonce:
            text = f"batch nonce {body['nonce']} does not match on-chain nonce {self.nonce}"
            return web.json_response({"error": text}, status=400)
        row = self._take(body)
        if fault == "lost":
            request.transport.abort()
        if fault == "broken":
            return web.Response(status=500, text="<html>oops</html>")
        return web.json_response({"transactionID": row["transactionID"], "state": "STATE_NEW"})

    def _take(self, body: dict[str, Any]) -> dict[str, Any]:
        assert signer_of(body) == body["from"], "the signature is not the owner's"
        self.nonce += 1
        self.executed.append(body)
        row = {
            "transactionID": f"tx-{len(self.rows) + 1}",
            "state": self.script[0],
            "nonce": body["nonce"],
            "signature": body["signature"],
            "looks": 0,
        }
        self.rows.append(row)
        return row

    def _doomed(self, body: dict[str, Any]) -> str:
        """List the same bytes once more; the chain refuses their nonce."""
        row = {"transactionID": f"tx-{len(self.rows) + 1}", "state": "STATE_NEW", "nonce": body["nonce"]}
        self.rows.append({**row, "signature": body["signature"], "looks": 0, "doomed": True})
        return row["transactionID"]

    def _authenticate(self, request: web.Request, body: bytes) -> None:
        if "RELAYER_API_KEY" in request.headers:
            assert request.headers["RELAYER_API_KEY"] == "relayer-key"
            assert request.headers["RELAYER_API_KEY_ADDRESS"].startswith("0x")
            return
        path = request.path
        text = request.headers["POLY_BUILDER_TIMESTAMP"].encode() + request.method.encode() + path.encode() + body
        wanted = urlsafe_b64encode(hmac.new(urlsafe_b64decode(SECRET), text, hashlib.sha256).digest()).decode()
        assert request.headers["POLY_BUILDER_SIGNATURE"] == wanted
        assert request.headers["POLY_BUILDER_API_KEY"] == "builder-key"
        assert request.headers["POLY_BUILDER_PASSPHRASE"] == "phrase"

    async def params(self, request: web.Request) -> web.Response:
        nonce = self.nonce if self.stale is None else self.stale
        return web.json_response({"address": request.query["address"], "nonce": str(nonce)})

    async def relay(self, request: web.Request) -> web.Response:
        return web.json_response({"address": RELAY, "nonce": str(self.nonce)})

    async def deployed(self, request: web.Request) -> web.Response:
        return web.json_response({"deployed": self.deployed_after <= len(self.created)})

    async def transaction(self, request: web.Request) -> web.Response:
        self._authenticate(request, b"")
        row = next(row for row in self.rows if row["transactionID"] == request.match_info["id"])
        row["looks"] += 1
        row["state"] = self.script[min(row["looks"], len(self.script) - 1)]
        if row.get("doomed"):
            row["state"] = "STATE_FAILED"
        failed = row["state"] in ("STATE_FAILED", "STATE_INVALID")
        return web.json_response(
            {
                "transaction_id": row["transactionID"],
                "state": row["state"],
                "transaction_hash": "" if row["state"] == "STATE_NEW" else "0x" + "77" * 32,
                "error_msg": "execution reverted" if failed else None,
            }
        )

    async def transactions(self, request: web.Request) -> web.Response:
        self._authenticate(request, b"")
        hidden = self.hides
        if self.hides_for is not None:
            self.hides_for -= 1
            self.hides = self.hides_for > 0
        return web.json_response([] if hidden else self.rows)


def signer_of(body: dict[str, Any]) -> str:
    """Return the address that signed a submission, found without polybot's code."""
    signature = bytes.fromhex(body["signature"][2:])
    if body["type"] == "WALLET":
        return Account.recover_message(_batch(body), signature=signature)
    if body["type"] == "SAFE":
        plain = signature[:64] + bytes((signature[64] - 4,))
        message = _safe(body)
        digest = keccak(b"\x19" + message.version + message.header + message.body)
        return Account.recover_message(encode_defunct(digest), signature=plain)
    fields = body["signatureParams"]
    packed = b"rlx:" + b"".join(bytes.fromhex(body[name][2:]) for name in ("from", "to", "data"))
    numbers = (fields["relayerFee"], fields["gasPrice"], fields["gasLimit"], body["nonce"])
    packed += b"".join(int(text).to_bytes(32, "big") for text in numbers)
    packed += b"".join(bytes.fromhex(fields[name][2:]) for name in ("relayHub", "relay"))
    return Account.recover_message(encode_defunct(keccak(packed)), signature=signature)


def _fields(text: str) -> list[dict[str, str]]:
    return [{"type": kind, "name": name} for kind, name in (field.split() for field in text.split(","))]


def _batch(body: dict[str, Any]):
    params = body["depositWalletParams"]
    return encode_typed_data(
        {"name": "DepositWallet", "version": "1", "chainId": 137, "verifyingContract": params["depositWallet"]},
        {
            "Call": _fields("address target,uint256 value,bytes data"),
            "Batch": _fields("address wallet,uint256 nonce,uint256 deadline,Call[] calls"),
        },
        {
            "wallet": params["depositWallet"],
            "nonce": int(body["nonce"]),
            "deadline": int(params["deadline"]),
            "calls": [
                {"target": c["target"], "value": int(c["value"]), "data": bytes.fromhex(c["data"][2:])}
                for c in params["calls"]
            ],
        },
    )


def _safe(body: dict[str, Any]):
    fields = body["signatureParams"]
    return encode_typed_data(
        {"chainId": 137, "verifyingContract": body["proxyWallet"]},
        {
            "SafeTx": _fields(
                "address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,"
                "address gasToken,address refundReceiver,uint256 nonce"
            )
        },
        {
            "to": body["to"],
            "value": 0,
            "data": bytes.fromhex(body["data"][2:]),
            "operation": int(fields["operation"]),
            "safeTxGas": int(fields["safeTxnGas"]),
            "baseGas": int(fields["baseGas"]),
            "gasPrice": int(fields["gasPrice"]),
            "gasToken": fields["gasToken"],
            "refundReceiver": fields["refundReceiver"],
            "nonce": int(body["nonce"]),
        },
    )


@asynccontextmanager
async def fake_relayer():
    relayer = FakeRelayer()
    app = web.Application()
    app.add_routes(
        [
            web.post("/submit", relayer.submit),
            web.get("/v1/account/transactions/params", relayer.params),
            web.get("/relay-payload", relayer.relay),
            web.get("/deployed", relayer.deployed),
            web.get("/v1/account/transactions/{id}", relayer.transaction),
            web.get("/transactions", relayer.transactions),
        ]
    )
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        relayer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with ClientSession() as session:
            yield relayer, session
    finally:
        await runner.cleanup()
