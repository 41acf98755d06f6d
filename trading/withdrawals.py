"""Taking back: orders that shall not rest any more are cancelled until the venue lists none of them.

A cancel may be refused, lost, or come before its order arrives: what is `unwanted` and may rest nevertheless is cancelled again. Orders that open
risk where a halt stands are unwanted from that moment on, whoever set the halt, also before a restart; what reduces risk may stay. Every halt is
followed until the venue has listed no such order twice. A venue that cannot be read is asked again, and is never taken for empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import structlog

from domain.errors import VenueError
from domain.halt import Halt
from domain.order import OrderStatus
from domain.ports import OrderGateway
from trading.desk import Desk
from trading.order_flow import OrderFlow
from trading.own_orders import OwnOrder
from trading.resolver import Resolver

LOOK_SECONDS = 0.5
AGAIN_SECONDS = 2.0
WITHDRAW_PAUSE_SECONDS = 0.25
SWEEP_ROUNDS = 6
SWEEP_PAUSE_SECONDS = 0.3

_log = structlog.get_logger(__name__)


_MAY_REST = frozenset({OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED, OrderStatus.DELAYED, OrderStatus.UNKNOWN})
"""States in which an order may be in the book, now or soon, without a cancel on its way."""


class Swept(NamedTuple):
    """The end of a sweep: how many orders may still be open, and whether the venue has listed none of them twice in a row."""

    left: int
    confirmed: bool


class Withdrawals:
    """Cancels until it is true."""

    def __init__(self, desk: Desk, gateway: OrderGateway, flow: OrderFlow, resolver: Resolver) -> None:
        self._desk = desk
        self._gateway = gateway
        self._flow = flow
        self._resolver = resolver
        self._tried: dict[str, float] = {}
        self._followed: set[Halt] = set()
        self._look_again = float("-inf")

    async def run(self) -> None:
        """Withdraw until cancelled."""
        while True:
            await self.withdraw_due()
            await asyncio.sleep(LOOK_SECONDS)

    async def withdraw_due(self) -> int:
        """Cancel what may rest unwanted, and was not cancelled a moment ago; returns how many orders that were."""
        now = self._desk.clock.monotonic()
        self._mark_halted()
        unwanted = [own for own in self._desk.portfolio.orders.open() if own.unwanted and own.status in _MAY_REST]
        self._tried = {own.id: self._tried[own.id] for own in unwanted if own.id in self._tried}
        due = [own for own in unwanted if now - self._tried.get(own.id, float("-inf")) >= AGAIN_SECONDS]
        if due:
            self._tried |= dict.fromkeys((own.id for own in due), now)
            await self._flow.cancel_many(due, "")
        return len(due)

    def _mark_halted(self) -> None:
        if not self._desk.halts.active():
            return
        for own in self._desk.portfolio.orders.open():
            own.unwanted = own.unwanted or self._desk.halted(own.order.draft)

    def followed(self, halt: Halt, left: int) -> None:
        """Note that the venue has listed no order of a halt twice; `left` orders nobody knows the end of yet."""
        if halt in self._followed:
            return
        self._followed.add(halt)
        scope, target = halt.scope.value, halt.target
        self._desk.audit("halt_cancelled", scope=scope, target=target, open_after=left, by=halt.set_by)

    async def follow_halts(self) -> None:
        """Take back what opens risk where something is halted, until the venue has listed no such order twice; once for each halt.

        Call it again and again, beside `run`: a venue that answers slowly delays no other cancel.
        """
        active = self._desk.halts.active()
        self._followed &= set(active)
        fresh = [halt for halt in active if halt not in self._followed]
        if not fresh or self._desk.clock.monotonic() < self._look_again:
            return
        swept = await self.sweep(lambda own: bool(self._desk.halted(own.order.draft)), "halted")
        if not swept.confirmed:
            self._look_again = self._desk.clock.monotonic() + AGAIN_SECONDS
            return
        for halt in fresh:
            self.followed(halt, swept.left)

    async def withdraw(self, own: OwnOrder, reason: str, *, until_ns: int) -> bool:
        """Cancel one order until it is over and every share of it accounted for; False when that is not so by `until_ns`: it stays unwanted."""
        while True:
            await self._flow.cancel(own, reason)
            if not own.explained:
                await self._resolver.read([own])
            if own.explained or self._desk.clock.now_ns() >= until_ns:
                return own.explained
            await asyncio.sleep(WITHDRAW_PAUSE_SECONDS)

    async def sweep(
        self,
        unwanted: Callable[[OwnOrder], bool],
        reason: str,
        *,
        rounds: int = SWEEP_ROUNDS,
        whole_account: bool = False,
    ) -> Swept:
        """Cancel the orders that are `unwanted` until the venue has listed none of them twice, in so many rounds at most.

        `whole_account`: every order there is, also those polybot does not know, is cancelled on the way.
        """
        orders = self._desk.portfolio.orders

        def left() -> list[OwnOrder]:
            return [own for own in orders.open() if not own.status.terminal and unwanted(own)]

        empty = 0
        for number in range(rounds):
            if number:
                await asyncio.sleep(SWEEP_PAUSE_SECONDS)
            wanted = left()
            if whole_account:
                await self._flow.cancel_all(reason)
            else:
                await self._flow.cancel_many(wanted, reason)
            await self._resolver.read(own for own in wanted if own.id in orders)
            listed = await self._listed(unwanted, whole_account=whole_account)
            empty = empty + 1 if listed == 0 else 0
            if empty == 2:
                break
        return Swept(len(left()), confirmed=empty == 2)

    async def _listed(self, unwanted: Callable[[OwnOrder], bool], *, whole_account: bool) -> int | None:
        """Return how many of the orders the venue lists, None when it cannot be read."""
        try:
            reports = await self._gateway.open_orders()
        except VenueError as error:
            _log.warning("open orders could not be read", error=str(error))
            return None
        own = [self._desk.portfolio.orders.get(report.order_id) for report in reports]
        return sum(1 for each in own if (whole_account if each is None else unwanted(each)))
