"""The signing vectors, loaded once."""

import json
from pathlib import Path

from domain.order import OrderSide
from venues.polymarket.signing import SignatureType, SignedFields

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "polymarket_signing.json").read_text())
PRIVATE_KEY = VECTORS["key"]["private_key"]
ADDRESS = VECTORS["key"]["address"]


def signed_fields(order: dict) -> SignedFields:
    return SignedFields(
        salt=int(order["salt"]),
        maker=order["maker"],
        signer=order["signer"],
        token_id=int(order["tokenId"]),
        maker_amount=int(order["makerAmount"]),
        taker_amount=int(order["takerAmount"]),
        side=OrderSide(order["side"].lower()),
        signature_type=SignatureType(order["signatureType"]),
        timestamp=int(order["timestamp"]),
        metadata=bytes.fromhex(order["metadata"][2:]),
        builder=bytes.fromhex(order["builder"][2:]),
    )
