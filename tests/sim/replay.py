"""What a disk and a venue come to: one hash of both, the journal read once more, and a second reconciliation that finds nothing to do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from domain.ledger import LedgerAccount
from domain.order import OrderStatus
from domain.ports import EquityRecord, Journal, JournalRow
from runtime.kernel import Kernel
from tests.sim.world import ACCOUNT, World
from trading.halts import Halts
from trading.portfolio import Portfolio

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

DISK = ("orders", "fills", "positions", "ledger_entries", "leg_groups", "halts")


async def reconciled_twice(simulation: Simulation, kernel: Kernel) -> list[str]:
    """Reconciling again changes nothing, neither in memory nor on the disk: not a row is written."""
    await kernel.reconciler.run()
    heard, rows = simulation.world.written, list[JournalRow]()
    simulation.world.written = rows.extend
    before = state_of(kernel.portfolio)
    await kernel.reconciler.run()
    simulation.world.written = heard
    rows = [row for row in rows if not isinstance(row, EquityRecord)]
    changed = rows or state_of(kernel.portfolio) != before
    return [f"reconciling twice: the second time changed something: {rows[:3]}"] if changed else []


async def replayed(simulation: Simulation, kernel: Kernel) -> list[str]:
    """Replaying the journal gives the same state: return how it differs."""
    wrong: list[str] = []
    await kernel.desk.settle("end of the simulation")
    life = simulation.world.join()
    journal: Journal = simulation.storage(life).journal(lambda: 0, kernel.markets.required)
    disk = await journal.load()
    again, halts = Portfolio(ACCOUNT, kernel.markets.by_condition), Halts(ACCOUNT)
    again.restore(disk)
    halts.restore(disk.halts)
    for what, found in state_of(again).items():
        now = state_of(kernel.portfolio)[what]
        if found != now:
            wrong.append(f"the journal replays: {what} differ: {_difference(found, now)}")
    # How much the venue matched of an order in all is not on the disk: where that was not the whole order, a restart reserves the rest until it
    # has read it again.
    for own in again.orders.open():
        view = simulation.world.exchange.order(own.id)
        if own.status is not OrderStatus.MATCHED or view is None or view.size_matched != own.seen:
            wrong.append(f"the journal replays: order {own.id[:10]} is {own.status} again")
    free = again.available_cash + again.orders.reserved_cash
    if free != kernel.portfolio.available_cash:
        wrong.append(f"the journal replays: {free} free or reserved, {kernel.portfolio.available_cash} in memory")
    if set(halts.active()) != set(kernel.halts.active()):
        wrong.append(f"the journal replays: halts differ: {halts.active()}, {kernel.halts.active()}")
    running = sorted(report.group.id for report in kernel.legs.running())
    if running != sorted(group.id for group, state in disk.groups if not state.state.over):
        wrong.append(f"the journal replays: groups differ: {running} run")
    return wrong


def state_of(portfolio: Portfolio) -> dict[str, dict[Any, Any]]:
    """Return everything that counts of an account's state, times to the microsecond as on the disk."""
    return {
        "orders": {own.id: (own.status, own.filled, own.seen, own.spent) for own in portfolio.orders.all()},
        "fills": {fill.key: replace(fill, matched_ns=fill.matched_ns // 1000) for fill in portfolio.fills.values()},
        "positions": {p.id: (p.holding, p.take_profit, p.stop_loss) for p in portfolio.positions.open()},
        "ledger": {account: portfolio.ledger.balance(account) for account in LedgerAccount},
    }


def _difference(one: dict[Any, Any], other: dict[Any, Any]) -> str:
    keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    return "; ".join(f"{key}: {one.get(key)} on disk, {other.get(key)} in memory" for key in keys[:2])


def state_hash(world: World, rows: Callable[[str], list[dict[str, Any]]]) -> str:
    """Return one hash of venue and disk."""
    disk = json.dumps({table: rows(table) for table in DISK}, default=repr)
    return hashlib.sha256((world.exchange.state_hash() + disk).encode()).hexdigest()
