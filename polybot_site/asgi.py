"""The web process: Django for HTTP, the live push for WebSockets. uvicorn serves it; daphne does under `runserver`."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polybot_site.settings")
_http = get_asgi_application()

# Django must be set up before anything that knows its models.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import re_path  # noqa: E402

from polybot_site.ws.access import Scope  # noqa: E402
from polybot_site.ws.consumer import EventConsumer, Send  # noqa: E402


async def _nowhere(_scope: Scope, _receive: object, send: Send) -> None:
    """Refuse the handshake of a socket at an address that does not exist."""
    await send({"type": "websocket.close", "code": 4404})


_sockets = URLRouter(
    [
        re_path(r"^ws/?$", EventConsumer.as_asgi()),
        re_path(r"", _nowhere),  # type: ignore[arg-type]  # Channels routes ASGI applications
    ]
)
application = ProtocolTypeRouter({"http": _http, "websocket": AuthMiddlewareStack(_sockets)})
