"""Reconciliation: the venue's open orders, trades and balances against our books, at start, after every gap and periodically.

Orders we hold that the venue does not list are read one by one. Open orders we do not know are cancelled, trades made outside are adopted
as `external`. Nothing is concluded while orders are on their way or fills unsettled. Run twice without news, the second run changes nothing.

Splits, merges and conversions made outside are adopted when shares and cash agree (`trading.outside`).

Cash converges when the difference has an explanation: payouts that arrived, rounding within a bound for each new fill, and transfers made
outside, the last only when two rounds agree and nothing else is wrong. Money that is missing after new fills, no more than a wrong fee could take, is
booked as `misbooked` and halts their markets, so that somebody looks. A difference in shares beyond 0.01 that lasts halts its market.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice

import structlog

from domain.errors import VenueError
from domain.fill import Fill, FillStatus
from domain.halt import HaltScope
from domain.ledger import EntryKind, LedgerAccount
from domain.market import Market
from domain.money import format_micros
from domain.order import OrderStatus
from domain.ports import BalanceRecord, OrderGateway
from domain.reports import Balances, OrderReport
from trading.desk import Desk
from trading.holding import notional
from trading.outside import NO, YES, as_trades, conversion, pair_moves
from trading.positions import DUST

ROUNDING_PER_FILL = 20
"""Micro-dollars by which one fill's cash may differ from the venue's own rounding."""
RESTING = frozenset({OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED, OrderStatus.CANCELLING, OrderStatus.DELAYED})
_MARGIN_NS = 300_000_000_000
_MISBOOKED_SHARE = 10
"""A wrong fee or price is at most one part in this many of what the fills were worth."""
_MOST_REREAD = 20
"""How many tokens the venue is asked to read again in one round: such requests have a small budget."""
_FILLS_BEFORE_START = 100
"""How many fills of the time before the start may still have their rounding to come."""

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
        market_of: finds the market of a token, None when it is unknown.
        event_of: returns all unresolved markets of a market's event.
    """

    def __init__(
        self,
        desk: Desk,
        gateway: OrderGateway,
        *,
        resolved: Callable[[str], bool],
        market_of: Callable[[str], Market | None],
        event_of: Callable[[Market], list[Market]],
    ) -> None:
        self._desk = desk
        self._gateway = gateway
        self._resolved = resolved
        self._market_of = market_of
        self._event_of = event_of
        self._last_cash_difference: int | None = None
        self._last_token_differences: dict[str, int] = {}
        self._booked_when_equal = -_FILLS_BEFORE_START
        self._read_ns: int | None = None
        self._noted: tuple[int, int, dict[str, tuple[int, int]]] | None = None

    async def run(self, *, first: bool = False) -> Reconciliation:
        """Read the venue once and bring the books in line; `complete` is False when it could not be read."""
        portfolio, clock = self._desk.portfolio, self._desk.clock
        begun = clock.now_ns()
        try:
            open_orders = await self._gateway.open_orders()
            trades = await self._gateway.trades(self._trades_since())
            balances = await self._balances()
        except VenueError as error:
            _log.warning("venue could not be read", error=str(error))
            return Reconciliation(complete=False)
        for trade in trades:
            self._desk.apply(portfolio.apply_trade(trade, now_ns=clock.now_ns()))
        missing = self._compare_orders(open_orders, begun)
        foreign = await self._cancel_foreign(open_orders)
        portfolio.unsure_since_ns, self._read_ns = None, begun
        if not self._quiet(begun):
            return Reconciliation(complete=True, foreign_orders=foreign, missing_orders=missing)
        self._adopt_moves(balances)
        token_differences = self._compare_tokens(balances)
        cash_difference = self._converge_cash(balances, first=first, doubtful=token_differences > 0)
        self._note(balances)
        if token_differences:
            await self._have_reread(balances)
        return Reconciliation(
            complete=True,
            foreign_orders=foreign,
            missing_orders=missing,
            cash_difference=cash_difference,
            token_differences=token_differences,
        )

    def _trades_since(self) -> int:
        """Return from when trades must be read: before anything that could still change, and before the newest that is known."""
        portfolio = self._desk.portfolio
        moments = [own.order.created_ns for own in portfolio.orders.open()]
        moments += [fill.matched_ns for fill in portfolio.positions.with_unsettled()]
        moments += [portfolio.unsure_since_ns] if portfolio.unsure_since_ns is not None else []
        if self._read_ns is not None:
            moments.append(self._read_ns)
        else:
            before = portfolio.horizon_ns or self._desk.clock.now_ns()
            moments.append(max((fill.matched_ns for fill in portfolio.fills.values()), default=before))
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

    async def _balances(self) -> Balances:
        """Read the tokens we hold, and those that explain moves: complements, and YES of an event whose NO shares have gone."""
        held = self._desk.portfolio.positions.held_tokens()
        pairs = {token_id for market in self._markets(held) for token_id in market.token_ids}
        balances = await self._gateway.balances(sorted(held | pairs))
        events = {
            token_id
            for event in self._events_short_of_no(balances)
            for market in event
            for token_id in market.token_ids[:1]
        }
        if events <= balances.tokens.keys():
            return balances
        more = await self._gateway.balances(sorted(events - balances.tokens.keys()))
        return replace(balances, tokens={**balances.tokens, **more.tokens})

    def _markets(self, token_ids: Iterable[str]) -> list[Market]:
        """Return the unresolved markets of tokens, each once."""
        found = {market.id: market for token in token_ids if (market := self._market_of(token)) is not None}
        return [market for market in found.values() if not self._resolved(market.token_ids[0])]

    def _differences(self, balances: Balances) -> dict[str, int]:
        """Return venue minus ours for every token that was read."""
        size = self._desk.portfolio.positions.size
        return {token_id: held - size(token_id) for token_id, held in balances.tokens.items()}

    def _events_short_of_no(self, balances: Balances) -> list[list[Market]]:
        """Return the exclusive events of which NO shares are missing that no YES shares went with."""
        differences = self._differences(balances)
        short = {
            market.group_id: market
            for market in self._markets(differences)
            if market.neg_risk
            and market.group_id is not None
            and differences.get(market.token_ids[NO], 0) < -DUST
            and abs(differences.get(market.token_ids[YES], 0)) <= DUST
        }
        return [self._event_of(market) for market in short.values()]

    def _adopt_moves(self, balances: Balances) -> None:
        """Book splits, merges and conversions made outside, when the cash has moved with the shares."""
        portfolio = self._desk.portfolio
        differences = self._differences(balances)
        moves = pair_moves(self._markets(differences), differences)
        moves += [move for event in self._events_short_of_no(balances) if (move := conversion(event, differences))]
        rest = balances.cash - portfolio.ledger.cash - sum(move.cash for move in moves)
        bound = DUST * len(moves) + ROUNDING_PER_FILL * max(0, portfolio.booked - self._booked_when_equal)
        if not -bound <= rest <= bound + max(0, portfolio.ledger.balance(LedgerAccount.RECEIVABLE)):
            return
        now = self._desk.clock.now_ns()
        for move in moves:
            first = (*move.gone, *move.come)[0].market.id
            self._desk.audit("outside_move_adopted", kind=move.kind, market=first, size=move.size, cash=move.cash)
            for report in as_trades(move, portfolio.positions, now):
                self._desk.apply(portfolio.apply_trade(report, now_ns=now, kind=EntryKind(move.kind)))

    def _note(self, balances: Balances) -> None:
        """Write down what the venue holds for us beside what the books say, when either has changed: statements are reconciled with it."""
        portfolio = self._desk.portfolio
        tokens = {
            token_id: (held, size)
            for token_id, held in balances.tokens.items()
            if held != (size := portfolio.positions.size(token_id)) and not self._resolved(token_id)
        }
        found = (balances.cash, portfolio.ledger.cash, tokens)
        if found == self._noted:
            return
        self._noted = found
        record = BalanceRecord(
            account=portfolio.account,
            venue_cash=balances.cash,
            book_cash=portfolio.ledger.cash,
            tokens=tokens,
            at_ns=self._desk.clock.now_ns(),
        )
        self._desk.write([record])

    async def _have_reread(self, balances: Balances) -> None:
        """Make the venue read differing tokens from the chain: its copies lag behind, and the next round decides."""
        differing = [token_id for token_id, by in self._differences(balances).items() if abs(by) > DUST]
        try:
            await self._gateway.refresh_balances(differing[:_MOST_REREAD])
        except VenueError as error:
            _log.warning("balances could not be read again", error=str(error))

    def _converge_cash(self, balances: Balances, *, first: bool, doubtful: bool) -> int:
        portfolio = self._desk.portfolio
        difference = remaining = balances.cash - portfolio.ledger.cash
        receivable = portfolio.ledger.balance(LedgerAccount.RECEIVABLE)
        if remaining > 0 and receivable > 0:
            paid = min(remaining, receivable)
            self._transfer("payout", LedgerAccount.RECEIVABLE, paid)
            remaining -= paid
        if remaining:
            remaining = self._explain(remaining, first=first, doubtful=doubtful or bool(portfolio.quarantine))
        if not remaining:
            self._booked_when_equal = portfolio.booked
        self._last_cash_difference = remaining or None
        return difference

    def _explain(self, difference: int, *, first: bool, doubtful: bool) -> int:
        """Book a difference in cash where it belongs; returns what stays unexplained. `doubtful`: fills or shares are known to be wrong."""
        new = self._desk.portfolio.booked - self._booked_when_equal
        suspects = self._newest_fills(new)
        if abs(difference) <= ROUNDING_PER_FILL * new:
            self._transfer("rounding", LedgerAccount.ROUNDING, difference)
        elif doubtful:
            return difference
        elif 0 < -difference <= sum(map(notional, suspects)) // _MISBOOKED_SHARE:
            self._transfer("misbooked", LedgerAccount.ROUNDING, difference)
            reason = f"${format_micros(-difference)} are missing after {len(suspects)} fills: compare their fees with the venue's"
            for market_id in {fill.market_id for fill in suspects}:
                self._desk.halt(HaltScope.MARKET, market_id, reason=reason, set_by="polybot")
        elif first or difference == self._last_cash_difference:
            self._transfer("deposit" if difference > 0 else "withdrawal", LedgerAccount.EQUITY, difference)
        else:
            return difference
        return 0

    def _newest_fills(self, count: int) -> list[Fill]:
        fills = self._desk.portfolio.fills
        new = min(count, self._desk.portfolio.booked)
        return [fill for fill in islice(reversed(fills.values()), max(new, 0)) if fill.status is not FillStatus.FAILED]

    def _transfer(self, kind: str, counterpart: LedgerAccount, amount: int) -> None:
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

    def _compare_tokens(self, balances: Balances) -> int:
        positions = self._desk.portfolio.positions
        differences = {
            token_id: difference
            for token_id, held in balances.tokens.items()
            if not self._resolved(token_id)
            and positions.holding(token_id)
            and abs(difference := held - positions.size(token_id)) > DUST
        }
        for token_id, difference in differences.items():
            if self._last_token_differences.get(token_id) == difference:
                market_id = positions.holding(token_id)[0].market_id
                reason = f"the venue holds {difference:+d} micro-shares of {token_id[:12]}… more than our fills explain"
                self._desk.halt(HaltScope.MARKET, market_id, reason=reason, set_by="polybot")
        self._last_token_differences = differences
        return len(differences)
