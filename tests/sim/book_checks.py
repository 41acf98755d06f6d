"""The books: they balance after every step, and at rest the venue, the disk and memory say the same to the micro-unit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from domain.fill import FillStatus
from domain.ledger import COLLATERAL, EntryKind, LedgerAccount
from runtime.kernel import Kernel
from tests.sim.world import TRADER
from trading.cash_differences import ROUNDING_PER_FILL

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

TRADED = {EntryKind.BUY, EntryKind.SELL, EntryKind.SETTLE, EntryKind.VOID, EntryKind.ROUNDING, EntryKind.DEPOSIT}
"""Why money may move while nobody else uses the wallet."""
OUTSIDE = {
    EntryKind.EXTERNAL_BUY, EntryKind.EXTERNAL_SELL, EntryKind.SPLIT, EntryKind.MERGE, EntryKind.WITHDRAWAL, EntryKind.RESOLUTION, EntryKind.PAYOUT,
}  # fmt: skip
"""Why it may move besides when somebody does, or a market resolves."""


def ledger_balances(_: Simulation, kernel: Kernel) -> Iterator[str]:
    """Cash, inventory at cost, fees and what was realised are what was deposited, to the micro-unit; each is what the fills make of it."""
    portfolio, ledger = kernel.portfolio, kernel.portfolio.ledger
    beside = (LedgerAccount.EQUITY, LedgerAccount.TRANSFERS, LedgerAccount.TOKENS, LedgerAccount.COUNTERPARTY)
    held = sum(ledger.balance(account) for account in LedgerAccount if account not in beside)
    if held != ledger.deposits:
        yield f"{held} held, {ledger.deposits} deposited"
    if ledger.balance(LedgerAccount.INVENTORY) != portfolio.positions.total_cost:
        yield f"inventory is {ledger.balance(LedgerAccount.INVENTORY)}, held at cost {portfolio.positions.total_cost}"
    fees = sum(fill.fee for fill in portfolio.fills.values() if fill.status is not FillStatus.FAILED)
    if ledger.balance(LedgerAccount.FEES) != fees:
        yield f"fees are {ledger.balance(LedgerAccount.FEES)}, the fills paid {fees}"


def books_agree(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """Every journal sums to zero, the disk says what memory says, and so does the venue; no money was explained away."""
    rows, ledger = simulation.rows("ledger_entries"), kernel.portfolio.ledger
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    on_disk: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        sums[row["journal_id"], row["asset"]] += row["amount_units"]
        if row["asset"] == COLLATERAL:
            on_disk[row["ledger_account"]] += row["amount_units"]
    yield from (f"journal {key} does not balance: {total}" for key, total in sums.items() if total)
    if on_disk["cash"] != ledger.cash:
        yield f"cash is {ledger.cash} in memory and {on_disk['cash']} on disk"
    cash = simulation.world.exchange.balance(TRADER).settled
    if cash != ledger.cash:
        yield f"cash: the venue holds {cash}, we think {ledger.cash}"
    kinds = {row["kind"] for row in rows}
    if kinds - TRADED - (OUTSIDE if simulation.world.shared else set()):
        yield f"money was explained away as {sorted(kinds)}"
    # Who compares balances once for several moves cannot tell their roundings from a transfer.
    rounding = ROUNDING_PER_FILL * len(kernel.portfolio.fills) if simulation.world.moved else 0
    if abs(ledger.deposits - simulation.world.deposited) > rounding:
        yield f"{ledger.deposits} were deposited as far as we know, {simulation.world.deposited} as the venue does"
    if ledger.balance(LedgerAccount.RECEIVABLE):
        yield f"{ledger.balance(LedgerAccount.RECEIVABLE)} of payouts are missing"
    if kernel.portfolio.orders.reserved_cash:
        yield f"{kernel.portfolio.orders.reserved_cash} is still reserved"
