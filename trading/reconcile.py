"""Reconciliation: the venue's open orders, trades and balances against our books, at start, after every gap and periodically.

Orders we hold that the venue does not list are read one by one. Open orders we do not know are cancelled, trades made outside are adopted
as `external`. Cash converges: payouts that arrived, bounded rounding, and transfers made outside, the latter only when two rounds in a row
agree. A difference in shares beyond 0.01 that lasts halts its market. Nothing is concluded while orders are on their way or fills
unsettled. Run twice without news, the second run changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from domain.errors import VenueError
from domain.halt import HaltScope
from domain.ledger import LedgerAccount
from domain.order import OrderStatus
from domain.ports import OrderGateway
from domain.reports import Balances, OrderReport
from trading.desk import Desk
from trading.positions import DUST

ROUNDING_PER_FILL = 20
"""Micro-dollars by which one fill's cash may differ from the venue's own rounding."""
RESTING = frozenset({OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED, OrderStatus.CANCELLING, OrderStatus.DELAYED})
_MARGIN_NS = 300_000_000_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What one round found: `cash_difference` and `token_differences` are venue minus ours, before anything was adopted."""

    complete: bool
    foreign_orders: int = 0
    missing_orders: int = 0
    cash_difference: int = 0
    token_differences: int = 0


class Reconciler:
    """Compares one account with its venue.

    Args:
        resolved: tells whether a token's market has resolved: its shares may be redeemed at any time.
    """

    def __init__(self, desk: Desk, gateway: OrderGateway, *, resolved: Callable[[str], bool]) -> None:
        self._desk = desk
        self._gateway = gateway
        self._resolved = resolved
        self._last_cash_difference: int | None = None
        self._last_token_differences: dict[str, int] = {}
        self._fills_at_last_rounding = 0

    async def run(self, *, first: bool = False) -> Reconciliation:
        """Read the venue once and bring the books in line; `complete` is False when it could not be read."""
        portfolio, clock = self._desk.portfolio, self._desk.clock
        begun = clock.now_ns()
        try:
            open_orders = await self._gateway.open_orders()
            trades = await self._gateway.trades(self._trades_since())
            balances = await self._gateway.balances(sorted(portfolio.positions.held_tokens()))
        except VenueError as error:
            _log.warning("venue could not be read", error=str(error))
            return Reconciliation(complete=False)
        for trade in trades:
            self._desk.apply(portfolio.apply_trade(trade, now_ns=clock.now_ns()))
        missing = self._compare_orders(open_orders, begun)
        foreign = await self._cancel_foreign(open_orders)
        if not self._quiet(begun):
            return Reconciliation(complete=True, foreign_orders=foreign, missing_orders=missing)
        return Reconciliation(
            complete=True,
            foreign_orders=foreign,
            missing_orders=missing,
            cash_difference=self._converge_cash(balances, first=first),
            token_differences=self._compare_tokens(balances),
        )

    def _trades_since(self) -> int:
        """Return from when trades must be read: before anything that could still change, or the newest known fill."""
        portfolio = self._desk.portfolio
        moments = [own.order.created_ns for own in portfolio.orders.open()]
        moments += [fill.matched_ns for fill in portfolio.positions.with_unsettled()]
        if not moments:
            moments = [max((fill.matched_ns for fill in portfolio.fills.values()), default=self._desk.clock.now_ns())]
        return min(moments) - _MARGIN_NS

    def _compare_orders(self, open_orders: list[OrderReport], begun: int) -> int:
        portfolio, clock = self._desk.portfolio, self._desk.clock
        listed = {report.order_id for report in open_orders}
        for report in open_orders:
            own = portfolio.orders.get(report.order_id)
            if own is not None:
                fresh = own.updated_ns <= begun
                self._desk.apply(portfolio.apply_order(report, now_ns=clock.now_ns(), fresh=fresh))
        missing = [
            own
            for own in portfolio.orders.open()
            if own.status in RESTING and own.updated_ns <= begun and own.id not in listed
        ]
        for own in missing:
            own.needs_read = True
            portfolio.orders.refresh(own)
        return len(missing)

    async def _cancel_foreign(self, open_orders: list[OrderReport]) -> int:
        """Cancel open orders nobody here decided on: a lost trader's, or placed outside."""
        foreign = [report.order_id for report in open_orders if report.order_id not in self._desk.portfolio.orders]
        if foreign:
            self._desk.audit("foreign_orders_cancelled", orders=len(foreign), first=foreign[0])
            await self._gateway.cancel(foreign)
        return len(foreign)

    def _quiet(self, begun: int) -> bool:
        """Tell whether balances can be compared: nothing on its way, nothing unsettled, nothing changed since `begun`."""
        portfolio = self._desk.portfolio
        on_the_way = {OrderStatus.PENDING, OrderStatus.SUBMITTED, OrderStatus.UNKNOWN, OrderStatus.DELAYED}
        for own in portfolio.orders.open():
            if own.status in on_the_way or own.needs_read or own.awaited:
                return False
        return portfolio.changed_ns <= begun and not portfolio.positions.with_unsettled()

    def _converge_cash(self, balances: Balances, *, first: bool) -> int:
        portfolio = self._desk.portfolio
        difference = balances.cash - portfolio.ledger.cash
        remaining = difference
        receivable = portfolio.ledger.balance(LedgerAccount.RECEIVABLE)
        if remaining > 0 and receivable > 0:
            paid = min(remaining, receivable)
            self._transfer("payout", LedgerAccount.CASH, LedgerAccount.RECEIVABLE, paid)
            remaining -= paid
        bound = ROUNDING_PER_FILL * (len(portfolio.fills) - self._fills_at_last_rounding)
        if remaining and abs(remaining) <= bound:
            self._transfer("rounding", LedgerAccount.CASH, LedgerAccount.ROUNDING, remaining)
            self._fills_at_last_rounding = len(portfolio.fills)
        elif remaining and (first or remaining == self._last_cash_difference):
            kind = "deposit" if remaining > 0 else "withdrawal"
            self._transfer(kind, LedgerAccount.CASH, LedgerAccount.EQUITY, remaining)
            remaining = 0
        self._last_cash_difference = remaining or None
        return difference

    def _transfer(self, kind: str, debit: LedgerAccount, credit: LedgerAccount, amount: int) -> None:
        now = self._desk.clock.now_ns()
        self._desk.apply(
            self._desk.portfolio.transfer(
                journal_id=f"{kind}:{now}", kind=kind, debit=debit, credit=credit, amount=amount, now_ns=now
            )
        )

    def _compare_tokens(self, balances: Balances) -> int:
        positions = self._desk.portfolio.positions
        differences = {
            token_id: difference
            for token_id, held in balances.tokens.items()
            if not self._resolved(token_id) and abs(difference := held - positions.size(token_id)) > DUST
        }
        for token_id, difference in differences.items():
            if self._last_token_differences.get(token_id) == difference:
                market_id = next(position.market_id for position in positions.of_token(token_id))
                reason = f"the venue holds {difference:+d} micro-shares of {token_id[:12]}… more than our fills explain"
                self._desk.halt(HaltScope.MARKET, market_id, reason=reason, set_by="polybot")
        self._last_token_differences = differences
        return len(differences)
