"""Is everything there? The six checks of the specification, and the processes that polybot consists of.

The web process itself asks PostgreSQL, Redis, the S3 storage, the worker and beat, each at its interval, in a thread of its own. What only the
trader can know (the venue's REST and WebSocket) it publishes to Redis; without a recent report those checks fail. A check that was never run,
failed, or is too old is not ok; a part that is not configured is reported as not enabled and counts neither way.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache

import psycopg
from django.conf import settings
from psycopg.conninfo import make_conninfo
from redis.exceptions import RedisError

from domain.status import BudgetFigure
from infra.clock import SystemClock
from infra.health import CheckStatus, HealthMonitor
from infra.redis import async_client, sync_client
from polybot_site.config_loader import current
from polybot_site.schedule import HEARTBEAT_SECONDS
from polybot_site.storage import reach
from polybot_site.tasks import BEAT_KEY, WORKER_KEY
from proto.polybot.v1 import events_pb2
from trading.store import current_account

FROM_THE_TRADER = {"polymarket_clob": 30.0, "polymarket_ws": 10.0}
NOT_CONFIGURED = {"kalshi": 30.0}
"""Only one venue is traded until this one is configured."""
_S3_INTERVAL = 60.0

_ESSENTIAL = {"postgres", "redis"}
_FIRST_ANSWER_WITHIN = 6.0
_TRADER_SILENT_AFTER = 10.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report; `ok` is None for a part that is not enabled. `age` and `interval` are seconds."""

    name: str
    ok: bool | None
    enabled: bool
    age: float | None
    interval: float
    last_error: str


@dataclass(frozen=True, slots=True)
class Report:
    status: str
    checks: list[Check]
    budgets: list[BudgetFigure]

    @property
    def ok(self) -> bool:
        return self.status == "ok"


@cache
def site_health() -> SiteHealth:
    """Return this process's monitor, started at the first question."""
    return SiteHealth(settings.REDIS_URL)


class SiteHealth:
    """Runs the web process's own checks in a thread, and puts together the report."""

    def __init__(self, redis_url: str) -> None:
        self._s3 = current().config.s3
        self._not_configured = NOT_CONFIGURED if self._s3.bucket else {"s3": _S3_INTERVAL, **NOT_CONFIGURED}
        self._redis = sync_client(redis_url)
        self._monitor = HealthMonitor(SystemClock())
        self._first_round = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._run(redis_url)), name="health", daemon=True).start()

    def report(self) -> Report:
        """Return every check as it is now; the first call waits for the first round."""
        self._first_round.wait(_FIRST_ANSWER_WITHIN)
        of_the_trader, budgets = self._from_the_trader()
        checks = [_from_monitor(status) for status in self._monitor.statuses()] + of_the_trader
        checks += [Check(name, None, False, None, interval, "") for name, interval in self._not_configured.items()]
        failed = {check.name for check in checks if check.ok is False}
        status = "down" if failed & _ESSENTIAL else "degraded" if failed else "ok"
        return Report(status, checks, budgets)

    def rate_limits(self) -> list[BudgetFigure]:
        """Return the venue's rate limits as the trader keeps them; none while it is silent."""
        return self._from_the_trader()[1]

    async def _run(self, redis_url: str) -> None:
        redis = async_client(redis_url)

        async def ask_redis() -> None:
            await redis.ping()

        def heartbeat(key: str) -> Callable[[], Awaitable[None]]:
            async def recent() -> None:
                _require_recent(await redis.get(key), key)

            return recent

        self._monitor.register("postgres", 30, _ask_postgres)
        self._monitor.register("redis", 10, ask_redis)
        self._monitor.register("worker", HEARTBEAT_SECONDS, heartbeat(WORKER_KEY))
        self._monitor.register("beat", HEARTBEAT_SECONDS, heartbeat(BEAT_KEY))
        if self._s3.bucket:
            self._monitor.register("s3", _S3_INTERVAL, lambda: asyncio.to_thread(reach, self._s3))
        await self._monitor.run_once()
        self._first_round.set()
        self._monitor.start()
        await asyncio.Event().wait()

    def _from_the_trader(self) -> tuple[list[Check], list[BudgetFigure]]:
        """Return what the trader published, its checks aged by the time since; failures where it did not."""
        try:
            raw = self._redis.get(f"health:{current_account()}")
        except RedisError as error:
            return _no_trader(f"Redis is away: {error}"), []
        event = events_pb2.Event.FromString(raw) if isinstance(raw, bytes) else events_pb2.Event()
        since = time.time() - event.timestamp.seconds - event.timestamp.nanos / 1e9
        if not event.HasField("health_status") or since > _TRADER_SILENT_AFTER:
            return _no_trader("no trader is running"), []
        trader = Check("trader", True, True, round(since, 3), 1.0, "")
        said = event.health_status
        return [trader, *(_from_report(check, since) for check in said.checks)], [
            _figure(each) for each in said.budgets
        ]


async def _ask_postgres() -> None:
    database = settings.DATABASES["default"]
    conninfo = make_conninfo(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
        **database["OPTIONS"],
    )
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        await connection.execute("SELECT 1")


def _require_recent(value: bytes | str | None, key: str) -> None:
    age = None if value is None else time.time() - float(value)
    if age is None or age > 3 * HEARTBEAT_SECONDS:
        raise ConnectionError("never seen" if age is None else f"last {key.replace(':', ' of ')} {age:.0f} s ago")


def _from_monitor(status: CheckStatus) -> Check:
    age = None if status.age is None else round(status.age, 3)
    return Check(status.name, status.ok, True, age, status.interval, status.last_error)


def _from_report(check: events_pb2.HealthCheck, since: float) -> Check:
    age = round(check.age_seconds + since, 3) if check.HasField("age_seconds") else None
    return Check(check.name, check.ok, True, age, check.interval_seconds, check.last_error)


def _figure(budget: events_pb2.RateBudget) -> BudgetFigure:
    return BudgetFigure(
        name=budget.name,
        left=budget.left,
        limit=budget.limit,
        requests=budget.requests,
        waits=budget.waits,
        refusals=budget.refusals,
        too_many=budget.too_many,
    )


def _no_trader(reason: str) -> list[Check]:
    intervals = {"trader": 1.0, **FROM_THE_TRADER}
    return [Check(name, False, True, None, interval, reason) for name, interval in intervals.items()]
