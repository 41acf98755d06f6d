"""Finds the hub of the running event loop, or opens it for the first client. Raises `RedisError` while Redis is away."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from django.conf import settings

from infra.redis import async_client
from polybot_site.ws.hub import Hub
from polybot_site.ws.snapshots import SiteSnapshots

_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()
_opening: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def running_hub() -> Hub:
    """Return a started hub; a broken one is replaced."""
    loop = asyncio.get_running_loop()
    async with _opening.setdefault(loop, asyncio.Lock()):
        hub = _hubs.get(loop)
        if hub is not None and not hub.failed:
            return hub
        if hub is not None:
            await hub.stop()
        redis = async_client(settings.REDIS_URL)
        hub = Hub(settings.REDIS_URL, redis, SiteSnapshots(redis))
        await hub.start()
        _hubs[loop] = hub
        return hub
