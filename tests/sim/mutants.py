"""The behaviour of `make mutants`: switches protections off, one at a time, and shows that the simulation finds each.

A mutant replaces one function of the trader by name, in a process of its own, and runs seeds with every fault until an invariant is broken. One
that survives all its seeds means that the protection is not tested: exit code 1. An error that is raised proves nothing, it may be the mutant's own:
only an invariant counts.
"""

from __future__ import annotations

import importlib
import math
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from msgspec import structs

from domain.errors import JournalError
from domain.fill import FillStatus
from domain.legs import GroupState
from domain.order import OrderStatus
from domain.reports import Rejected, Uncertain
from tests.sim.runner import quiet, run_seed

MOST_SEEDS = 60
NO_PROOF = ("nothing raises", "nothing dies of itself", "time goes on")

Patch = Callable[[Any], Any]


def _commit_unawaited(_: Any) -> Any:
    async def commit(self: Any, orders: Any) -> bool:
        self._desk.write([own.order for own in orders])
        return True

    return commit


def _booked_again(_: Any) -> Any:
    def put(self: Any, fill: Any) -> None:
        self.recent[fill.key] = fill
        self.holding = importlib.import_module("trading.holding").apply(self.holding, fill)
        self._close(fill.matched_ns)

    return put


def _silence_is_no(original: Any) -> Any:
    def apply(self: Any, own: Any, outcome: Any) -> Any:
        refused = isinstance(outcome, Uncertain)
        return original(self, own, Rejected(order_id=own.id, code="timeout") if refused else outcome)

    return apply


def _absent_at_once(original: Any) -> Any:
    def absent(self: Any, own: Any, read_ns: int) -> Any:
        self._absence_ns, own.last_send_ns = 0, 0
        return original(self, own, read_ns)

    return absent


def _unfenced(_: Any) -> Any:
    def write(self: Any, writes: Any) -> JournalError | None:
        try:
            self._tables.apply(writes)
        except JournalError as error:
            return error
        return None

    return write


def _no_deadline(original: Any) -> Any:
    def write(self: Any, orders: Any, _: float) -> Any:
        return original(self, orders, math.inf)

    return write


def _never_failed(original: Any) -> Any:
    def move(self: Any, known: Any, report: Any, now_ns: int) -> Any:
        failed = report.status is FillStatus.FAILED
        return original(self, known, replace(report, status=FillStatus.CONFIRMED) if failed else report, now_ns)

    return move


def _undecided(original: Any) -> Any:
    def add(self: Any, order: Any, now_ns: int) -> Any:
        draft = structs.replace(order.draft, decision_id=order.draft.decision_id + "?")
        return original(self, replace(order, draft=draft), now_ns)

    return add


def _all_is_free(_: Any) -> Any:
    def sellable(self: Any, token_id: str, strategy: str) -> int:
        position = self._state.positions.get(token_id, strategy)
        return max(0, position.holding.settled) if position is not None else 0

    return sellable


def _halts_unseen(_: Any) -> Any:
    def stopped(self: Any, draft: Any) -> str:
        return str(self._desk.broken or self._policies.stops(draft))

    return stopped


def _replaced_at_once(_: Any) -> Any:
    async def withdraw(self: Any, own: Any, reason: str, **_: Any) -> bool:
        await self._flow.cancel(own, reason)
        return True

    return withdraw


def _never_left(original: Any) -> Any:
    def restore(self: Any, state: Any) -> None:
        original(self, state)
        for own in self.orders.all():
            if own.status is OrderStatus.UNKNOWN and not own.acknowledged:
                own.status = OrderStatus.REJECTED
                self.orders.refresh(own)

    return restore


def _believed(original: Any) -> Any:
    async def cancel_many(self: Any, orders: Any, reason: str) -> None:
        await original(self, orders, reason)
        for own in orders:
            own.needs_read = False
            if own.id in self._desk.portfolio.orders:
                self._desk.portfolio.orders.refresh(own)

    return cancel_many


def _at_any_price(_: Any) -> Any:
    return lambda market, *_: 1_000_000 - market.tick


def _always(value: Any) -> Patch:
    return lambda _: lambda *_a, **_n: value


@dataclass(frozen=True)
class Mutant:
    """`targets` are the functions ("module:Class.name", "module:name") that `patch` replaces, each given its original."""

    name: str
    targets: tuple[str, ...]
    patch: Patch


MUTANTS = [
    Mutant("write-ahead", ("trading.order_flow:OrderFlow._commit",), _commit_unawaited),
    Mutant(
        "reservation",
        ("trading.own_orders:OwnOrder.reserved_cash", "trading.own_orders:OwnOrder.reserved_tokens"),
        lambda _: property(lambda _: 0),
    ),
    Mutant("dedup of fills", ("trading.positions:OpenPosition.put",), _booked_again),
    Mutant("unknown", ("trading.order_flow:OrderFlow._apply_outcome",), _silence_is_no),
    Mutant("absence rule", ("trading.resolver:Resolver._absent",), _absent_at_once),
    Mutant("lease epoch", ("trading.journal_memory:MemoryJournal._write",), _unfenced),
    Mutant("deadline before the write", ("trading.order_flow:OrderFlow._write",), _no_deadline),
    Mutant("FAILED reversal", ("trading.portfolio:Portfolio._move_fill",), _never_failed),
    Mutant("decision id", ("trading.portfolio:Portfolio.add",), _undecided),
    Mutant("one exit", ("trading.reservations:Reservations.sellable",), _all_is_free),
    Mutant("halt recheck", ("trading.order_flow:OrderFlow._stopped",), _halts_unseen),
    Mutant("equal shares", ("trading.leg_run:GroupRun.judged",), _always(GroupState.FILLED)),
    Mutant("caps", ("trading.risk.core:RiskCore._check_caps",), _always(None)),
    Mutant("self-trade", ("trading.risk.core:RiskCore._check_self_trade",), _always(None)),
    # A restart that leaves such orders `pending` instead is no mutant: every open order is read at start whatever its state, absence takes the same
    # time for each, and all of them reserve. Taking them for orders that never left is what nothing else catches.
    Mutant("unknown after a restart", ("trading.account_state:AccountState.restore",), _never_left),
    Mutant("read after a cancel", ("trading.order_flow:OrderFlow.cancel_many",), _believed),
    Mutant("sequence of settlement", ("trading.portfolio:fill_may_move",), _always(True)),
    Mutant("bound of unwinding", ("trading.leg_exits:dearest_exit",), _at_any_price),
    Mutant("moves made outside", ("trading.reconcile:Reconciler._adopt_moves",), _always(None)),
    Mutant("a trade that cannot be", ("trading.portfolio:contradicts_order",), _always("")),
    Mutant("a replacement waits", ("trading.withdrawals:Withdrawals.withdraw",), _replaced_at_once),
]


@dataclass(frozen=True)
class Verdict:
    """`seeds` is how many it took, None when the mutant survived."""

    name: str
    seeds: int | None
    found_by: str
    seconds: float


def switch_off(mutant: Mutant) -> None:
    """Replace the mutant's functions in this process. Raises `AttributeError` when one is not where the table says."""
    for target in mutant.targets:
        module, _, path = target.partition(":")
        owner_name, _, name = path.rpartition(".")
        owner = getattr(importlib.import_module(module), owner_name) if owner_name else importlib.import_module(module)
        setattr(owner, name, mutant.patch(getattr(owner, name)))


def judge(number: int) -> Verdict:
    """Run seeds with `MUTANTS[number]` until one breaks an invariant."""
    quiet()
    mutant, begun = MUTANTS[number], perf_counter()
    switch_off(mutant)
    for seed in range(MOST_SEEDS):
        broken = [wrong for wrong in run_seed(seed).violations if not wrong.startswith(NO_PROOF)]
        if broken:
            return Verdict(mutant.name, seed + 1, broken[0], perf_counter() - begun)
    return Verdict(mutant.name, None, "SURVIVED", perf_counter() - begun)


def main(wanted: Sequence[str]) -> int:
    numbers = [n for n, mutant in enumerate(MUTANTS) if not wanted or mutant.name in wanted]
    if not numbers:
        print(f"no such mutant; there are: {', '.join(mutant.name for mutant in MUTANTS)}", file=sys.stderr)
        return 2
    context, survived = multiprocessing.get_context("spawn"), 0
    begun = perf_counter()
    print(f"{'switched off':<26} {'seeds':>5} {'seconds':>8}  found by")
    with ProcessPoolExecutor(2, mp_context=context, max_tasks_per_child=1) as pool:
        for found in as_completed(pool.submit(judge, number) for number in numbers):
            verdict = found.result()
            survived += verdict.seeds is None
            seeds = f"> {MOST_SEEDS}" if verdict.seeds is None else str(verdict.seeds)
            print(f"{verdict.name:<26} {seeds:>5} {verdict.seconds:>8.1f}  {verdict.found_by[:90]}", flush=True)
    print(f"{len(numbers) - survived} of {len(numbers)} found in {perf_counter() - begun:.0f} s")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
