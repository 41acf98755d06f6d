"""The trader process: builds a kernel, runs it, and builds the next one when it broke.

Start is recovery, so whatever went wrong is answered the same way: stop, say why, start again, more slowly each time it does not help. SIGTERM and
Ctrl-C stop it gracefully. A loop that stalls for `STALL_SECONDS` is aborted by a watchdog thread, because a trader that does not look
must not hold orders.
"""

from __future__ import annotations

import asyncio
import faulthandler
import math
import os
import signal
import sys
from dataclasses import replace
from typing import Any

import structlog
from django.db import DatabaseError, connection

from domain.errors import JournalError, PolybotError
from domain.money import exact_micros
from domain.ports import Ids
from infra import garbage
from infra.clock import SteadyClock, SystemClock
from infra.ids import RandomIds
from infra.redis import async_client
from polybot_site.config import Config
from polybot_site.locations import redis_url
from polybot_site.shadow import publish_drift
from polybot_site.trader_health import trader_health
from polybot_site.trader_ports import World, open_world, watch_venue
from runtime.config import KernelConfig, Mode, StrategySetting
from runtime.kernel import Kernel
from runtime.storage import on_django
from strategies.configs import load_usable
from strategies.reload import ConfigReload
from strategies.store import StoredConfig
from trading.desk import describe
from trading.inbox import Inbox
from trading.journal_postgres import PostgresJournal
from trading.leg_settings import LegSettings
from trading.limits import RiskLimits
from trading.session import session_began

STALL_SECONDS = 30.0
FIRST_RETRY_SECONDS = 1.0
SLOWEST_RETRY_SECONDS = 15.0
HEALTH_SECONDS = 1.0
PLAY = ("sim:", "paper:")
"""How accounts without real money begin."""
PLAY_ABSENCE_SECONDS = 10.0

_log = structlog.get_logger(__name__)


async def run_trader(config: Config, conninfo: str) -> None:
    """Trade until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watchdog = asyncio.create_task(_feed_watchdog())
    retry = FIRST_RETRY_SECONDS
    begun_ns = SystemClock().now_ns()
    try:
        while not stop.is_set():
            lasted = await _one_kernel(config, conninfo, stop, begun_ns)
            retry = FIRST_RETRY_SECONDS if lasted else min(retry * 2, SLOWEST_RETRY_SECONDS)
            await _wait(stop, 0.0 if stop.is_set() else retry)
    finally:
        watchdog.cancel()
        faulthandler.cancel_dump_traceback_later()


async def _feed_watchdog() -> None:
    """Put the abort off as long as the loop turns; the stack of a stalled loop is printed before the process ends."""
    while True:
        faulthandler.dump_traceback_later(STALL_SECONDS, exit=True, file=sys.stderr)
        await asyncio.sleep(STALL_SECONDS / 6)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def _one_kernel(config: Config, conninfo: str, stop: asyncio.Event, begun_ns: int) -> bool:
    """Run one kernel of the process that began at `begun_ns` until it breaks or `stop` is set; True when it had been trading."""
    clock, ids = SteadyClock(SystemClock()), RandomIds()
    try:
        settings = await asyncio.to_thread(_load_settings)
        world = await _opened(config, clock, ids, stop)
    except (PolybotError, OSError) as error:
        _log.warning("trader not started", reason=describe(error))
        return False
    if world is None:
        return False
    try:
        session_ns = await asyncio.to_thread(_session_began, world.account, begun_ns)
    except JournalError as error:
        _log.warning("trader not started", reason=describe(error))
        await world.close()
        return False
    kernel = Kernel(world.ports, replace(kernel_config(config, world, ids, settings), session_ns=session_ns))
    reason = "the trader was stopped"
    started = asyncio.create_task(kernel.start())
    stopping = asyncio.create_task(stop.wait())
    ends: set[asyncio.Future[Any]] = {stopping, kernel.stopped}
    try:
        await asyncio.wait({started, *ends}, return_when=asyncio.FIRST_COMPLETED)
        if started.done() and not stop.is_set():
            started.result()
            garbage.settle()
            _serve(kernel, world, conninfo, settings)
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if kernel.stopped.done():
            reason = kernel.stopped.result()
            _log.error("trader broke, starting again", reason=reason)
    except (PolybotError, OSError) as error:
        reason = describe(error)
        _log.warning("trader not started", reason=reason)
    finally:
        was_ready = kernel.ready
        for task in (started, stopping):
            task.cancel()
        await asyncio.gather(started, stopping, return_exceptions=True)
        await kernel.stop(reason)
        await world.close()
    return was_ready


async def _opened(config: Config, clock: SteadyClock, ids: Ids, stop: asyncio.Event) -> World | None:
    """Open the world, which may wait for its venue; None when `stop` was set meanwhile."""
    opening = asyncio.create_task(open_world(config, clock, ids))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return opening.result() if opening.done() else None
    finally:
        opening.cancel()
        stopping.cancel()
        await asyncio.wait({opening, stopping})


def _load_settings() -> list[StoredConfig]:
    """Read the strategies' settings from PostgreSQL, in a thread that keeps no connection."""
    try:
        return load_usable()
    except DatabaseError as error:
        raise JournalError(f"strategy settings could not be read: {error}") from error
    finally:
        connection.close()


def _session_began(account: str, begun_ns: int) -> int:
    """Return when the session of this process began, in a thread that keeps no connection."""
    try:
        return session_began(account, begun_ns)
    except DatabaseError as error:
        raise JournalError(f"the account's records could not be read: {error}") from error
    finally:
        connection.close()


def _serve(kernel: Kernel, world: World, conninfo: str, settings: list[StoredConfig]) -> None:
    """Start what a running kernel has around it: operators' commands, changed settings, health."""
    journal = kernel.journal
    if not isinstance(journal, PostgresJournal):
        raise TypeError(f"journal was {type(journal).__name__}, expected PostgreSQL's")
    inbox = Inbox(
        conninfo,
        journal.call,
        kernel.operator.handle,
        account=world.account,
        holds_lease=lambda: kernel.lease.valid(kernel.ports.clock.monotonic()),
    )
    kernel.spawn("inbox", inbox.run)
    reload = ConfigReload(
        registry=kernel.engine.registry,
        client=async_client(redis_url()),
        load=lambda: journal.call(lambda _: on_django(load_usable)),
        applied=settings,
    )
    kernel.spawn("strategy settings", reload.run)
    if world.account.startswith("sim:"):
        kernel.spawn("venue watch", lambda: watch_venue(world.account))
    kernel.spawn("health", lambda: _publish_health(kernel, world))


async def _publish_health(kernel: Kernel, world: World) -> None:
    """Publish every second what the trader finds of its health."""
    monitor = trader_health(
        world.public,
        world.pipe,
        world.budgets,
        kernel.ports.heartbeat,
        kernel.ports.clock,
        troubles={"journal": lambda: kernel.storage.trouble, "clock": lambda: kernel.clock_watch.trouble},
    )
    monitor.start()
    try:
        while True:
            world.publisher.health(monitor.statuses(), world.budgets.figures())
            drift = world.side.twin.figures() if world.side.twin is not None else None
            if drift is not None:
                publish_drift(world.pipe, drift)
            await asyncio.sleep(HEALTH_SECONDS)
    finally:
        await monitor.stop()


def kernel_config(config: Config, world: World, ids: Ids, settings: list[StoredConfig]) -> KernelConfig:
    """Return the kernel's settings; where no real money is at stake an absent order is given up sooner."""
    trading = config.trading
    limits = RiskLimits(
        max_order_notional=exact_micros(trading.max_order_notional),
        max_market_notional=exact_micros(trading.max_market_notional),
        max_event_notional=exact_micros(trading.max_event_notional),
        max_venue_notional=exact_micros(trading.max_venue_notional),
        max_total_notional=exact_micros(trading.max_total_notional),
        max_open_positions=trading.max_open_positions,
        max_book_age_ms=trading.max_book_age_ms,
        max_slippage=exact_micros(trading.max_slippage),
        max_daily_loss=exact_micros(trading.max_daily_loss),
        max_session_loss=exact_micros(trading.max_session_loss),
        max_drawdown=exact_micros(trading.max_drawdown),
        max_rejections_in_row=trading.max_rejections_in_row,
        max_rejections_per_minute=trading.max_rejections_per_minute,
        min_price=exact_micros(trading.min_price),
        max_price=exact_micros(trading.max_price),
    )
    return KernelConfig(
        mode=Mode(config.mode),
        account=world.account,
        venue=world.venue,
        holder=f"{os.uname().nodename}:{os.getpid()}:{ids.uuid()[:8]}",
        limits=limits,
        legs=LegSettings(
            max_leg_gap_ms=config.arbitrage.max_leg_gap_ms,
            max_unhedged_notional=exact_micros(config.arbitrage.max_unhedged_notional),
            unwind_ms=config.arbitrage.unwind_ms,
            max_unwind_loss=exact_micros(config.arbitrage.max_unwind_loss),
        ),
        strategies={each.name: StrategySetting(each.parameters, each.enabled) for each in settings},
        absence=min(
            float(trading.absence_seconds), PLAY_ABSENCE_SECONDS if world.account.startswith(PLAY) else math.inf
        ),
        send_deadline=trading.send_deadline_ms / 1000,
        lease_ttl=float(trading.lease_ttl_s),
    )
