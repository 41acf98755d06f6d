"""From a decided order to the exact bytes that leave: the market's rules, the signed amounts, the request body.

Nothing is rounded here. A draft that would not be sent exactly as it was decided is refused with `InvalidOrderError` naming what would fit.
Source: the venue's order documentation.
"""

from __future__ import annotations

import msgspec

from domain.amounts import OrderAmounts, limit_amounts, marketable_size
from domain.errors import InvalidOrderError
from domain.money import CENT, MICRO, format_micros
from domain.order import OrderDraft, OrderType
from domain.ticks import SIZE_STEP
from venues.polymarket.signing import OrderSignature, SignedFields

GTD_MARGIN_S = 60
"""The venue ends an order this long before its stated expiration."""
GTD_FLOOR_S = 180
"""The stated expiration must lie at least this far ahead."""
MIN_MARKETABLE_BUY = MICRO
"""A marketable BUY must be worth a dollar."""
SALT_LIMIT = 2**53
"""A salt travels as a JSON number: what is not below this arrives as another one, and the signature is wrong."""


class BodyOrder(msgspec.Struct, rename="camel"):
    """The signed order in it; what is text here is a number in the signature."""

    salt: int
    maker: str
    signer: str
    token_id: str
    maker_amount: str
    taker_amount: str
    side: str
    expiration: str
    signature_type: int
    timestamp: str
    metadata: str
    builder: str
    signature: str


class Envelope(msgspec.Struct, rename="camel"):
    """The body of POST /order."""

    order: BodyOrder
    owner: str
    order_type: str
    defer_exec: bool
    post_only: bool


def order_amounts(draft: OrderDraft) -> OrderAmounts:
    """Return the amounts of a draft that obeys its market's rules.

    Raises:
        InvalidOrderError: the draft breaks one of them.
    """
    market, size = draft.market, draft.size
    if draft.token_id not in market.token_ids:
        raise InvalidOrderError(f"token {draft.token_id} does not belong to market {market.id}")
    if not market.tradable:
        raise InvalidOrderError(f"market {market.id} does not accept orders")
    if size % SIZE_STEP:
        raise InvalidOrderError(f"size was {format_micros(size)}, expected at most 2 decimals")
    if size < market.min_size:
        raise InvalidOrderError(
            f"size was {format_micros(size)}, expected at least {format_micros(market.min_size)} in this market"
        )
    if draft.post_only and not draft.order_type.rests:
        raise InvalidOrderError(f"post-only was set on {draft.order_type}, expected GTC or GTD")
    amounts = limit_amounts(draft.side, draft.price, size, market.tick_size)
    if draft.spends_cash_amount:
        _check_marketable_buy(draft, amounts.maker)
    return amounts


def checked_salt(salt: int) -> int:
    """Return a salt that any JSON reader understands alike. Raises `InvalidOrderError`."""
    if not 0 <= salt < SALT_LIMIT:
        raise InvalidOrderError(f"salt was {salt}, expected a number below 2^53")
    return salt


def venue_expiration(draft: OrderDraft, now_ns: int) -> int:
    """Return the expiration to state in Unix seconds, 0 for an order that is not GTD; the order stops no later than the draft says.

    Raises:
        InvalidOrderError: a GTD order without an end, one that ends too soon for the venue, or an end on another type.
    """
    if draft.order_type is not OrderType.GTD:
        if draft.expires_ns is not None:
            raise InvalidOrderError(f"expires_ns was set on {draft.order_type}, expected it on GTD only")
        return 0
    if draft.expires_ns is None:
        raise InvalidOrderError("a GTD order needs expires_ns")
    expiration = draft.expires_ns // 1_000_000_000 + GTD_MARGIN_S
    ahead = expiration - -(-now_ns // 1_000_000_000)
    if ahead < GTD_FLOOR_S:
        least = GTD_FLOOR_S - GTD_MARGIN_S
        raise InvalidOrderError(f"the GTD order would end in {ahead - GTD_MARGIN_S} s, expected at least {least} s")
    return expiration


def request_body(
    order: SignedFields, signed: OrderSignature, *, owner: str, order_type: OrderType, expiration: int, post_only: bool
) -> bytes:
    """Return the body of POST /order, compact JSON; its integers other than salt and signature type travel as strings."""
    return msgspec.json.encode(
        Envelope(
            order=BodyOrder(
                salt=order.salt,
                maker=order.maker,
                signer=order.signer,
                token_id=str(order.token_id),
                maker_amount=str(order.maker_amount),
                taker_amount=str(order.taker_amount),
                side=order.side.name,
                expiration=str(expiration),
                signature_type=int(order.signature_type),
                timestamp=str(order.timestamp),
                metadata="0x" + order.metadata.hex(),
                builder="0x" + order.builder.hex(),
                signature=signed.signature,
            ),
            owner=owner,
            order_type=order_type.value,
            defer_exec=False,
            post_only=post_only,
        )
    )


def _check_marketable_buy(draft: OrderDraft, spend: int) -> None:
    if spend % CENT:
        fitting = marketable_size(draft.price, draft.size)
        raise InvalidOrderError(
            f"a {draft.order_type} BUY of {format_micros(draft.size)} at {format_micros(draft.price)} spends {format_micros(spend)}, "
            f"expected whole cents: {format_micros(fitting)} shares would fit"
        )
    if spend < MIN_MARKETABLE_BUY:
        raise InvalidOrderError(f"a {draft.order_type} BUY spends {format_micros(spend)}, expected at least 1")
