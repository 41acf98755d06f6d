"""The body of POST /order, checked to the letter: JSON types, ownership, signature. What passes is an input for the world.

Types are strict (salt and signatureType numbers, everything else text); a V1 body is named as such. The order id is computed here from the
signed fields, never taken from the client.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from eth_utils.address import is_hex_address, to_checksum_address

from venues.simulator.chain.approvals import COLLATERAL, CTF, POSITION_MANAGER
from venues.simulator.clob.signatures import SignatureError, SignedOrder, order_digest, order_signer
from venues.simulator.contracts import is_position_id, settling_exchange
from venues.simulator.http import UNREADABLE, decoded
from venues.simulator.inputs import Place
from venues.simulator.refusals import RefusalError, bad_request, no_orderbook
from venues.simulator.world.wallets import ApiKey, Wallets
from venues.simulator.world.world import World

MAX_ORDERS = 15
_MAX_AMOUNT = 10**18
_UNREADABLE_ORDER = "Invalid order payload"
_WRONG_SIGNER = "the order signer address has to be the address of the API KEY"


class WireOrder(msgspec.Struct, rename="camel"):
    """The signed order as it travels."""

    salt: int
    maker: str
    signer: str
    token_id: str
    maker_amount: str
    taker_amount: str
    side: Literal["BUY", "SELL"]
    expiration: str
    signature_type: Literal[0, 1, 2, 3]
    timestamp: str
    metadata: str
    builder: str
    signature: str


class Envelope(msgspec.Struct, rename="camel"):
    """An order with what is not signed."""

    order: WireOrder
    owner: str
    order_type: Literal["GTC", "GTD", "FOK", "FAK"]
    defer_exec: bool = False
    post_only: bool = False


class OldOrder(msgspec.Struct, rename="camel"):
    """What only a V1 order has."""

    fee_rate_bps: object
    nonce: object


class OldEnvelope(msgspec.Struct):
    order: OldOrder


def read_order(body: bytes) -> Envelope:
    """Return one envelope. Raises `RefusalError`."""
    try:
        return msgspec.json.decode(body, type=Envelope)
    except UNREADABLE:
        raise _unreadable(body) from None


def read_orders(body: bytes) -> list[Envelope]:
    """Return 1 to 15 envelopes. Raises `RefusalError`."""
    envelopes = decoded(body, list[Envelope], _UNREADABLE_ORDER)
    if len(envelopes) > MAX_ORDERS:
        raise bad_request(f"Too many orders in payload: {len(envelopes)}, max allowed: {MAX_ORDERS}")
    if not envelopes:
        raise bad_request(_UNREADABLE_ORDER)
    return envelopes


def check_order(envelope: Envelope, key: ApiKey, world: World, now_ns: int) -> Place:
    """Return the order as an input once owner, signer, wallet, signature and allowance are proven. Raises `RefusalError`."""
    wire = envelope.order
    if envelope.owner != key.key:
        raise bad_request("the order owner has to be the owner of the API KEY")
    signed = _signed(wire)
    _check_wallet(signed, key, world.wallets)
    listing = world.listings.by_token(wire.token_id)
    if listing is None:
        raise no_orderbook()
    exchange = settling_exchange(wire.token_id, neg_risk=listing.spec.neg_risk)
    try:
        if order_signer(signed, exchange, wire.signature) != key.address:
            raise bad_request("invalid signature")
        order_id = order_digest(signed, exchange)
    except SignatureError:
        raise bad_request("invalid signature") from None
    _check_allowance(signed, wire.token_id, world, exchange, now_ns)
    return Place(
        order_id=order_id,
        account=signed.maker,
        api_key=key.key,
        token_id=wire.token_id,
        side=wire.side.lower(),
        maker_amount=signed.maker_amount,
        taker_amount=signed.taker_amount,
        order_type=envelope.order_type,
        post_only=envelope.post_only,
        expiration=_number(wire.expiration, _MAX_AMOUNT),
        builder="0x" + signed.builder.hex() if any(signed.builder) else "",
    )


def _check_allowance(order: SignedOrder, token_id: str, world: World, exchange: str, now_ns: int) -> None:
    """Check that the wallet lets `exchange` take what the order gives, as far as the gateway knows. Missing funds are the exchange's to tell."""
    if order.side == 0:
        asset, held = COLLATERAL, ""
    else:
        asset, held = POSITION_MANAGER if is_position_id(token_id) else CTF, token_id
    allowance = world.approvals.shown(order.maker, asset, exchange, now_ns)
    if allowance < order.maker_amount <= world.exchange.balance(order.maker, held).available:
        raise bad_request(
            "not enough balance / allowance: the allowance is not enough -> "
            f"spender: {exchange}, allowance: {allowance}, order amount: {order.maker_amount}"
        )


def _check_wallet(order: SignedOrder, key: ApiKey, wallets: Wallets) -> None:
    """Types 0 to 2 are signed by the key's address itself, type 3 names the deposit wallet as signer; the wallet must be the key's."""
    expected_signer = order.maker if order.signature_type == 3 else key.address
    if order.signer != expected_signer:
        raise bad_request(_WRONG_SIGNER)
    if order.signature_type == 0 and order.maker != key.address:
        raise bad_request("maker address not allowed, please use the deposit wallet flow")
    if wallets.owner(order.maker) != key.address:
        raise bad_request(_WRONG_SIGNER)


def _signed(wire: WireOrder) -> SignedOrder:
    return SignedOrder(
        salt=_in_range(wire.salt),
        maker=_address(wire.maker),
        signer=_address(wire.signer),
        token_id=_number(wire.token_id, 2**256 - 1),
        maker_amount=_number(wire.maker_amount, _MAX_AMOUNT),
        taker_amount=_number(wire.taker_amount, _MAX_AMOUNT),
        side=0 if wire.side == "BUY" else 1,
        signature_type=wire.signature_type,
        timestamp=_number(wire.timestamp, _MAX_AMOUNT),
        metadata=_bytes32(wire.metadata),
        builder=_bytes32(wire.builder),
    )


def _in_range(salt: int) -> int:
    if not 0 <= salt < 2**256:
        raise bad_request(_UNREADABLE_ORDER)
    return salt


def _number(text: str, maximum: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 78 and int(text) <= maximum):
        raise bad_request(_UNREADABLE_ORDER)
    return int(text)


def _address(text: str) -> str:
    if not is_hex_address(text):
        raise bad_request(_UNREADABLE_ORDER)
    return to_checksum_address(text)


def _bytes32(text: str) -> bytes:
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise bad_request(_UNREADABLE_ORDER) from None
    if len(raw) != 32:
        raise bad_request(_UNREADABLE_ORDER)
    return raw


def _unreadable(body: bytes) -> RefusalError:
    """Tell a V1 order, which the venue calls a version mismatch, from nonsense."""
    try:
        msgspec.json.decode(body, type=OldEnvelope)
    except UNREADABLE:
        return bad_request(_UNREADABLE_ORDER)
    return bad_request("order_version_mismatch")
