"""A raw relayer client: signs with eth_account as the venue's documentation says, and shares nothing with polybot."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_utils.crypto import keccak

from tests.venues.simulator.kit import RunningVenue, Trader
from venues.simulator.chain import wallet_addresses

PUSD = "0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB"
USDC_E = "0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174"
CTF = "0x4D97DCd97eC945f40cF65F87097ACe5EA0476045"
STANDARD_ADAPTER = "0xAdA100Db00Ca00073811820692005400218FcE1f"
NEG_RISK_ADAPTER = "0xadA2005600Dec949baf300f4C6120000bDB6eAab"
ONRAMP = "0x93070a847efEf7F70739046A929D47a521F5B8ee"
OFFRAMP = "0x2957922Eb93258b93368531d39fAcCA3B4dC5854"
WALLET_FACTORY = "0x00000000000Fb5C9ADea0298D729A0CB3823Cc07"
SAFE_FACTORY = "0xaacFeEa03eb1561C4e67d661e40682Bd20E3541b"
PROXY_FACTORY = "0xaB45c5A4B0c941a2F231C04C3f49182e1A254052"
MULTISEND = "0xA238CBeb142c10Ef7Ad8442C6D1f9E89e07e7761"
RELAY_HUB = "0xD216153c06E857cD7f72665E0aF1d7D82172F494"
ZERO = "0x" + "00" * 20
NO_PARENT = bytes(32)
MAX = 2**256 - 1

Call = tuple[str, str]
"""Target and 0x-prefixed data."""


def data(signature: str, *values: Any) -> str:
    """Return call data of a function such as "approve(address,uint256)"."""
    kinds = _kinds(signature[signature.index("(") + 1 : -1])
    return "0x" + (keccak(text=signature)[:4] + encode(kinds, values)).hex()


def approve(spender: str, amount: int = MAX) -> Call:
    return PUSD, data("approve(address,uint256)", spender, amount)


def approve_all(operator: str, *, approved: bool = True) -> Call:
    return CTF, data("setApprovalForAll(address,bool)", operator, approved)


def split(condition_id: str, amount: int, target: str = STANDARD_ADAPTER) -> Call:
    name = "splitPosition(address,bytes32,bytes32,uint256[],uint256)"
    return target, data(name, PUSD, NO_PARENT, bytes.fromhex(condition_id[2:]), [1, 2], amount)


def merge(condition_id: str, amount: int, target: str = STANDARD_ADAPTER) -> Call:
    name = "mergePositions(address,bytes32,bytes32,uint256[],uint256)"
    return target, data(name, PUSD, NO_PARENT, bytes.fromhex(condition_id[2:]), [1, 2], amount)


def redeem(condition_id: str, target: str = STANDARD_ADAPTER) -> Call:
    name = "redeemPositions(address,bytes32,bytes32,uint256[])"
    return target, data(name, PUSD, NO_PARENT, bytes.fromhex(condition_id[2:]), [1, 2])


def convert(market_id: str, index_set: int, amount: int) -> Call:
    name = "convertPositions(bytes32,uint256,uint256)"
    return NEG_RISK_ADAPTER, data(name, bytes.fromhex(market_id[2:]), index_set, amount)


class Owner:
    """A key with a relayer key, its wallets at their real addresses."""

    def __init__(self, venue: RunningVenue, number: int = 77) -> None:
        self.venue = venue
        self.trader = Trader(venue, "0x" + f"{number:064x}")
        self._account = Account.from_key("0x" + f"{number:064x}")
        self.address: str = self._account.address
        self.wallet = wallet_addresses.deposit_wallet(self.address)
        self.safe = wallet_addresses.safe_wallet(self.address)
        self.proxy = wallet_addresses.proxy_wallet(self.address)
        self.headers: dict[str, str] = {}

    async def prepare(self, dollars: str = "1000", **faucet: Any) -> None:
        """Fund the deposit wallet and get a relayer key."""
        await self.fund(self.wallet, 3, dollars, **faucet)
        _, key = await self.venue.post("/admin/relayer-key", {"address": self.address})
        self.headers = {"RELAYER_API_KEY": key["key"], "RELAYER_API_KEY_ADDRESS": key["address"]}

    async def fund(self, wallet: str, signature_type: int, dollars: str = "1000", **faucet: Any) -> None:
        owner = {"owner": self.address, "signature_type": signature_type} if signature_type else {}
        status, body = await self.venue.fund(wallet, dollars, **owner, **faucet)
        assert status == 200, body

    async def submit(self, payload: dict[str, Any], headers: dict[str, str] | None = None) -> tuple[int, Any]:
        url = self.venue.url + "/relayer/submit"
        body = json.dumps(payload).encode()
        async with self.venue.session.post(url, data=body, headers=self.headers if headers is None else headers) as got:
            return got.status, await got.json()

    async def read(self, path: str, **query: str) -> tuple[int, Any]:
        url = self.venue.url + "/relayer" + path
        async with self.venue.session.get(url, params=query, headers=self.headers) as got:
            return got.status, await got.json()

    async def do(self, *calls: Call) -> dict[str, Any]:
        """Carry out calls of the deposit wallet; return how the transaction ended."""
        _, params = await self.read("/v1/account/transactions/params", address=self.address, type="WALLET")
        status, body = await self.submit(self.batch(calls, int(params["nonce"])))
        assert status == 200, body
        return await self.end(body["transactionID"])

    async def end(self, transaction_id: str) -> dict[str, Any]:
        """Let time pass until a transaction has ended."""
        for _ in range(12):
            _, body = await self.read(f"/v1/account/transactions/{transaction_id}")
            if body["state"] in ("STATE_CONFIRMED", "STATE_FAILED", "STATE_INVALID"):
                return body
            self.venue.pass_time(1, step=0.25)
        raise AssertionError(f"the transaction is still {body['state']}")

    def batch(self, calls: tuple[Call, ...] | list[Call], nonce: int, **changes: Any) -> dict[str, Any]:
        """Return a signed batch of the deposit wallet; `changes` are made after signing."""
        deadline = self.venue.clock.now_ns() // 10**9 + 600
        listed = [{"target": target, "value": 0, "data": bytes.fromhex(call[2:])} for target, call in calls]
        signed = self._account.sign_typed_data(
            {"name": "DepositWallet", "version": "1", "chainId": 137, "verifyingContract": self.wallet},
            {
                "Batch": [
                    {"name": "wallet", "type": "address"},
                    {"name": "nonce", "type": "uint256"},
                    {"name": "deadline", "type": "uint256"},
                    {"name": "calls", "type": "Call[]"},
                ],
                "Call": [
                    {"name": "target", "type": "address"},
                    {"name": "value", "type": "uint256"},
                    {"name": "data", "type": "bytes"},
                ],
            },
            {"wallet": self.wallet, "nonce": nonce, "deadline": deadline, "calls": listed},
        )
        return {
            "type": "WALLET",
            "from": self.address,
            "to": WALLET_FACTORY,
            "nonce": str(nonce),
            "signature": "0x" + signed.signature.hex(),
            "metadata": "",
            "depositWalletParams": {
                "depositWallet": self.wallet,
                "deadline": str(deadline),
                "calls": [{"target": target, "value": "0", "data": call} for target, call in calls],
            },
        } | changes

    def safe_transaction(self, target: str, call: str, nonce: int, operation: int = 0) -> dict[str, Any]:
        """Return a signed transaction of the Safe."""
        fields = (
            "to address",
            "value uint256",
            "data bytes",
            "operation uint8",
            "safeTxGas uint256",
            "baseGas uint256",
        )
        rest = ("gasPrice uint256", "gasToken address", "refundReceiver address", "nonce uint256")
        types = [dict(zip(("name", "type"), one.split(), strict=True)) for one in fields + rest]
        message = encode_typed_data(
            {"chainId": 137, "verifyingContract": self.safe},
            {"SafeTx": types},
            {
                "to": target,
                "value": 0,
                "data": bytes.fromhex(call[2:]),
                "operation": operation,
                "safeTxGas": 0,
                "baseGas": 0,
                "gasPrice": 0,
                "gasToken": ZERO,
                "refundReceiver": ZERO,
                "nonce": nonce,
            },
        )
        digest = keccak(b"\x19" + message.version + message.header + message.body)
        raw = self._account.sign_message(encode_defunct(digest)).signature
        return {
            "type": "SAFE",
            "from": self.address,
            "to": target,
            "proxyWallet": self.safe,
            "data": call,
            "nonce": str(nonce),
            "signature": "0x" + raw[:64].hex() + f"{raw[64] + 4:02x}",
            "metadata": "",
            "signatureParams": {
                "baseGas": "0",
                "gasPrice": "0",
                "gasToken": ZERO,
                "operation": str(operation),
                "refundReceiver": ZERO,
                "safeTxnGas": "0",
            },
        }

    def proxy_transaction(self, calls: list[Call], nonce: int, relay: str) -> dict[str, Any]:
        """Return a signed call of the proxy."""
        listed = [(1, target, 0, bytes.fromhex(call[2:])) for target, call in calls]
        call = data("proxy((uint8,address,uint256,bytes)[])", listed)
        packed = b"rlx:" + b"".join(
            (
                bytes.fromhex(self.address[2:] + PROXY_FACTORY[2:] + call[2:]),
                *(number.to_bytes(32, "big") for number in (0, 0, 200_000, nonce)),
                bytes.fromhex(RELAY_HUB[2:] + relay[2:]),
            )
        )
        signature = self._account.sign_message(encode_defunct(keccak(packed))).signature
        return {
            "type": "PROXY",
            "from": self.address,
            "to": PROXY_FACTORY,
            "proxyWallet": self.proxy,
            "data": call,
            "nonce": str(nonce),
            "signature": "0x" + signature.hex(),
            "metadata": "",
            "signatureParams": {
                "gasLimit": "200000",
                "gasPrice": "0",
                "relay": relay,
                "relayHub": RELAY_HUB,
                "relayerFee": "0",
            },
        }

    def safe_create(self) -> dict[str, Any]:
        """Return a signed request for the Safe."""
        signed = self._account.sign_typed_data(
            {"name": "Polymarket Contract Proxy Factory", "chainId": 137, "verifyingContract": SAFE_FACTORY},
            {
                "CreateProxy": [
                    {"name": "paymentToken", "type": "address"},
                    {"name": "payment", "type": "uint256"},
                    {"name": "paymentReceiver", "type": "address"},
                ]
            },
            {"paymentToken": ZERO, "payment": 0, "paymentReceiver": ZERO},
        )
        return {
            "type": "SAFE-CREATE",
            "from": self.address,
            "to": SAFE_FACTORY,
            "proxyWallet": self.safe,
            "data": "0x",
            "signature": "0x" + signed.signature.hex(),
            "signatureParams": {"paymentToken": ZERO, "payment": "0", "paymentReceiver": ZERO},
        }

    def builder_headers(self, key: dict[str, str], method: str, path: str, body: bytes) -> dict[str, str]:
        """Return the headers of a builder's request."""
        timestamp = str(self.venue.clock.now_ns() // 10**9)
        text = timestamp.encode() + method.encode() + path.encode() + body
        digest = hmac.new(urlsafe_b64decode(key["secret"]), text, hashlib.sha256).digest()
        return {
            "POLY_BUILDER_API_KEY": key["key"],
            "POLY_BUILDER_PASSPHRASE": key["passphrase"],
            "POLY_BUILDER_SIGNATURE": urlsafe_b64encode(digest).decode(),
            "POLY_BUILDER_TIMESTAMP": timestamp,
        }

    def held(self, asset: str = "", wallet: str = "") -> int:
        """Return the micro-units the deposit wallet (or another) holds of collateral or of a token."""
        return self.venue.venue.world.exchange.balance(wallet or self.wallet, asset).settled


def multisend(calls: list[Call]) -> Call:
    """Return calls packed for the multisend contract."""
    packed = b""
    for target, call in calls:
        raw = bytes.fromhex(call[2:])
        packed += b"\0" + bytes.fromhex(target[2:]) + bytes(32) + len(raw).to_bytes(32, "big") + raw
    return MULTISEND, data("multiSend(bytes)", packed)


def _kinds(text: str) -> list[str]:
    """Split a list of ABI types at its outermost commas."""
    kinds, depth = [""], 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            kinds.append("")
        else:
            kinds[-1] += char
    return [kind for kind in kinds if kind]
