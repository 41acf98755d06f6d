"""The remaining published vectors: bodies, book hash, amounts, and the wrap of session keys."""

import msgspec
import pytest
from eth_abi.abi import encode

from domain.amounts import limit_amounts
from domain.errors import InvalidOrderError
from domain.money import format_micros, parse_micros
from domain.order import OrderSide, OrderType
from domain.ticks import TickSize, tick_size
from tests.venues.polymarket.vectors import VECTORS, signed_fields
from venues.polymarket.clob import WireBook, book_hash
from venues.polymarket.eip712 import address_word
from venues.polymarket.order_body import request_body
from venues.polymarket.signing import OrderSignature

AMOUNTS = VECTORS["order_amounts"]
ORDERS = {vector["name"]: vector for vector in VECTORS["v2_order"]["vectors"]}


def _sides(vector: dict) -> tuple[OrderSide, int, TickSize]:
    return OrderSide(vector["side"].lower()), parse_micros(vector["price"]), tick_size(parse_micros(vector["tick"]))


@pytest.mark.protocol("2.6", "3.2")
@pytest.mark.parametrize("vector", AMOUNTS["limit"], ids=lambda v: f"{v['tick']}-{v['side']}-{v['price']}")
def test_limit_amounts_equal_the_vector(vector: dict) -> None:
    side, price, tick = _sides(vector)
    amounts = limit_amounts(side, price, parse_micros(vector["size"]), tick)
    assert amounts == (int(vector["makerAmount"]), int(vector["takerAmount"]))


@pytest.mark.protocol("3.2", "9.13")
@pytest.mark.parametrize("case", AMOUNTS["float_divergence"]["cases"], ids=lambda c: c["size"])
def test_amounts_never_lose_a_cent_to_binary_floats(case: dict) -> None:
    side, price, tick = _sides(case)
    amounts = limit_amounts(side, price, parse_micros(case["size"]), tick)
    assert list(amounts) == [int(text) for text in case["decimal"]]
    assert list(amounts) != [int(text) for text in case["binary_float"]]


@pytest.mark.protocol("3.2")
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


@pytest.mark.protocol("2.6", "4.5")
def test_the_book_hash_equals_the_vector() -> None:
    vector = VECTORS["orderbook_hash"]
    book = msgspec.json.decode(vector["hashed_string"], type=WireBook)
    assert book_hash(book) == vector["hash"]
    assert book_hash(msgspec.structs.replace(book, hash=vector["hash"])) == vector["hash"]
    assert book_hash(msgspec.structs.replace(book, timestamp="1777374000457")) != vector["hash"]


@pytest.mark.protocol("2.6", "3.3")
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
