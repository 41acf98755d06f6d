"""A simulated venue on a real socket with a clock the test moves, and a raw client: aiohttp, eth_account and hashlib, nothing of polybot's."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from eth_account import Account
from eth_account.messages import encode_typed_data

from venues.simulator.door import Door
from venues.simulator.faults.armed import Armed
from venues.simulator.faults.desk import DESK, FaultDesk
from venues.simulator.faults.model import Fault, Kind, When, Where
from venues.simulator.inputs import Tick
from venues.simulator.server import build_app
from venues.simulator.venue import Options, Venue

START_NS = 1_790_000_000_000_000_000
WARM_SECONDS = 12
MESSAGE = "This message attests that I control the given wallet"
STANDARD = "0xE111180000d2663C0091e4f400237545B87B996B"
NEG_RISK = "0xe2222d279d744050d28e00520010520000310F59"
POSITIONS = "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"
ZERO32 = "0x" + "00" * 32
ANYWHERE, ONCE = Where(), When()
ORDER_TYPE = [
    ("salt", "uint256"),
    ("maker", "address"),
    ("signer", "address"),
    ("tokenId", "uint256"),
    ("makerAmount", "uint256"),
    ("takerAmount", "uint256"),
    ("side", "uint8"),
    ("signatureType", "uint8"),
    ("timestamp", "uint256"),
    ("metadata", "bytes32"),
    ("builder", "bytes32"),
]


class ManualClock:
    """Time that stands still until a test moves it."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        return self._now_ns

    def monotonic(self) -> float:
        return self._now_ns / 1e9

    def move(self, seconds: float) -> None:
        self._now_ns += int(seconds * 1e9)


class CountingIds:
    """Identifiers one after the other."""

    def __init__(self) -> None:
        self._count = 0

    def uuid(self) -> str:
        self._count += 1
        return f"00000000-0000-4000-8000-{self._count:012d}"

    def salt(self) -> int:
        self._count += 1
        return self._count


@dataclass
class RunningVenue:
    """A venue behind a socket; `pass_time` lets its agents act."""

    venue: Venue
    clock: ManualClock
    url: str
    session: aiohttp.ClientSession
    faults: FaultDesk

    def arm(self, do: Kind, where: Where = ANYWHERE, when: When = ONCE, *, seed: int = 7, name: str = "") -> Armed:
        """Arm a fault; what comes back counts how often it struck."""
        return self.faults.arm(Fault(do=do, where=where, when=when, name=name), seed)

    def heal(self) -> None:
        """Disarm all faults."""
        self.faults.disarm()

    async def struck(self, armed: Armed, times: int = 1) -> None:
        """Wait until a fault has struck so often."""
        async with asyncio.timeout(5):
            while armed.struck < times:  # noqa: ASYNC110 (counted by the venue, which knows no listeners)
                await asyncio.sleep(0.001)

    def pass_time(self, seconds: float, step: float = 0.05) -> None:
        for _ in range(round(seconds / step)):
            self.clock.move(step)
            self.venue.submit(Tick(self.venue.world.mark()))

    def jump(self, seconds: float) -> None:
        """Let a long time pass at once, as if the venue had been off, and the agents look around again."""
        self.clock.move(seconds)
        self.pass_time(1, step=0.25)

    async def get(self, path: str, **query: str) -> tuple[int, Any]:
        async with self.session.get(self.url + path, params=query) as response:
            return response.status, await response.json()

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        async with self.session.post(self.url + path, json=body) as response:
            return response.status, await response.json()

    async def fund(self, address: str, dollars: str, **more: Any) -> tuple[int, Any]:
        return await self.post("/admin/faucet", {"address": address, "amount": dollars, **more})

    async def some_market(
        self, *, neg_risk: bool = False, category: str | None = None, room: bool = False
    ) -> dict[str, Any]:
        """Return a market from Gamma that trades near the middle without a taker delay, with its token ids decoded.

        With `room` there is a price between its best bid and ask, given as "inside".
        """
        _, body = await self.get("/gamma/events/keyset", limit="100")
        fitting = [
            market | {"tokens": json.loads(market["clobTokenIds"]), "inside": f"{market['bestBid'] + 0.01:g}"}
            for event in body["events"]
            for market in event["markets"]
            if market["negRisk"] == neg_risk
            and not market["secondsDelay"]
            and market["orderPriceMinTickSize"] == 0.01
            and (not room or market["spread"] >= 0.0199)
            and (event["category"] == category if category else event["category"] != "Crypto")
        ]
        return min(fitting, key=lambda market: abs(market["bestBid"] - 0.5))

    @asynccontextmanager
    async def socket(self, channel: str, first: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with self.session.ws_connect(self.url + f"/ws/{channel}") as socket:
            await socket.send_str(first if isinstance(first, str) else json.dumps(first))
            yield socket


def warm_up(folder: Path) -> None:
    """Store a venue in `folder` whose agents have quoted for a while; it is `WARM_SECONDS` old."""
    clock = ManualClock()
    venue = Venue.open(folder, clock, CountingIds(), Options(seed=7, failing=0.0))
    for _ in range(WARM_SECONDS * 4):
        clock.move(0.25)
        venue.submit(Tick(venue.world.mark()))
    venue.close()


@asynccontextmanager
async def running_venue(
    folder: Path, *, clock: ManualClock | None = None, page_size: int = 500, **options: Any
) -> AsyncIterator[RunningVenue]:
    """Serve the venue kept in `folder` (a new one when there is none) on a free port of loopback."""
    clock = clock or ManualClock(START_NS + WARM_SECONDS * 10**9)
    venue = Venue.open(folder, clock, CountingIds(), Options(**{"seed": 7, "failing": 0.0, **options}))
    app = build_app(venue, page_size)
    door = Door(app, shutdown_seconds=0.1)
    app[DESK].set_door(door)
    try:
        await door.open()
        async with aiohttp.ClientSession() as session:
            yield RunningVenue(venue, clock, f"http://127.0.0.1:{door.port}", session, app[DESK])
    finally:
        await door.close()
        venue.close()


class Trader:
    """A client of the wire with its own key pair."""

    def __init__(self, venue: RunningVenue, private_key: str) -> None:
        self._venue = venue
        self._account = Account.from_key(private_key)
        self._salt = 0
        self.address: str = self._account.address
        self.key: dict[str, str] = {}
        self.digest = ""

    def l1_headers(self, nonce: int = 0, *, address: str | None = None) -> dict[str, str]:
        """Return the headers of the EIP-712 statement that makes keys."""
        timestamp = str(self._venue.clock.now_ns() // 10**9)
        named = address or self.address
        types = {
            "ClobAuth": [
                {"name": "address", "type": "address"},
                {"name": "timestamp", "type": "string"},
                {"name": "nonce", "type": "uint256"},
                {"name": "message", "type": "string"},
            ]
        }
        signed = self._account.sign_typed_data(
            {"name": "ClobAuthDomain", "version": "1", "chainId": 137},
            types,
            {"address": named, "timestamp": timestamp, "nonce": nonce, "message": MESSAGE},
        )
        return {
            "POLY_ADDRESS": named,
            "POLY_SIGNATURE": "0x" + signed.signature.hex(),
            "POLY_TIMESTAMP": timestamp,
            "POLY_NONCE": str(nonce),
        }

    async def log_in(self) -> None:
        """Make this trader's API key."""
        async with self._venue.session.post(self._venue.url + "/auth/api-key", headers=self.l1_headers()) as response:
            assert response.status == 200, await response.text()
            self.key = await response.json()

    def l2_headers(self, method: str, path: str, body: bytes, *, seconds: int | None = None) -> dict[str, str]:
        """Return the headers of one trading request."""
        timestamp = str(self._venue.clock.now_ns() // 10**9 if seconds is None else seconds)
        text = timestamp.encode() + method.encode() + path.encode() + body
        digest = hmac.new(urlsafe_b64decode(self.key["secret"]), text, hashlib.sha256).digest()
        return {
            "POLY_ADDRESS": self.address,
            "POLY_SIGNATURE": urlsafe_b64encode(digest).decode(),
            "POLY_TIMESTAMP": timestamp,
            "POLY_API_KEY": self.key["apiKey"],
            "POLY_PASSPHRASE": self.key["passphrase"],
        }

    async def call(self, method: str, path: str, payload: Any = None, **query: str) -> tuple[int, Any]:
        """Send one signed request; return status and decoded body (None when empty)."""
        body = b"" if payload is None else json.dumps(payload, separators=(",", ":")).encode()
        headers = self.l2_headers(method, path, body)
        async with self._venue.session.request(
            method, self._venue.url + path, data=body or None, params=query, headers=headers
        ) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None

    def order(
        self,
        market: dict[str, Any],
        side: str,
        price: str,
        size: str,
        order_type: str = "GTC",
        *,
        token: int = 0,
        maker: str | None = None,
        signature_type: int = 0,
        expiration: int = 0,
        spend: str | None = None,
        builder: str = ZERO32,
        **envelope: Any,
    ) -> dict[str, Any]:
        """Return a signed envelope. `spend` makes it a market BUY of that many dollars instead of `size` shares."""
        cents, shares = _micro(price), _micro(size)
        cash = _micro(spend) if spend else cents * shares // 10**6
        if spend:
            shares = cash * 10**6 // cents // 100 * 100
        self._salt += 1
        fields: dict[str, Any] = {
            "salt": self._salt,
            "maker": maker or self.address,
            "signer": maker if maker and signature_type == 3 else self.address,
            "tokenId": int(market["tokens"][token]),
            "makerAmount": cash if side == "BUY" else shares,
            "takerAmount": shares if side == "BUY" else cash,
            "side": 0 if side == "BUY" else 1,
            "signatureType": signature_type,
            "timestamp": self._venue.clock.now_ns() // 10**6,
            "metadata": bytes(32),
            "builder": bytes.fromhex(builder[2:]),
        }
        types = {"Order": [{"name": name, "type": kind} for name, kind in ORDER_TYPE]}
        version, exchange = "2", NEG_RISK if market["negRisk"] else STANDARD
        if market.get("version") == "v2":
            version, exchange = "3", POSITIONS
        domain = {"name": "Polymarket CTF Exchange", "version": version, "chainId": 137, "verifyingContract": exchange}
        signed = self._account.sign_typed_data(domain, types, fields)
        signature, self.digest = "0x" + signed.signature.hex(), "0x" + signed.message_hash.hex()
        if signature_type == 3:
            signature = self._wrapped(domain, types, fields)
        wire = {
            "salt": fields["salt"],
            "maker": fields["maker"],
            "signer": fields["signer"],
            "tokenId": str(fields["tokenId"]),
            "makerAmount": str(fields["makerAmount"]),
            "takerAmount": str(fields["takerAmount"]),
            "side": side,
            "expiration": str(expiration),
            "signatureType": signature_type,
            "timestamp": str(fields["timestamp"]),
            "metadata": ZERO32,
            "builder": builder,
            "signature": signature,
        }
        return {"order": wire, "owner": self.key["apiKey"], "orderType": order_type, "deferExec": False, **envelope}

    def _wrapped(self, domain: dict[str, Any], types: dict[str, Any], fields: dict[str, Any]) -> str:
        """Return the ERC-7739 signature of a deposit wallet over an order."""
        wallet = [
            ("contents", "Order"),
            ("name", "string"),
            ("version", "string"),
            ("chainId", "uint256"),
            ("verifyingContract", "address"),
            ("salt", "bytes32"),
        ]
        inner = self._account.sign_typed_data(
            domain,
            {"TypedDataSign": [{"name": name, "type": kind} for name, kind in wallet], **types},
            {
                "contents": fields,
                "name": "DepositWallet",
                "version": "1",
                "chainId": 137,
                "verifyingContract": fields["maker"],
                "salt": bytes(32),
            },
        ).signature
        plain = encode_typed_data(domain, types, fields)
        text = b"Order(" + ",".join(f"{kind} {name}" for name, kind in ORDER_TYPE).encode() + b")"
        return "0x" + (inner + plain.header + plain.body + text + len(text).to_bytes(2, "big")).hex()

    async def place(self, *args: Any, **kwargs: Any) -> tuple[int, Any]:
        """Sign and send one order."""
        return await self.call("POST", "/order", self.order(*args, **kwargs))


async def trader(venue: RunningVenue, number: int = 1, dollars: str = "1000") -> Trader:
    """Return a client with a key and play money."""
    client = Trader(venue, "0x" + f"{number:064x}")
    await client.log_in()
    status, _ = await venue.fund(client.address, dollars)
    assert status == 200
    return client


async def frames(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    """Read `count` JSON objects, arrays unpacked; fails after five seconds of silence."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        message = await asyncio.wait_for(socket.receive(), 5)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        body = json.loads(message.data)
        found.extend(body if isinstance(body, list) else [body])
    return found


async def drain(socket: aiohttp.ClientWebSocketResponse) -> list[dict[str, Any]]:
    """Read everything sent so far: all that comes before the answer to a PING."""
    await socket.send_str("PING")
    found: list[dict[str, Any]] = []
    while True:
        message = await asyncio.wait_for(socket.receive(), 5)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        if message.data == "PONG":
            return found
        body = json.loads(message.data)
        found.extend(body if isinstance(body, list) else [body])


def _micro(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole) * 10**6 + int(fraction.ljust(6, "0") or "0")
