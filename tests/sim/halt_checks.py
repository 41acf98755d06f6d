"""Halts and operators' commands: what was confirmed stands, what is carried out is carried out once, and polybot halts only where it must."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from domain.fill import FillStatus
from domain.halt import Halt, HaltScope
from domain.legs import GroupState
from domain.order import Effect
from runtime.kernel import Kernel
from tests.sim.groups import json_of
from tests.sim.operators import REASON
from tests.sim.world import TRADER
from trading.halts import covers

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

FOLLOWED_NS = 20_000_000_000
"""How long orders may go on resting under a halt while cancels and reads fail."""


def halts_stand(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """Once a halt was confirmed, the venue has no order left that opens risk in its scope."""
    for row in simulation.commands.rows.values():
        if row.kind != "halt" or row.status != "done" or not row.result["confirmed"] or row.result["open_after"]:
            continue
        scope, target = HaltScope(row.payload["scope"]), row.payload["target"]
        halt = kernel.halts.get(scope, target)
        if halt is None or halt.set_ns > simulation.world.clock.at_ns(row.ended):
            continue
        for view in simulation.world.exchange.open_orders(TRADER):
            own = kernel.portfolio.orders.get(view.id)
            draft = own.order.draft if own is not None else None
            if draft is None or draft.effect is not Effect.OPEN:
                continue
            if covers(scope, target, draft.market, draft.strategy, arbitrage=bool(draft.leg_group)):
                yield f"order {view.id[:10]} rests, {scope} {target} was halted and confirmed to be empty"


def halts_are_followed(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """Whoever set a halt: what opens risk there does not go on resting under a trader that works."""
    clock, exchange = simulation.world.clock, simulation.world.exchange
    latest = clock.now_ns() - FOLLOWED_NS
    if simulation.witness.since.setdefault(kernel, clock.now_ns()) > latest:
        return
    for halt in kernel.halts.active():
        for view in exchange.open_orders(TRADER) if halt.set_ns <= latest else ():
            own = kernel.portfolio.orders.get(view.id)
            draft = (
                own.order.draft if own is not None and view.created_ns - simulation.world.skew_ns <= latest else None
            )
            if draft is None or draft.effect is not Effect.OPEN:
                continue
            if covers(halt.scope, halt.target, draft.market, draft.strategy, arbitrage=bool(draft.leg_group)):
                yield f"order {view.id[:10]} still rests, {halt.scope} {halt.target} was halted long ago: {halt.reason}"


def commands_end_once(simulation: Simulation, _: Kernel) -> Iterator[str]:
    """A command places one order at the most, and none once it has expired."""
    placed: defaultdict[str, int] = defaultdict(int)
    for view in simulation.world.exchange.orders(TRADER):
        row = simulation.row_of(view.id)
        command = simulation.commands.rows.get(row["intent_id"]) if row is not None else None
        if command is not None:
            placed[command.id] += 1
            if command.id not in simulation.commands.taken:
                yield f"command {command.id} had expired, and placed order {view.id[:10]}"
    yield from (f"command {each} placed {number} orders" for each, number in placed.items() if number > 1)


def halts_expected(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """What is halted was halted by an operator, or the venue took back a fill there or told a wrong one, or a group failed there."""
    for halt in kernel.halts.active():
        if not _expected(simulation, halt):
            yield f"{halt.scope} {halt.target} is halted: {halt.reason}"


def _expected(simulation: Simulation, halt: Halt) -> bool:
    if halt.reason.startswith("negative inventory"):
        failed = {t.condition_id for t in simulation.world.exchange.trades(TRADER) if t.status is FillStatus.FAILED}
        return any(m.id == halt.target and m.condition_id in failed for m in simulation.world.exchange.markets())
    if halt.reason.startswith("residual inventory"):
        failed_groups = [row for row in simulation.rows("leg_groups") if row["state"] == GroupState.FAILED]
        return any(leg["market_id"] == halt.target for row in failed_groups for leg in json_of(row["legs"]))
    if halt.reason.startswith("trade "):
        return any(trade_id in halt.reason for trade_id in simulation.world.false)
    commands = (row for row in simulation.commands.rows.values() if row.kind in ("halt", "flatten"))
    wanted = {(row.payload["scope"], row.payload["target"]) for row in commands}
    return halt.reason == REASON and (halt.scope, halt.target) in wanted
