"""Drives one seed: traders that live and crash, actors that keep them busy, faults, and what must hold after every step and at rest.

Two phases. While faults happen, the invariants of `tests.sim.invariants.STEP` are looked at after every step. Then the faults stop: everything must
come to rest within `REST_SECONDS`, and `REST` must hold as well. The same seed, steps and faults give the same run, to the hash.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field
from typing import Any

from domain.money import MICRO
from domain.order import Order, OrderDraft
from runtime.config import KernelConfig, Mode, StrategySetting
from runtime.kernel import Kernel
from runtime.ports import Ports, Storage
from tests.sim.actors import ACTORS
from tests.sim.crash_points import crash_plan
from tests.sim.faults import FAULTS, FaultyAccountFeed, FaultyGateway
from tests.sim.invariants import EVENT, REST, STEP, Invariant
from tests.sim.operators import CommandTable, lift_all
from tests.sim.order_checks import counted_whole
from tests.sim.ports import SimCatalog, SimHoldings, SimMarketFeed, SimStorage
from tests.sim.replay import reconciled_twice, replayed, state_hash
from tests.sim.seat import Seat, begin
from tests.sim.virtual_time import run_virtual
from tests.sim.witness import Witness
from tests.sim.world import ACCOUNT, START_CASH, TRADER, Dead, World
from trading.limits import RiskLimits

STEPS = 150
REST_SECONDS = 120.0
"""Money that is missing is believed to be gone after a minute."""
QUIET_SECONDS = 7.0
"""Two reconciliations fit in."""
MOST_VACANT_SECONDS = 15.0
"""How long a step waits for somebody who trades: a lease runs out, a start reads the venue."""
LITTLE_CASH = 150 * MICRO
LIMITS = RiskLimits(
    max_book_age_ms=60_000,
    max_open_positions=12,
    max_order_notional=30 * MICRO,
    max_market_notional=50 * MICRO,
    max_total_notional=200 * MICRO,
)


class Eyes:
    """An event sink that looks at the account after every event that changed it."""

    def __init__(self, look: Callable[[str], None]) -> None:
        self._look = look

    def order(self, order: Order, state: object) -> None:
        self._look(order.id)

    def fill(self, fill: object) -> None:
        self._look("")

    def position(self, position: object) -> None:
        self._look("")

    def signal(self, signal: object, decision: str) -> None: ...
    def strategy(self, info: object) -> None: ...
    def arb_execution(self, *what: object) -> None: ...
    def arb_session(self, *figures: object) -> None: ...
    def status(self, status: object) -> None: ...


@dataclass
class Outcome:
    """What became of a seed. `steps` are the steps done until the first violation, `commands` and `groups` say what ended how."""

    seed: int
    steps: int
    faults: dict[str, int]
    crashed_at: list[str]
    orders: int
    fills: int
    state_hash: str
    violations: list[str] = field(default_factory=list)
    commands: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)


class Simulation:
    """One seed of the fault simulation. A subclass may bring another disk (`storage`, `rows`, `order_row`, `external`)."""

    def __init__(self, seed: int, *, steps: int = STEPS, faults: Collection[str] = tuple(FAULTS)) -> None:
        self.seed = seed
        self.steps = steps
        self.faults = frozenset(faults)
        self.rng = random.Random(f"{seed}:steps")
        self.world = World(seed, cash=START_CASH if seed % 2 else LITTLE_CASH)
        self.commands = CommandTable(self.world)
        self.world.enabled = self.faults
        self.world.shared = seed % 4 == 3
        self.world.watch = self.witness = Witness(self)
        self.world.written = self.witness.written
        if "skew" in self.faults:
            self.world.skew_ns = self.world.roll("skew").randrange(-2_000, 2_000) * 1_000_000
        if "crash" in self.faults:
            self.world.plan.extend(crash_plan(seed, steps))
        self.done = 0
        self.violations: list[str] = []
        self.successors: dict[str, tuple[str, int]] = {}
        """The intents that replace an order: which, and how much the two may be worth together."""
        self._kernels: dict[Dead, Kernel] = {}
        self._rows: dict[str, dict[str, Any]] = {}

    # The disk

    def storage(self, life: Dead) -> Storage:
        return SimStorage(self.world, life)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return what is on disk."""
        return self.world.tables.rows[table]

    def order_row(self, order_id: str) -> dict[str, Any] | None:
        """Return an order's committed row."""
        return self.world.tables.row("orders", ("id",), (order_id,))

    def row_of(self, order_id: str) -> dict[str, Any] | None:
        """Return a row that says what never changes of an order."""
        if order_id not in self._rows:
            row = self.order_row(order_id)
            if row is None:
                return None
            self._rows[order_id] = row
        return self._rows[order_id]

    def external(self) -> bool:
        """Tell whether something outside virtual time still owes an answer."""
        return False

    # Traders

    @property
    def epoch(self) -> int:
        return self.world.tables.epochs.get(ACCOUNT, 0)

    def kernel_of(self, life: Dead) -> Kernel:
        return self._kernels[life]

    def build(self, life: Dead, holder: str) -> Kernel:
        world = self.world
        ports = Ports(
            clock=world.clock,
            ids=world.ids,
            feed=SimMarketFeed(world, life),
            account_feed=FaultyAccountFeed(world, life),
            gateway=FaultyGateway(world, life),
            catalog=SimCatalog(world),
            storage=self.storage(life),
            holdings=SimHoldings(world),
            events=Eyes(lambda order_id: self._look_at(kernel, order_id)),
        )
        config = KernelConfig(
            mode=Mode.TRADE,
            account=ACCOUNT,
            venue="simulator",
            holder=holder,
            limits=LIMITS,
            strategies={"flash_crash": StrategySetting(), "mean_reversion": StrategySetting()},
            absence=5.0,
            lease_ttl=3.0,
            reconcile_every=3.0,
            discover_every=10.0,
        )
        kernel = self._kernels[life] = Kernel(ports, config)
        held = kernel.risk.reservations.hold

        def hold(draft: OrderDraft, cost: int) -> None:
            self.witness.decides(draft, kernel)
            held(draft, cost)

        kernel.risk.reservations.hold = hold  # type: ignore[method-assign]
        return kernel

    def on_behalf_of(self, kernel: Kernel, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something within a trader: it dies with it."""
        life = next(life for life, each in self._kernels.items() if each is kernel)
        if life.alive:
            asyncio.get_running_loop().create_task(work(), context=life.context)

    # The run

    def run(self) -> Outcome:
        """Run the seed and return what became of it."""
        run_virtual(self._run, self.world.clock, external=self.external)
        return Outcome(
            seed=self.seed,
            steps=self.done,
            faults=dict(self.world.faults) | ({"crash": len(self.world.crashed_at)} if self.world.crashed_at else {}),
            crashed_at=self.world.crashed_at,
            orders=len(self.rows("orders")),
            fills=len(self.rows("fills")),
            state_hash=state_hash(self.world, self.rows),
            violations=self.violations,
            commands=dict(Counter(row.told() for row in self.commands.rows.values())),
            groups=dict(Counter(f"{row['policy']} {row['state']}" for row in self.rows("leg_groups"))),
        )

    async def _run(self) -> None:
        asyncio.get_running_loop().set_task_factory(begin)
        seats = [Seat(self, "first"), Seat(self, "rival")] if "rival" in self.faults else [Seat(self, "first")]
        tasks = [asyncio.create_task(seat.run()) for seat in seats]
        tasks.append(asyncio.create_task(self.world.live()))
        try:
            await self._trade(seats, tasks)
            if not self.violations:
                await self._rest(seats, tasks)
        finally:
            for seat in seats:
                seat.closed = True
                if seat.life is not None:
                    seat.life.end()
            tasks[-1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _living(self, seats: list[Seat], tasks: list[asyncio.Task[None]]) -> list[Kernel]:
        """Return the traders that think they may trade. Raises what ended a seat."""
        for task in tasks:
            if task.done():
                task.result()
        return [seat.kernel for seat in seats if seat.kernel and seat.kernel.ready and not seat.kernel.stopped.done()]

    async def _trade(self, seats: list[Seat], tasks: list[asyncio.Task[None]]) -> None:
        world = self.world
        actors = [actor for actor in ACTORS if not actor.fault or actor.fault in self.faults]
        weights = [actor.weight for actor in actors]
        while self.done < self.steps and not self.violations:
            await asyncio.sleep(self.rng.uniform(0.05, 0.6))
            living = await self._somebody(seats, tasks)
            (actor,) = self.rng.choices(actors, weights)
            if living:
                actor.act(self, self.rng.choice(living))
            self.done += 1
            world.now_step = self.done
            self._look(STEP, living)

    async def _somebody(self, seats: list[Seat], tasks: list[asyncio.Task[None]]) -> list[Kernel]:
        """Wait until somebody trades, or as long as that may take."""
        clock = self.world.clock
        end = clock.monotonic() + MOST_VACANT_SECONDS
        while not (living := self._living(seats, tasks)) and clock.monotonic() < end:  # noqa: ASYNC110 - time itself
            await asyncio.sleep(0.25)
        return living

    def _look(self, invariants: list[Invariant], living: list[Kernel]) -> None:
        """Check what must hold of whoever holds the lease now."""
        self.violations += self.world.complaints
        self.world.complaints.clear()
        if self.world.clock.standstills:
            self.violations.append("time goes on: something went round and round at one moment")
        for kernel in living:
            if kernel.lease.epoch == self.epoch:
                self.violations += [f"{name}: {wrong}" for name, check in invariants for wrong in check(self, kernel)]

    def _look_at(self, kernel: Kernel, order_id: str) -> None:
        """Check what must hold after an event, for the order it was about, too."""
        self._look(EVENT, [kernel])
        own = kernel.portfolio.orders.get(order_id)
        if own is not None and kernel.lease.epoch == self.epoch:
            self.violations += [f"nothing is released early: {wrong}" for wrong in counted_whole(self, own)]

    async def _rest(self, seats: list[Seat], tasks: list[asyncio.Task[None]]) -> None:
        """No faults, no new intents, no failing settlement: whoever trades brings everything to its end."""
        world = self.world
        world.halted_agents = True
        world.plan.clear()
        world.settling.clear()
        told: set[Kernel] = set()
        end, quiet_since = world.clock.monotonic() + REST_SECONDS, None
        while world.clock.monotonic() < end:
            await asyncio.sleep(0.5)
            world.settle(failing=False)
            world.redeem()
            holders = [k for k in self._living(seats, tasks) if k.lease.epoch == self.epoch]
            for kernel in holders:
                lift_all(self, kernel)
                if kernel not in told:
                    told.add(kernel)
                    kernel.engine.registry.stop_all()
                    self.on_behalf_of(kernel, _ending(kernel))
            if not holders or not self._quiet(holders[0]) or self.commands.pending():
                quiet_since = None
            elif quiet_since is None:
                quiet_since = world.clock.monotonic()
            elif world.clock.monotonic() - quiet_since > QUIET_SECONDS:
                break
        holders = [k for k in self._living(seats, tasks) if k.lease.epoch == self.epoch]
        if not holders:
            self.violations.append(f"comes to rest: no trader was ready after {REST_SECONDS:.0f} s without faults")
            return
        self._look(REST, holders)
        self.violations += await reconciled_twice(self, holders[0])
        self.violations += await replayed(self, holders[0])

    def _quiet(self, kernel: Kernel) -> bool:
        """Tell whether nothing is on its way, and what was done outside is in the books."""
        portfolio, venue = kernel.portfolio, self.world.exchange
        on_its_way = portfolio.orders.open() or portfolio.positions.with_unsettled() or kernel.flow.in_flight
        return not on_its_way and portfolio.ledger.cash == venue.balance(TRADER).settled


def _ending(kernel: Kernel) -> Callable[[], Coroutine[Any, Any, None]]:
    async def end() -> None:
        await kernel.legs.drain(5.0)
        await kernel.executor.drain(5.0)
        await kernel.flow.cancel_all("the end")

    return end
