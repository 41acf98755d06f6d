"""Live prices and depth for answers. While Redis is away nothing is known, and the answers say so with nulls and empty books."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from infra.redis import sync_client
from markets.cache import CachedBook, Top, read_books, read_tops

_log = structlog.get_logger(__name__)


def tops(token_ids: Sequence[str]) -> dict[str, Top]:
    """Return the best prices of those tokens that have any."""
    try:
        with sync_client(settings.REDIS_URL) as client:
            return read_tops(client, token_ids)
    except RedisError as error:
        _log.warning("redis_unavailable", error=str(error))
        return {}


def books(token_ids: Sequence[str]) -> dict[str, CachedBook]:
    """Return the books of `token_ids`."""
    try:
        with sync_client(settings.REDIS_URL) as client:
            return read_books(client, token_ids)
    except RedisError as error:
        _log.warning("redis_unavailable", error=str(error))
        return {token_id: CachedBook(None, [], []) for token_id in token_ids}
