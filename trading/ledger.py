"""The ledger: balances of one account, moved only by journals that sum to zero for each asset.

A journal that does not balance raises `AssertionError` before anything is applied: that is a bug in polybot, never a state to live with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from domain.ledger import COLLATERAL, LedgerAccount, LedgerEntry, imbalances
from trading.holding import Holding


class Ledger:
    """Running balances per (ledger account, asset), micro-units. `opened_ns` is when the first journal was posted, None before."""

    def __init__(self, account: str) -> None:
        self.account = account
        self._balances: defaultdict[tuple[LedgerAccount, str], int] = defaultdict(int)
        self.opened_ns: int | None = None

    def post(self, entries: Sequence[LedgerEntry]) -> None:
        """Apply balanced journals."""
        wrong = imbalances(entries)
        if wrong:
            raise AssertionError(f"ledger journals do not balance: {wrong}")
        if self.opened_ns is None and entries:
            self.opened_ns = entries[0].at_ns
        self.restore(entries)

    def restore(self, entries: Iterable[LedgerEntry]) -> None:
        """Apply entries that were journaled before."""
        for entry in entries:
            self._balances[entry.ledger_account, entry.asset] += entry.amount

    def balance(self, ledger_account: LedgerAccount, asset: str = COLLATERAL) -> int:
        return self._balances.get((ledger_account, asset), 0)

    @property
    def cash(self) -> int:
        return self.balance(LedgerAccount.CASH)

    @property
    def deposits(self) -> int:
        """Deposits minus withdrawals so far, in cash and in kind."""
        return -self.balance(LedgerAccount.EQUITY) - self.balance(LedgerAccount.TRANSFERS)

    @property
    def realised(self) -> int:
        """Realised profit before fees; negative for a loss."""
        return -self.balance(LedgerAccount.REALISED)

    @property
    def profit(self) -> int:
        """Profit so far with inventory at cost: realised − fees + rewards and rebates ± rounding."""
        inventory, receivable = self.balance(LedgerAccount.INVENTORY), self.balance(LedgerAccount.RECEIVABLE)
        return self.cash + inventory + receivable - self.deposits

    def transfer(
        self, journal_id: str, kind: str, debit: LedgerAccount, credit: LedgerAccount, amount: int, at_ns: int
    ) -> list[LedgerEntry]:
        """Return the journal that moves `amount` of collateral into `debit` out of `credit`."""
        return [
            LedgerEntry(
                journal_id=journal_id,
                account=self.account,
                ledger_account=side,
                asset=COLLATERAL,
                amount=signed,
                kind=kind,
                at_ns=at_ns,
            )
            for side, signed in ((debit, amount), (credit, -amount))
        ]

    def difference(
        self,
        before: Holding,
        after: Holding,
        *,
        journal_id: str,
        kind: str,
        strategy: str,
        market_id: str,
        token_id: str,
        at_ns: int,
    ) -> list[LedgerEntry]:
        """Return the journal that turns the books of `before` into those of `after`; zero entries are left out."""
        size = after.size - before.size
        moves = (
            (LedgerAccount.CASH, COLLATERAL, after.cash - before.cash),
            (LedgerAccount.INVENTORY, COLLATERAL, after.cost - before.cost),
            (LedgerAccount.FEES, COLLATERAL, after.fees - before.fees),
            (LedgerAccount.REALISED, COLLATERAL, before.realised - after.realised),
            (LedgerAccount.RECEIVABLE, COLLATERAL, after.receivable - before.receivable),
            (LedgerAccount.TRANSFERS, COLLATERAL, before.transferred - after.transferred),
            (LedgerAccount.TOKENS, token_id, size),
            (LedgerAccount.COUNTERPARTY, token_id, -size),
        )
        return [
            LedgerEntry(
                journal_id=journal_id,
                account=self.account,
                ledger_account=ledger_account,
                asset=asset,
                amount=amount,
                kind=kind,
                strategy=strategy,
                market_id=market_id,
                token_id=token_id,
                at_ns=at_ns,
            )
            for ledger_account, asset, amount in moves
            if amount
        ]
