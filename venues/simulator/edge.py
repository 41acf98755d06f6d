"""What stands in front of the venue, as the real one's content network does: programs that name themselves as Python's urllib does by default
are turned away with a page, whatever they ask. The machine's own administration is behind it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from venues.simulator.refusals import turned_away

_UNWELCOME = "Python-urllib"


@web.middleware
async def edge(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Let a request pass, or turn its program away."""
    if request.headers.get("User-Agent", "").startswith(_UNWELCOME) and not request.path.startswith("/admin"):
        raise turned_away()
    return await handler(request)
