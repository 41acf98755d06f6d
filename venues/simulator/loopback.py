"""Who may use /admin: callers on this machine, and no web page that one of them happens to look at."""

from __future__ import annotations

import ipaddress

from aiohttp import web

from venues.simulator.refusals import RefusalError, bad_request


def require_loopback(request: web.Request) -> None:
    """Refuse callers from elsewhere, and browsers that were led here under another host's name."""
    try:
        host = (request.url.host or "").strip("[]")
        local = ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        host, local = "", False
    if not local or host not in ("127.0.0.1", "localhost", "::1"):
        raise RefusalError(403, "only for callers on this machine")


async def read_command(request: web.Request) -> bytes:
    """Return the JSON body of a command from this machine. A web page cannot send one without asking first, and nobody answers it."""
    require_loopback(request)
    if request.content_type != "application/json":
        raise bad_request("send the request as application/json")
    return await request.read()
