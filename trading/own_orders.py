"""Our own orders in memory: what is known of each, and what each still reserves.

Reservations are the fail-closed half of risk: an order holds its cash or tokens, worst fee included, until terminal evidence **and** every fill
that evidence speaks of are known. Pending, unknown, delayed and cancelling orders hold everything that has not been filled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from domain.market import Market
from domain.money import multiply_ceil
from domain.order import Order, OrderSide, OrderStatus
from domain.ports import OrderState
from trading.positions import DUST

_Key = TypeVar("_Key")


@dataclass(slots=True)
class OwnOrder:
    """One order and its state; shares and cash in micro-units.

    `filled` sums the fills that have not failed, `seen` all of them. `reported` is the most the venue said was matched, `awaited` the trades
    it named that are not known yet. `needs_read` asks for a fresh read of order and trades before anything is released. `unwanted` says why the
    order shall not rest any more: it is cancelled again until it is gone.
    """

    order: Order
    status: OrderStatus
    reason: str = ""
    filled: int = 0
    seen: int = 0
    spent: int = 0
    reported: int | None = None
    awaited: set[str] = field(default_factory=set)
    needs_read: bool = False
    acknowledged: bool = False
    updated_ns: int = 0
    last_send_ns: int = 0
    absent_since_ns: int | None = None
    unwanted: str = ""

    @property
    def id(self) -> str:
        return self.order.id

    @property
    def remaining(self) -> int:
        """Shares that may still be filled (for an order of a cash amount: at its limit price)."""
        return max(0, self.order.draft.size - self.filled)

    @property
    def whole(self) -> bool:
        """True when nothing worth mentioning can still be filled."""
        draft = self.order.draft
        if draft.spends_cash_amount:
            return self.order.prepared.maker_amount - self.spent <= multiply_ceil(draft.price, DUST)
        return self.remaining <= DUST

    @property
    def explained(self) -> bool:
        """True when the order is over and every share the venue spoke of is accounted for."""
        if not self.status.terminal or self.needs_read or self.awaited:
            return False
        if self.reported is not None and self.seen < self.reported - DUST:
            return False
        return self.status is not OrderStatus.MATCHED or self.whole or self.reported is not None

    @property
    def stands(self) -> bool:
        """True when the order is known to be in the book or on its way there."""
        return not self.status.terminal and self.status is not OrderStatus.UNKNOWN

    @property
    def reserved_cash(self) -> int:
        """Cash this order may still take, worst fee included."""
        draft = self.order.draft
        if draft.side is not OrderSide.BUY or self.explained:
            return 0
        if draft.spends_cash_amount:
            spend = max(0, self.order.prepared.maker_amount - self.spent)
            return spend + draft.market.fees.worst_spend_fee(spend)
        return multiply_ceil(draft.price, self.remaining) + draft.market.fees.worst_buy_fee(draft.price, self.remaining)

    @property
    def reserved_tokens(self) -> int:
        """Tokens this order may still take."""
        return 0 if self.order.draft.side is OrderSide.BUY or self.explained else self.remaining

    def state(self) -> OrderState:
        return OrderState(
            order_id=self.id,
            status=self.status,
            filled=self.filled,
            reason=self.reason,
            updated_ns=self.updated_ns,
        )


class OwnOrders:
    """The account's orders in memory, with running totals of what those hold that are not explained yet."""

    def __init__(self) -> None:
        self._orders: dict[str, OwnOrder] = {}
        self._open: dict[str, OwnOrder] = {}
        self._held: dict[str, tuple[int, int]] = {}
        self._open_by_market: defaultdict[str, dict[str, OwnOrder]] = defaultdict(dict)
        self._tokens: dict[tuple[str, str], int] = {}
        self.reserved_cash = 0
        self.touched: dict[str, Market] = {}
        """Markets in which an order changed; whoever keeps figures of them takes them out."""

    def __contains__(self, order_id: object) -> bool:
        return order_id in self._orders

    def __len__(self) -> int:
        return len(self._orders)

    def get(self, order_id: str) -> OwnOrder | None:
        return self._orders.get(order_id)

    def add(self, own: OwnOrder) -> None:
        if own.id in self._orders:
            raise AssertionError(f"order {own.id} was added twice")
        self._orders[own.id] = own
        self.refresh(own)

    def refresh(self, own: OwnOrder) -> None:
        """Bring the totals in line after `own` changed."""
        draft = own.order.draft
        cash, tokens = own.reserved_cash, own.reserved_tokens
        held_cash, held_tokens = self._held.pop(own.id, (0, 0))
        self.reserved_cash += cash - held_cash
        _add(self._tokens, (draft.token_id, draft.strategy), tokens - held_tokens)
        self.touched[draft.market.id] = draft.market
        in_market = self._open_by_market[draft.market.id]
        if own.explained:
            self._open.pop(own.id, None)
            in_market.pop(own.id, None)
        else:
            self._held[own.id] = (cash, tokens)
            self._open[own.id] = in_market[own.id] = own
        if not in_market:
            del self._open_by_market[draft.market.id]

    def forget(self, order_id: str) -> None:
        """Drop an order that is explained; its row stays in the journal."""
        if order_id in self._open:
            raise AssertionError(f"order {order_id} is not explained yet")
        del self._orders[order_id]

    def discard(self, order_id: str) -> None:
        """Drop an order that provably never became durable and therefore never left."""
        own = self._orders[order_id]
        own.status, own.needs_read = OrderStatus.REJECTED, False
        self.refresh(own)
        del self._orders[order_id]

    def all(self) -> Iterator[OwnOrder]:
        return iter(self._orders.values())

    def open(self) -> list[OwnOrder]:
        """Return the orders that are not explained."""
        return list(self._open.values())

    def open_in_market(self, market_id: str) -> list[OwnOrder]:
        in_market = self._open_by_market.get(market_id)
        return list(in_market.values()) if in_market else []

    def cash_of(self, order_id: str) -> int:
        """Return the cash that an order may still take."""
        return self._held.get(order_id, (0, 0))[0]

    def reserved_tokens(self, token_id: str, strategy: str | None = None) -> int:
        """Return the shares of a token that open sells hold: those of `strategy`, or of everybody."""
        if strategy is not None:
            return self._tokens.get((token_id, strategy), 0)
        return sum(tokens for (token, _), tokens in self._tokens.items() if token == token_id)


def _add(totals: dict[_Key, int], key: _Key, amount: int) -> None:
    """Add to a total; what is back at zero is dropped, so that totals do not grow with every market ever traded."""
    total = totals.get(key, 0) + amount
    if total:
        totals[key] = total
    else:
        totals.pop(key, None)
