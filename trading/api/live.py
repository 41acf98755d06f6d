"""What only Redis knows: the trader's last status and the best bids. While Redis is away nothing is known, and the answers say so."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from domain.money import from_float_rounded
from infra.clock import SystemClock
from infra.redis import sync_client
from markets.cache import read_tops
from proto.polybot.v1 import events_pb2
from proto.values import nanoseconds
from trading.row_write import to_datetime

SILENT_AFTER_SECONDS = 10.0
_log = structlog.get_logger(__name__)
_clock = SystemClock()


def best_bids(token_ids: Collection[str]) -> dict[str, int]:
    """Return the best bid, in micro-dollars, of those tokens that have one."""
    try:
        with sync_client(settings.REDIS_URL) as redis:
            tops = read_tops(redis, list(token_ids)) if token_ids else {}
    except RedisError as error:
        _log.warning("redis_unavailable", error=str(error))
        return {}
    return {token: from_float_rounded(top.best_bid) for token, top in tops.items() if top.best_bid}


def trader_status(account: str | None) -> dict[str, Any]:
    """Return the trader's last words and their age; `online` is false when they are too old or there are none."""
    raw = _read(f"status:{account}") if account else None
    event = events_pb2.Event.FromString(raw) if raw else events_pb2.Event()
    status = event.bot_status
    age = (_clock.now_ns() - nanoseconds(event, "timestamp")) / 1e9 if raw else None
    last_message_ns = nanoseconds(status, "last_message_at") if status.HasField("last_message_at") else None
    return {
        "online": age is not None and age < SILENT_AFTER_SECONDS,
        "age_seconds": None if age is None else round(max(age, 0.0), 3),
        "account": account,
        "mode": status.mode or "offline",
        "venue": status.venue,
        "ready": status.ready,
        "ws_connected": status.ws_connected,
        "user_ws_connected": status.user_ws_connected,
        "last_message_at": to_datetime(last_message_ns),
        "uptime_seconds": status.uptime_seconds,
        "epoch": status.epoch,
        "open_orders": status.open_orders,
        "unknown_orders": status.unknown_orders,
        "open_positions": status.open_positions,
        "watched_markets": status.watched_markets,
        "venue_mode": status.venue_mode,
        "counters": dict(status.counters),
        "leg_groups": status.leg_groups,
        "session_started_at": _session(status),
        "refused_frames": status.refused_frames,
        "strategies": [name for name in status.strategy_name.split(",") if name],
        "halts": [
            {
                "scope": halt.scope,
                "target": halt.target,
                "reason": halt.reason,
                "set_by": halt.set_by,
                "set_at": to_datetime(nanoseconds(halt, "set_at")),
            }
            for halt in status.halts
        ],
    }


def _session(status: events_pb2.BotStatus) -> datetime | None:
    return to_datetime(nanoseconds(status, "session_started_at")) if status.HasField("session_started_at") else None


def _read(key: str) -> bytes | None:
    try:
        with sync_client(settings.REDIS_URL) as redis:
            value = redis.get(key)
    except RedisError as error:
        _log.warning("redis_unavailable", error=str(error))
        return None
    return value if isinstance(value, bytes) else None
