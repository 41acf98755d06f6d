"""Halts in memory: which new risk is stopped, where and by whom. What reduces risk is never stopped.

A halt counts from the moment `set` is called; the caller journals the returned row, and restores active halts at start.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.halt import Halt, HaltScope
from domain.market import Market
from domain.ports import HaltLifted

_WIDEST = (HaltScope.ALL, HaltScope.VENUE, HaltScope.MARKET, HaltScope.STRATEGY, HaltScope.ARBITRAGE)


class Halts:
    """Active halts of one account by (scope, target)."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._active: dict[tuple[HaltScope, str], Halt] = {}

    def restore(self, halts: Iterable[Halt]) -> None:
        self._active = {(halt.scope, halt.target): halt for halt in halts}

    def set(self, scope: HaltScope, target: str, *, reason: str, set_by: str, now_ns: int) -> Halt | None:
        """Halt a scope; returns the row to journal, None when it was halted before (the first reason stays)."""
        key = (scope, target)
        if key in self._active:
            return None
        # Whole microseconds, so that the row is found again by its time.
        halt = Halt(
            account=self._account,
            scope=scope,
            target=target,
            reason=reason,
            set_by=set_by,
            set_ns=now_ns // 1000 * 1000,
        )
        self._active[key] = halt
        return halt

    def lift(self, scope: HaltScope, target: str, *, lifted_by: str, now_ns: int) -> HaltLifted | None:
        """Lift a halt; returns the row to journal, None when there was none.

        Raises:
            ValueError: no name was given; a halt is lifted by a named person.
        """
        if not lifted_by.strip():
            raise ValueError("a halt is lifted by a named person: no name was given")
        halt = self._active.pop((scope, target), None)
        if halt is None:
            return None
        return HaltLifted(
            account=self._account,
            scope=scope.value,
            target=target,
            set_ns=halt.set_ns,
            lifted_by=lifted_by,
            lifted_ns=now_ns,
        )

    def blocking(self, market: Market, strategy: str, *, arbitrage: bool = False) -> Halt | None:
        """Return the widest halt that stops opening intents of `strategy` in `market`, None when there is none.

        `arbitrage`: the intent is a leg of an arbitrage.
        """
        if not self._active:
            return None
        stopping = (
            halt
            for halt in self._active.values()
            if covers(halt.scope, halt.target, market, strategy, arbitrage=arbitrage)
        )
        return min(stopping, key=lambda halt: _WIDEST.index(halt.scope), default=None)

    def get(self, scope: HaltScope, target: str) -> Halt | None:
        """Return one active halt."""
        return self._active.get((scope, target))

    def active(self) -> list[Halt]:
        return list(self._active.values())


def covers(scope: HaltScope, target: str, market: Market, strategy: str, *, arbitrage: bool) -> bool:
    """Tell whether what `strategy` does in `market` is within a scope; `arbitrage`: it is a leg of one."""
    if scope is HaltScope.ALL:
        return True
    if scope is HaltScope.ARBITRAGE:
        return arbitrage
    places = {HaltScope.VENUE: market.venue, HaltScope.MARKET: market.id, HaltScope.STRATEGY: strategy}
    return places[scope] == target
