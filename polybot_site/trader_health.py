"""What only the trader can know of its health: whether the venue answers, speaks and hears it, whether its news and its limits reach Redis, and
what else it noticed itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from domain.errors import PolybotError, VenueError
from domain.ports import Clock, DeadMansSwitch
from infra.health import HealthMonitor
from infra.redis_pipe import RedisPipe
from venues.polymarket.budgets import Budgets
from venues.polymarket.connect import Public

SILENT_FEED_NS = 30_000_000_000


def trader_health(
    public: Public,
    pipe: RedisPipe,
    budgets: Budgets,
    heartbeat: DeadMansSwitch | None,
    clock: Clock,
    *,
    troubles: Mapping[str, Callable[[], str]],
) -> HealthMonitor:
    """Return a monitor of the trader's checks, not started yet. `troubles` are further checks by name: each says what is wrong, or ""."""
    monitor = HealthMonitor(clock)

    async def clob_answers() -> None:
        await public.clob.server_time()

    async def feed_speaks() -> None:
        age = clock.now_ns() - public.feed.last_message_ns
        if not public.feed.connected or age > SILENT_FEED_NS:
            raise VenueError(f"no market data for {age / 1e9:.0f} s")

    monitor.register("polymarket_clob", 30.0, clob_answers)
    monitor.register("polymarket_ws", 10.0, feed_speaks)
    monitor.register("redis_pipe", 10.0, pipe.probe)
    monitor.register("rate_limits", 5.0, budgets.probe)
    for name, trouble in troubles.items():
        monitor.register(name, 1.0, _without(trouble))
    if heartbeat is not None:
        monitor.register("heartbeat", 5.0, lambda: _heartbeat_answered(heartbeat, clock))
    return monitor


def _without(trouble: Callable[[], str]) -> Callable[[], Awaitable[None]]:
    async def nothing_wrong() -> None:
        if said := trouble():
            raise PolybotError(said)

    return nothing_wrong


async def _heartbeat_answered(heartbeat: DeadMansSwitch, clock: Clock) -> None:
    if heartbeat.answered_at is None:
        raise VenueError("no heartbeat was answered yet")
    age = clock.monotonic() - heartbeat.answered_at
    if age > heartbeat.lapse_seconds:
        raise VenueError(f"no heartbeat was answered for {age:.0f} s: the venue cancels every order")
