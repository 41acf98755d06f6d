"""Addresses of the venue's contracts on Polygon, and the rule that picks the exchange an order is signed for.

Source: the venue's contract list. The same addresses are signed on every chain id, because no test deployment exists any more.
"""

from __future__ import annotations

from typing import NamedTuple

POLYGON = 137

_POSITION_ID_MASK = ((1 << 64) - 1) << 40


class Exchange(NamedTuple):
    """A settlement contract and the version of its EIP-712 domain."""

    address: str
    domain_version: str


STANDARD_EXCHANGE = Exchange("0xE111180000d2663C0091e4f400237545B87B996B", "2")
NEG_RISK_EXCHANGE = Exchange("0xe2222d279d744050d28e00520010520000310F59", "2")
POSITION_EXCHANGE = Exchange("0xe3333700cA9d93003F00f0F71f8515005F6c00Aa", "3")


def is_position_id(token_id: int) -> bool:
    """Tell whether `token_id` is a Protocol-V2 position id (bits 40 to 103 are zero) and no conditional token id."""
    return token_id & _POSITION_ID_MASK == 0


def exchange_for(token_id: int, *, neg_risk: bool) -> Exchange:
    """Return the exchange that settles orders of this token."""
    if is_position_id(token_id):
        return POSITION_EXCHANGE
    return NEG_RISK_EXCHANGE if neg_risk else STANDARD_EXCHANGE
