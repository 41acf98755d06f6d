"""What is known of one account, in memory: orders, fills, positions, ledger. Read here, rebuilt from the journal here, changed by evidence alone
(`trading.portfolio`).

Memory is bounded: what has been final for long enough is forgotten; its rows stay in the journal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from domain.fill import Fill, FillKey, FillStatus
from domain.money import MICRO
from domain.order import OrderStatus
from domain.ports import JournalState, QuarantinedTrade
from domain.reports import TradeReport
from trading.ledger import Ledger
from trading.own_orders import OwnOrder, OwnOrders
from trading.positions import Positions

UNSURE_NS = 900_000_000_000
"""Orders that ended this short a time before a crash may have fills that were never read."""

REMEMBER_NS = 86_400_000_000_000
"""How long what is final stays in memory."""

OVER = frozenset({OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.CANCELLED})
"""Over without having filled whole."""


class AccountState:
    """Orders, fills, positions and ledger of one account.

    `incomes` are the journals of the venue's payments, `income_ns` is when the newest was booked before the start. `damaged` are fills in the ledger
    whose rows could not be read: the venue tells them again.
    `quarantine` holds the trades that contradict the books, or lie in a market that is not known, `dismissed` those of them whose halt somebody
    lifted; both are looked at again (`unbooked`). `unread` says, by condition id, why the venue did not tell of such a market.
    `booked` counts the fills that were new since the start. What was final before `horizon_ns` is not in memory any more.
    `unsure_since_ns` is from when trades must be read at start, besides what open orders and unsettled fills ask for.
    """

    def __init__(self, account: str) -> None:
        self.account = account
        self.orders = OwnOrders()
        self.positions = Positions(account)
        self.ledger = Ledger(account)
        self.fills: dict[FillKey, Fill] = {}
        self.quarantine: dict[FillKey, QuarantinedTrade] = {}
        self.dismissed: dict[FillKey, QuarantinedTrade] = {}
        self.unread: dict[str, str] = {}
        self.changed_ns = 0
        self.horizon_ns = 0
        self.booked = 0
        self.unsure_since_ns: int | None = None
        self.incomes: set[str] = set()
        self.income_ns: int | None = None
        self.damaged: set[FillKey] = set()
        self._fills_of: defaultdict[str, set[FillKey]] = defaultdict(set)

    # Reading

    @property
    def available_cash(self) -> int:
        """Cash that no order holds and that has settled."""
        return self.ledger.cash - self.positions.unsettled_proceeds - self.orders.reserved_cash

    def available_tokens(self, token_id: str) -> int:
        """Settled shares of a token that no open sell holds."""
        return self.positions.settled(token_id) - self.orders.reserved_tokens(token_id)

    def fills_of(self, order_id: str) -> list[Fill]:
        """Return the fills of an order, failed ones too."""
        return [self.fills[key] for key in self._fills_of.get(order_id, ())]

    def unbooked(self) -> list[TradeReport]:
        """Return the trades in quarantine, or dismissed from it, of which nothing is booked: their market may have become known, what they
        contradict may have changed.
        """
        odd = (*self.quarantine.items(), *self.dismissed.items())
        return [held.report for key, held in odd if key not in self.fills]

    def quarantined_in(self, market_id: str) -> list[QuarantinedTrade]:
        """Return the trades in quarantine that halted a market."""
        return [held for held in self.quarantine.values() if held.market_id == market_id]

    def odd(self, held: Iterable[QuarantinedTrade]) -> list[QuarantinedTrade]:
        """Return those of some trades that are still, or were when somebody dismissed them, not booked; as they stand now."""
        keys = [FillKey(each.report.trade_id, each.report.order_id) for each in held]
        return [
            self.quarantine.get(key) or self.dismissed[key]
            for key in keys
            if key in self.quarantine or key in self.dismissed
        ]

    # Restoring and forgetting

    def restore(self, state: JournalState) -> None:
        """Rebuild from journaled rows. Orders that may or may not have left become `unknown`."""
        self.horizon_ns = state.since_ns
        for fill in state.fills:
            self._remember(fill)
        self.positions.restore(state.fills, state.positions)
        self.ledger.restore(state.ledger)
        self.ledger.opened_ns, self.incomes, self.income_ns = state.opened_ns, set(state.incomes), state.income_ns
        for order, journaled in state.orders:
            own = OwnOrder(order, journaled.status, journaled.reason, updated_ns=journaled.updated_ns)
            if own.status in (OrderStatus.PENDING, OrderStatus.SUBMITTED):
                own.status = OrderStatus.UNKNOWN
                own.reason = "restart before an answer was journaled"
            elif own.status is OrderStatus.CANCELLING:
                own.needs_read, own.unwanted = True, journaled.reason or "its cancel was under way"
            own.last_send_ns = order.created_ns
            self._recount(own)
            own.acknowledged = own.seen > 0 or own.status not in (OrderStatus.UNKNOWN, OrderStatus.REJECTED)
            self.orders.add(own)
        last = max((own.updated_ns for own in self.orders.all()), default=0)
        ended = [own for own in self.orders.all() if own.status in OVER and own.updated_ns >= last - UNSURE_NS]
        moments = [own.order.created_ns for own in ended if not own.whole]
        moments += [state.unsure_ns] if state.unsure_ns is not None else []
        self.unsure_since_ns = min(moments, default=None)
        self.damaged = set(state.damaged_fills)
        odd = {FillKey(each.report.trade_id, each.report.order_id): each for each in state.quarantined}
        self.quarantine = {key: each for key, each in odd.items() if not each.lifted}
        self.dismissed = {key: each for key, each in odd.items() if each.lifted}

    def forget(self, before_ns: int) -> None:
        """Drop what has been final since before `before_ns`: explained orders, closed positions, fills. Their rows stay in the journal.

        Orders of a leg group go together: what a group has received is told by the fills of all.

        A trade that was matched before that moment is no news afterwards, unless it belongs to something still in memory.
        """
        self.horizon_ns = max(self.horizon_ns, before_ns)
        still_open = {own.id for own in self.orders.open()}
        final = [
            own
            for own in self.orders.all()
            if own.updated_ns < before_ns
            and own.id not in still_open
            and all(self.fills[key].status.terminal for key in self._fills_of.get(own.id, ()))
        ]
        going = {own.id for own in final}
        kept_groups = {own.order.draft.leg_group for own in self.orders.all() if own.id not in going} - {""}
        for own in final:
            if own.order.draft.leg_group not in kept_groups:
                self.orders.forget(own.id)
        for position in self.positions.closed_before(before_ns):
            if not any(order_id in self.orders for order_id in position.order_ids()):
                self.positions.forget(position)
        self.positions.forget_fills(before_ns, self.orders)
        old = [
            key
            for key, fill in self.fills.items()
            if fill.matched_ns < before_ns and key.order_id not in self.orders and not self.positions.remembers(fill)
        ]
        for key in old:
            del self.fills[key]
            self._fills_of.pop(key.order_id, None)
        self.dismissed = {key: held for key, held in self.dismissed.items() if held.report.matched_ns >= before_ns}

    def _remember(self, fill: Fill) -> None:
        self.fills[fill.key] = fill
        self._fills_of[fill.key.order_id].add(fill.key)

    def _recount(self, own: OwnOrder) -> None:
        fills = [self.fills[key] for key in self._fills_of.get(own.id, ())]
        own.seen = sum(fill.size for fill in fills)
        own.filled = sum(fill.size for fill in fills if fill.status is not FillStatus.FAILED)
        own.spent = sum(fill.price * fill.size // MICRO for fill in fills if fill.status is not FillStatus.FAILED)
