"""Hashes and signatures equal the published vectors byte for byte."""

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.order import OrderSide
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY, VECTORS, signed_fields
from venues.polymarket.contracts import (
    NEG_RISK_EXCHANGE,
    POSITION_EXCHANGE,
    STANDARD_EXCHANGE,
    Exchange,
    exchange_for,
    is_position_id,
)
from venues.polymarket.eip712 import bytes32, keccak, typed_digest
from venues.polymarket.signer import LocalSigner
from venues.polymarket.signing import (
    ORDER_TYPE,
    ORDER_TYPE_HASH,
    WRAP_TYPE_HASH,
    SignatureType,
    SignedFields,
    exchange_domain,
    sign_order,
    struct_hash,
    wrap_hash,
)

ORDERS = VECTORS["v2_order"]["vectors"]
by_name = pytest.mark.parametrize("vector", ORDERS, ids=[v["name"] for v in ORDERS])


def _exchange(vector: dict) -> Exchange:
    return Exchange(vector["exchange"], vector["domain_version"])


@pytest.mark.protocol("3.1")
def test_type_strings_and_their_hashes_equal_the_vectors() -> None:
    assert ORDER_TYPE.decode() == VECTORS["v2_order"]["order_type_string"]
    assert bytes32(VECTORS["v2_order"]["order_type_hash"]) == ORDER_TYPE_HASH
    assert keccak(VECTORS["v2_order"]["typed_data_sign_type_string"].encode()) == WRAP_TYPE_HASH


@pytest.mark.protocol("2.6", "3.1")
@by_name
async def test_order_id_and_signature_equal_the_vector(vector: dict) -> None:
    signed = await sign_order(signed_fields(vector["order"]), _exchange(vector), 137, LocalSigner(PRIVATE_KEY))
    assert signed.order_id == vector["order_hash"]
    assert signed.signature == vector["signature"]


@by_name
def test_domain_and_struct_hash_equal_the_vector(vector: dict) -> None:
    assert exchange_domain(_exchange(vector), 137) == bytes32(vector["domain_separator"])
    assert struct_hash(signed_fields(vector["order"])) == bytes32(vector["struct_hash"])


@pytest.mark.protocol("3.1", "9.12")
@by_name
def test_the_exchange_follows_from_token_and_neg_risk(vector: dict) -> None:
    neg_risk = vector["exchange"] == NEG_RISK_EXCHANGE.address
    assert exchange_for(int(vector["order"]["tokenId"]), neg_risk=neg_risk) == _exchange(vector)


@pytest.mark.protocol("2.6", "3.1", "9.10")
@pytest.mark.parametrize("vector", [v for v in ORDERS if v["order"]["signatureType"] == 3], ids=lambda v: v["name"])
def test_the_deposit_wallet_wrap_equals_the_vector_part_by_part(vector: dict) -> None:
    order = signed_fields(vector["order"])
    wrapped = wrap_hash(order, struct_hash(order), 137)
    assert wrapped == bytes32(vector["typed_data_sign_struct_hash"])
    assert bytes32(vector["typed_data_sign_type_hash"]) == WRAP_TYPE_HASH
    assert typed_digest(exchange_domain(_exchange(vector), 137), wrapped) == bytes32(vector["signing_digest"])
    assert len(bytes.fromhex(vector["signature"][2:])) == vector["signature_bytes"]


def test_a_position_id_goes_to_the_position_exchange_whatever_the_market_says() -> None:
    position = next(int(v["order"]["tokenId"]) for v in ORDERS if v["domain_version"] == "3")
    assert is_position_id(position)
    assert exchange_for(position, neg_risk=True) == POSITION_EXCHANGE
    assert exchange_for(position | 1 << 50, neg_risk=False) == STANDARD_EXCHANGE


@pytest.mark.protocol("3.1")
@settings(max_examples=25, deadline=None)
@given(
    salt=st.integers(0, 2**53 - 1),
    token=st.integers(1, 2**256 - 1),
    maker=st.integers(1, 2**256 - 1),
    taker=st.integers(1, 2**256 - 1),
    side=st.sampled_from(OrderSide),
    timestamp=st.integers(0, 2**63),
    blob=st.binary(min_size=32, max_size=32),
)
async def test_any_order_hashes_and_signs_as_an_independent_library_does(
    salt: int, token: int, maker: int, taker: int, side: OrderSide, timestamp: int, blob: bytes
) -> None:
    order = SignedFields(
        salt, ADDRESS, ADDRESS, token, maker, taker, side, SignatureType.EOA, timestamp, metadata=blob, builder=blob
    )
    exchange = exchange_for(token, neg_risk=False)
    fields = ORDER_TYPE.decode().removeprefix("Order(").removesuffix(")").split(",")
    message = encode_typed_data(
        {
            "name": "Polymarket CTF Exchange",
            "version": exchange.domain_version,
            "chainId": 137,
            "verifyingContract": exchange.address,
        },
        {"Order": [dict(zip(("type", "name"), f.split(" "), strict=True)) for f in fields]},
        {
            "salt": salt, "maker": ADDRESS, "signer": ADDRESS, "tokenId": token, "makerAmount": maker, "takerAmount": taker,
            "side": 0 if side is OrderSide.BUY else 1, "signatureType": 0, "timestamp": timestamp,
            "metadata": blob, "builder": blob,
        },
    )  # fmt: skip
    expected = Account.from_key(PRIVATE_KEY).sign_message(message)
    signed = await sign_order(order, exchange, 137, LocalSigner(PRIVATE_KEY))
    assert signed.order_id == "0x" + expected.message_hash.hex().removeprefix("0x")
    assert signed.signature == "0x" + expected.signature.hex().removeprefix("0x")


def test_an_out_of_range_field_is_refused_instead_of_truncated() -> None:
    order = signed_fields(ORDERS[0]["order"])
    for bad in (order._replace(salt=-1), order._replace(maker_amount=2**256)):
        with pytest.raises(OverflowError):
            struct_hash(bad)
    for bad in (order._replace(maker="0x12"), order._replace(metadata=b"short")):
        with pytest.raises(ValueError, match=r"address|32 bytes"):
            struct_hash(bad)
