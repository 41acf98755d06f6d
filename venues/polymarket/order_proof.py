"""Are these still the bytes of that order? An order's id is the hash of what was signed, so a row whose payload was changed gives itself away.

Nothing is raised for damage: it is what this looks for. Source: the venue's order documentation (the id is the EIP-712 hash).
"""

from __future__ import annotations

import msgspec

from domain.order import Order, OrderSide
from venues.polymarket.contracts import exchange_for
from venues.polymarket.eip712 import bytes32
from venues.polymarket.order_body import Envelope
from venues.polymarket.signing import OrderStatement, SignatureType, SignedFields


def contradiction(order: Order, chain_id: int) -> str:
    """Return why an order's row cannot be what was sent under its id, or ''."""
    try:
        body = msgspec.json.decode(order.prepared.payload, type=Envelope).order
        fields = SignedFields(
            salt=body.salt,
            maker=body.maker,
            signer=body.signer,
            token_id=int(body.token_id),
            maker_amount=int(body.maker_amount),
            taker_amount=int(body.taker_amount),
            side=OrderSide[body.side],
            signature_type=SignatureType(body.signature_type),
            timestamp=int(body.timestamp),
            metadata=bytes32(body.metadata),
            builder=bytes32(body.builder),
        )
        exchange = exchange_for(fields.token_id, neg_risk=order.draft.market.neg_risk)
        order_id = "0x" + OrderStatement(fields, exchange, chain_id).order_hash.hex()
    except (msgspec.MsgspecError, ValueError, KeyError, OverflowError) as error:
        return f"payload is not an order: {error}"
    if order_id != order.id:
        return f"payload is the order {order_id}'s"
    draft, prepared = order.draft, order.prepared
    said = (str(fields.token_id), fields.side, fields.maker_amount, fields.taker_amount)
    if said != (draft.token_id, draft.side, prepared.maker_amount, prepared.taker_amount):
        return f"payload says {said[1]} {said[0][:12]}…, {said[2]} for {said[3]}, the row something else"
    return ""
