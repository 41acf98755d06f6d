"""An HTTP server that answers as the test says and keeps every request it saw."""

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class RestServer:
    """`routes` maps "GET /path" to what is answered: a JSON value, a response, or a function of the request that returns one."""

    def __init__(self) -> None:
        self.routes: dict[str, Any] = {}
        self.requests: list[Request] = []
        self.url = ""

    def on(self, route: str, answer: Any) -> None:
        self.routes[route] = answer

    def asked(self, route: str) -> list[Request]:
        return [r for r in self.requests if f"{r.method} {r.path}" == route]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        seen = Request(request.method, request.path, dict(request.query), dict(request.headers), await request.read())
        self.requests.append(seen)
        answer = self.routes.get(f"{request.method} {request.path}")
        if callable(answer):
            answer = answer(seen)
        if answer is None:
            return web.json_response({"error": "not found"}, status=404)
        if isinstance(answer, web.StreamResponse):
            return answer
        return web.Response(text=json.dumps(answer), content_type="application/json")


def refusal(status: int, text: str, **more: Any) -> web.Response:
    return web.json_response({"error": text, **more}, status=status)


@asynccontextmanager
async def rest_server():
    server = RestServer()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
