"""How far the paper twin and its account are apart, through Redis: the trader writes it every second, the site reads it.

Without Redis, without a twin, or when the trader has been silent for `DRIFT_SECONDS`, nothing is known.
"""

from __future__ import annotations

import msgspec
from redis import Redis

from infra.redis_pipe import RedisPipe
from venues.paper.drift import Drift

DRIFT_SECONDS = 10
"""How long figures are worth showing."""


def publish_drift(pipe: RedisPipe, drift: Drift) -> None:
    """Put the figures where the site finds them."""
    key = _key(drift.account)
    pipe.latest(key, "SET", key, msgspec.json.encode(drift), "EX", DRIFT_SECONDS)


def read_drift(redis: Redis, account: str) -> Drift | None:
    """Return the figures of an account's twin, None when none runs. Raises `RedisError`."""
    raw = redis.get(_key(account))
    return msgspec.json.decode(raw, type=Drift) if isinstance(raw, bytes) else None


def _key(account: str) -> str:
    return f"shadow:{account}"
