"""Connections at their worst: answers that are lost before or after the venue acted, orders that arrive late, reads that fail, and an account
channel that drops, repeats and reorders. Everything the ports allow a venue to do, and nothing else: a drop is followed by a gap, what is lost is
`Uncertain`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from domain.errors import VenueError
from domain.order import OrderDraft, PreparedOrder
from domain.ports import AccountListener
from domain.reports import (
    CANCEL_ONLY,
    ENGINE_RESTARTING,
    CancelOutcome,
    OrderReport,
    Policy,
    Rejected,
    SendOutcome,
    TradeReport,
    Uncertain,
)
from runtime.kernel import Kernel
from tests.sim.ports import SimAccountFeed, SimGateway
from tests.sim.simulation import Simulation
from tests.sim.world import Dead, World

LATEST_ARRIVAL = 3.0
"""Seconds that an order whose answer was lost may still take to the venue; less than the time for which absence must hold."""


class FaultyGateway(SimGateway):
    """Loses answers and fails reads, until the world comes to rest."""

    async def send(self, prepared: PreparedOrder, deadline: float) -> SendOutcome:
        rng = self._world.rng
        fate = (
            "" if self._world.halted_agents else rng.choice(("", "", "", "", "", "answer lost", "never left", "late"))
        )
        if not fate:
            return await super().send(prepared, deadline)
        mode = rng.random()
        if mode < 0.23:
            return self._not_now(prepared, CANCEL_ONLY if mode < 0.2 else ENGINE_RESTARTING)
        self._world.faults[fate] += 1
        if fate == "answer lost":
            await super().send(prepared, deadline)
        elif fate == "late":
            loop = asyncio.get_running_loop()
            loop.call_later(rng.uniform(0.1, LATEST_ARRIVAL), self._arrive, prepared, self._drafts[prepared.order_id])
        await asyncio.sleep(0.5)
        return Uncertain(order_id=prepared.order_id, text=fate)

    def _not_now(self, prepared: PreparedOrder, code: str) -> SendOutcome:
        """The venue takes no orders: it says so with proof, or restarts."""
        self._world.faults[code] += 1
        kind = Rejected if code == CANCEL_ONLY else Uncertain
        return kind(order_id=prepared.order_id, code=code, policy=Policy.RETRY_AFTER, retry_after=1.0)

    def _arrive(self, prepared: PreparedOrder, draft: OrderDraft) -> None:
        self._world.step(self._place_command(prepared, draft))

    async def cancel(self, order_ids: Sequence[str]) -> CancelOutcome:
        fate = (
            ""
            if self._world.halted_agents
            else self._world.rng.choice(("", "", "", "cancel lost", "cancel's answer lost"))
        )
        if fate:
            self._world.faults[fate] += 1
        outcome = CancelOutcome(uncertain=tuple(order_ids))
        if fate != "cancel lost":
            known = await super().cancel(order_ids)
            outcome = outcome if fate else known
        return outcome

    async def _effect(self, name: str, work: Callable[[], object]) -> object:
        if name.startswith("read") and not self._world.halted_agents and self._world.rng.random() < 0.05:
            self._world.faults["read failed"] += 1
            raise VenueError(f"{name}: 502")
        return await super()._effect(name, work)


class FaultyAccountFeed(SimAccountFeed):
    """Drops, repeats and delays; a drop is told as a gap when the channel stands again."""

    def __init__(self, world: World, life: Dead) -> None:
        super().__init__(world, life)
        self._told: AccountListener | None = None

    async def start(self, listener: AccountListener) -> None:
        self._told = listener
        await super().start(_Shaken(self._world, self._life, listener))


class _Shaken:
    """Passes evidence on, or not, or twice, or late."""

    def __init__(self, world: World, life: Dead, listener: AccountListener) -> None:
        self._world, self._life, self._listener = world, life, listener

    def on_order(self, report: OrderReport) -> None:
        self._pass_on(lambda: self._listener.on_order(report))

    def on_trade(self, report: TradeReport) -> None:
        self._pass_on(lambda: self._listener.on_trade(report))

    def on_gap(self, reason: str) -> None:
        self._listener.on_gap(reason)

    def on_refused(self, reason: str) -> None:
        self._listener.on_refused(reason)

    def _pass_on(self, tell: Callable[[], None]) -> None:
        loop, rng = asyncio.get_running_loop(), self._world.rng
        fate = rng.choice(("", "", "", "", "", "", "dropped", "repeated", "delayed", "delayed"))
        if fate:
            self._world.faults[fate] += 1
        if fate == "dropped":
            loop.call_later(rng.uniform(0.1, 1.0), self._if_alive, lambda: self._listener.on_gap("reconnected"))
            return
        if fate != "delayed":
            tell()
        if fate:
            loop.call_later(rng.uniform(0.05, 1.0), self._if_alive, tell)

    def _if_alive(self, tell: Callable[[], None]) -> None:
        if self._life.alive:
            tell()


class FaultySimulation(Simulation):
    """A seed with crashes and bad connections at once. A start that fails is tried again."""

    async def _trade(self, kernel: Kernel, end: float) -> None:
        try:
            await super()._trade(kernel, end)
        except VenueError as error:
            self.world.faults["start failed"] += 1
            await kernel.stop(str(error))
            self.kernel = None

    def gateway(self) -> SimGateway:
        return FaultyGateway(self.world, self.world.life)

    def account_feed(self) -> SimAccountFeed:
        return FaultyAccountFeed(self.world, self.world.life)
