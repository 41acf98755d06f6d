"""The web process of the push benchmark: the real consumer and hub at /ws, and at /group a consumer that is fed by `group_send`.

Started by `benchmarks.bench_push` under uvicorn. Only what needs PostgreSQL is left out: everybody is admitted, and there are no snapshots.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polybot_site.settings")
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from polybot_site.ws import consumer, lobby  # noqa: E402
from polybot_site.ws.access import Visitor  # noqa: E402
from polybot_site.ws.topics import Topic  # noqa: E402

GROUP = "bench"


class NoSnapshots:
    """Nothing has happened yet."""

    def __init__(self, _redis: object) -> None: ...

    async def broadcasts(self, _topics: Sequence[Topic]) -> Mapping[str, list[bytes]]:
        return {}

    async def stream(self, _topic: Topic) -> list[bytes]:
        return []


class GroupConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """What a Channels application usually does: every socket is a member of a group."""

    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def push_event(self, message: dict[str, Any]) -> None:
        await self.send(bytes_data=message["data"])


vars(consumer)["admit"] = lambda _scope: Visitor(1, token_id=1)
vars(lobby)["SiteSnapshots"] = NoSnapshots
application = ProtocolTypeRouter(
    {
        "websocket": URLRouter(
            [
                path("ws", consumer.EventConsumer.as_asgi()),
                path("group", GroupConsumer.as_asgi()),
            ]
        )
    }
)
