"""The remaining published vectors: bodies, book hash, amounts, and what the same primitives give for wallets and relayed calls."""

import msgspec
import pytest
from eth_abi.abi import encode

from domain.amounts import limit_amounts
from domain.errors import InvalidOrderError
from domain.money import format_micros, parse_micros
from domain.order import OrderSide, OrderType
from domain.ticks import TickSize, tick_size
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY, VECTORS, signed_fields
from venues.polymarket.clob import WireBook, book_hash
from venues.polymarket.eip712 import (
    address_word,
    bytes32,
    checksum_address,
    domain_separator,
    keccak,
    typed_digest,
    uint_word,
)
from venues.polymarket.order_body import request_body
from venues.polymarket.signer import LocalSigner
from venues.polymarket.signing import OrderSignature

AMOUNTS = VECTORS["order_amounts"]
ORDERS = {vector["name"]: vector for vector in VECTORS["v2_order"]["vectors"]}


def _sides(vector: dict) -> tuple[OrderSide, int, TickSize]:
    return OrderSide(vector["side"].lower()), parse_micros(vector["price"]), tick_size(parse_micros(vector["tick"]))


@pytest.mark.parametrize("vector", AMOUNTS["limit"], ids=lambda v: f"{v['tick']}-{v['side']}-{v['price']}")
def test_limit_amounts_equal_the_vector(vector: dict) -> None:
    side, price, tick = _sides(vector)
    amounts = limit_amounts(side, price, parse_micros(vector["size"]), tick)
    assert amounts == (int(vector["makerAmount"]), int(vector["takerAmount"]))


@pytest.mark.parametrize("case", AMOUNTS["float_divergence"]["cases"], ids=lambda c: c["size"])
def test_amounts_never_lose_a_cent_to_binary_floats(case: dict) -> None:
    side, price, tick = _sides(case)
    amounts = limit_amounts(side, price, parse_micros(case["size"]), tick)
    assert list(amounts) == [int(text) for text in case["decimal"]]
    assert list(amounts) != [int(text) for text in case["binary_float"]]


@pytest.mark.parametrize("tick", ["0.1", "0.01", "0.005", "0.0025", "0.001", "0.0001"])
def test_every_price_of_every_grid_has_exact_amounts_and_its_neighbours_off_the_grid_have_none(tick: str) -> None:
    grid = tick_size(parse_micros(tick))
    for price in range(grid.micros, 1_000_000, grid.micros):
        maker, taker = limit_amounts(OrderSide.BUY, price, 12_340_000, grid)
        assert maker * 1_000_000 == price * taker
        assert limit_amounts(OrderSide.SELL, price, 12_340_000, grid) == (taker, maker)
    for price in (0, grid.micros + 1, grid.micros // 2, 1_000_000):
        with pytest.raises(InvalidOrderError, match=format_micros(grid.micros)):
            limit_amounts(OrderSide.BUY, price, 12_340_000, grid)


def test_the_book_hash_equals_the_vector() -> None:
    vector = VECTORS["orderbook_hash"]
    book = msgspec.json.decode(vector["hashed_string"], type=WireBook)
    assert book_hash(book) == vector["hash"]
    assert book_hash(msgspec.structs.replace(book, hash=vector["hash"])) == vector["hash"]
    assert book_hash(msgspec.structs.replace(book, timestamp="1777374000457")) != vector["hash"]


def test_the_request_body_equals_the_vector_byte_for_byte() -> None:
    bodies = VECTORS["post_order_bodies"]
    order = ORDERS[bodies["order"]]
    body = request_body(
        signed_fields(order["order"]),
        OrderSignature(order["order_hash"], order["signature"]),
        owner=bodies["owner"],
        order_type=OrderType.GTC,
        expiration=0,
        post_only=False,
    )
    assert body.decode() == bodies["key_order_a"]
    assert msgspec.json.decode(body) == {"postOnly": False, **msgspec.json.decode(bodies["key_order_b"])}


def test_a_session_key_signs_like_any_other_key() -> None:
    vector = VECTORS["session_key_wrap"]
    inner = bytes.fromhex(ORDERS["deposit_wallet_buy_standard"]["signature"][2:])
    magic = bytes.fromhex("6492" * 16)
    signer_id = address_word(vector["session_signer"])
    assert (
        "0x" + (encode(["bytes32", "bytes32", "bytes"], [signer_id, bytes(32), inner]) + magic).hex()
        == vector["signature"]
    )


def _personal(digest: bytes) -> bytes:
    return keccak(b"\x19Ethereum Signed Message:\n32" + digest)


def test_a_deposit_wallet_batch_hashes_and_signs_like_the_vector() -> None:
    vector = VECTORS["relayer"]["wallet_batch"]
    call_type = b"Call(address target,uint256 value,bytes data)"
    calls = b"".join(
        keccak(
            keccak(call_type)
            + address_word(call["target"])
            + uint_word(int(call["value"]))
            + keccak(bytes.fromhex(call["data"][2:]))
        )
        for call in vector["calls"]
    )
    wallet = vector["domain"]["verifyingContract"]
    contents = keccak(
        keccak(b"Batch(address wallet,uint256 nonce,uint256 deadline,Call[] calls)" + call_type)
        + address_word(wallet)
        + uint_word(int(vector["nonce"]))
        + uint_word(int(vector["deadline"]))
        + keccak(calls)
    )
    separator = domain_separator(name="DepositWallet", version="1", chain_id=137, verifying_contract=wallet)
    assert separator == bytes32(vector["domain_separator"])
    assert contents == bytes32(vector["struct_hash"])
    assert typed_digest(separator, contents) == bytes32(vector["digest"])
    assert "0x" + LocalSigner(PRIVATE_KEY).sign_now(typed_digest(separator, contents)).hex() == vector["signature"]


def test_a_safe_transaction_hashes_and_signs_like_the_vector() -> None:
    vector = VECTORS["relayer"]["safe_tx"]
    zero = address_word("0x" + "00" * 20)
    contents = keccak(
        keccak(
            b"SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,"
            b"uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)"
        )
        + address_word(vector["to"])
        + uint_word(int(vector["value"]))
        + keccak(bytes.fromhex(vector["data"][2:]))
        + uint_word(int(vector["operation"]))
        + uint_word(0) * 3
        + zero * 2
        + uint_word(int(vector["nonce"]))
    )
    separator = keccak(
        keccak(b"EIP712Domain(uint256 chainId,address verifyingContract)")
        + uint_word(137)
        + address_word(vector["safe"])
    )
    digest = typed_digest(separator, contents)
    assert "0x" + digest.hex() == vector["safe_tx_hash"]
    signature = LocalSigner(PRIVATE_KEY).sign_now(_personal(digest))
    assert "0x" + (signature[:64] + bytes((signature[64] + 4,))).hex() == vector["signature_packed"]


def test_a_relayed_proxy_call_hashes_and_signs_like_the_vector() -> None:
    vector = VECTORS["relayer"]["proxy"]
    digest = keccak(
        b"rlx:"
        + bytes.fromhex(vector["from"][2:])
        + bytes.fromhex(vector["to"][2:])
        + bytes.fromhex(vector["data"][2:])
        + b"".join(uint_word(int(vector[name])) for name in ("relayerFee", "gasPrice", "gasLimit", "nonce"))
        + bytes.fromhex(vector["relayHub"][2:])
        + bytes.fromhex(vector["relay"][2:])
    )
    assert "0x" + digest.hex() == vector["hash"]
    assert "0x" + LocalSigner(PRIVATE_KEY).sign_now(_personal(digest)).hex() == vector["signature"]


def test_the_safe_of_an_owner_is_where_its_factory_creates_it() -> None:
    init_code_hash = bytes32("0x2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf")
    factory = bytes.fromhex("aacFeEa03eb1561C4e67d661e40682Bd20E3541b")
    created = keccak(b"\xff" + factory + keccak(address_word(ADDRESS)) + init_code_hash)[-20:]
    assert checksum_address(created) == VECTORS["derived_wallets"]["safe"]
