"""The whole state of an exchange, and the few moves that keep its indexes together.

Everything that decides is a function over this state in another module; nothing here refuses or raises.
"""

from __future__ import annotations

from hashlib import sha256
from heapq import heappush

import msgspec

from domain.market import Market
from domain.money import MICRO
from domain.order import OrderSide, OrderType
from venues.exchange.book import MarketBook
from venues.exchange.events import BookChanged, Event, LevelChange
from venues.exchange.records import OrderRecord, TradeRecord
from venues.exchange.vault import Vault

GTD_MARGIN_S = 60
"""The venue stops a GTD order this long before its stated time."""

SECOND_NS = 1_000_000_000


class MarketRecord(msgspec.Struct, kw_only=True):
    """A market as it stands. `collateral` backs its outstanding tokens; `last_price` is the last trade's, in terms of the first token."""

    market: Market
    collateral: int = 0
    last_price: int | None = None
    payouts: tuple[int, int] | None = None
    has_book: bool = True
    book: MarketBook = msgspec.field(default_factory=MarketBook)
    open_orders: dict[str, OrderRecord] = msgspec.field(default_factory=dict)

    @property
    def readable(self) -> bool:
        """Tell whether the market has a book that can be read and traded on."""
        return self.has_book and self.payouts is None


class State:
    """Markets, funds, orders, trades, counters and timers of one exchange."""

    def __init__(self, venue_id: str, fee_account: str) -> None:
        self.venue_id = venue_id
        self.fee_account = fee_account
        self.now_ns = 0
        self.orders_seen = 0
        self.rests_seen = 0
        self.trades_seen = 0
        self.vault = Vault()
        self.markets: dict[str, MarketRecord] = {}
        self.by_token: dict[str, MarketRecord] = {}
        self.orders: dict[str, OrderRecord] = {}
        self.orders_of: dict[str, dict[str, OrderRecord]] = {}
        self.open_of: dict[str, dict[str, OrderRecord]] = {}
        self.trades: dict[str, TradeRecord] = {}
        self.trades_of: dict[str, dict[str, TradeRecord]] = {}
        self.unsettled: dict[str, TradeRecord] = {}
        self.timers: list[tuple[int, int, str]] = []
        self.dirty: dict[str, MarketRecord] = {}

    def add_market(self, record: MarketRecord) -> None:
        self.markets[record.market.condition_id] = record
        for token_id in record.market.token_ids:
            self.by_token[token_id] = record

    def remove_market(self, market: Market) -> None:
        del self.markets[market.condition_id]
        for token_id in market.token_ids:
            del self.by_token[token_id]

    def add_order(self, order: OrderRecord) -> None:
        """Remember an order, as open if it is."""
        self.orders[order.id] = order
        try:
            self.orders_of[order.account][order.id] = order
        except KeyError:
            self.orders_of[order.account] = {order.id: order}
            self.open_of[order.account] = {}
        if order.status.open:
            self.open_of[order.account][order.id] = order
            self.markets[order.condition_id].open_orders[order.id] = order
            self._set_timers(order)

    def forget_order(self, order: OrderRecord) -> None:
        """Forget an order that ended or was dropped."""
        del self.orders[order.id]
        orders = self.orders_of[order.account]
        del orders[order.id]
        if not orders:
            del self.orders_of[order.account]
            del self.open_of[order.account]

    def close_order(self, order: OrderRecord) -> None:
        """Take an order that ended off the lists of open ones and free what it still reserves."""
        self.reserve(order, 0)
        del self.open_of[order.account][order.id]
        del self.markets[order.condition_id].open_orders[order.id]

    def reserve(self, order: OrderRecord, amount: int) -> None:
        """Let `order` reserve exactly `amount` of the asset it gives."""
        if amount != order.reserved:
            self.vault.holding(order.account, order.asset).reserved += amount - order.reserved
            order.reserved = amount

    def add_trade(self, trade: TradeRecord) -> None:
        self.trades[trade.id] = trade
        for account in {trade.account: None} | dict.fromkeys(maker.account for maker in trade.makers):
            self.trades_of.setdefault(account, {})[trade.id] = trade
        if not trade.status.terminal:
            self.unsettled[trade.id] = trade

    def derived_hash(self, kind: str, key: object) -> str:
        """Return 64 hex digits that depend on the venue and the key alone."""
        return sha256(f"{self.venue_id}/{kind}/{key}".encode()).hexdigest()

    def prune_timers(self) -> None:
        """Drop timers of orders that ended; without this a GTD order cancelled early stays until its time."""
        self.timers = []
        for orders in self.open_of.values():
            for order in orders.values():
                self._set_timers(order)

    def _set_timers(self, order: OrderRecord) -> None:
        if order.due_ns:
            heappush(self.timers, (order.due_ns, order.number, order.id))
        if order.order_type is OrderType.GTD:
            heappush(self.timers, (stop_ns(order.expiration_s), order.number, order.id))

    def drain_book_changes(self, events: list[Event]) -> None:
        """Append one `BookChanged` for each market whose levels changed, and start collecting anew."""
        for condition_id, record in self.dirty.items():
            if record.book.touched and record.has_book:
                events.append(BookChanged(condition_id, _level_changes(record)))
            record.book.touched.clear()
        self.dirty.clear()


def stop_ns(expiration_s: int) -> int:
    """Return when the venue stops a GTD order that states `expiration_s`."""
    return (expiration_s - GTD_MARGIN_S) * SECOND_NS


def _level_changes(record: MarketRecord) -> tuple[LevelChange, ...]:
    first, second = record.market.token_ids
    book = record.book
    bid, ask = book.best_bid, book.best_ask
    changes: list[LevelChange] = []
    for is_bid, price in book.touched:
        size = book.size_at(is_bid, price)
        side, mirrored = (OrderSide.BUY, OrderSide.SELL) if is_bid else (OrderSide.SELL, OrderSide.BUY)
        changes.append(LevelChange(first, side, price, size, bid, ask))
        changes.append(LevelChange(second, mirrored, MICRO - price, size, MICRO - ask, MICRO - bid))
    return tuple(changes)
