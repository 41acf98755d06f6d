"""Operators: they issue commands as rows, the way the site does, and whichever trader runs carries them out through its real inbox.

The rows outlive every trader. `CommandTable` speaks the statements of `trading.inbox`, on the world's clock; a dead trader's statements are never
answered. Commands are issued whether or not a trader runs, some twice, some so late that they have expired when they are read.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from domain.halt import Halt, HaltScope
from domain.money import MICRO, format_micros
from domain.order import Effect, OrderSide
from runtime.kernel import Kernel
from tests.sim.ports import silence
from tests.sim.world import ACCOUNT, Dead, World
from trading import inbox

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

T = TypeVar("T")

STATEMENT_SECONDS = 0.005
NOTIFIED = 0.8
TTL_SECONDS = 10.0
NAMES = ("ann", "ben")
REASON = "chaos"
URGENT = ("halt", "flatten", "resume")
LOOK_AGAIN_NS = 3_000_000_000
"""How long an operator lets a halt stand that polybot set by itself."""


@dataclass
class Row:
    """One command; `ended` is when it was answered."""

    id: str
    kind: str
    payload: dict[str, Any]
    issued_by: str
    expires: float
    status: str = "pending"
    result: dict[str, Any] = field(default_factory=dict)
    ended: float = 0.0

    def told(self) -> str:
        """Say what was wanted, of which scope, and what became of it."""
        return " ".join(filter(None, (self.kind, self.payload.get("scope"), self.result.get("flatten"), self.status)))


class CommandTable:
    """The `commands` table: `trading.inbox` reads and answers, operators issue."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.rows: dict[str, Row] = {}
        self.taken: dict[str, Row] = {}
        """Commands that a trader read before they had expired."""
        self.woken: list[Callable[[], None]] = []
        """The inboxes that hear of a new row at once, as PostgreSQL's notifications are heard: mostly."""

    def issue(self, kind: str, payload: dict[str, Any], *, by: str, ttl: float = TTL_SECONDS) -> Row:
        row = Row(self._world.ids.uuid(), kind, payload, by, self._world.clock.monotonic() + ttl)
        self.rows[row.id] = row
        if self._world.roll("operator").random() < NOTIFIED:
            for wake in self.woken:
                wake()
        return row

    def pending(self) -> list[Row]:
        return [row for row in self.rows.values() if row.status == "pending"]

    def execute(self, statement: str, values: list[Any]) -> CommandTable:
        """Carry out one of the inbox's statements; `fetchone` returns what it found."""
        self._found: Row | None = None
        if statement == inbox._NEXT:
            self._found = self._next({str(each) for each in values[1]}, full=values[2])
        elif statement == inbox._REPORT:
            self._update(values[1], values[0])
        elif statement == inbox._FINISH:
            self._update(values[2], values[1], status=values[0])
        else:
            raise AssertionError(f"the inbox says something new: {statement}")
        return self

    def fetchone(self) -> dict[str, Any] | None:
        row = self._found
        if row is None:
            return None
        expired = row.expires <= self._world.clock.monotonic()
        if not expired:
            self.taken[row.id] = row
        return {"id": row.id, "kind": row.kind, "payload": row.payload, "issued_by": row.issued_by, "expired": expired}

    def _next(self, but: set[str], *, full: bool) -> Row | None:
        waiting = [row for row in self.pending() if row.id not in but and (row.kind in URGENT or not full)]
        return min(waiting, key=lambda row: row.kind not in URGENT, default=None)

    def _update(self, command_id: str, result: str, status: str = "pending") -> None:
        row = self.rows[command_id]
        if row.status == "pending":
            row.status, row.result, row.ended = status, json.loads(result), self._world.clock.monotonic()


class SimInbox(inbox.Inbox):
    """The real inbox of one life, over the table in memory."""

    def __init__(self, table: CommandTable, kernel: Kernel, life: Dead) -> None:
        self._table = table

        async def call(function: Callable[[Any], T]) -> T:
            await asyncio.sleep(STATEMENT_SECONDS)
            if not life.alive:
                await silence()
            return function(table)

        super().__init__("", call, kernel.operator.handle, account=ACCOUNT)

    async def _listen(self) -> None:
        self._table.woken.append(self._wake.set)
        try:
            await silence()
        finally:
            self._table.woken.remove(self._wake.set)


# What operators do


def command(simulation: Simulation, kernel: Kernel) -> str:
    """Issue a command, now and then twice, or so that it has expired when it is read; returns its kind."""
    rng = simulation.rng
    kind, payload = _wish(simulation, kernel)
    ttl = rng.choice((TTL_SECONDS, TTL_SECONDS, TTL_SECONDS, 0.0))
    for _ in range(rng.choice((1, 1, 1, 2))):
        simulation.world.faults["operator"] += 1
        simulation.commands.issue(kind, payload, by=rng.choice(NAMES), ttl=ttl)
    if kind in ("halt", "flatten") and rng.random() < 0.8:
        lifting = {"scope": payload["scope"], "target": payload["target"]}
        asyncio.get_running_loop().call_later(rng.uniform(0.1, 4.0), resume, simulation, lifting)
    return kind


def _wish(simulation: Simulation, kernel: Kernel) -> tuple[str, dict[str, Any]]:
    rng = simulation.rng
    kind = rng.choice(("place", "place", "cancel", "cancel_all", "halt", "halt", "halt", "flatten"))
    if kind == "place":
        return kind, _order(simulation, kernel)
    if kind == "cancel":
        known = kernel.portfolio.orders.open() if rng.random() < 0.7 else list(kernel.portfolio.orders.all())
        return kind, {"order_id": rng.choice(known).id if known else "0x0"}
    if kind == "cancel_all":
        return kind, {}
    market = rng.choice([market for market in simulation.world.exchange.markets() if market.tradable])
    strategies = sorted({own.order.draft.strategy for own in kernel.portfolio.orders.open()}) or ["flash_crash"]
    scope, target = rng.choice(
        (
            (HaltScope.ALL, ""),
            (HaltScope.VENUE, market.venue),
            (HaltScope.MARKET, market.id),
            (HaltScope.STRATEGY, rng.choice(strategies)),
            (HaltScope.ARBITRAGE, ""),
        )
    )
    return kind, {"scope": scope.value, "target": target, "reason": REASON, "max_slippage": "0.2"}


def _order(simulation: Simulation, kernel: Kernel) -> dict[str, Any]:
    """Return an order: a purchase that rests or takes, or the sale of something that is held."""
    rng = simulation.rng
    held = [p for p in kernel.portfolio.positions.open() if p.holding.settled >= 5 * MICRO]
    position = rng.choice(held) if held and rng.random() < 0.5 else None
    markets = [market for market in simulation.world.exchange.markets() if market.tradable]
    market = rng.choice(markets) if position is None else kernel.markets.get(position.market_id) or rng.choice(markets)
    token = market.token_ids[0] if position is None else position.token_id
    book = kernel.books.get(token)
    two_sided = book is not None and book.two_sided
    bid, ask = (book.best_bid, book.best_ask) if book is not None and two_sided else (MICRO // 2, MICRO // 2)
    return {
        "market_id": market.id,
        "token_id": token,
        "side": (OrderSide.BUY if position is None else OrderSide.SELL).value,
        "price": format_micros(rng.choice((bid, ask))),
        "size": "10" if position is None else "5",
        "order_type": rng.choice(("GTC", "GTC", "FAK")),
        "effect": (Effect.OPEN if position is None else Effect.REDUCE).value,
    }


def resume(simulation: Simulation, lifting: dict[str, Any]) -> None:
    """Lift a halt by name."""
    simulation.commands.issue("resume", lifting, by=simulation.rng.choice(NAMES))


def lift(simulation: Simulation, kernel: Kernel) -> None:
    """Lift what has stood for a while: what polybot halted by itself, and what was forgotten."""
    now = simulation.world.clock.now_ns()
    for halt in kernel.halts.active():
        if now - halt.set_ns > LOOK_AGAIN_NS:
            resume(simulation, scope_of(halt))


def lift_all(simulation: Simulation, kernel: Kernel) -> None:
    """Lift every halt of an operator, each once at a time: a flattening that is under way ends with it."""
    lifted = [row.payload for row in simulation.commands.pending() if row.kind == "resume"]
    for halt in kernel.halts.active():
        if halt.reason == REASON and scope_of(halt) not in lifted:
            resume(simulation, scope_of(halt))


def scope_of(halt: Halt) -> dict[str, Any]:
    return {"scope": halt.scope.value, "target": halt.target}
