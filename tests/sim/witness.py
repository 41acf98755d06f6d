"""Sees decisions, rows and orders at the moment they leave the trader, and says in the world's `complaints` what must not happen then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from domain.ledger import EntryKind, LedgerAccount, LedgerEntry
from domain.order import Effect, OrderDraft, OrderStatus, PreparedOrder
from domain.ports import JournalRow
from runtime.kernel import Kernel
from tests.sim.stakes import beyond_the_caps
from tests.sim.world import Dead

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

VOIDED = (EntryKind.VOID, LedgerAccount.INVENTORY)


class Witness:
    """Watches one seed.

    `decided` are the decisions there were, `left` the orders whose bytes left. `doubtful` are, for each decision to reduce, the orders of which it
    was not known then whether they exist. `taken_back` is what the failed sales of each market put back into the inventory at cost, by journal.
    `stakes` and `forced` are, for each market and in all (""), what was at stake at the last look and what nobody had decided of it, and
    `looked_at` whose it was.
    `since` is when each trader was first seen at work.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self.left: set[str] = set()
        self.decided: set[str] = set()
        self.doubtful: dict[str, set[str]] = {}
        self.taken_back: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self.stakes: dict[str, int] = {}
        self.forced: dict[str, int] = {}
        self.looked_at: Kernel | None = None
        self.since: dict[Kernel, int] = {}

    def __call__(self, moment: str, life: Dead, draft: OrderDraft, prepared: PreparedOrder) -> None:
        wrong = self._handed(life, draft) if moment == "handed" else self._leaves(draft, prepared)
        self._complain(f"{each}: order {prepared.order_id[:10]}" for each in wrong)

    def decides(self, draft: OrderDraft, kernel: Kernel) -> None:
        """Hear of a decision, before it is reserved for."""
        self.decided.add(draft.decision_id)
        if draft.effect is Effect.REDUCE:
            tracked = kernel.portfolio.orders.open_in_market(draft.market.id)
            self.doubtful[draft.decision_id] = {own.id for own in tracked if own.status is OrderStatus.UNKNOWN}
        elif kernel.lease.epoch == self._simulation.epoch:
            self._complain(f"caps hold: {each}" for each in beyond_the_caps(self._simulation, kernel, draft))

    def written(self, rows: Iterable[JournalRow]) -> None:
        """Hear of rows that a trader wants written."""
        for row in rows:
            if isinstance(row, LedgerEntry) and (row.kind, row.ledger_account) == VOIDED and row.amount > 0:
                self.taken_back[row.market_id][row.journal_id] = row.amount

    def _complain(self, wrong: Iterable[str]) -> None:
        self._simulation.world.complaints += wrong

    def _handed(self, life: Dead, draft: OrderDraft) -> Iterator[str]:
        kernel = self._simulation.kernel_of(life)
        arbitrage = bool(draft.leg_group)
        if draft.effect is Effect.OPEN and kernel.halts.blocking(draft.market, draft.strategy, arbitrage=arbitrage):
            yield "halts hold: it opens risk under a halt"

    def _leaves(self, draft: OrderDraft, prepared: PreparedOrder) -> Iterator[str]:
        simulation = self._simulation
        row = simulation.order_row(prepared.order_id)
        if row is None:
            yield "no send without a committed row: it leaves without one"
        else:
            if row["lease_epoch"] != simulation.epoch:
                yield f"one writer: it leaves under epoch {row['lease_epoch']}, now is {simulation.epoch}"
            if any(row[name] != value for name, value in _bytes_of(prepared).items()):
                yield "no send without a committed row: the row says other bytes"
            if row["decision_id"] != draft.decision_id:
                yield "no row without a decision: the row names another one"
        if draft.decision_id not in self.decided:
            yield "no row without a decision: nobody decided on it"
        if prepared.order_id in self.left:
            yield "nothing is sent twice: it leaves again"
        self.left.add(prepared.order_id)


def _bytes_of(prepared: PreparedOrder) -> dict[str, object]:
    """Return what an order's row must say so that its bytes can be repeated."""
    return {
        "salt": prepared.salt,
        "maker_amount": prepared.maker_amount,
        "taker_amount": prepared.taker_amount,
        "signature": prepared.signature,
    }
