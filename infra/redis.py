"""Redis clients, made one way: bounded pools, bounded waits, retries with backoff. Commands of Redis 7.0 only, so Valkey serves as well.

A server that is away raises `redis.exceptions.ConnectionError` or `TimeoutError` once the retries are used up.
"""

from __future__ import annotations

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

_CONNECT_TIMEOUT = 3.0
_ANSWER_TIMEOUT = 5.0
_POOL_SIZE = 20
_RETRIES = 3
_RETRIED: tuple[type[RedisError], ...] = (RedisConnectionError, RedisTimeoutError)


def sync_client(url: str) -> redis.Redis:
    """Return a blocking client for `url`; it connects at the first command. Answers are bytes."""
    return redis.Redis.from_url(
        url,
        max_connections=_POOL_SIZE,
        socket_connect_timeout=_CONNECT_TIMEOUT,
        socket_timeout=_ANSWER_TIMEOUT,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), _RETRIES, supported_errors=_RETRIED),
    )


def async_client(url: str) -> redis.asyncio.Redis:
    """Return an asyncio client for `url`; close it with `aclose()`. Answers are bytes."""
    return redis.asyncio.Redis.from_url(
        url,
        max_connections=_POOL_SIZE,
        socket_connect_timeout=_CONNECT_TIMEOUT,
        socket_timeout=_ANSWER_TIMEOUT,
        retry=AsyncRetry(ExponentialBackoff(cap=1.0, base=0.05), _RETRIES, supported_errors=_RETRIED),
    )
