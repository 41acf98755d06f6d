"""Reconciliation: the venue's open orders, trades and balances against our books, at start, after every gap and periodically.

Orders we hold that the venue does not list are read one by one. Open orders we do not know are cancelled, trades made outside are adopted
as `external`, those in quarantine are looked at again. Nothing is concluded while orders are on their way or fills unsettled. Run twice without
news, the second run changes nothing.

Splits, merges and conversions made outside are adopted when shares and cash agree (`trading.outside`), also in markets of which nothing was held:
while cash is wrong, and every five minutes, the venue's index is asked where the wallet has shares. Shares that came or went without a trade are
adopted once that is proved (`trading.transfers`). What stays of a difference in cash converges or halts (`trading.cash_differences`). Any other
difference in shares beyond 0.01 that lasts halts its market.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import structlog

from domain.errors import VenueError
from domain.halt import HaltScope
from domain.ledger import EntryKind, LedgerAccount
from domain.market import Market
from domain.order import OrderStatus
from domain.ports import BalanceRecord, HoldingsIndex, OrderGateway
from domain.reports import Balances, OrderReport
from trading.cash_differences import CashDifferences
from trading.desk import Desk
from trading.outside import OutsideMove, as_trades, conversion, gain, pair_moves
from trading.own_orders import OwnOrder
from trading.positions import DUST
from trading.slices import in_slices
from trading.transfers import Transfers

RESTING = frozenset({OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED, OrderStatus.CANCELLING, OrderStatus.DELAYED})
_MARGIN_NS = 300_000_000_000
_MOST_REREAD = 20
"""How many tokens the venue is asked to read again in one round: such requests have a small budget."""
_MOST_LISTED = 50
"""How many markets of the venue's index are looked at in one round."""
_LIST_NS = 300_000_000_000
"""How often the index is asked while the cash agrees: shares may have come to markets of which nothing is held."""

_COMPARE = "compare the fills with the venue's trades and transfers"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What one round found: `cash_difference` and `token_differences` are venue minus ours, before anything was adopted.

    `compared`: balances were, because nothing was on its way.
    """

    complete: bool
    compared: bool = False
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
        fee_bips_of: returns what the venue keeps of a conversion in a market's event.
        look_up: makes markets known by their condition ids, where that is possible.
        bid_of: returns the best bid for a token, 0 when nobody bids, None when that is not known.
        read_again: takes over a market as the venue has it now.
        holdings: lists the wallet's tokens, None where nothing does.
    """

    def __init__(
        self,
        desk: Desk,
        gateway: OrderGateway,
        *,
        resolved: Callable[[str], bool],
        market_of: Callable[[str], Market | None],
        event_of: Callable[[Market], list[Market]],
        fee_bips_of: Callable[[Market], int],
        look_up: Callable[[Iterable[str]], Awaitable[None]],
        bid_of: Callable[[str], int | None],
        read_again: Callable[[Market], Awaitable[None]],
        holdings: HoldingsIndex | None = None,
    ) -> None:
        self._desk = desk
        self._gateway = gateway
        self._resolved = resolved
        self._market_of = market_of
        self._event_of = event_of
        self._fee_bips_of = fee_bips_of
        self._look_up = look_up
        self._holdings = holdings
        self._cash = CashDifferences(desk)
        self._transfers = Transfers(desk, market_of=self._unresolved, bid_of=bid_of, read_again=read_again)
        self._list_due_ns = 0
        self._last_token_differences: dict[str, int] = {}
        # Who has lifted the halt of a difference has dealt with it: the same one halts nothing again until the next start.
        self._halted_for: dict[str, int] = {}
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
        await self._look_up(trade.condition_id for trade in (*trades, *portfolio.unbooked()))
        await in_slices(trades, lambda trade: self._desk.apply(portfolio.apply_trade(trade, now_ns=clock.now_ns())))
        for trade in portfolio.unbooked():
            self._desk.apply(portfolio.apply_trade(trade, now_ns=clock.now_ns()))
        missing = await self._compare_orders(open_orders, begun)
        foreign = await self._cancel_foreign(open_orders)
        portfolio.unsure_since_ns, self._read_ns = None, begun
        unfinished = Reconciliation(complete=True, foreign_orders=foreign, missing_orders=missing)
        if not self._quiet(begun):
            return unfinished
        try:
            balances = await self._completed(balances)
        except VenueError as error:
            _log.warning("venue could not be read", error=str(error))
            return replace(unfinished, complete=False)
        await self._transfers.confirm(self._token_differences(balances))
        if not self._quiet(begun):
            return unfinished
        self._adopt_moves(balances)
        waiting = self._transfers.adopt(self._token_differences(balances), self._cash.unexplained(balances.cash))
        token_differences = self._compare_tokens(balances, waiting)
        cash_difference = self._cash.converge(balances.cash, first=first, doubtful=token_differences > 0)
        self._note(balances)
        if token_differences:
            await self._have_reread(balances)
        return replace(unfinished, compared=True, cash_difference=cash_difference, token_differences=token_differences)

    def _trades_since(self) -> int:
        """Return from when trades must be read: before those that are not final, and before the last complete read.

        At start before the newest that is known, and before anything that may have been traded since. Later, what an order still misses of its
        trades the resolver reads.
        """
        portfolio = self._desk.portfolio
        moments = [fill.matched_ns for fill in portfolio.positions.with_unsettled()]
        if self._read_ns is not None:
            moments.append(self._read_ns)
        else:
            before = portfolio.horizon_ns or self._desk.clock.now_ns()
            moments.append(max((fill.matched_ns for fill in portfolio.fills.values()), default=before))
            moments += [own.order.created_ns for own in portfolio.orders.open()]
            moments += [portfolio.unsure_since_ns] if portfolio.unsure_since_ns is not None else []
        return min(moments) - _MARGIN_NS

    async def _compare_orders(self, open_orders: list[OrderReport], begun: int) -> int:
        portfolio = self._desk.portfolio
        await in_slices(open_orders, lambda report: self._apply_order(report, begun))
        listed = {report.order_id for report in open_orders}
        missing: list[OwnOrder] = []

        def look(own: OwnOrder) -> None:
            if own.status in RESTING and own.updated_ns <= begun and own.id not in listed:
                missing.append(own)
                own.needs_read = True
                portfolio.orders.refresh(own)

        await in_slices(portfolio.orders.open(), look)
        return len(missing)

    def _apply_order(self, report: OrderReport, begun: int) -> None:
        portfolio, now_ns = self._desk.portfolio, self._desk.clock.now_ns()
        own = portfolio.orders.get(report.order_id)
        if own is not None:
            self._desk.apply(portfolio.apply_order(report, now_ns=now_ns, fresh=own.updated_ns <= begun))

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

    @property
    def arriving(self) -> set[str]:
        """Return the ids of the markets in which a transfer may be adopted: their prices should be known."""
        return {market.id for market in self._transfers.awaited.values()}

    async def _balances(self) -> Balances:
        """Read the tokens we hold, those that may be transfers, and their complements."""
        held = self._desk.portfolio.positions.held_tokens() | self._transfers.awaited.keys()
        pairs = {token_id for market in self._markets(held) for token_id in market.token_ids}
        return await self._gateway.balances(sorted(held | pairs))

    async def _completed(self, balances: Balances) -> Balances:
        """Read what may explain differences besides: where shares are listed, now and then and while cash is wrong; all of a converted event."""
        now = self._desk.clock.now_ns()
        if now >= self._list_due_ns or not self._cash_agrees(balances, self._moves(balances)):
            self._list_due_ns = now + _LIST_NS
            balances = await self._with(balances, await self._listed(balances.tokens.keys()))
        events = self._converted_events(self._differences(balances))
        return await self._with(balances, {t for event in events for market in event for t in market.token_ids})

    async def _with(self, balances: Balances, token_ids: AbstractSet[str]) -> Balances:
        missing = sorted(token_ids - balances.tokens.keys())
        if not missing:
            return balances
        more = await self._gateway.balances(missing)
        return replace(balances, tokens={**balances.tokens, **more.tokens})

    async def _listed(self, known: AbstractSet[str]) -> AbstractSet[str]:
        """Return the tokens of the markets in which the venue's index finds shares besides the `known` ones; without an answer nothing is added."""
        if self._holdings is None:
            return set()
        try:
            listed = await self._holdings.tokens()
        except VenueError as error:
            _log.warning("the venue's index could not be read", error=str(error))
            return set()
        return {
            token_id for market in self._markets(set(listed) - known)[:_MOST_LISTED] for token_id in market.token_ids
        }

    def _markets(self, token_ids: Iterable[str]) -> list[Market]:
        """Return the unresolved markets of tokens, each once."""
        found = {market.id: market for token in token_ids if (market := self._unresolved(token)) is not None}
        return list(found.values())

    def _unresolved(self, token_id: str) -> Market | None:
        return None if self._resolved(token_id) else self._market_of(token_id)

    def _token_differences(self, balances: Balances) -> dict[str, int]:
        """Return the differences that are more than dust, but those of resolved markets."""
        differences = self._differences(balances).items()
        return {token_id: by for token_id, by in differences if abs(by) > DUST and not self._resolved(token_id)}

    def _differences(self, balances: Balances) -> dict[str, int]:
        """Return venue minus ours for every token that was read."""
        size = self._desk.portfolio.positions.size
        return {token_id: held - size(token_id) for token_id, held in balances.tokens.items()}

    def _converted_events(self, differences: Mapping[str, int]) -> list[list[Market]]:
        """Return the exclusive events in which YES has gained on NO."""
        gained = {
            market.group_id: market
            for market in self._markets(differences)
            if market.neg_risk and market.group_id is not None and gain(market, differences) > DUST
        }
        return [self._event_of(market) for market in gained.values()]

    def _moves(self, balances: Balances) -> list[OutsideMove]:
        """Return the splits, merges and conversions that the shares tell of."""
        differences = self._differences(balances)
        moves, converted = [], set[str]()
        for event in self._converted_events(differences):
            move = conversion(event, differences, self._fee_bips_of(event[0]))
            if move is not None:
                moves.append(move)
                converted |= {market.id for market in event}
        others = (market for market in self._markets(differences) if market.id not in converted)
        return moves + pair_moves(others, differences)

    def _cash_agrees(self, balances: Balances, moves: Sequence[OutsideMove]) -> bool:
        return self._cash.agrees(balances.cash - sum(move.cash for move in moves), slack=DUST * len(moves))

    def _adopt_moves(self, balances: Balances) -> None:
        """Book splits, merges and conversions made outside, when the cash has moved with the shares."""
        portfolio, moves, now = self._desk.portfolio, self._moves(balances), self._desk.clock.now_ns()
        if not self._cash_agrees(balances, moves):
            return
        for move in moves:
            market, size = move.legs[0].market.id, abs(move.legs[0].size)
            self._desk.audit("outside_move_adopted", kind=move.kind, market=market, size=size, cash=move.cash)
            for report in as_trades(move, portfolio.positions, now):
                self._desk.apply(portfolio.apply_trade(report, now_ns=now, kind=move.kind))
        fees = sum(move.fee for move in moves)
        if fees:
            self._cash.transfer(EntryKind.CONVERSION_FEE, LedgerAccount.FEES, -fees)

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

    def _compare_tokens(self, balances: Balances, waiting: AbstractSet[str]) -> int:
        """Halt the markets in which differences last, but those that wait to be adopted; return how many there are."""
        positions = self._desk.portfolio.positions
        found = self._token_differences(balances).items()
        differences = {token_id: difference for token_id, difference in found if positions.holding(token_id)}
        for token_id, difference in differences.items():
            lasts = self._last_token_differences.get(token_id) == difference
            if lasts and token_id not in waiting and self._halted_for.get(token_id) != difference:
                self._halted_for[token_id] = difference
                market_id = positions.holding(token_id)[0].market_id
                reason = f"the venue holds {difference:+d} micro-shares of {token_id[:12]}… more than our fills explain"
                self._desk.stop(HaltScope.MARKET, market_id, reason=reason, fix=_COMPARE)
        self._halted_for = {token_id: seen for token_id, seen in self._halted_for.items() if token_id in differences}
        self._last_token_differences = differences
        return len(differences)
