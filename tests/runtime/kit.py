"""Kernels in virtual time on the simulated world of `tests.sim`, without its crashes, and with ports that fail where a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from domain.errors import VenueError
from domain.fill import FillStatus
from domain.market import Market
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderType
from domain.reports import CancelOutcome
from domain.signal import TradeSignal
from runtime.config import KernelConfig, Mode
from runtime.kernel import Kernel
from runtime.ports import Ports
from tests.sim.ports import SimAccountFeed, SimCatalog, SimGateway, SimMarketFeed, SimStorage
from tests.sim.virtual_time import run_virtual
from tests.sim.world import ACCOUNT, TRADER, World
from trading.limits import RiskLimits
from trading.own_orders import OwnOrder

SECOND = 1_000_000_000
SELL = {"side": OrderSide.SELL, "effect": Effect.REDUCE}


class Events:
    """An event sink that keeps what it is told."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, str]] = []
        self.fills: list[Any] = []
        self.positions: list[Any] = []
        self.signals: list[tuple[TradeSignal, str]] = []
        self.statuses: list[Any] = []
        self.arb_sessions: list[Any] = []
        self.arb_executions: list[Any] = []

    def order(self, order: Any, state: Any) -> None:
        self.orders.append((order.id, state.status.value))

    def fill(self, fill: Any) -> None:
        self.fills.append(fill)

    def position(self, position: Any) -> None:
        self.positions.append(position)

    def signal(self, signal: TradeSignal, decision: str) -> None:
        self.signals.append((signal, decision))

    def strategy(self, info: Any) -> None: ...

    def arb_execution(self, execution: Any, legs: Any) -> None:
        self.arb_executions.append((execution, legs))

    def arb_session(self, *figures: Any) -> None:
        self.arb_sessions.append(figures)

    def status(self, status: Any) -> None:
        self.statuses.append(status)


class Gateway(SimGateway):
    """The simulated gateway; calls named in `down` raise, calls named in `slow` never answer. `log` is every call."""

    def __init__(self, world: World, life: Any, log: list[str]) -> None:
        super().__init__(world, life)
        self.down: set[str] = set()
        self.slow: set[str] = set()
        self.log = log

    async def _effect(self, name: str, work: Callable[[], object]) -> object:
        self.log.append(name)
        if name in self.slow:
            await asyncio.Event().wait()
        if name in self.down:
            raise VenueError(f"{name}: the venue is down")
        return await super()._effect(name, work)

    async def cancel(self, order_ids: Any) -> CancelOutcome:
        if "cancel" in self.down:
            self.log.append("cancel")
            return CancelOutcome(uncertain=tuple(order_ids))
        return await super().cancel(order_ids)

    async def cancel_all(self) -> CancelOutcome:
        if "cancel" in self.down:
            self.log.append("cancel")
            return CancelOutcome()
        return await super().cancel_all()


class Catalog(SimCatalog):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.down = False

    async def markets(self) -> Any:
        if self.down:
            raise VenueError("the listing broke off")
        return await super().markets()


def logged(log: list[str], name: str, call: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Note a call before it is done."""

    async def noted() -> None:
        log.append(name)
        await call()

    return noted


class House:
    """A world and the kernels that live in it one after the other. `log` is what the ports were asked for."""

    def __init__(self, seed: int = 1) -> None:
        self.world = World(seed)
        self.log: list[str] = []
        self.lives = 0
        self.dress: Callable[[Ports], Ports] = lambda ports: ports

    def kernel(self, mode: Mode = Mode.TRADE, **changes: Any) -> Kernel:
        """Build the next kernel, without strategies; `changes` are settings."""
        world = self.world
        life = world.reborn()
        self.lives += 1
        feed, account_feed = SimMarketFeed(world, life), SimAccountFeed(world, life)
        setattr(feed, "stop", logged(self.log, "stop feed", feed.stop))  # noqa: B010
        setattr(account_feed, "stop", logged(self.log, "stop account feed", account_feed.stop))  # noqa: B010
        ports = Ports(
            clock=world.clock,
            ids=world.ids,
            feed=feed,
            account_feed=account_feed,
            gateway=Gateway(world, life, self.log),
            catalog=Catalog(world),
            storage=SimStorage(world, life),
            events=Events(),
        )
        settings: dict[str, Any] = {
            "mode": mode,
            "account": ACCOUNT,
            "venue": "simulator",
            "holder": f"life-{self.lives}",
            "limits": RiskLimits(max_book_age_ms=60_000),
            "absence": 5.0,
            "lease_ttl": 3.0,
            "reconcile_every": 3.0,
            "discover_every": 5.0,
        }
        return Kernel(self.dress(ports), KernelConfig(**(settings | changes)))

    def run(self, main: Callable[[], Coroutine[Any, Any, None]], *, seconds: float = 300.0) -> None:
        """Run a test's story, which takes at most so many virtual seconds."""

        async def bounded() -> None:
            async with asyncio.timeout(seconds):
                await main()

        run_virtual(bounded, self.world.clock)

    async def kill(self, kernel: Kernel) -> None:
        """End a trader without a word: nothing of it is heard of again."""
        self.world.life.alive = False
        await kernel.tasks.stop()
        await kernel.executor.abandon()

    def market(self, number: int = 0) -> Market:
        return self.world.exchange.markets()[number]

    async def settle(self, kernel: Kernel, seconds: float = 1.0) -> None:
        """Let every trade settle and the news arrive."""
        for _ in range(round(seconds / 0.1)):
            self.world.settling.clear()
            for trade in self.world.exchange.unsettled_trades():
                self.world.settling[trade.id] = (0, self._next(trade.status))
            self.world.settle(failing=False)
            await asyncio.sleep(0.1)

    @staticmethod
    def _next(status: Any) -> Any:
        return FillStatus.CONFIRMED if status is FillStatus.MINED else FillStatus.MINED


def events_of(kernel: Kernel) -> Events:
    events = kernel.ports.events
    assert isinstance(events, Events)
    return events


def gateway_of(kernel: Kernel) -> Gateway:
    gateway = kernel.ports.gateway
    assert isinstance(gateway, Gateway)
    return gateway


def signal(kernel: Kernel, market: Market, **changes: Any) -> TradeSignal:
    """Return a purchase of ten YES shares at the best ask, unless told otherwise."""
    token = changes.get("token_id", market.token_ids[0])
    book = kernel.books.get(token)
    assert book is not None
    now = kernel.ports.clock.now_ns()
    facts: dict[str, Any] = {
        "id": kernel.ports.ids.uuid(),
        "source": "test",
        "market": market,
        "token_id": token,
        "side": OrderSide.BUY,
        "price": book.best_ask,
        "size": 10 * MICRO,
        "effect": Effect.OPEN,
        "created_ns": now,
        "expires_ns": now + 5 * SECOND,
    }
    return TradeSignal(**(facts | changes))


async def place(kernel: Kernel, market: Market, **changes: Any) -> OwnOrder:
    """Order through the executor and return the order once it was answered."""
    intent = signal(kernel, market, **changes)
    decision = kernel.executor.submit(intent)
    assert decision is not None
    assert decision.draft is not None, decision
    await asyncio.sleep(0.2)
    return next(own for own in kernel.portfolio.orders.all() if own.order.draft.intent_id == intent.id)


async def rest(kernel: Kernel, market: Market, **changes: Any) -> OwnOrder:
    """Place a purchase far below the market."""
    return await place(kernel, market, **({"price": 20_000, "order_type": OrderType.GTC} | changes))


def open_at_venue(house: House) -> int:
    return len(house.world.exchange.open_orders(TRADER))
