"""What the venue's answer to an order proves: accepted, rejected, or nothing.

Accepted needs a 200 that names our own order id, no error, and a status in which an order lives. Rejected needs a refusal from the
catalogue (`refusals`), either in a 200 without an order id or in a client-error status. Everything else is uncertain: other statuses
(5xx, 425, 408), texts nobody documented, contradictions, answers about another order.
"""

from __future__ import annotations

import msgspec

from domain.order import OrderStatus
from domain.reports import Accepted, Rejected, SendOutcome, Uncertain
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.http import error_text
from venues.polymarket.http1 import Answer
from venues.polymarket.refusals import refusal_code

_ACCEPTED_STATUSES = {"live": OrderStatus.LIVE, "matched": OrderStatus.MATCHED, "delayed": OrderStatus.DELAYED}
_REFUSING_STATUSES = frozenset({400, 401, 403, 404})
_PROXY_REFUSALS = {403: "forbidden", 429: "rate_limited"}
"""Statuses with which the venue's proxy turns a request away before the venue sees it, often with an HTML page."""


class _OrderAnswer(msgspec.Struct):
    success: bool = False
    order_id: str | None = msgspec.field(default=None, name="orderID")
    status: str | None = None
    error: str | None = msgspec.field(default=None, name="errorMsg")
    trade_ids: list[str] | None = msgspec.field(default=None, name="tradeIDs")


def read_answer(order_id: str, answer: Answer) -> SendOutcome:
    """Return what an answer to POST /order proves about `order_id`."""
    if answer.status == 200:
        return _read_ok(order_id, answer.body)
    text = error_text(answer.body)
    code = refusal_code(text)
    if answer.status in _REFUSING_STATUSES and code is not None:
        return Rejected(order_id=order_id, code=code, text=text)
    if answer.status in _PROXY_REFUSALS:
        return Rejected(order_id=order_id, code=_PROXY_REFUSALS[answer.status], text=text)
    return Uncertain(order_id=order_id, reason=f"status {answer.status}{f' ({code})' if code else ''}: {text}")


def _read_ok(order_id: str, body: bytes) -> SendOutcome:
    try:
        answer = msgspec.json.decode(body, type=_OrderAnswer)
    except UNDECODABLE as error:
        return Uncertain(order_id=order_id, reason=f"the answer was malformed: {error}")
    named, error_message, status = answer.order_id or "", answer.error or "", (answer.status or "").lower()
    if answer.success and not error_message and named == order_id and status in _ACCEPTED_STATUSES:
        return Accepted(order_id=order_id, status=_ACCEPTED_STATUSES[status], trade_ids=tuple(answer.trade_ids or ()))
    code = refusal_code(error_message)
    if code is not None and (not named or (named == order_id and not answer.success)):
        return Rejected(order_id=order_id, code=code, text=error_message)
    return Uncertain(
        order_id=order_id,
        reason=f"the answer proves nothing: success {answer.success}, order {named or 'not named'}, status {status!r}, {error_message!r}",
    )
