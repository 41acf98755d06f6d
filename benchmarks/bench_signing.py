"""Order hash and signature for all four account types, and the HMAC of a request, next to the venue's own client and eth_account."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data

from benchmarks import peers
from benchmarks.measure import Result, microseconds
from domain.order import OrderSide
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.contracts import POLYGON, STANDARD_EXCHANGE
from venues.polymarket.signer import LocalSigner
from venues.polymarket.signing import ORDER_TYPE, SignatureType, SignedFields, sign_order

VECTORS = json.loads((Path(__file__).parent.parent / "tests" / "vectors" / "polymarket_signing.json").read_text())
ORDER = VECTORS["v2_order"]["vectors"][0]
BODY = VECTORS["post_order_bodies"]["key_order_a"]
SECRET = VECTORS["l2_hmac"]["vectors"][0]["secret"]
CLIENT = "py-clob-client-v2 1.2.1"
PEERS = {
    CLIENT: ("clob-client", ["py-clob-client-v2==1.2.1"]),
    f"{CLIENT} with coincurve": ("clob-client-coincurve", ["py-clob-client-v2==1.2.1", "coincurve==21.0.0"]),
}
ROUNDS = 15


def run() -> list[Result]:
    kinds = microseconds({f"sign_order_{kind.name.lower()}": _signs(kind) for kind in SignatureType})
    library = microseconds({"ours": _signs(SignatureType.EOA), "eth_account": _eth_account()})
    return [
        *_against_clients(),
        Result("sign_order_eth_account", "µs/order", library["ours"], library["eth_account"], "eth_account 0.14"),
        *(Result(name, "µs/order", took) for name, took in kinds.items()),
    ]


def _against_clients() -> list[Result]:
    results = []
    for peer_name, (environment, requirements) in PEERS.items():
        ours, theirs = _in_turns(environment, requirements)
        suffix = "_coincurve" if "coincurve" in environment else ""
        results.append(
            Result(f"sign_order{suffix}", "µs/order", ours["sign_order"], theirs.get("sign_order"), peer_name)
        )
        if not suffix:
            results.append(Result("hmac", "µs/request", ours["hmac"], theirs.get("hmac"), peer_name))
    return results


def _in_turns(environment: str, requirements: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    candidates = {"sign_order": _signs(SignatureType.EOA), "hmac": _hmac()}
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "order.json"
        key = VECTORS["key"]["private_key"]
        work.write_text(
            json.dumps(
                {"exchange": ORDER["exchange"], "key": key, "order": ORDER["order"], "signature": ORDER["signature"],
                 "secret": SECRET, "body": BODY}
            )
        )  # fmt: skip
        try:
            with peers.running(environment, requirements, "official_signing.py", str(work)) as peer:
                for _ in range(ROUNDS):
                    ours.append(microseconds(candidates, rounds=1))
                    theirs.append(peer.round())
        except peers.PeerUnavailableError as error:
            print(error, file=sys.stderr)
            ours += [microseconds(candidates, rounds=1) for _ in range(ROUNDS)]
    return peers.best(ours), peers.best(theirs) if theirs else {}


def _signs(kind: SignatureType) -> Callable[[], object]:
    signer = LocalSigner(VECTORS["key"]["private_key"])
    wallet = signer.address if kind is SignatureType.EOA else VECTORS["derived_wallets"]["safe"]
    order = SignedFields(
        salt=int(ORDER["order"]["salt"]),
        maker=wallet,
        signer=wallet if kind is SignatureType.POLY_1271 else signer.address,
        token_id=int(ORDER["order"]["tokenId"]),
        maker_amount=5_000_000,
        taker_amount=10_000_000,
        side=OrderSide.BUY,
        signature_type=kind,
        timestamp=1_777_374_000_123,
    )
    return lambda: _finish(sign_order(order, STANDARD_EXCHANGE, POLYGON, signer))


def _finish(work: Coroutine[Any, Any, object]) -> object:
    """Run a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("signing waited for something")


def _eth_account() -> Callable[[], object]:
    account = Account.from_key(VECTORS["key"]["private_key"])
    fields = ORDER_TYPE.decode().removeprefix("Order(").removesuffix(")").split(",")
    types = {"Order": [dict(zip(("type", "name"), field.split(" "), strict=True)) for field in fields]}
    domain = {
        "name": "Polymarket CTF Exchange",
        "version": "2",
        "chainId": POLYGON,
        "verifyingContract": ORDER["exchange"],
    }
    message = {name: int(value) if str(value).isdigit() else value for name, value in ORDER["order"].items()}
    message["side"] = 0
    return lambda: account.sign_message(encode_typed_data(domain, types, message))


def _hmac() -> Callable[[], object]:
    credentials = ApiCredentials("0x", "key", SECRET, "pass")
    body = BODY.encode()
    return lambda: credentials.signature(1_777_374_000, "POST", "/order", body)
