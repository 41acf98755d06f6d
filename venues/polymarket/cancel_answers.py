"""What the venue's answer to a cancel proves about each order: cancelled, not cancelled, or nothing.

A refused request provably cancelled nothing. An order that the answer names neither as cancelled nor as kept is uncertain, and so is everything
after an answer that cannot be read. No answer says how much was filled before: the order is read afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.reports import CancelOutcome, Trouble
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.http1 import Answer
from venues.polymarket.refusals import UNDOCUMENTED
from venues.polymarket.troubles import read_trouble

EVERY_ORDER = "every open order"
"""Stands for the orders of a request that names none (cancel-all, cancel-market-orders)."""


class _CancelAnswer(msgspec.Struct):
    canceled: list[str]
    not_canceled: dict[str, str] = {}


_decode = msgspec.json.Decoder(_CancelAnswer).decode


def read_cancel(order_ids: Sequence[str], answer: Answer, now_s: float) -> CancelOutcome:
    """Return what an answer proves about `order_ids`, or about all it names where those are `EVERY_ORDER`."""
    if answer.status != 200:
        why, proof = read_trouble(answer, now_s)
        if proof:
            return CancelOutcome(refused=dict.fromkeys(order_ids, why.says), trouble=why)
        return CancelOutcome(uncertain=tuple(order_ids), trouble=why)
    try:
        said = _decode(answer.body)
    except UNDECODABLE as error:
        why = Trouble(code=UNDOCUMENTED.code, text=f"the answer was malformed: {error}")
        return CancelOutcome(uncertain=tuple(order_ids), trouble=why)
    gone, kept = frozenset(said.canceled), said.not_canceled
    named = [*said.canceled, *kept] if EVERY_ORDER in order_ids else list(order_ids)
    return CancelOutcome(
        cancelled=tuple(order_id for order_id in named if order_id in gone),
        refused={order_id: kept[order_id] for order_id in named if order_id in kept and order_id not in gone},
        uncertain=tuple(order_id for order_id in named if order_id not in gone and order_id not in kept),
    )
