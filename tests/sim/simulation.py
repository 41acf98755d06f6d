"""Drives one seed: builds kernels, lets them trade and crash, brings everything to rest, and checks what must hold."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from dataclasses import dataclass, field
from typing import Any

from domain.fill import FillStatus
from domain.ledger import COLLATERAL, LedgerAccount
from domain.market import Market
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderType
from domain.ports import Journal
from domain.signal import Cancel, Replace, TradeSignal
from runtime.config import KernelConfig, Mode, StrategySetting
from runtime.kernel import Kernel
from runtime.ports import Ports, Storage
from tests.sim.groups import basket, groups_wrong
from tests.sim.ports import SimAccountFeed, SimCatalog, SimGateway, SimMarketFeed, SimStorage
from tests.sim.virtual_time import run_virtual
from tests.sim.world import ACCOUNT, TRADER, Crash, World
from trading.cash_differences import ROUNDING_PER_FILL
from trading.limits import RiskLimits
from trading.portfolio import Portfolio
from trading.positions import DUST

RUN_SECONDS = 60.0
REST_SECONDS = 40.0


class Silent:
    """An event sink that keeps only counts."""

    def __init__(self) -> None:
        self.signals = 0

    def order(self, order: object, state: object) -> None: ...
    def fill(self, fill: object) -> None: ...
    def position(self, position: object) -> None: ...
    def signal(self, signal: object, decision: str) -> None:
        self.signals += 1

    def strategy(self, info: object) -> None: ...
    def arb_session(self, *figures: object) -> None: ...
    def status(self, status: object) -> None: ...


@dataclass
class Outcome:
    """What became of a seed."""

    crashed_at: list[str]
    orders: int
    fills: int
    state_hash: str
    violations: list[str] = field(default_factory=list)


EFFECTS = ("send", "cancel", "commit", "read order", "read open orders", "read trades", "read balances")


def crash_plan(seed: int) -> list[Crash]:
    """Return eight crashes of a seed, each before or after some effect."""
    rng = random.Random(seed + 10_000)
    points = [f"{when} {effect}" for when in ("before", "after") for effect in EFFECTS]
    return [Crash(rng.choice(points), rng.randrange(1, 6)) for _ in range(8)]


class Simulation:
    """One seed of the fault simulation. A subclass may bring another disk (`storage`, `rows`, `external`) or worse connections."""

    def __init__(self, seed: int) -> None:
        self.world = World(seed)
        self.world.plan.extend(crash_plan(seed))
        self.kernel: Kernel | None = None
        self.lives = 0
        self.successors: dict[str, tuple[str, int]] = {}
        """The intents that replace an order: which, and how much the two may be worth together."""

    def storage(self) -> Storage:
        return SimStorage(self.world, self.world.life)

    def gateway(self) -> SimGateway:
        return SimGateway(self.world, self.world.life)

    def account_feed(self) -> SimAccountFeed:
        return SimAccountFeed(self.world, self.world.life)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return what is on disk."""
        return self.world.tables.rows[table]

    def external(self) -> bool:
        """Tell whether something outside virtual time still owes an answer."""
        return False

    def _build(self) -> Kernel:
        world, life = self.world, self.world.reborn()
        self.lives += 1
        ports = Ports(
            clock=world.clock,
            ids=world.ids,
            feed=SimMarketFeed(world, life),
            account_feed=self.account_feed(),
            gateway=self.gateway(),
            catalog=SimCatalog(world),
            storage=self.storage(),
            events=Silent(),
        )
        config = KernelConfig(
            mode=Mode.TRADE,
            account=ACCOUNT,
            venue="simulator",
            holder=f"life-{self.lives}",
            limits=RiskLimits(max_book_age_ms=60_000, max_open_positions=12),
            strategies={"flash_crash": StrategySetting(), "mean_reversion": StrategySetting()},
            absence=5.0,
            lease_ttl=3.0,
            reconcile_every=3.0,
            discover_every=10.0,
        )
        return Kernel(ports, config)

    async def _live(self) -> None:
        """Run kernels one after the other until one is alive and ready at the end of the time."""
        world = self.world
        agents = asyncio.create_task(world.live())
        end = world.clock.monotonic() + RUN_SECONDS
        try:
            while world.clock.monotonic() < end:
                await self._one_life(end)
            world.plan.clear()
            while self.kernel is None:
                await self._one_life(world.clock.monotonic() + 10.0)
            await self._come_to_rest()
        finally:
            agents.cancel()
            await asyncio.gather(agents, return_exceptions=True)

    async def _one_life(self, end: float) -> None:
        """Start a kernel and trade with it until it crashes or the time is over."""
        self.kernel = kernel = self._build()
        before = asyncio.all_tasks()
        crashed = asyncio.create_task(self.world.crashed.wait())
        trading = asyncio.create_task(self._trade(kernel, end))
        await asyncio.wait({crashed, trading}, return_when=asyncio.FIRST_COMPLETED)
        if not crashed.done():
            crashed.cancel()
            await trading
            return
        self.kernel = None
        for task in asyncio.all_tasks() - before:
            task.cancel()
        await asyncio.sleep(0)

    async def _trade(self, kernel: Kernel, end: float) -> None:
        """Send random intents beside the strategies' own."""
        world, rng = self.world, self.world.rng
        await kernel.start()
        while world.clock.monotonic() < end:
            await asyncio.sleep(rng.uniform(0.05, 0.6))
            if kernel.stopped.done():
                raise AssertionError(f"the kernel stopped: {kernel.stopped.result()}")
            self._lift_residual_halts(kernel)
            roll = rng.random()
            if roll < 0.12:
                for leg in basket(world, kernel):
                    kernel.executor.submit(leg)
            elif roll < 0.45:
                self._buy(kernel)
            elif roll < 0.65:
                self._sell(kernel)
            elif roll < 0.8:
                self._replace(kernel)
            else:
                open_orders = kernel.portfolio.orders.open()
                if open_orders:
                    target = rng.choice(open_orders)
                    kernel.executor.submit(Cancel(id=world.ids.uuid(), source="chaos", order_id=target.id))

    def _lift_residual_halts(self, kernel: Kernel) -> None:
        """An operator looks at what a broken leg group left, a while after it happened."""
        now = self.world.clock.now_ns()
        for halt in kernel.halts.active():
            if "residual inventory" in halt.reason and now - halt.set_ns > 3_000_000_000:
                kernel.desk.resume(halt.scope, halt.target, lifted_by="operator")

    def _market(self) -> Market:
        return self.world.rng.choice([market for market in self.world.exchange.markets() if market.tradable])

    def _buy(self, kernel: Kernel) -> None:
        rng, market = self.world.rng, self._market()
        token = rng.choice(market.token_ids)
        book = kernel.books.get(token)
        if book is None or not book.two_sided:
            return
        price = rng.choice((book.best_bid, book.best_ask, book.best_ask - market.tick))
        kind = rng.choice((OrderType.GTC, OrderType.GTC, OrderType.FAK, OrderType.FOK))
        self._submit(kernel, market, token, OrderSide.BUY, price, rng.randrange(5, 40) * MICRO, kind)

    def _sell(self, kernel: Kernel) -> None:
        rng = self.world.rng
        held = [p for p in kernel.portfolio.positions.open() if p.holding.settled >= 5 * MICRO]
        if not held:
            return
        position = rng.choice(held)
        market, book = kernel.markets.get(position.market_id), kernel.books.get(position.token_id)
        if market is None or book is None or not book.two_sided:
            return
        price = rng.choice((book.best_bid, book.best_ask))
        kind = rng.choice((OrderType.GTC, OrderType.FAK))
        size = rng.choice((position.holding.settled, 5 * MICRO))
        self._submit(kernel, market, position.token_id, OrderSide.SELL, price, size, kind, source=position.strategy)

    def _replace(self, kernel: Kernel) -> None:
        rng = self.world.rng
        resting = [own for own in kernel.portfolio.orders.open() if own.order.draft.order_type.rests]
        if not resting:
            return
        own = rng.choice(resting)
        draft = own.order.draft
        market = kernel.markets.get(draft.market.id) or draft.market
        signal = self._signal(
            market, draft.token_id, draft.side, draft.price + rng.choice((-1, 1)) * market.tick, draft.size,
            OrderType.GTC, source=draft.strategy,
        )  # fmt: skip
        self.successors[signal.id] = (own.id, draft.size)
        kernel.executor.submit(Replace(id=self.world.ids.uuid(), source=draft.strategy, order_id=own.id, signal=signal))

    def _submit(
        self, kernel: Kernel, market: Market, token: str, side: OrderSide, price: int, size: int, kind: OrderType,
        *, source: str = "chaos",
    ) -> None:  # fmt: skip
        kernel.executor.submit(self._signal(market, token, side, price, size, kind, source=source))

    def _signal(
        self, market: Market, token: str, side: OrderSide, price: int, size: int, kind: OrderType, *, source: str
    ) -> TradeSignal:
        now = self.world.clock.now_ns()
        return TradeSignal(
            id=self.world.ids.uuid(),
            source=source,
            market=market,
            token_id=token,
            side=side,
            price=min(max(price, market.tick), MICRO - market.tick),
            size=size,
            effect=Effect.OPEN if side is OrderSide.BUY else Effect.REDUCE,
            created_ns=now,
            expires_ns=now + 5_000_000_000,
            order_type=kind,
            take_profit=min(price + 5 * market.tick, MICRO - market.tick) if side is OrderSide.BUY else None,
        )

    async def _come_to_rest(self) -> None:
        """No new intents, no failing settlement: cancel what rests and wait until everything is explained."""
        world, kernel = self.world, self.kernel
        assert kernel is not None
        kernel.engine.registry.stop_all()
        world.halted_agents = True
        await kernel.executor.drain(5.0)
        await kernel.flow.cancel_all("the end")
        world.settling.clear()
        end = world.clock.monotonic() + REST_SECONDS
        while world.clock.monotonic() < end:
            world.settle(failing=False)
            await asyncio.sleep(0.5)

    def run(self) -> Outcome:
        """Run the seed and return what became of it."""
        run_virtual(self._live, self.world.clock, external=self.external)
        kernel = self.kernel
        assert kernel is not None
        return Outcome(
            crashed_at=self.world.crashed_at,
            orders=len(self.rows("orders")),
            fills=len(kernel.portfolio.fills),
            state_hash=state_hash(self.world),
            violations=violations_of(self, kernel),
        )


def state_hash(world: World) -> str:
    """Return one hash of venue and disk."""
    disk = json.dumps(world.tables.rows, sort_keys=True, default=repr)
    return hashlib.sha256((world.exchange.state_hash() + disk).encode()).hexdigest()


def violations_of(simulation: Simulation, kernel: Kernel) -> list[str]:
    """Return every invariant that does not hold at rest, in words."""
    return [
        *_orders_wrong(simulation, kernel),
        *_replacements_wrong(simulation),
        *groups_wrong(simulation.rows("leg_groups"), simulation.rows("orders"), simulation.rows("halts")),
        *_fills_wrong(simulation.world, kernel),
        *_positions_wrong(simulation.world, kernel),
        *_ledger_wrong(simulation, kernel),
        *_restart_differs(simulation, kernel),
    ]


def _orders_wrong(simulation: Simulation, kernel: Kernel) -> list[str]:
    wrong = []
    journaled = {row["id"]: row for row in simulation.rows("orders")}
    for view in simulation.world.exchange.orders(TRADER):
        if view.id not in journaled:
            wrong.append(f"order {view.id} is at the venue without a journaled row")
        if view.status.open:
            wrong.append(f"order {view.id} is still open at the venue")
    decisions = [row["decision_id"] for row in journaled.values()]
    if len(decisions) != len(set(decisions)):
        wrong.append("two orders share one decision")
    wrong += [f"order {own.id} is {own.status} and not explained" for own in kernel.portfolio.orders.open()]
    if kernel.portfolio.quarantine:
        wrong.append(f"quarantined: {list(kernel.portfolio.quarantine)}")
    # The venue takes back fills that were sold on already, and broken groups leave something; nothing else may stop a market.
    expected = ("negative inventory", "residual inventory")
    reasons = [halt.reason for halt in kernel.halts.active() if not any(each in halt.reason for each in expected)]
    return wrong + [f"halted: {reason}" for reason in reasons]


def _replacements_wrong(simulation: Simulation) -> list[str]:
    """A successor is at the venue only after its predecessor was over there, and only for what that one left."""
    wrong = []
    at_venue = {view.id: view for view in simulation.world.exchange.orders(TRADER)}
    for row in simulation.rows("orders"):
        old_id, size = simulation.successors.get(row["intent_id"], ("", 0))
        old, new = at_venue.get(old_id), at_venue.get(row["id"])
        if old is None or new is None:
            continue
        if old.updated_ns > new.created_ns:
            wrong.append(f"order {new.id} replaced {old.id} before that was over")
        if old.size_matched + new.size > size:
            wrong.append(f"order {new.id} is for more than {old.id} left")
    return wrong


def _fills_wrong(world: World, kernel: Kernel) -> list[str]:
    venue: dict[tuple[str, ...], tuple[FillStatus, int]] = {}
    for trade in world.exchange.trades(TRADER):
        if trade.account == TRADER:
            venue[trade.id, trade.taker_order_id] = (trade.status, trade.size)
        for maker in trade.makers:
            if maker.account == TRADER:
                _, size = venue.get((trade.id, maker.order_id), (trade.status, 0))
                venue[trade.id, maker.order_id] = (trade.status, size + maker.size)
    ours = {tuple(fill.key): (fill.status, fill.size) for fill in kernel.portfolio.fills.values()}
    if venue == ours:
        return []
    different = {
        key: (venue.get(key), ours.get(key)) for key in venue.keys() | ours.keys() if venue.get(key) != ours.get(key)
    }
    return [f"fills differ, venue and ours: {different}"]


def _positions_wrong(world: World, kernel: Kernel) -> list[str]:
    wrong = []
    for market in world.exchange.markets():
        for token in market.token_ids:
            held, ours = world.exchange.balance(TRADER, token).settled, kernel.portfolio.positions.size(token)
            if abs(held - ours) > DUST:
                wrong.append(f"token {token}: the venue holds {held}, we think {ours}")
            if kernel.portfolio.available_tokens(token) < 0:
                wrong.append(f"token {token}: available is negative")
    return wrong


def _ledger_wrong(simulation: Simulation, kernel: Kernel) -> list[str]:
    wrong = []
    rows = simulation.rows("ledger_entries")
    sums: dict[tuple[str, str], int] = {}
    for row in rows:
        sums[row["journal_id"], row["asset"]] = sums.get((row["journal_id"], row["asset"]), 0) + row["amount_units"]
    wrong += [f"journal {key} does not balance: {total}" for key, total in sums.items() if total]
    ledger = kernel.portfolio.ledger
    held = sum(
        ledger.balance(a)
        for a in LedgerAccount
        if a not in (LedgerAccount.EQUITY, LedgerAccount.TOKENS, LedgerAccount.COUNTERPARTY)
    )
    if held != ledger.deposits:
        wrong.append(f"ledger: {held} held, {ledger.deposits} deposited")
    on_disk: dict[str, int] = {}
    for row in rows:
        if row["asset"] == COLLATERAL:
            on_disk[row["ledger_account"]] = on_disk.get(row["ledger_account"], 0) + row["amount_units"]
    if on_disk.get("cash", 0) != ledger.cash:
        wrong.append(f"cash is {ledger.cash} in memory and {on_disk.get('cash', 0)} on disk")
    cash = simulation.world.exchange.balance(TRADER).settled
    if abs(cash - ledger.cash) > ROUNDING_PER_FILL * len(kernel.portfolio.fills):
        wrong.append(f"cash: the venue holds {cash}, we think {ledger.cash}")
    kinds = {row["kind"] for row in rows}
    if (
        kinds & {"withdrawal", "external_buy", "external_sell"}
        or sum(1 for row in rows if row["kind"] == "deposit") != 2
    ):
        wrong.append(f"money was explained away as {sorted(kinds)}")
    if kernel.portfolio.orders.reserved_cash:
        wrong.append(f"{kernel.portfolio.orders.reserved_cash} is still reserved")
    return wrong


def _restart_differs(simulation: Simulation, kernel: Kernel) -> list[str]:
    """Replaying the journal gives the same state."""

    async def load() -> Portfolio:
        simulation.world.reborn()
        journal: Journal = simulation.storage().journal(lambda: 0, kernel.markets.required)
        portfolio = Portfolio(ACCOUNT, kernel.markets.by_condition)
        portfolio.restore(await journal.load())
        return portfolio

    again = run_virtual(load, simulation.world.clock, external=simulation.external)
    before, after = ({(p.id, p.holding) for p in each.positions.open()} for each in (kernel.portfolio, again))
    wrong = [] if before == after else [f"replayed positions differ: {before ^ after}"]
    if again.ledger.cash != kernel.portfolio.ledger.cash:
        wrong.append("replayed cash differs")
    if {f.key: f.status for f in again.fills.values()} != {f.key: f.status for f in kernel.portfolio.fills.values()}:
        wrong.append("replayed fills differ")
    return wrong
