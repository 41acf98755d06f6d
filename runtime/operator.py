"""Operators' commands, applied by the trader: orders through the same risk as any strategy's, cancels, halts and their end.

Bad input is refused with what was wrong; nothing is guessed. The result says what happened, not what was hoped: a halt and a cancel of everything
are done when the venue has listed no such order twice. A command that is carried out again after a crash finds its order and places no second
one. A sale is taken from the position that has the most to sell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.market import Market
from domain.money import format_micros, parse_micros
from domain.order import Effect, OrderSide, OrderType
from domain.signal import TradeSignal, Urgency
from runtime.halting import CommandRefusedError, Halting
from trading.desk import Desk
from trading.executor import MANUAL, Executor
from trading.inbox import PendingCommand
from trading.order_flow import OrderFlow
from trading.reservations import Reservations
from trading.resolver import Resolver
from trading.withdrawals import Withdrawals

VALID_NS = 10_000_000_000


class Operator:
    """Carries out commands on one account; `market_of` finds a market by its id."""

    def __init__(
        self,
        desk: Desk,
        executor: Executor,
        flow: OrderFlow,
        resolver: Resolver,
        withdrawals: Withdrawals,
        reservations: Reservations,
        halting: Halting,
        *,
        market_of: Callable[[str], Market | None],
    ) -> None:
        self._desk = desk
        self._executor = executor
        self._flow = flow
        self._resolver = resolver
        self._withdrawals = withdrawals
        self._reservations = reservations
        self._halting = halting
        self._market_of = market_of

    async def handle(self, command: PendingCommand) -> dict[str, Any]:
        """Carry out one command; raises `PolybotError`, `ValueError` or `KeyError` to refuse it."""
        if command.kind == "place":
            return self._place(command)
        if command.kind == "flatten":
            return await self._halting.flatten(command.payload, command.issued_by, command.report)
        handlers = {
            "cancel": self._cancel,
            "cancel_all": self._cancel_all,
            "halt": self._halting.halt,
            "resume": self._halting.resume,
        }
        handler = handlers.get(command.kind)
        if handler is None:
            raise CommandRefusedError(f"command was {command.kind!r}, expected place, {', '.join(handlers)}, flatten")
        return await handler(command.payload, command.issued_by)

    def _place(self, command: PendingCommand) -> dict[str, Any]:
        for own in self._desk.portfolio.orders.all():
            if own.order.draft.intent_id == command.id:
                draft = own.order.draft
                return {"signal_id": command.id, "decision_id": draft.decision_id, "size": format_micros(draft.size)}
        signal = self._signal(command)
        decision = self._executor.submit(signal)
        if decision is None or decision.draft is None:
            detail = f"{decision.refusal}: {decision.detail}" if decision is not None else "not decided"
            raise CommandRefusedError(detail)
        return {
            "signal_id": signal.id,
            "decision_id": decision.decision_id,
            "size": format_micros(decision.draft.size),
        }

    def _signal(self, command: PendingCommand) -> TradeSignal:
        payload = command.payload
        market = self._market_of(_text(payload, "market_id"))
        if market is None:
            raise CommandRefusedError(f"market {payload['market_id']} is not known; look it up with GET /api/markets")
        now = self._desk.clock.now_ns()
        token_id, side = _text(payload, "token_id"), OrderSide(payload["side"])
        return TradeSignal(
            id=command.id,
            source=self._holder(token_id) if side is OrderSide.SELL else MANUAL,
            market=market,
            token_id=token_id,
            side=side,
            price=parse_micros(_text(payload, "price")),
            size=parse_micros(_text(payload, "size")),
            # There are no naked shorts: a sale reduces, whatever it is called.
            effect=Effect.REDUCE if side is OrderSide.SELL else Effect(payload.get("effect", Effect.OPEN)),
            created_ns=now,
            expires_ns=now + VALID_NS,
            order_type=OrderType(payload.get("order_type", OrderType.GTC)),
            post_only=bool(payload.get("post_only", False)),
            urgency=Urgency.HIGH,
            reason=f"ordered by {command.issued_by}",
        )

    def _holder(self, token_id: str) -> str:
        """Return the strategy that has the most of a token to sell."""
        holders = [position.strategy for position in self._desk.portfolio.positions.of_token(token_id)]
        return max(holders, key=lambda each: self._reservations.sellable(token_id, each), default=MANUAL)

    async def _cancel(self, payload: dict[str, Any], by: str) -> dict[str, Any]:
        order_id = _text(payload, "order_id")
        own = self._desk.portfolio.orders.get(order_id)
        if own is None:
            raise CommandRefusedError(f"order {order_id} is not known to the trader")
        if own.status.terminal:
            raise CommandRefusedError(f"order {own.id} is {own.status.value} already")
        await self._flow.cancel(own, f"cancelled by {by}")
        if own.id in self._desk.portfolio.orders:
            await self._resolver.read([own])
        return {"order_id": own.id, "status": own.status.value}

    async def _cancel_all(self, payload: dict[str, Any], by: str) -> dict[str, Any]:
        before = sum(1 for own in self._desk.portfolio.orders.open() if not own.status.terminal)
        swept = await self._withdrawals.sweep(lambda _: True, f"cancelled by {by}", whole_account=True)
        return {"open_before": before, "open_after": swept.left, "confirmed": swept.confirmed}


def _text(payload: dict[str, Any], name: str) -> str:
    value = payload[name]
    if not isinstance(value, str):
        raise CommandRefusedError(f"{name} was {value!r}, expected text")
    return value
