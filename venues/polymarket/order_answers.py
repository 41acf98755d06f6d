"""What the venue's answer to an order proves: accepted, rejected, or nothing. A batch is judged leg by leg.

Accepted needs a 200 that names our own order id, no error, and a status in which an order lives. Rejected needs a refusal from the
catalogue (`refusals`), either in a 200 without an order id or in a status that proves it (`troubles`). Everything else is uncertain: other
statuses (5xx, 425, 408), texts nobody documented, contradictions, answers about another order, a batch with more or fewer answers than legs.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.order import OrderStatus
from domain.reports import Accepted, Rejected, SendOutcome, Trouble, Uncertain
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.http1 import Answer
from venues.polymarket.refusals import UNDOCUMENTED, entry_of
from venues.polymarket.troubles import read_trouble, trouble

_ACCEPTED_STATUSES = {"live": OrderStatus.LIVE, "matched": OrderStatus.MATCHED, "delayed": OrderStatus.DELAYED}


class _OrderAnswer(msgspec.Struct):
    success: bool = False
    order_id: str | None = msgspec.field(default=None, name="orderID")
    status: str | None = None
    error: str | None = msgspec.field(default=None, name="errorMsg")
    trade_ids: list[str] | None = msgspec.field(default=None, name="tradeIDs")


def read_answer(order_id: str, answer: Answer, now_s: float) -> SendOutcome:
    """Return what an answer to POST /order proves about `order_id`. `now_s` is Unix time."""
    if answer.status == 200:
        return _read_leg(order_id, answer.body)
    return failed((order_id,), *read_trouble(answer, now_s))[0]


def read_answers(order_ids: Sequence[str], answer: Answer, now_s: float) -> list[SendOutcome]:
    """Return what an answer to POST /orders proves about each order; legs stand in the order in which they were sent."""
    if answer.status != 200:
        return failed(order_ids, *read_trouble(answer, now_s))
    try:
        legs = msgspec.json.decode(answer.body, type=list[msgspec.Raw])
    except UNDECODABLE as error:
        return [_doubt(order_id, f"the answer was malformed: {error}") for order_id in order_ids]
    if len(legs) != len(order_ids):
        text = f"{len(legs)} answers to {len(order_ids)} orders"
        return [_doubt(order_id, text) for order_id in order_ids]
    return [_read_leg(order_id, leg) for order_id, leg in zip(order_ids, legs, strict=True)]


def failed(order_ids: Sequence[str], why: Trouble, proof: bool) -> list[SendOutcome]:
    """Return the outcome of a request that failed as a whole, for each of its orders; `proof` that nothing was taken."""
    kind: type[Rejected | Uncertain] = Rejected if proof else Uncertain
    return [_outcome(kind, order_id, why) for order_id in order_ids]


def _read_leg(order_id: str, body: bytes | msgspec.Raw) -> SendOutcome:
    try:
        answer = msgspec.json.decode(body, type=_OrderAnswer)
    except UNDECODABLE as error:
        return _doubt(order_id, f"the answer was malformed: {error}")
    named, error_message, status = answer.order_id or "", answer.error or "", (answer.status or "").lower()
    if answer.success and not error_message and named == order_id and status in _ACCEPTED_STATUSES:
        return Accepted(order_id=order_id, status=_ACCEPTED_STATUSES[status], trade_ids=tuple(answer.trade_ids or ()))
    entry = entry_of(error_message)
    if entry is not None and (not named or (named == order_id and not answer.success)):
        return _outcome(Rejected if entry.proof else Uncertain, order_id, trouble(entry, error_message))
    return _doubt(
        order_id,
        f"the answer proves nothing: success {answer.success}, order {named or 'not named'}, status {status!r}, {error_message!r}",
    )


def _doubt(order_id: str, text: str) -> Uncertain:
    return Uncertain(order_id=order_id, code=UNDOCUMENTED.code, text=text)


def _outcome(kind: type[Rejected | Uncertain], order_id: str, why: Trouble) -> Rejected | Uncertain:
    return kind(
        order_id=order_id,
        code=why.code,
        text=why.text,
        policy=why.policy,
        retry_after=why.retry_after,
        fix=why.fix,
    )
