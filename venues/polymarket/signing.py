"""Order hash and order signature for the four signature types on every exchange.

The order id is the plain EIP-712 digest whatever the signature type, so it is known before anything is sent. Types 0 to 2 sign that
digest; type 3 (deposit wallet) signs an ERC-7739 wrap of it and carries the wrap's parts behind the signature. Sources: the venue's order
documentation, EIP-712, ERC-7739. Out-of-range fields raise `OverflowError` or `ValueError`; nothing is ever truncated.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cached_property, lru_cache
from typing import NamedTuple

from msgspec import Struct

from domain.order import OrderSide
from venues.polymarket.contracts import Exchange
from venues.polymarket.eip712 import ZERO_WORD, address_word, domain_separator, keccak, typed_digest, uint_word
from venues.polymarket.signer import Signer

ORDER_TYPE = (
    b"Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,uint256 takerAmount,"
    b"uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)"
)
ORDER_TYPE_HASH = keccak(ORDER_TYPE)
WRAP_TYPE_HASH = keccak(
    b"TypedDataSign(Order contents,string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
    + ORDER_TYPE
)
_WRAP_TAIL = ORDER_TYPE + len(ORDER_TYPE).to_bytes(2, "big")
_WALLET_NAME = keccak(b"DepositWallet")
_WALLET_VERSION = keccak(b"1")
_SIDE_WORDS = {OrderSide.BUY: uint_word(0), OrderSide.SELL: uint_word(1)}


class SignatureType(IntEnum):
    """Which kind of account holds the funds."""

    EOA = 0
    POLY_PROXY = 1
    POLY_GNOSIS_SAFE = 2
    POLY_1271 = 3


class SignedFields(NamedTuple):
    """The eleven signed fields of an order. Amounts are base units of six decimals, `timestamp` is milliseconds."""

    salt: int
    maker: str
    signer: str
    token_id: int
    maker_amount: int
    taker_amount: int
    side: OrderSide
    signature_type: SignatureType
    timestamp: int
    metadata: bytes = ZERO_WORD
    builder: bytes = ZERO_WORD


class OrderSignature(NamedTuple):
    """`order_id` is the order's hash, `signature` what the venue checks; both are hex texts."""

    order_id: str
    signature: str


@lru_cache(maxsize=64)
def exchange_domain(exchange: Exchange, chain_id: int) -> bytes:
    """Return the domain separator of an exchange."""
    return domain_separator(
        name="Polymarket CTF Exchange",
        version=exchange.domain_version,
        chain_id=chain_id,
        verifying_contract=exchange.address,
    )


@lru_cache(maxsize=256)
def _cached_address_word(address: str) -> bytes:
    return address_word(address)


def struct_hash(order: SignedFields) -> bytes:
    """Return the EIP-712 struct hash of an order."""
    if len(order.metadata) != 32 or len(order.builder) != 32:
        raise ValueError("metadata and builder must have 32 bytes each")
    return keccak(
        b"".join(
            (
                ORDER_TYPE_HASH,
                order.salt.to_bytes(32, "big"),
                _cached_address_word(order.maker),
                _cached_address_word(order.signer),
                order.token_id.to_bytes(32, "big"),
                order.maker_amount.to_bytes(32, "big"),
                order.taker_amount.to_bytes(32, "big"),
                _SIDE_WORDS[order.side],
                order.signature_type.to_bytes(32, "big"),
                order.timestamp.to_bytes(32, "big"),
                order.metadata,
                order.builder,
            )
        )
    )


class OrderStatement(Struct, frozen=True, dict=True, tag="order", forbid_unknown_fields=True):
    """An order for one exchange on one chain; its hashes are computed once."""

    order: SignedFields
    exchange: Exchange
    chain_id: int

    @cached_property
    def separator(self) -> bytes:
        return exchange_domain(self.exchange, self.chain_id)

    @cached_property
    def contents(self) -> bytes:
        return struct_hash(self.order)

    @cached_property
    def order_hash(self) -> bytes:
        """Return the hash that is the order's id."""
        return typed_digest(self.separator, self.contents)

    @cached_property
    def digest(self) -> bytes:
        if self.order.signature_type is not SignatureType.POLY_1271:
            return self.order_hash
        return typed_digest(self.separator, wrap_hash(self.order, self.contents, self.chain_id))


async def sign_order(order: SignedFields, exchange: Exchange, chain_id: int, signer: Signer) -> OrderSignature:
    """Return the order's id and its signature. Raises what `Signer.sign` raises."""
    statement = OrderStatement(order, exchange, chain_id)
    order_id = "0x" + statement.order_hash.hex()
    signature = await signer.sign(statement)
    if order.signature_type is SignatureType.POLY_1271:
        signature += statement.separator + statement.contents + _WRAP_TAIL
    return OrderSignature(order_id, "0x" + signature.hex())


def wrap_hash(order: SignedFields, contents: bytes, chain_id: int) -> bytes:
    """Return the ERC-7739 struct hash that a deposit wallet's owner signs under the exchange's domain."""
    return keccak(
        b"".join(
            (
                WRAP_TYPE_HASH,
                contents,
                _WALLET_NAME,
                _WALLET_VERSION,
                uint_word(chain_id),
                _cached_address_word(order.maker),
                ZERO_WORD,
            )
        )
    )
