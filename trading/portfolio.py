"""The account's state and the only functions that change it: evidence in, journal rows and news out. What concerns orders alone is in
`trading.order_lifecycle`.

Pure and synchronous: no I/O, no clock (times come with the evidence). Every method returns a `Change`; the caller journals its rows and tells its
listeners. Evidence may come in any order and any number of times. What contradicts itself is never guessed: it raises an `Alarm` (the caller
halts the market) or marks the order for a fresh read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from domain.fill import Fill, FillKey, FillStatus, Liquidity, fill_may_move
from domain.ledger import EntryKind, LedgerAccount, LedgerEntry
from domain.market import Market
from domain.order import OrderSide, OrderStatus, may_move
from domain.ports import AuditRecord, JournalRow, QuarantinedTrade
from domain.reports import IncomeReport, TradeReport
from trading.account_state import OVER
from trading.change import Alarm, Change
from trading.contradictions import contradicts_fill, contradicts_market, contradicts_order, same_terms
from trading.order_lifecycle import OrderLifecycle
from trading.own_orders import OwnOrder
from trading.positions import DUST, OpenPosition
from trading.quarantine import DISMISSED, LEFT, QUARANTINED, quarantine_detail

EXTERNAL = "external"
"""Strategy name of trades made outside polybot."""

_COMPARE_TRADES = "compare it with the venue's trades: what is right by then is booked when the halt is lifted, the rest stays out of the books"
_COMPARE_SHARES = "compare the position with the venue's"
_WAITING = frozenset({OrderStatus.LIVE, OrderStatus.SUBMITTED, OrderStatus.UNKNOWN, OrderStatus.DELAYED})


class Portfolio(OrderLifecycle):
    """The state of one account and everything that may change it.

    Args:
        account: the account every row belongs to.
        market_of: finds a market by condition id, None when it is unknown.
    """

    def __init__(self, account: str, market_of: Callable[[str], Market | None]) -> None:
        super().__init__(account)
        self._market_of = market_of

    # Fills

    def apply_trade(self, report: TradeReport, *, now_ns: int, kind: EntryKind | None = None) -> Change:
        """Apply the venue's word on our part of a trade. Price, side and size are those of our own order's entry.

        `kind` is what the books call it, when it is no plain trade.

        An overfill of up to 0.01 share converges; beyond that, or where the trade contradicts the order, it is quarantined with an alarm,
        until it is told again and can be booked.
        """
        key = FillKey(report.trade_id, report.order_id)
        known = self.fills.get(key)
        if known is not None:
            return self._move_fill(known, report, now_ns)
        own = self.orders.get(report.order_id)
        held = self._odd(key)
        if own is None and (held.ours if held is not None else 0 < report.matched_ns < self.horizon_ns):
            return Change()
        if own is not None:
            own.acknowledged = True  # Whatever is wrong with the trade: the venue took the order.
        market = own.order.draft.market if own is not None else self._market_of(report.condition_id)
        if market is None:
            unread = self.unread.get(report.condition_id, "the venue was not asked for it yet")
            return self._quarantine(own, report, report.condition_id, f"its market is not known: {unread}", now_ns)
        wrong = contradicts_market(market, report) or contradicts_order(own, report)
        if wrong:
            return self._quarantine(own, report, market.id, wrong, now_ns)
        fill = Fill(
            key=key,
            account=self.account,
            market_id=market.id,
            token_id=report.token_id,
            side=report.side,
            price=report.price,
            size=report.size,
            fee=market.fees.taker_fee(report.price, report.size) if report.liquidity is Liquidity.TAKER else 0,
            fee_rate=market.fees.rate,
            liquidity=report.liquidity,
            status=report.status,
            strategy=own.order.draft.strategy if own is not None else self._owner_of_external(report),
            matched_ns=report.matched_ns or now_ns,
            transaction_hash=report.transaction_hash,
        )
        if key in self.damaged:
            return self._put_back(fill, own, market, now_ns)
        change = self._book(fill, own, market, kind=kind or _trade_kind(report.side, own), now_ns=now_ns)
        if held is not None:
            change.rows.append(self._left_quarantine(key, now_ns))
        if own is None:
            change.rows.append(self._audit("external_trade_adopted", now_ns, trade=key.trade_id, order=key.order_id))
        return change

    def _owner_of_external(self, report: TradeReport) -> str:
        """Return whose position a trade made outside belongs to: a sale takes from whoever holds the most of the token."""
        held = {p.strategy: p.holding.size for p in self.positions.of_token(report.token_id) if p.holding.size > 0}
        if report.side is OrderSide.BUY or not held or held.get(EXTERNAL, 0) >= report.size:
            return EXTERNAL
        return max(held, key=lambda strategy: held[strategy])

    # Quarantine

    def _odd(self, key: FillKey) -> QuarantinedTrade | None:
        """Return a trade in quarantine, or dismissed from it."""
        return self.quarantine.get(key) or self.dismissed.get(key)

    def _quarantine(
        self, own: OwnOrder | None, report: TradeReport, market_id: str, reason: str, now_ns: int
    ) -> Change:
        """Keep a trade out of the books. The market halts when that is news: what somebody has dealt with halts it again only when told otherwise."""
        key = FillKey(report.trade_id, report.order_id)
        seen = self._odd(key)
        ours = own is not None or (seen is not None and seen.ours)
        held = QuarantinedTrade(report, ours=ours, market_id=market_id, reason=reason)
        same = seen is not None and seen.market_id == market_id and same_terms(seen.report, report)
        if key in self.dismissed and same:
            return Change()
        self.dismissed.pop(key, None)
        self.quarantine[key] = held
        if seen is not None and same and seen.reason == reason:
            return Change()
        row = self._audit(QUARANTINED, now_ns, **quarantine_detail(held))
        return Change(
            rows=[row], alarms=[] if same else [Alarm(market_id, f"trade {key.trade_id}: {reason}", _COMPARE_TRADES)]
        )

    def _left_quarantine(self, key: FillKey, now_ns: int) -> AuditRecord:
        self.quarantine.pop(key, None)
        self.dismissed.pop(key, None)
        return self._audit(LEFT, now_ns, trade=key.trade_id, order=key.order_id)

    def dismiss(self, market_id: str, by: str, now_ns: int) -> Change:
        """Take over a person's word that the trades that halted a market, and still cannot be booked, are dealt with."""
        change = Change()
        for held in self.quarantined_in(market_id):
            key = FillKey(held.report.trade_id, held.report.order_id)
            del self.quarantine[key]
            self.dismissed[key] = replace(held, lifted=True)
            change.rows.append(self._audit(DISMISSED, now_ns, by=by, **quarantine_detail(held)))
        return change

    def _move_fill(self, known: Fill, report: TradeReport, now_ns: int) -> Change:
        """Move a known fill along; one that changed its size or price keeps what was booked first and raises an alarm."""
        change = Change()
        wrong = contradicts_fill(known, report)
        if wrong:
            change = self._quarantine(self.orders.get(report.order_id), report, known.market_id, wrong, now_ns)
        elif self._odd(known.key) is not None:
            change.rows.append(self._left_quarantine(known.key, now_ns))
        if fill_may_move(known.status, report.status):
            hash_ = report.transaction_hash or known.transaction_hash
            fill = replace(known, status=report.status, transaction_hash=hash_)
            kind = EntryKind.VOID if fill.status is FillStatus.FAILED else EntryKind.SETTLE
            change.merge(self._book(fill, self.orders.get(fill.key.order_id), None, kind=kind, now_ns=now_ns))
        return change

    def _book(self, fill: Fill, own: OwnOrder | None, market: Market | None, *, kind: EntryKind, now_ns: int) -> Change:
        """Put a fill into its order, its position and the ledger; `market` comes with a new one."""
        side = "" if market is None else f"token{market.token_index(fill.token_id) + 1}"
        position = self.positions.for_fill(fill, side)
        fill = replace(fill, position_id=position.id)
        before = position.holding
        self.positions.put(position, fill)
        self.changed_ns = now_ns
        self._remember(fill)
        if market is not None:
            self.booked += 1
        if market is not None and own is not None and fill.side is OrderSide.BUY:
            position.take_profit = own.order.draft.take_profit or position.take_profit
            position.stop_loss = own.order.draft.stop_loss or position.stop_loss
        entries = self.ledger.difference(
            before,
            position.holding,
            journal_id=f"{kind}:{fill.key.trade_id}:{fill.key.order_id}",
            kind=kind,
            strategy=fill.strategy,
            market_id=fill.market_id,
            token_id=fill.token_id,
            at_ns=now_ns,
        )
        self.ledger.post(entries)
        row = position.position()
        change = Change(rows=[fill, *entries, row], fills=[fill], positions=[row])
        if position.holding.size <= -DUST:
            change.alarms.append(
                Alarm(fill.market_id, f"negative inventory: {position.holding.size} micro-shares", _COMPARE_SHARES)
            )
        if own is not None:
            change.merge(self._count_fill(own, fill, now_ns))
        return change

    def _put_back(self, fill: Fill, own: OwnOrder | None, market: Market, now_ns: int) -> Change:
        """Replace a fill whose row could not be read; what it did to the ledger is in there already."""
        self.damaged.discard(fill.key)
        position = self.positions.for_fill(fill, f"token{market.token_index(fill.token_id) + 1}")
        fill = replace(fill, position_id=position.id)
        self.positions.put(position, fill)
        self.changed_ns = now_ns
        self._remember(fill)
        row = position.position()
        change = Change(rows=[fill, row], fills=[fill], positions=[row])
        change.rows.append(self._audit("fill_read_again", now_ns, trade=fill.key.trade_id, order=fill.key.order_id))
        if own is not None:
            change.merge(self._count_fill(own, fill, now_ns))
        return change

    def _count_fill(self, own: OwnOrder, fill: Fill, now_ns: int) -> Change:
        self._recount(own)
        own.acknowledged, own.absent_since_ns = True, None
        own.awaited.discard(fill.key.trade_id)
        if own.status in OVER and own.seen > (own.reported or 0):
            own.needs_read = True
        wanted = own.status
        if own.whole and fill.status is not FillStatus.FAILED:
            wanted = OrderStatus.MATCHED
        elif own.filled and own.status in _WAITING:
            wanted = OrderStatus.PARTIALLY_FILLED
            own.needs_read = own.needs_read or not own.order.draft.order_type.rests
        if wanted is not own.status and may_move(own.status, wanted):
            return self._set(own, wanted, own.reason, now_ns)
        own.updated_ns = now_ns
        self.orders.refresh(own)
        return Change(rows=[own.state()], orders=[own])

    # Markets and money

    def pay(self, income: IncomeReport, *, now_ns: int) -> Change:
        """Book a payment by the venue, once. Its cash is in the books as a deposit, or will be: the deposit becomes a reward or a rebate."""
        kind = EntryKind.REBATE if income.rebate else EntryKind.REWARD
        journal_id = f"{kind}:{income.id}"
        if journal_id in self.incomes:
            return Change()
        self.incomes.add(journal_id)
        return self.transfer(
            journal_id=journal_id,
            kind=kind,
            debit=LedgerAccount.EQUITY,
            credit=LedgerAccount.REWARDS,
            amount=income.amount,
            now_ns=now_ns,
        )

    def resolve(self, market: Market, payouts: Sequence[int], *, now_ns: int) -> Change:
        """Close every position of a resolved market; `payouts[i]` is what a share of `token_ids[i]` pays, in micro-dollars."""
        change = Change()
        for token_id, payout in zip(market.token_ids, payouts, strict=True):
            for position in self.positions.holding(token_id):
                change.merge(self._settle(position, payout, now_ns))
        return change

    def _settle(self, position: OpenPosition, payout: int, now_ns: int) -> Change:
        before = position.holding
        self.positions.settle(position, payout, now_ns)
        entries = self.ledger.difference(
            before,
            position.holding,
            journal_id=f"resolution:{position.id}",
            kind=EntryKind.RESOLUTION,
            strategy=position.strategy,
            market_id=position.market_id,
            token_id=position.token_id,
            at_ns=now_ns,
        )
        self.ledger.post(entries)
        row = position.position()
        return Change(rows=[*entries, row], positions=[row])

    def transfer(
        self, *, journal_id: str, kind: str, debit: LedgerAccount, credit: LedgerAccount, amount: int, now_ns: int
    ) -> Change:
        """Move collateral between two ledger accounts (deposits, payouts that arrived, rounding)."""
        entries: list[LedgerEntry] = self.ledger.transfer(journal_id, kind, debit, credit, amount, now_ns)
        self.ledger.post(entries)
        rows: list[JournalRow] = list(entries)
        rows.append(self._audit(kind, now_ns, amount=amount, debit=debit.value, credit=credit.value))
        return Change(rows=rows)


def _trade_kind(side: OrderSide, own: OwnOrder | None) -> EntryKind:
    if own is None:
        return EntryKind.EXTERNAL_BUY if side is OrderSide.BUY else EntryKind.EXTERNAL_SELL
    return EntryKind.BUY if side is OrderSide.BUY else EntryKind.SELL
