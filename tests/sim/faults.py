"""Connections at their worst: answers that are lost before or after the venue acted, orders that arrive late, batches of which only a part is
answered, reads that fail or hang, and an account channel that drops, freezes, repeats and reorders. Everything the ports allow a venue to do, and
nothing else: a drop is followed by a gap, what is lost is `Uncertain`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

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
from tests.sim.crash_points import READ
from tests.sim.ports import SimAccountFeed, SimGateway
from tests.sim.world import Dead, World

FAULTS: dict[str, str] = {
    "refused": "the venue refuses an order",
    "cancel only": "the venue takes no orders for a second",
    "restart": "the engine restarts: open orders are gone, answers prove nothing, then only what rests is taken",
    "answer lost": "a timeout after the order was taken",
    "never left": "a timeout before the order arrived",
    "late": "an order arrives long after its timeout",
    "half an answer": "a batch is taken, only some of its orders are answered",
    "stalled": "the trader stands still between its last look and the write",
    "cancel lost": "a cancel never arrives",
    "cancel's answer lost": "a cancel acts, and nobody hears of it",
    "read failed": "a read is answered by 502",
    "read frozen": "a read is answered seconds later",
    "dropped": "news of the account is lost; a gap is told later",
    "repeated": "news of the account comes twice",
    "false": "news of a trade tells of more than the order was for",
    "delayed": "news of the account comes late, behind what came after it",
    "frozen": "news of the account comes seconds late",
    "ghost": "a trade that was told never settles",
    "retried": "a settlement is tried again; the parts of an order settle at different times",
    "tick": "a market's tick size changes",
    "skew": "the venue's clock is ahead or behind",
    "crash": "the trader is killed before or after an effect",
    "journal failed": "a row is definitely not written",
    "journal unsure": "it is not known whether rows were written",
    "lease cut": "the trader cannot reach its lease's table, perhaps for longer than the lease lasts",
    "rival": "a second trader waits for the lease",
    "operator": "an operator places, cancels, halts and resumes",
    "by hand": "somebody trades, splits, merges, deposits and withdraws with the same wallet",
    "resolved": "a market resolves, and is redeemed later",
}
"""Every kind of fault by its name."""

TOO_MUCH = 1_000_000_000
LATEST_ARRIVAL = 4.5
"""Seconds that an order whose answer was lost may still take to the venue: longer than the next holder of the lease waits, less than the time for
which absence must hold.
"""


class FaultyGateway(SimGateway):
    """Loses answers and fails reads, until the world comes to rest."""

    async def _on_the_way(self) -> None:
        if self._world.fault("stalled", 0.04):
            await asyncio.sleep(self._world.roll("stalled").uniform(0.5, 6.0))

    async def _carry(self, prepared: Sequence[PreparedOrder]) -> list[SendOutcome]:
        world = self._world
        if world.clock.monotonic() < world.restarting_until:
            return [self._not_now(order, ENGINE_RESTARTING) for order in prepared]
        if world.fault("cancel only", 0.01):
            return [self._not_now(order, CANCEL_ONLY) for order in prepared]
        if world.fault("refused", 0.03):
            return [Rejected(order_id=order.order_id, code="refused") for order in prepared]
        if world.fault("never left", 0.06):
            return await self._silence(prepared, "never left")
        if world.fault("late", 0.06):
            loop, wait = asyncio.get_running_loop(), world.roll("late").uniform(0.1, LATEST_ARRIVAL)
            for order in prepared:
                loop.call_later(wait, self._arrive, order, self._drafts[order.order_id])
            return await self._silence(prepared, "late")
        answers = await super()._carry(prepared)
        if world.fault("answer lost", 0.06):
            return await self._silence(prepared, "answer lost")
        if len(prepared) > 1 and world.fault("half an answer", 0.15):
            return [*answers[:1], *await self._silence(prepared[1:], "half an answer")]
        return answers

    @staticmethod
    async def _silence(prepared: Sequence[PreparedOrder], why: str) -> list[SendOutcome]:
        await asyncio.sleep(0.5)
        return [Uncertain(order_id=order.order_id, text=why) for order in prepared]

    @staticmethod
    def _not_now(prepared: PreparedOrder, code: str) -> SendOutcome:
        """The venue takes no orders: it says so with proof, or restarts."""
        kind = Rejected if code == CANCEL_ONLY else Uncertain
        return kind(order_id=prepared.order_id, code=code, policy=Policy.RETRY_AFTER, retry_after=1.0)

    def _arrive(self, prepared: PreparedOrder, draft: OrderDraft) -> None:
        self._world.step(self._place_command(prepared, draft))

    async def cancel(self, order_ids: Sequence[str]) -> CancelOutcome:
        unknown = CancelOutcome(uncertain=tuple(order_ids))
        if self._world.fault("cancel lost", 0.15):
            return unknown
        known = await super().cancel(order_ids)
        return unknown if self._world.fault("cancel's answer lost", 0.15) else known

    async def _effect(self, name: str, work: Callable[[], object]) -> object:
        if name.startswith(READ):
            if self._world.fault("read failed", 0.04):
                raise VenueError(f"{name}: 502")
            if self._world.fault("read frozen", 0.01):
                await asyncio.sleep(self._world.roll("read frozen").uniform(0.5, 4.0))
        return await super()._effect(name, work)


class FaultyAccountFeed(SimAccountFeed):
    """Drops, repeats and delays; a drop is told as a gap when the channel stands again."""

    async def start(self, listener: AccountListener) -> None:
        await super().start(_Shaken(self._world, self._life, listener))


class _Shaken:
    """Passes evidence on, or not, or twice, or late."""

    def __init__(self, world: World, life: Dead, listener: AccountListener) -> None:
        self._world, self._life, self._listener = world, life, listener

    def on_order(self, report: OrderReport) -> None:
        self._pass_on(lambda: self._listener.on_order(report))

    def on_trade(self, report: TradeReport) -> None:
        told, world = report, self._world
        if report.order_id not in world.by_hand and world.fault("false", 0.01):
            told = replace(report, size=report.size + TOO_MUCH)
            world.false.add(report.trade_id)
        self._pass_on(lambda: self._listener.on_trade(told))

    def on_gap(self, reason: str) -> None:
        self._listener.on_gap(reason)

    def on_refused(self, reason: str) -> None:
        self._listener.on_refused(reason)

    def _pass_on(self, tell: Callable[[], None]) -> None:
        world, now = self._world, self._world.clock.monotonic()
        if world.fault("dropped", 0.1):
            self._later(world.roll("dropped").uniform(0.1, 1.0), lambda: self._listener.on_gap("reconnected"))
            return
        if world.fault("frozen", 0.01):
            world.frozen_until = now + world.roll("frozen").uniform(1.0, 6.0)
        if now < world.frozen_until:
            self._later(world.frozen_until - now, tell)
            return
        if world.fault("repeated", 0.1):
            self._later(world.roll("repeated").uniform(0.05, 1.0), tell)
        if world.fault("delayed", 0.2):
            self._later(world.roll("delayed").uniform(0.05, 1.0), tell)
        else:
            tell()

    def _later(self, seconds: float, tell: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds, self._if_alive, tell, context=self._life.context)

    def _if_alive(self, tell: Callable[[], None]) -> None:
        if self._life.alive:
            tell()
