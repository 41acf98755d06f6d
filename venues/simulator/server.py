"""One process that serves a simulated Polymarket on loopback: CLOB REST, market and user WebSocket, Gamma below /gamma, and /admin.

Ready means listening: `on_ready` is called then, with the URLs a client needs and the desk of faults. SIGTERM and SIGINT stop it within two
seconds: sockets are closed, the state is stored. A port that is taken raises `OSError`; state that cannot be used raises `StateLogError`,
before any port opens.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

from domain.ports import Clock, Ids
from infra.nesting import bound_nesting
from venues.simulator.admin_routes import AdminRoutes
from venues.simulator.chain.rpc_routes import RpcRoutes
from venues.simulator.clob.balance_routes import BalanceRoutes
from venues.simulator.clob.builder_routes import BuilderRoutes
from venues.simulator.clob.heartbeat_routes import HeartbeatRoutes
from venues.simulator.clob.key_routes import KeyRoutes
from venues.simulator.clob.market_channel import MarketChannel
from venues.simulator.clob.market_routes import MarketRoutes
from venues.simulator.clob.notice_routes import NoticeRoutes
from venues.simulator.clob.order_routes import OrderRoutes
from venues.simulator.clob.public_routes import PublicRoutes
from venues.simulator.clob.trading_routes import TradingRoutes
from venues.simulator.clob.user_channel import UserChannel
from venues.simulator.data_api.board_routes import DataBoardRoutes
from venues.simulator.data_api.market_routes import DataMarketRoutes
from venues.simulator.data_api.v1_routes import DataV1Routes
from venues.simulator.data_api.wallet_routes import DataRoutes
from venues.simulator.door import HOST, Door
from venues.simulator.edge import edge
from venues.simulator.fault_routes import FaultRoutes
from venues.simulator.faults.desk import DESK, FaultDesk
from venues.simulator.faults.model import NO_FAULTS, Plan
from venues.simulator.gamma.extra_routes import GammaExtraRoutes
from venues.simulator.gamma.routes import GammaRoutes
from venues.simulator.http import PAGE_SIZE, refusals
from venues.simulator.ip_limits import IpLimits
from venues.simulator.relayer.routes import RelayerRoutes
from venues.simulator.rewards.routes import RewardsRoutes
from venues.simulator.venue import Options, Venue

_MAX_BODY = 1 << 20

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a venue can be reached, and which one it is."""

    url: str
    ws_url: str
    gamma_url: str
    data_url: str
    relayer_url: str
    rpc_url: str
    venue_id: str


def build_app(venue: Venue, page_size: int = PAGE_SIZE) -> web.Application:
    """Return the web application around `venue`; `app[DESK]` is where faults are armed."""
    bound_nesting()
    desk = FaultDesk(venue)
    middlewares = [desk.middleware, refusals, edge, IpLimits(venue.now_ns).middleware]
    app = web.Application(middlewares=middlewares, client_max_size=_MAX_BODY)
    app[DESK] = desk
    app.add_routes(PublicRoutes(venue).routes())
    app.add_routes(MarketRoutes(venue, 2 * page_size).routes())
    app.add_routes(RewardsRoutes(venue).routes())
    app.add_routes(BuilderRoutes(venue, page_size).routes())
    app.add_routes(KeyRoutes(venue).routes())
    app.add_routes(HeartbeatRoutes(venue).routes())
    app.add_routes(OrderRoutes(venue).routes())
    app.add_routes(NoticeRoutes(venue).routes())
    app.add_routes(TradingRoutes(venue, page_size).routes())
    app.add_routes(BalanceRoutes(venue).routes())
    app.add_routes(RpcRoutes(venue).routes())
    app.add_routes(AdminRoutes(venue).routes())
    app.add_routes(FaultRoutes(desk).routes())
    market, user = MarketChannel(venue), UserChannel(venue)
    app.add_routes([web.get("/ws/market", market.handle), web.get("/ws/user", user.handle)])
    app.on_shutdown.extend((market.close, user.close))
    gamma = web.Application(middlewares=[refusals])
    gamma.add_routes([*GammaRoutes(venue).routes(), *GammaExtraRoutes(venue).routes()])
    app.add_subapp("/gamma", gamma)
    data = web.Application(middlewares=[refusals])
    for handlers in (DataRoutes(venue), DataMarketRoutes(venue), DataBoardRoutes(venue), DataV1Routes(venue)):
        data.add_routes(handlers.routes())
    app.add_subapp("/data-api", data)
    relayer = web.Application()
    relayer.add_routes(RelayerRoutes(venue).routes())
    app.add_subapp("/relayer", relayer)
    return app


async def serve(
    folder: Path,
    port: int,
    clock: Clock,
    ids: Ids,
    options: Options,
    on_ready: Callable[[Address, FaultDesk], None],
    faults: Plan = NO_FAULTS,
) -> None:
    """Run a venue on `port` (0: any free one) until SIGTERM or SIGINT, with `faults` armed. Raises `FaultError` for a bad plan."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, stop, number)
    venue = Venue.open(folder, clock, ids, options)
    try:
        app = build_app(venue)
        app[DESK].arm_all(faults)
        door = Door(app, port)
        app[DESK].set_door(door)
        try:
            await door.open()
            on_ready(_address(door.port, venue), app[DESK])
            await _run_until(stop, venue)
        finally:
            await door.close()
    finally:
        venue.close()


def _stop(stop: asyncio.Event, number: signal.Signals) -> None:
    _log.info("the venue stops", signal=number.name)
    stop.set()


async def _run_until(stop: asyncio.Event, venue: Venue) -> None:
    """Let time pass until `stop`; an error of the venue ends it at once and is raised."""
    running = asyncio.create_task(venue.run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if running.done():
        running.result()
    running.cancel()


def _address(port: int, venue: Venue) -> Address:
    url = f"http://{HOST}:{port}"
    return Address(
        url=url,
        ws_url=f"ws://{HOST}:{port}",
        gamma_url=f"{url}/gamma",
        data_url=f"{url}/data-api",
        relayer_url=f"{url}/relayer",
        rpc_url=f"{url}/rpc",
        venue_id=venue.world.genesis.venue_id,
    )
