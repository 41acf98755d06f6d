"""What must hold of an exchange after every step, recomputed from its public answers alone."""

from __future__ import annotations

from collections import Counter, defaultdict

from domain.money import MICRO, multiply_ceil
from domain.order import OrderSide
from venues.exchange import Exchange
from venues.exchange import events as e

CASH = ""


def check_all(exchange: Exchange) -> None:
    check_value(exchange)
    check_columns(exchange)
    check_books(exchange)


def check_value(exchange: Exchange) -> None:
    """Cash and locked collateral are what was deposited; tokens are what the collateral backs."""
    supply: Counter[str] = Counter()
    for account in exchange.accounts():
        for asset, balance in exchange.balances(account).items():
            supply[asset] += balance.settled
    locked = sum(exchange.collateral(market.condition_id) for market in exchange.markets())
    assert supply[CASH] + locked == exchange.deposited
    for market in exchange.markets():
        first, second = (supply[token] for token in market.token_ids)
        payouts = exchange.payouts(market.condition_id)
        collateral = exchange.collateral(market.condition_id)
        if payouts is None:
            assert first == second == collateral
        else:
            assert collateral * MICRO >= first * payouts[0] + second * payouts[1]


def check_columns(exchange: Exchange) -> None:
    """Reservations follow from open orders, funds in flight from unsettled trades, and nothing is negative."""
    reserved: Counter[tuple[str, str]] = Counter()
    outgoing: Counter[tuple[str, str]] = Counter()
    incoming: Counter[tuple[str, str]] = Counter()
    for account in exchange.accounts():
        for order in exchange.open_orders(account):
            asset, amount = _reservation(exchange, order)
            reserved[account, asset] += amount
    for trade in exchange.unsettled_trades():
        for account, gives, given, gets, gotten in _legs(trade, exchange.fee_account):
            outgoing[account, gives] += given
            incoming[account, gets] += gotten
    for account in exchange.accounts():
        for asset, balance in exchange.balances(account).items():
            assert balance.reserved == reserved[account, asset]
            assert balance.outgoing == outgoing[account, asset]
            assert balance.incoming == incoming[account, asset]
            assert min(balance.settled, balance.reserved, balance.outgoing, balance.incoming) >= 0
            assert balance.available >= 0


def check_books(exchange: Exchange) -> None:
    """A book is the sum of its live orders, sorted, never crossed, and the mirror of the other token's."""
    depth: defaultdict[str, Counter[tuple[OrderSide, int]]] = defaultdict(Counter)
    for account in exchange.accounts():
        for order in exchange.open_orders(account):
            if order.status is e.VenueStatus.LIVE:
                market = exchange.market(order.condition_id)
                assert market is not None
                other = market.complement(order.token_id)
                opposite = OrderSide.SELL if order.side is OrderSide.BUY else OrderSide.BUY
                left = order.size - order.size_matched
                assert left >= 10_000
                depth[order.token_id][order.side, order.price] += left
                depth[other][opposite, MICRO - order.price] += left
    for market in exchange.markets():
        for token_id in market.token_ids:
            book = exchange.book(token_id)
            if book is None:
                # A market that lost its book keeps its orders, out of sight.
                hidden = exchange.payouts(market.condition_id) is None
                assert hidden or not depth[token_id]
                continue
            assert dict(book.bids) == {p: s for (side, p), s in depth[token_id].items() if side is OrderSide.BUY}
            assert dict(book.asks) == {p: s for (side, p), s in depth[token_id].items() if side is OrderSide.SELL}
            assert book.bids == sorted(book.bids)
            assert book.asks == sorted(book.asks, reverse=True)
            bid, ask = exchange.best(token_id)
            assert bid < ask
            assert (bid, ask) == (book.bids[-1][0] if book.bids else 0, book.asks[-1][0] if book.asks else MICRO)


def _reservation(exchange: Exchange, order: e.OrderView) -> tuple[str, int]:
    if order.side is OrderSide.SELL:
        return order.token_id, order.size - order.size_matched
    if order.status is e.VenueStatus.LIVE:
        return CASH, multiply_ceil(order.price, order.size - order.size_matched)
    market = exchange.market(order.condition_id)
    assert market is not None
    fees = market.fees
    fee = (
        fees.worst_buy_fee(order.price, order.taker_amount)
        if order.order_type.rests
        else fees.worst_spend_fee(order.maker_amount)
    )
    return CASH, order.maker_amount + fee


def _legs(trade: e.TradeView, fee_account: str):
    if trade.side is OrderSide.BUY:
        yield trade.account, CASH, trade.cash + trade.fee, trade.token_id, trade.size
    else:
        yield trade.account, trade.token_id, trade.size, CASH, trade.cash - trade.fee
    for fill in trade.makers:
        if fill.side is OrderSide.BUY:
            yield fill.account, CASH, fill.cash, fill.token_id, fill.size
        else:
            yield fill.account, fill.token_id, fill.size, CASH, fill.cash
    yield fee_account, CASH, 0, CASH, trade.fee


class Listener:
    """Follows the events as a wire would, and compares what it believes with what the exchange says."""

    def __init__(self) -> None:
        self.books: defaultdict[str, dict[tuple[OrderSide, int], int]] = defaultdict(dict)
        self.best: dict[str, tuple[int, int]] = {}
        self.orders: dict[str, e.OrderView] = {}
        self.trades: dict[str, e.TradeView] = {}
        self.switched: dict[str, bool] = {}

    def hear(self, events: list[e.Event]) -> None:
        for event in events:
            match event:
                case e.BookChanged(levels=levels):
                    for level in levels:
                        self._level(level)
                case e.OrderPlaced(order=order) | e.OrderUpdated(order=order):
                    self.orders[order.id] = order
                case e.OrderCanceled(order=order) if order.id in self.orders:
                    self.orders[order.id] = order
                case e.TradeMatched(trade=trade) | e.TradeMoved(trade=trade):
                    self.trades[trade.id] = trade
                case e.BookSwitched(condition_id=condition_id, open=is_open):
                    self.switched[condition_id] = is_open
                case e.OrdersLost(order_ids=order_ids):
                    self._forget(order_ids)
                case e.Pruned(order_ids=order_ids, trade_ids=trade_ids):
                    self._forget(order_ids, trade_ids)

    def _forget(self, order_ids: tuple[str, ...], trade_ids: tuple[str, ...] = ()) -> None:
        for order_id in order_ids:
            del self.orders[order_id]
        for trade_id in trade_ids:
            del self.trades[trade_id]

    def compare(self, exchange: Exchange) -> None:
        assert {order.id: order for a in exchange.accounts() for order in exchange.orders(a)} == self.orders
        assert {trade.id: trade for a in exchange.accounts() for trade in exchange.trades(a)} == self.trades
        for market in exchange.markets():
            is_open = self.switched.pop(market.condition_id, None)
            for token_id in market.token_ids:
                book = exchange.book(token_id)
                if is_open is not None:
                    self._read_again(token_id, book)
                sides = {OrderSide.BUY: book.bids, OrderSide.SELL: book.asks} if book else {}
                told = {(side, price): size for side, levels in sides.items() for price, size in levels}
                assert told == self.books[token_id]
                assert exchange.best(token_id) == self.best.get(token_id, (0, MICRO))

    def _read_again(self, token_id: str, book: e.BookView | None) -> None:
        """A book that went or came back is read as a whole."""
        sides = {OrderSide.BUY: book.bids, OrderSide.SELL: book.asks} if book else {}
        self.books[token_id] = {(side, price): size for side, levels in sides.items() for price, size in levels}
        bids, asks = (book.bids, book.asks) if book else ([], [])
        self.best[token_id] = (bids[-1][0] if bids else 0, asks[-1][0] if asks else MICRO)

    def _level(self, level: e.LevelChange) -> None:
        book = self.books[level.token_id]
        book.pop((level.side, level.price), None)
        if level.size:
            book[level.side, level.price] = level.size
        self.best[level.token_id] = level.best_bid, level.best_ask
