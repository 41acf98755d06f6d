"""What all REST handlers share: JSON out, refusals as {"error": text}, paging cursors, and no half-known input.

An unexpected exception is logged with its request and answered 500 `Internal server error`, as at the venue.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import msgspec
import orjson
import structlog
from aiohttp import web

from venues.simulator.refusals import RefusalError, bad_request

PAGE_SIZE = 500
_END = b64encode(b"-1").decode()

UNREADABLE = (msgspec.DecodeError, RecursionError)
"""What reading JSON raises that is not what was expected, or nests without end."""

Body = TypeVar("Body")
Item = TypeVar("Item")

_log = structlog.get_logger(__name__)


def answer(body: Any, status: int = 200) -> web.Response:
    """Return `body` as a JSON response."""
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


def decoded(body: bytes, kind: type[Body], refusal: str = "Invalid payload") -> Body:
    """Return a JSON body as `kind`. Raises `RefusalError` 400 with the text `refusal`."""
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE:
        raise bad_request(refusal) from None


@web.middleware
async def refusals(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn refusals and unexpected errors into the venue's error bodies."""
    try:
        return await handler(request)
    except RefusalError as refusal:
        return _refused(refusal)
    except web.HTTPException as error:
        return answer({"error": error.reason}, error.status)
    except Exception:  # noqa: BLE001 (the border: logged, and answered as the venue does)
        _log.exception("a request failed", method=request.method, path=request.path)
        return answer({"error": "Internal server error"}, 500)


def _refused(refusal: RefusalError) -> web.Response:
    response = (
        web.Response(text=refusal.page, status=refusal.status, content_type="text/html")
        if refusal.page
        else answer({"error": refusal.text, **refusal.details}, refusal.status)
    )
    response.headers.update(refusal.headers)
    return response


def is_whole(text: str) -> bool:
    """Tell whether `text` is a whole number of at most 15 digits."""
    return text.isascii() and text.isdigit() and len(text) <= 15


def page(
    request: web.Request,
    items: Sequence[Item],
    size: int,
    view: Callable[[Item], Any],
    refusal: str = "Invalid payload",
) -> dict[str, Any]:
    """Return the page of `items` that `next_cursor` names, each as `view` shows it, in the venue's envelope.

    "LTE=" ("-1") marks the end and is refused as a start; what is no cursor is refused with the text `refusal`.
    """
    start = _offset(request.query.get("next_cursor", ""), refusal)
    chosen = items[start : start + size]
    end = start + size
    following = _END if end >= len(items) else b64encode(str(end).encode()).decode()
    return {"data": [view(item) for item in chosen], "next_cursor": following, "limit": size, "count": len(chosen)}


def _offset(cursor: str, refusal: str) -> int:
    if not cursor:
        return 0
    try:
        offset = int(b64decode(cursor, validate=True))
    except (Base64Error, ValueError):
        raise bad_request(refusal) from None
    if offset < 0:
        raise bad_request("next item should be greater than or equal to 0")
    return offset
