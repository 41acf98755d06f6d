"""What becomes of a difference between the venue's cash and ours.

It converges when it has an explanation: payouts that arrived, rounding within a bound for each new fill and for payouts, and transfers made
outside, the last only when two rounds agree and nothing else is wrong. Money that is missing must stay missing for a minute first, because shares it
may have been turned into show later; then, no more than a wrong fee on the new fills could take, it is booked as `misbooked` and halts their markets,
so that somebody looks, and any other amount is a withdrawal.
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from domain.fill import Fill, FillStatus
from domain.halt import HaltScope
from domain.ledger import EntryKind, LedgerAccount
from domain.money import format_micros
from trading.desk import Desk
from trading.holding import notional

ROUNDING_PER_FILL = 20
"""Micro-dollars by which one fill's cash may differ from the venue's own rounding."""
ROUNDING_OF_PAYOUT = 20
"""Micro-dollars by which a payout may exceed what our positions are owed: it is rounded down once for the wallet, and for each of them here."""
LOSS_PATIENCE_NS = 60_000_000_000
"""How long money must be missing before that is booked: the venue's index lags behind its chain."""
_MISBOOKED_SHARE = 10
"""A wrong fee or price is at most one part in this many of what the fills were worth."""
_FILLS_BEFORE_START = 100
"""How many fills of the time before the start may still have their rounding to come."""


class _Seen(NamedTuple):
    """A difference that was not explained, when it was first seen, and how many fills had been booked when it was last."""

    difference: int
    since_ns: int
    booked: int


class CashDifferences:
    """Compares the cash of one account, round after round."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._booked_when_equal = -_FILLS_BEFORE_START
        self._seen: _Seen | None = None

    def agrees(self, cash: int, *, slack: int) -> bool:
        """Tell whether the venue's cash is ours but for rounding, payouts on their way, and `slack`."""
        return self.unexplained(cash, slack=slack) == 0

    def unexplained(self, cash: int, *, slack: int = 0) -> int:
        """Return by how much the venue's cash differs from ours beyond rounding, payouts on their way, and `slack`: 0 when it agrees."""
        ledger, bound = self._desk.portfolio.ledger, slack + self._rounding_since(self._booked_when_equal)
        difference, owed = cash - ledger.cash, max(0, ledger.balance(LedgerAccount.RECEIVABLE))
        return max(0, difference - bound - owed) + min(0, difference + bound)

    def converge(self, cash: int, *, first: bool, doubtful: bool) -> int:
        """Bring our cash in line with the venue's; returns the difference there was. `doubtful`: shares are known to be wrong."""
        portfolio = self._desk.portfolio
        difference = remaining = cash - portfolio.ledger.cash
        receivable = portfolio.ledger.balance(LedgerAccount.RECEIVABLE)
        if remaining > 0 and receivable > 0:
            paid = min(remaining, receivable)
            self.transfer(EntryKind.PAYOUT, LedgerAccount.RECEIVABLE, paid)
            remaining -= paid
            if 0 < remaining <= ROUNDING_OF_PAYOUT:
                self.transfer(EntryKind.ROUNDING, LedgerAccount.ROUNDING, remaining)
                remaining = 0
        seen = self._looked_at(remaining)
        if remaining and self._explain(remaining, seen, first=first, doubtful=doubtful or bool(portfolio.quarantine)):
            remaining = 0
        if not remaining:
            self._booked_when_equal = portfolio.booked
        self._seen = seen if remaining else None
        return difference

    def transfer(self, kind: EntryKind, counterpart: LedgerAccount, amount: int) -> None:
        """Move `amount` into cash out of `counterpart` (the other way when negative)."""
        now = self._desk.clock.now_ns()
        self._desk.apply(
            self._desk.portfolio.transfer(
                journal_id=f"{kind}:{now}",
                kind=kind,
                debit=LedgerAccount.CASH,
                credit=counterpart,
                amount=amount,
                now_ns=now,
            )
        )

    def _looked_at(self, difference: int) -> _Seen:
        """Return a difference as the one seen before, when it is that but for the rounding of new fills."""
        now, booked, before = self._desk.clock.now_ns(), self._desk.portfolio.booked, self._seen
        same = before is not None and abs(difference - before.difference) <= self._rounding_since(before.booked)
        return _Seen(difference, before.since_ns if before is not None and same else now, booked)

    def _rounding_since(self, booked: int) -> int:
        return ROUNDING_PER_FILL * max(0, self._desk.portfolio.booked - booked)

    def _explain(self, difference: int, seen: _Seen, *, first: bool, doubtful: bool) -> bool:
        """Book a difference where it belongs; False when that is not known yet. `doubtful`: fills or shares are known to be wrong."""
        if abs(difference) <= self._rounding_since(self._booked_when_equal):
            self.transfer(EntryKind.ROUNDING, LedgerAccount.ROUNDING, difference)
            return True
        age = self._desk.clock.now_ns() - seen.since_ns
        if doubtful or not (first or (age >= LOSS_PATIENCE_NS if difference < 0 else age > 0)):
            return False
        suspects = self._newest_fills(self._desk.portfolio.booked - self._booked_when_equal)
        if 0 < -difference <= sum(map(notional, suspects)) // _MISBOOKED_SHARE:
            self._misbooked(-difference, suspects)
        else:
            kind = EntryKind.DEPOSIT if difference > 0 else EntryKind.WITHDRAWAL
            self.transfer(kind, LedgerAccount.EQUITY, difference)
        return True

    def _misbooked(self, missing: int, suspects: list[Fill]) -> None:
        self.transfer(EntryKind.MISBOOKED, LedgerAccount.ROUNDING, -missing)
        reason = f"${format_micros(missing)} are missing after {len(suspects)} fills"
        for market_id in {fill.market_id for fill in suspects}:
            self._desk.stop(HaltScope.MARKET, market_id, reason=reason, fix="compare their fees with the venue's")

    def _newest_fills(self, count: int) -> list[Fill]:
        fills = self._desk.portfolio.fills
        new = min(count, self._desk.portfolio.booked)
        return [fill for fill in islice(reversed(fills.values()), max(new, 0)) if fill.status is not FillStatus.FAILED]
