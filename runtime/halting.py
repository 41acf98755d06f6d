"""Halting, resuming, flattening: an operator's way to stop new risk, take back what is open, and sell what is held.

A halt counts in memory at once, so that nothing that is decided, signed or being committed leaves any more. Then it is made durable, orders on their
way are waited for, every order of the scope is cancelled, and the venue is read until it has listed none twice. What takes longer than the command
goes on in `trading.withdrawals`, which also follows the halts that polybot sets by itself. Flattening is the same, and then sells the scope's
positions. Each step is audited. A step that fails leaves the halt standing.
While nothing can be journaled the halt counts all the same, and its row waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog

from domain.errors import JournalUnavailableError, PolybotError
from domain.halt import HaltScope
from domain.market import Market
from domain.money import parse_micros
from trading.desk import Desk
from trading.flatten import Flatten
from trading.halts import covers
from trading.own_orders import OwnOrder
from trading.positions import OpenPosition
from trading.quarantine import said
from trading.withdrawals import Withdrawals

DEFAULT_SLIPPAGE = "0.05"
_MOST_NAMED = 20
"""So many trades that are left out of the books are named in an answer; the audit log has all."""

_log = structlog.get_logger(__name__)


class CommandRefusedError(PolybotError):
    """A command that cannot be carried out; the text says why."""


class Halting:
    """Carries out halts of one account.

    Args:
        venue: the name of the account's venue.
        strategies: everything that may trade, by name.
        market_of: finds a market by its id.
    """

    def __init__(
        self,
        desk: Desk,
        withdrawals: Withdrawals,
        flatten: Flatten,
        *,
        venue: str,
        strategies: Callable[[], Iterable[str]],
        market_of: Callable[[str], Market | None],
    ) -> None:
        self._desk = desk
        self._withdrawals = withdrawals
        self._flatten = flatten
        self._venue = venue
        self._strategies = strategies
        self._market_of = market_of

    async def halt(self, payload: dict[str, Any], by: str) -> dict[str, Any]:
        """Halt a scope and take back its orders. `confirmed` in the result: the venue has listed none of them twice."""
        scope, target = self._existing(payload)
        news = self._desk.halt(scope, target, reason=str(payload.get("reason") or "ordered"), set_by=by)
        durable = await self._made_durable(scope, target, by)
        existing = {own.id for own in self._desk.portfolio.orders.open() if _orders(own, scope, target)}

        def unwanted(own: OwnOrder) -> bool:
            return own.id in existing or bool(self._desk.halted(own.order.draft))

        why = f"halt of {scope.value} {target}".rstrip() + f" by {by}"
        everything = scope in (HaltScope.ALL, HaltScope.VENUE)
        swept = await self._withdrawals.sweep(unwanted, why, whole_account=everything)
        halt = self._desk.halts.get(scope, target)
        if swept.confirmed and halt is not None:
            self._withdrawals.followed(halt, swept.left)
        return {
            "halted": True,
            "news": news,
            "durable": durable,
            "open_after": swept.left,
            "confirmed": swept.confirmed,
        }

    async def _made_durable(self, scope: HaltScope, target: str, by: str) -> bool:
        """Wait for the halt's row; False where nothing can be written now: what is open is cancelled all the same."""
        try:
            await self._desk.settle("halt_durable", scope=scope.value, target=target, by=by)
        except JournalUnavailableError as error:
            _log.error("halt not durable yet", scope=scope.value, target=target, error=str(error))
            return False
        return True

    async def resume(self, payload: dict[str, Any], by: str) -> dict[str, Any]:
        """Lift one halt. Trades in quarantine that had set it are booked where that is right by now; the result names those, and what is left out
        of the books and why. `halted` is true when that halted the market again.
        """
        scope, target = _scope(payload)
        portfolio = self._desk.portfolio
        held = portfolio.quarantined_in(target) if scope is HaltScope.MARKET else []
        if not self._desk.resume(scope, target, lifted_by=by):
            active = ", ".join(f"{halt.scope.value} {halt.target}".rstrip() for halt in self._desk.halts.active())
            wanted = f"{scope.value} {target}".rstrip()
            raise CommandRefusedError(f"nothing is halted for {wanted}; halted now: {active or 'nothing'}")
        again = self._desk.halts.get(scope, target)
        result: dict[str, Any] = {"halted": again is not None}
        if again is not None:
            result["detail"] = f"halted again at once: {again.reason}"
        if held:
            left_out = [said(each) for each in portfolio.odd(held)]
            result |= {"booked": len(held) - len(left_out), "left_out": left_out[:_MOST_NAMED]}
        return result

    async def flatten(
        self, payload: dict[str, Any], by: str, report: Callable[[dict[str, object]], Awaitable[object]]
    ) -> dict[str, Any]:
        """Halt a scope, take back its orders, sell its positions; `report` is told how far that is."""
        scope, target = self._existing(payload)
        if scope is HaltScope.ARBITRAGE:
            raise CommandRefusedError("legs hedge each other and are not sold one by one: flatten the strategy, or all")
        slippage = parse_micros(str(payload.get("max_slippage") or DEFAULT_SLIPPAGE))
        if not 0 < slippage < 1_000_000:
            raise CommandRefusedError("max_slippage was out of range, allowed: above 0, below 1, in dollars a share")
        halted = await self.halt(payload, by)
        self._desk.audit("flatten_begun", scope=scope.value, target=target, slippage=slippage, by=by)

        def held(position: OpenPosition) -> bool:
            market = self._market_of(position.market_id)
            if market is None:
                return scope is HaltScope.ALL
            return covers(scope, target, market, position.strategy, arbitrage=False)

        def goes_on() -> bool:
            return self._desk.halts.get(scope, target) is not None

        async def tell(progress: dict[str, object]) -> None:
            await report(halted | progress)

        progress = await self._flatten.run(held, slippage=slippage, by=by, goes_on=goes_on, report=tell)
        ended = "flat" if not progress.held else "given up" if goes_on() else "resumed"
        self._desk.audit("flatten_ended", scope=scope.value, target=target, end=ended, left=progress.held, by=by)
        return halted | progress.said() | {"flatten": ended}

    def _existing(self, payload: dict[str, Any]) -> tuple[HaltScope, str]:
        """Return scope and target of a command. A halt of what is not there would stop nothing and be believed: it is refused."""
        scope, target = _scope(payload)
        if scope in (HaltScope.ALL, HaltScope.ARBITRAGE):
            if target:
                raise CommandRefusedError(f"target was {target!r}, scope {scope.value} takes none")
        elif scope is HaltScope.VENUE and target != self._venue:
            raise CommandRefusedError(f"venue was {target!r}, this account trades at {self._venue}")
        elif scope is HaltScope.MARKET and self._market_of(target) is None:
            raise CommandRefusedError(f"market {target!r} is not known; look it up with GET /api/markets")
        elif scope is HaltScope.STRATEGY and target not in (known := sorted(self._strategies())):
            raise CommandRefusedError(f"strategy was {target!r}, known are {', '.join(known)}")
        return scope, target


def _orders(own: OwnOrder, scope: HaltScope, target: str) -> bool:
    draft = own.order.draft
    return not own.status.terminal and covers(
        scope, target, draft.market, draft.strategy, arbitrage=bool(draft.leg_group)
    )


def _scope(payload: dict[str, Any]) -> tuple[HaltScope, str]:
    return HaltScope(payload.get("scope", HaltScope.ALL)), str(payload.get("target", ""))
