"""Operators' commands, applied by the trader: orders through the same risk as any strategy's, cancels, halts and their end.

Bad input is refused with what was wrong; nothing is guessed. The result says what happened, not what was hoped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.errors import PolybotError
from domain.halt import HaltScope
from domain.market import Market
from domain.money import parse_micros
from domain.order import Effect, OrderSide, OrderType
from domain.ports import Ids
from domain.signal import TradeSignal, Urgency
from trading.desk import Desk
from trading.executor import Executor
from trading.inbox import PendingCommand
from trading.order_flow import OrderFlow

VALID_NS = 10_000_000_000


class CommandRefusedError(PolybotError):
    """A command that cannot be carried out; the text says why."""


class Operator:
    """Carries out commands on one account; `market_of` finds a market by its id."""

    def __init__(
        self, desk: Desk, executor: Executor, flow: OrderFlow, ids: Ids, *, market_of: Callable[[str], Market | None]
    ) -> None:
        self._desk = desk
        self._executor = executor
        self._flow = flow
        self._ids = ids
        self._market_of = market_of

    async def handle(self, command: PendingCommand) -> dict[str, Any]:
        """Carry out one command; raises `PolybotError`, `ValueError` or `KeyError` to refuse it."""
        handlers = {
            "place": self._place,
            "cancel": self._cancel,
            "cancel_all": self._cancel_all,
            "halt": self._halt,
            "resume": self._resume,
        }
        return await handlers[command.kind](command.payload, command.issued_by)

    async def _place(self, payload: dict[str, Any], by: str) -> dict[str, Any]:
        market = self._market_of(payload["market_id"])
        if market is None:
            raise CommandRefusedError(f"market {payload['market_id']} is not known; look it up with GET /api/markets")
        now = self._desk.clock.now_ns()
        signal = TradeSignal(
            id=self._ids.uuid(),
            source="manual",
            market=market,
            token_id=payload["token_id"],
            side=OrderSide(payload["side"]),
            price=parse_micros(payload["price"]),
            size=parse_micros(payload["size"]),
            effect=Effect(payload.get("effect", Effect.OPEN if payload["side"] == OrderSide.BUY else Effect.REDUCE)),
            created_ns=now,
            expires_ns=now + VALID_NS,
            order_type=OrderType(payload.get("order_type", OrderType.GTC)),
            post_only=bool(payload.get("post_only", False)),
            urgency=Urgency.HIGH,
            reason=f"ordered by {by}",
        )
        decision = self._executor.submit(signal)
        if decision is None or decision.draft is None:
            detail = f"{decision.refusal}: {decision.detail}" if decision is not None else "not decided"
            raise CommandRefusedError(detail)
        return {"signal_id": signal.id, "decision_id": decision.decision_id}

    async def _cancel(self, payload: dict[str, Any], by: str) -> dict[str, Any]:
        own = self._desk.portfolio.orders.get(payload["order_id"])
        if own is None:
            raise CommandRefusedError(f"order {payload['order_id']} is not known to the trader")
        if own.status.terminal:
            raise CommandRefusedError(f"order {own.id} is {own.status.value} already")
        await self._flow.cancel(own, f"cancelled by {by}")
        return {"order_id": own.id, "status": own.status.value}

    async def _cancel_all(self, payload: dict[str, Any], by: str) -> dict[str, Any]:
        before = len(self._desk.portfolio.orders.open())
        await self._flow.cancel_all(f"cancelled by {by}")
        return {"open_before": before, "open_after": len(self._desk.portfolio.orders.open())}

    async def _halt(self, payload: dict[str, Any], by: str) -> dict[str, Any]:
        scope, target = HaltScope(payload.get("scope", HaltScope.ALL)), str(payload.get("target", ""))
        news = self._desk.halt(scope, target, reason=str(payload.get("reason") or "ordered"), set_by=by)
        await self._cancel_halted(scope, target, by)
        return {"halted": True, "news": news}

    async def _cancel_halted(self, scope: HaltScope, target: str, by: str) -> None:
        """Cancel the open orders that a halt speaks of; what reduces risk may stay."""
        stopped = [
            own
            for own in self._desk.portfolio.orders.open()
            if own.order.draft.effect is Effect.OPEN
            and self._desk.halts.blocking(own.order.draft.market, own.order.draft.strategy) is not None
        ]
        await self._flow.cancel_many(stopped, f"halt of {scope.value} {target} by {by}".replace("  ", " "))

    async def _resume(self, payload: dict[str, Any], by: str) -> dict[str, Any]:
        scope, target = HaltScope(payload.get("scope", HaltScope.ALL)), str(payload.get("target", ""))
        if not self._desk.resume(scope, target, lifted_by=by):
            raise CommandRefusedError(f"nothing is halted for {scope.value} {target}".rstrip())
        return {"halted": False}
