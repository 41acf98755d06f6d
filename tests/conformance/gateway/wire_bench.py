"""The live client on a simulated venue behind sockets."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from domain.market import Market
from domain.money import format_micros
from domain.order import OrderSide, OrderType
from tests.conformance.gateway.bench import Bench
from tests.venues.polymarket.listeners import AccountDiary
from tests.venues.polymarket.pacing import alone
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY
from tests.venues.simulator.kit import (
    START_NS,
    WARM_SECONDS,
    CountingIds,
    ManualClock,
    RunningVenue,
    Trader,
    running_venue,
    trader,
    warm_up,
)
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.connect import Trading, open_public, open_trading
from venues.polymarket.signer import LocalSigner

_RIVAL = 2
_RIVAL_DOLLARS = "100000"
_RIVAL_SHARES = "10000"


class WireBench(Bench):
    """`venues.polymarket` over HTTP and WebSocket."""

    def __init__(
        self, venue: RunningVenue, trading: Trading, rival: Trader, chosen: dict[str, Any], market: Market
    ) -> None:
        self.venue = venue
        self.gateway = trading.gateway
        self.account_feed = trading.account_feed
        self.market = market
        self.diary = AccountDiary()
        self._rival = rival
        self._chosen = chosen

    def now_ns(self) -> int:
        return self.venue.clock.now_ns()

    async def rival(
        self, side: OrderSide, price: int, size: int, order_type: OrderType = OrderType.GTC, *, token: int = 0
    ) -> None:
        status, body = await self._rival.place(
            self._chosen, side.value.upper(), format_micros(price), format_micros(size), order_type.value, token=token
        )
        assert status == 200, body

    async def pass_time(self, seconds: float) -> None:
        self.venue.pass_time(seconds, step=0.5)


@dataclass(frozen=True)
class Supplied:
    """A stored venue with an empty market, and the rival who has money and shares of both its outcomes."""

    folder: Path
    market: dict[str, Any]
    rivals_key: dict[str, str]


async def supply(folder: Path) -> Supplied:
    """Warm a venue up in `folder`, send its agents home, and let two buyers of complementary tokens mint shares in an empty market."""
    warm_up(folder)
    async with running_venue(folder) as venue:
        chosen = await venue.some_market()
        rival = await trader(venue, _RIVAL, _RIVAL_DOLLARS)
        _send_agents_home(venue, chosen["conditionId"])
        for bought in (0, 1):
            helper = await trader(venue, _RIVAL + 1 + bought, _RIVAL_DOLLARS)
            for client, token in ((helper, 1 - bought), (rival, bought)):
                status, body = await client.place(chosen, "BUY", "0.5", _RIVAL_SHARES, token=token)
                assert status == 200, body
        venue.pass_time(8, step=0.25)
    return Supplied(folder, chosen, rival.key)


def _send_agents_home(venue: RunningVenue, condition_id: str) -> None:
    """Empty the market's book; from now on the venue's own schedule holds nothing but settlements."""
    floor = venue.venue.world.floor
    for order in floor.exchange.resting(condition_id):
        floor.cancel(order.account, [order.order_id])
    tasks = floor.schedule._heap
    tasks[:] = sorted(task for task in tasks if task.name == "settle")


@asynccontextmanager
async def wire_bench(supplied: Supplied, folder: Path, *, failing: float = 0.0) -> AsyncIterator[WireBench]:
    """Serve a copy of the supplied venue in `folder`; `failing` is the share of its trades that fail to settle."""
    shutil.copytree(supplied.folder, folder)
    clock = ManualClock(START_NS + (WARM_SECONDS + 10) * 10**9)
    async with running_venue(folder, clock=clock) as venue:
        venue.venue.world._settlement._failing = failing
        config = PolymarketConfig(
            account="sim:bench",
            clob_url=venue.url,
            gamma_url=venue.url + "/gamma",
            ws_url=venue.url.replace("http", "ws"),
        )
        rival = Trader(venue, f"0x{_RIVAL:064x}")
        rival.key = supplied.rivals_key
        await venue.fund(ADDRESS, "1000")
        budgets = alone()
        public = open_public(config, clock=clock, rng=Random(1), budgets=budgets)
        trading = await open_trading(
            config, LocalSigner(PRIVATE_KEY), clock=clock, ids=CountingIds(), rng=Random(1), budgets=budgets
        )
        try:
            market = await public.catalog.market(supplied.market["conditionId"])
            assert market is not None
            bench = WireBench(venue, trading, rival, supplied.market, market)
            await bench.listen()
            yield bench
        finally:
            await trading.close()
            await public.close()
