"""The fault simulation's ports on a bare exchange: held to the same contract, so that what the simulation proves holds for the client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.fill import FillStatus
from domain.order import OrderSide, OrderType
from tests.conformance.gateway.bench import SHARE, Bench
from tests.sim.ports import SimAccountFeed, SimGateway
from tests.sim.world import World
from tests.venues.polymarket.listeners import AccountDiary
from venues.exchange import commands as c
from venues.exchange.events import OrderAccepted


class WorldBench(Bench):
    """`tests.sim.ports` without crashes."""

    def __init__(self, world: World, *, failing: bool) -> None:
        life = world.reborn()
        self.world = world
        self.gateway = SimGateway(world, life)
        self.account_feed = SimAccountFeed(world, life)
        self.market = world.exchange.markets()[0]
        self.diary = AccountDiary()
        self._failing = failing
        self._orders = 0

    def now_ns(self) -> int:
        return self.world.clock.now_ns()

    async def rival(
        self, side: OrderSide, price: int, size: int, order_type: OrderType = OrderType.GTC, *, token: int = 0
    ) -> None:
        self._orders += 1
        cash = price * size // SHARE
        maker, taker = (cash, size) if side is OrderSide.BUY else (size, cash)
        order_id, token_id = f"rival-{self._orders}", self.market.token_ids[token]
        answer = self.world.step(c.PlaceOrder(order_id, "noise", token_id, side, order_type, maker, taker))[-1]
        assert isinstance(answer, OrderAccepted), answer

    async def pass_time(self, seconds: float) -> None:
        self.world.clock.advance(seconds)
        self.world.step(c.Advance())
        for trade in self.world.exchange.unsettled_trades():
            path = (FillStatus.FAILED,) if self._failing else (FillStatus.MINED, FillStatus.CONFIRMED)
            for status in path:
                self.world.step(c.Settle(trade.id, status))


@asynccontextmanager
async def world_bench(*, failing: float = 0.0) -> AsyncIterator[WorldBench]:
    world = World(1)
    world.step(c.CancelAll("maker"))
    bench = WorldBench(world, failing=failing > 0)
    await bench.listen()
    yield bench
    await bench.account_feed.stop()
