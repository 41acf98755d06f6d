"""The type of a `redis.asyncio.Redis` that answers in bytes (`infra.redis.async_client` makes them).

redis-py types every answer for both of its modes at once, bytes and text, so nothing checked against it can be used; what is read is checked here
by the tests against a real server.
"""

from __future__ import annotations

from typing import Any

BytesRedis = Any
