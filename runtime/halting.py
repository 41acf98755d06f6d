"""Halting, resuming, flattening: an operator's way to stop new risk, take back what is open, and sell what is held.

A halt counts in memory at once, so that nothing that is decided, signed or being committed leaves any more. Then it is made durable, orders on their
way are waited for, every order of the scope is cancelled, and the venue is read until it has listed none twice. Flattening is the same, and
then sells the scope's positions. Each step is audited. A step that fails leaves the halt standing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from domain.errors import PolybotError
from domain.halt import HaltScope
from domain.market import Market
from domain.money import parse_micros
from trading.desk import Desk
from trading.flatten import Flatten
from trading.halts import covers
from trading.own_orders import OwnOrder
from trading.positions import OpenPosition
from trading.withdrawals import Withdrawals

DEFAULT_SLIPPAGE = "0.05"


class CommandRefusedError(PolybotError):
    """A command that cannot be carried out; the text says why."""


class Halting:
    """Carries out halts of one account; `market_of` finds a market by its id."""

    def __init__(
        self, desk: Desk, withdrawals: Withdrawals, flatten: Flatten, *, market_of: Callable[[str], Market | None]
    ) -> None:
        self._desk = desk
        self._withdrawals = withdrawals
        self._flatten = flatten
        self._market_of = market_of

    async def halt(self, payload: dict[str, Any], by: str) -> dict[str, Any]:
        """Halt a scope and take back its orders."""
        scope, target = _scope(payload)
        news = self._desk.halt(scope, target, reason=str(payload.get("reason") or "ordered"), set_by=by)
        await self._desk.settle("halt_durable", scope=scope.value, target=target, by=by)
        existing = {own.id for own in self._desk.portfolio.orders.open() if _orders(own, scope, target)}

        def unwanted(own: OwnOrder) -> bool:
            return own.id in existing or bool(self._desk.halted(own.order.draft))

        why = f"halt of {scope.value} {target}".rstrip() + f" by {by}"
        everything = scope in (HaltScope.ALL, HaltScope.VENUE)
        left = await self._withdrawals.sweep(unwanted, why, whole_account=everything)
        self._desk.audit(
            "halt_cancelled", scope=scope.value, target=target, orders=len(existing), open_after=left, by=by
        )
        return {"halted": True, "news": news, "open_after": left}

    async def resume(self, payload: dict[str, Any], by: str) -> dict[str, Any]:
        """Lift one halt."""
        scope, target = _scope(payload)
        if not self._desk.resume(scope, target, lifted_by=by):
            active = ", ".join(f"{halt.scope.value} {halt.target}".rstrip() for halt in self._desk.halts.active())
            wanted = f"{scope.value} {target}".rstrip()
            raise CommandRefusedError(f"nothing is halted for {wanted}; halted now: {active or 'nothing'}")
        return {"halted": False}

    async def flatten(
        self, payload: dict[str, Any], by: str, report: Callable[[dict[str, object]], Awaitable[object]]
    ) -> dict[str, Any]:
        """Halt a scope, take back its orders, sell its positions; `report` is told how far that is."""
        scope, target = _scope(payload)
        if scope is HaltScope.ARBITRAGE:
            raise CommandRefusedError("legs hedge each other and are not sold one by one: flatten the strategy, or all")
        slippage = parse_micros(str(payload.get("max_slippage") or DEFAULT_SLIPPAGE))
        if not 0 < slippage < 1_000_000:
            raise CommandRefusedError("max_slippage was out of range, allowed: above 0, below 1, in dollars a share")
        halted = await self.halt(payload, by)
        self._desk.audit("flatten_begun", scope=scope.value, target=target, slippage=slippage, by=by)

        def held(position: OpenPosition) -> bool:
            market = self._market_of(position.market_id)
            return market is not None and covers(scope, target, market, position.strategy, arbitrage=False)

        def goes_on() -> bool:
            return self._desk.halts.get(scope, target) is not None

        async def tell(progress: dict[str, object]) -> None:
            await report(halted | progress)

        progress = await self._flatten.run(held, slippage=slippage, by=by, goes_on=goes_on, report=tell)
        ended = "flat" if not progress.held else "given up" if goes_on() else "resumed"
        self._desk.audit("flatten_ended", scope=scope.value, target=target, end=ended, left=progress.held, by=by)
        return halted | progress.said() | {"flatten": ended}


def _orders(own: OwnOrder, scope: HaltScope, target: str) -> bool:
    draft = own.order.draft
    return not own.status.terminal and covers(
        scope, target, draft.market, draft.strategy, arbitrage=bool(draft.leg_group)
    )


def _scope(payload: dict[str, Any]) -> tuple[HaltScope, str]:
    return HaltScope(payload.get("scope", HaltScope.ALL)), str(payload.get("target", ""))
