"""The chain's JSON-RPC node over HTTP: one call or a batch in a POST to /rpc. Every answer is HTTP 200; errors are in its body."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import orjson
import structlog
from aiohttp import web

from venues.simulator.chain.node import Node
from venues.simulator.chain.node_errors import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    RESPONSE_TOO_LARGE,
    NodeError,
)
from venues.simulator.http import UNREADABLE, answer
from venues.simulator.venue import Venue

MAX_BATCH = 1_000
MAX_RESPONSE = 25_000_000
"""Bytes that a batch may be answered with, as nodes have it by default."""

_log = structlog.get_logger(__name__)


class RpcRoutes:
    """Handlers of the node."""

    def __init__(self, venue: Venue) -> None:
        self._node = Node(venue)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/rpc", self.serve), web.post("/rpc/", self.serve)]

    async def serve(self, request: web.Request) -> web.Response:
        try:
            body = msgspec.json.decode(await request.read())
        except UNREADABLE:
            return answer(_error(None, NodeError(PARSE_ERROR, "parse error")))
        if not isinstance(body, list):
            result = await self._one(body)
            return answer(result) if result is not None else web.Response()
        if not 0 < len(body) <= MAX_BATCH:
            text = "empty batch" if not body else f"batch too large: at most {MAX_BATCH} calls"
            return answer(_error(None, NodeError(INVALID_REQUEST, text)))
        return web.Response(body=await self._many(body), content_type="application/json")

    async def _many(self, calls: list[Any]) -> bytes:
        """Return the answers to a batch; once they are too many bytes the rest is refused. Others have their turn between two calls."""
        told: list[bytes] = []
        size = 0
        for call in calls:
            if size <= MAX_RESPONSE:
                result = await self._one(call)
            else:
                number = call.get("id") if isinstance(call, dict) else None
                result = _error(number, NodeError(RESPONSE_TOO_LARGE, "response too large"))
            if result is not None:
                told.append(orjson.dumps(result))
                size += len(told[-1])
            await asyncio.sleep(0)
        return b"[" + b",".join(told) + b"]"

    async def _one(self, call: Any) -> dict[str, Any] | None:
        """Return the answer to one call, None to a notification."""
        if not isinstance(call, dict) or not isinstance(call.get("method"), str):
            return _error(None, NodeError(INVALID_REQUEST, "invalid request"))
        number, arguments = call.get("id"), call.get("params", [])
        if not isinstance(arguments, list):
            return _error(number, NodeError(INVALID_REQUEST, "params must be a list"))
        try:
            result = await self._node.answer(call["method"], arguments)
        except NodeError as error:
            return _error(number, error)
        except Exception:  # noqa: BLE001 (the border: logged, and answered as a node does)
            _log.exception("a call of the node failed", method=call["method"])
            return _error(number, NodeError(INTERNAL_ERROR, "internal error"))
        return {"jsonrpc": "2.0", "id": number, "result": result} if "id" in call else None


def _error(number: Any, error: NodeError) -> dict[str, Any]:
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data:
        body["data"] = error.data
    return {"jsonrpc": "2.0", "id": number, "error": body}
