"""What strategies do now, as the trader last published it. While Redis is away, or no trader runs, nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from domain.status import StrategyInfo
from infra.redis import sync_client
from proto.polybot.v1 import strategy_pb2
from proto.status_mapping import strategy_from_proto
from trading.publisher import status_key

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def read_status(account: str, names: Sequence[str]) -> dict[str, StrategyInfo]:
    """Return the status of those strategies that the trader of an account speaks of."""
    if not names:
        return {}
    try:
        with sync_client(settings.REDIS_URL) as client:
            found: Any = client.mget([status_key(account, name) for name in names])
    except RedisError as error:
        log.warning("redis_unavailable", error=str(error))
        return {}
    infos = [strategy_from_proto(strategy_pb2.StrategyStatus.FromString(data)) for data in found if data is not None]
    return {info.name: info for info in infos}
