"""Faults on requests: the way between a client and the venue's routes.

Faults stand on that way in the order in which they were armed: a request that the first one swallows never reaches the second. /admin is
never struck, and WebSocket handshakes only when a fault's path says so.
"""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase
from typing import Any, Protocol

import orjson
from aiohttp import web

from venues.simulator.clob.books import book_hash
from venues.simulator.door import reset
from venues.simulator.faults.answers import ANSWERS, ReadyAnswer
from venues.simulator.faults.armed import Armed
from venues.simulator.faults.edits import edit
from venues.simulator.faults.model import (
    Answer,
    Cut,
    Delay,
    Edit,
    Half,
    Inflate,
    RequestKind,
    Silence,
    StaleBook,
    VenueKind,
    Where,
)

Handler = Callable[[], Awaitable[web.StreamResponse]]
_BOOKS = ("/book", "/books")


class Desk(Protocol):
    """What the way of a request needs of the desk."""

    def now_ns(self) -> int: ...
    def on_requests(self) -> tuple[Armed, ...]: ...
    def same_owner(self, wallet: str, address: str) -> bool: ...
    async def pause(self, seconds: float) -> None: ...
    def act(self, armed: Armed) -> None: ...


async def pass_request(desk: Desk, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lead a request past the armed faults to its handler."""
    faults = desk.on_requests()
    if not faults or request.path.startswith("/admin"):
        return await handler()
    return await _pass(desk, request, faults, handler)


async def _pass(desk: Desk, request: web.Request, faults: tuple[Armed, ...], handler: Handler) -> web.StreamResponse:
    for index, armed in enumerate(faults):
        if await _fits(desk, armed, request) and armed.strikes(desk.now_ns(), f"{request.method} {request.path}"):
            rest = faults[index + 1 :]
            return await _strike(desk, armed, request, lambda: _pass(desk, request, rest, handler))  # noqa: B023 (called at once)
    return await handler()


async def _fits(desk: Desk, armed: Armed, request: web.Request) -> bool:
    where, do = armed.fault.where, armed.fault.do
    if where.method not in ("", request.method) or not _path_fits(where, request.path):
        return False
    if isinstance(do, StaleBook) and request.path not in _BOOKS:
        return False
    if where.wallet and not desk.same_owner(where.wallet, request.headers.get("POLY_ADDRESS", "")):
        return False
    if where.market:
        said = request.rel_url.raw_path_qs.encode() + await request.read()
        return any(name.encode() in said for name in armed.markets)
    return True


def _path_fits(where: Where, path: str) -> bool:
    if path.startswith("/ws/") and not where.path.startswith("/ws/"):
        return False
    return not where.path or fnmatchcase(path, where.path)


async def _strike(desk: Desk, armed: Armed, request: web.Request, go_on: Handler) -> web.StreamResponse:
    do = armed.fault.do
    after = armed.fault.when.stage == "after"
    if isinstance(do, VenueKind):
        return await _act(desk, armed, go_on, after=after)
    if not isinstance(do, RequestKind):
        raise TypeError(f"{armed.fault.kind} strikes no requests")
    if isinstance(do, Edit | Half | Inflate | StaleBook):
        return await _alter(do, request, await go_on())
    if isinstance(do, Delay) and not after:
        await desk.pause(do.seconds)
        return await go_on()
    response = await go_on() if after else web.Response()
    if isinstance(do, Delay):
        await desk.pause(do.seconds)
        return response
    if isinstance(do, Answer):
        return _answer(do)
    if isinstance(do, Silence):
        await desk.pause(do.seconds)
    end_connection(request, with_reset=isinstance(do, Cut) and do.reset)
    return web.Response()


async def _act(desk: Desk, armed: Armed, go_on: Handler, *, after: bool) -> web.StreamResponse:
    if not after:
        desk.act(armed)
        return await go_on()
    response = await go_on()
    desk.act(armed)
    return response


async def _alter(
    do: Edit | Half | Inflate | StaleBook, request: web.Request, response: web.StreamResponse
) -> web.StreamResponse:
    """Change the answer to a request that was carried out. An answer without the body that this takes stays as it is."""
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        return response
    if isinstance(do, Half):
        return await _break_off(request, response)
    if isinstance(do, Inflate):
        body = response.body + b" " * (1024 * do.kibibytes)
        if do.gzip:
            response.headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, mtime=0)
        response.body = body
        return response
    try:
        told = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return response
    response.body = orjson.dumps(edit(told, do.values) if isinstance(do, Edit) else _stale(told))
    return response


async def _break_off(request: web.Request, response: web.Response) -> web.StreamResponse:
    """Send the head, and the first half of the body that it promises."""
    body = response.body
    half = web.StreamResponse(status=response.status, headers=response.headers)
    if isinstance(body, bytes):
        half.content_length = len(body)
        await half.prepare(request)
        await half.write(body[: len(body) // 2])
    end_connection(request, with_reset=False)
    return half


def end_connection(request: web.Request, *, with_reset: bool) -> None:
    """Close a request's connection, so that its other end hears its end or a TCP reset."""
    transport = request.transport
    if transport is None:
        return
    if with_reset:
        reset(transport)
    else:
        transport.close()


def _answer(do: Answer) -> web.Response:
    ready = ANSWERS[do.name] if do.name else ReadyAnswer(200, b"")
    return web.Response(
        status=ready.status if do.status is None else do.status,
        body=ready.body if do.body is None else do.body.encode(),
        headers={**ready.headers, **do.headers},
    )


def _stale(told: Any) -> Any:
    """Return a book, or each of several, as an empty market of long ago."""
    if isinstance(told, list):
        return [_stale(book) for book in told]
    if isinstance(told, dict) and "bids" in told:
        told |= {"hash": "", "bids": [{"price": "0.01", "size": "100"}], "asks": [{"price": "0.99", "size": "100"}]}
        told["hash"] = book_hash(told)  # type: ignore[arg-type]  # the keys of a summary, in its order
    return told
