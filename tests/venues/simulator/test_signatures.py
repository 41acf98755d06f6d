"""The venue's own verification agrees with the published vectors and with nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from venues.simulator.clob.authentication import request_signature
from venues.simulator.clob.books import book_hash
from venues.simulator.clob.signatures import SignatureError, SignedOrder, auth_signer, order_digest, order_signer
from venues.simulator.contracts import CTF_EXCHANGE, NEG_RISK_EXCHANGE

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "polymarket_signing.json").read_text())
ADDRESS = VECTORS["key"]["address"]
ORDERS = [vector for vector in VECTORS["v2_order"]["vectors"] if vector["domain_version"] == "2"]


def signed(order: dict[str, Any]) -> SignedOrder:
    return SignedOrder(
        salt=int(order["salt"]),
        maker=order["maker"],
        signer=order["signer"],
        token_id=int(order["tokenId"]),
        maker_amount=int(order["makerAmount"]),
        taker_amount=int(order["takerAmount"]),
        side=0 if order["side"] == "BUY" else 1,
        signature_type=order["signatureType"],
        timestamp=int(order["timestamp"]),
        metadata=bytes.fromhex(order["metadata"][2:]),
        builder=bytes.fromhex(order["builder"][2:]),
    )


@pytest.mark.protocol("2.6", "3.1")
@pytest.mark.parametrize("vector", ORDERS, ids=[vector["name"] for vector in ORDERS])
def test_order_vectors_have_the_published_id_and_signer(vector):
    order = signed(vector["order"])
    assert order_digest(order, vector["exchange"]) == vector["order_hash"]
    assert order_signer(order, vector["exchange"], vector["signature"]) == ADDRESS


def test_a_signature_for_the_other_exchange_recovers_to_someone_else():
    vector = next(vector for vector in ORDERS if vector["name"] == "eoa_buy_standard")
    assert vector["exchange"] == CTF_EXCHANGE
    assert order_signer(signed(vector["order"]), NEG_RISK_EXCHANGE, vector["signature"]) != ADDRESS


def test_a_wrapped_signature_must_name_its_order():
    vector = next(vector for vector in ORDERS if vector["name"] == "deposit_wallet_buy_standard")
    order = signed(vector["order"] | {"takerAmount": str(int(vector["order"]["takerAmount"]) + 10_000)})
    with pytest.raises(SignatureError):
        order_signer(order, vector["exchange"], vector["signature"])


@pytest.mark.parametrize("signature", ["", "0x", "0x12", "zz", "0x" + "00" * 65, "0x" + "ff" * 65])
def test_what_is_no_signature_is_refused(signature):
    vector = ORDERS[0]
    with pytest.raises(SignatureError):
        order_signer(signed(vector["order"]), vector["exchange"], signature)


@pytest.mark.protocol("2.1", "2.6")
def test_l1_vectors_recover_to_their_address():
    vectors = [vector for vector in VECTORS["l1_clob_auth"]["vectors"] if vector["chain_id"] == 137]
    assert vectors
    for vector in vectors:
        assert auth_signer(ADDRESS, vector["timestamp"], vector["nonce"], vector["signature"]) == ADDRESS


@pytest.mark.protocol("2.6", "4.5")
def test_the_published_book_has_the_published_hash():
    vector = VECTORS["orderbook_hash"]
    assert book_hash(json.loads(vector["hashed_string"])) == vector["hash"]


@pytest.mark.protocol("2.3", "2.6")
@pytest.mark.parametrize("vector", VECTORS["l2_hmac"]["vectors"], ids=lambda vector: vector["name"])
def test_hmac_vectors_are_byte_equal(vector):
    body = (vector["body"] or "").encode()
    signature = request_signature(vector["secret"], vector["timestamp"], vector["method"], vector["path"], body)
    assert signature == vector["signature"]
