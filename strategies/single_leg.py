"""Buying one outcome and selling it again: what flash crash and mean reversion have in common.

An entry buys at once what is offered up to a limit (FAK) and is remembered as a `Trade` until its position is flat again; at most one trade a
market. Take-profit and stop-loss travel with the order and are carried out by `trading/`; the strategy itself sells on its own reasons and at
the latest after `max_holding`. Exits sell only what is settled and not on offer yet, so two exits never compete. After a restart, positions found
on the desk are taken up again. What is too small to sell (under the market's minimum) is left to the resolution. Doubt means no entry, with
the gate counted.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from domain.amounts import marketable_size
from domain.market import Market
from domain.money import CENT, MICRO, exact_micros, floor_to, format_micros
from domain.order import Effect, OrderSide, OrderType
from domain.position import Position
from domain.reports import OFF_GRID
from domain.signal import Intent, TradeSignal, Urgency
from domain.ticks import SIZE_STEP
from markets.order_book import NO_BID, OrderBook
from strategies.context import Context
from strategies.parameter_fields import nanoseconds
from strategies.single_leg_parameters import SingleLegParameters
from strategies.strategy import NOTHING, Strategy

SECOND = 1_000_000_000
SIGNAL_LIFE_NS = 2 * SECOND
"""A signal that is not decided by then is stale."""
ENTRY_GRACE_NS = 5 * SECOND
"""How long an entry may stay without position or order before it counts as missed."""
EXIT_RETRY_NS = 2 * SECOND
REQUOTE_NS = SECOND
"""How long an entry whose price was off the grid waits for the new grid."""
MIN_MARKETABLE_NOTIONAL = MICRO
"""The venue refuses marketable buys under one dollar."""

P = TypeVar("P", bound=SingleLegParameters)


@dataclass(slots=True)
class Trade:
    """One round trip. `reference` is the price before the move, `low` the lowest mid since; 0 when not known (after a restart)."""

    market: Market
    token_id: str
    started_ns: int
    reference: int = 0
    low: int = 0
    confirmed: bool = False
    held: bool = False
    next_exit_ns: int = 0


class SingleLegStrategy(Strategy[P]):
    """Entries and exits of one token at a time; subclasses say when."""

    def __init__(self, name: str, parameters: P, context: Context) -> None:
        self._trades: dict[str, Trade] = {}
        self._cooling: dict[str, int] = {}
        super().__init__(name, parameters, context)

    def on_start(self, now_ns: int) -> None:
        self._adopt(now_ns)

    def on_stop(self, now_ns: int) -> None:
        self._trades.clear()
        self._cooling.clear()

    def on_book(self, book: OrderBook, now_ns: int) -> Sequence[Intent]:
        trade = self._trades.get(book.token_id)
        if trade is not None:
            return self._tend(trade, book, now_ns)
        if not book.two_sided:
            return NOTHING
        return self.consider(book, now_ns)

    def on_timer(self, now_ns: int) -> Sequence[Intent]:
        self._adopt(now_ns)
        self._cooling = {market: until for market, until in self._cooling.items() if until > now_ns}
        intents: list[Intent] = []
        for trade in list(self._trades.values()):
            intents += self._tend(trade, self.context.book(trade.token_id), now_ns)
        return intents

    def on_refused(self, token_id: str, code: str, now_ns: int) -> Sequence[Intent]:
        """Look for another entry soon when only the price grid was wrong: the market is being read again."""
        trade = self._trades.get(token_id)
        if code == OFF_GRID and trade is not None and not trade.held:
            del self._trades[token_id]
            self._cooling[trade.market.id] = now_ns + REQUOTE_NS
        return NOTHING

    def on_resolution(self, market: Market, now_ns: int) -> Sequence[Intent]:
        for token_id in market.token_ids:
            self._trades.pop(token_id, None)
        return NOTHING

    @abstractmethod
    def consider(self, book: OrderBook, now_ns: int) -> Sequence[Intent]:
        """Look for an entry in a two-sided book of a token that is not traded yet."""

    @abstractmethod
    def exit_reason(self, trade: Trade, position: Position, book: OrderBook, now_ns: int) -> str:
        """Return why the position shall be sold now, "" to keep it. The book has at least a bid."""

    # Entries

    def refuse(self, gate: str) -> Sequence[Intent]:
        """Count an opportunity that `gate` stopped."""
        self.refusals[gate] += 1
        return NOTHING

    def closed_gate(self, book: OrderBook, now_ns: int) -> str:
        """Return which gate common to all entries stops this one, "" for none."""
        market = self.context.markets.get(book.token_id)
        parameters = self.parameters
        if market is None or not market.tradable:
            return "market not tradable"
        if market.id in self._cooling and self._cooling[market.id] > now_ns:
            return "cooling down"
        if any(trade.market.id == market.id for trade in self._trades.values()):
            return "market already held"
        if len(self._trades) >= parameters.max_positions:
            return "most positions reached"
        if book.spread > exact_micros(parameters.max_spread):
            return "spread too wide"
        if market.end_ns is None or market.end_ns - now_ns < nanoseconds(parameters.min_time_to_end):
            return "end too near or unknown"
        other = self.context.book(market.complement(book.token_id))
        if other is None or not other.two_sided:
            return "complement's book missing"
        oldest = now_ns - nanoseconds(parameters.max_book_age)
        if book.received_ns < oldest or other.received_ns < oldest:
            return "book too old"
        # Both outcomes are two views of one book: where they disagree, one of them is wrong.
        if abs(book.mid + other.mid - MICRO) > max(2 * book.tick, book.spread):
            return "complement disagrees"
        return ""

    def round_trip_fee(self, market: Market, buy_price: int, sell_price: int) -> int:
        """Return the taker fees of buying and selling one share, rounded up, in micro-dollars."""
        return market.fees.worst_buy_fee(buy_price, MICRO) + market.fees.worst_buy_fee(sell_price, MICRO)

    def enter(self, book: OrderBook, now_ns: int, *, worth: int, gain: int, why: str) -> Sequence[Intent]:
        """Buy what is offered at a price that leaves `gain` a share after fees, if the price comes back to `worth`."""
        market = self.context.markets[book.token_id]
        ask = book.best_ask
        # Whole cents keep price × size in whole cents for any whole number of shares, as marketable buys need.
        grid = max(book.tick, CENT)
        ceiling = worth - gain - self.round_trip_fee(market, ask, worth)
        limit = min(floor_to(ceiling, grid), floor_to(ask + exact_micros(self.parameters.slippage), grid))
        if limit < ask:
            return self.refuse("price leaves no gain")
        offered = sum(size for price, size in book.levels(OrderSide.SELL) if price <= limit)
        budget = exact_micros(self.parameters.size)
        size = marketable_size(limit, min(offered, budget * MICRO // limit))
        if size < market.min_size or limit * size // MICRO < MIN_MARKETABLE_NOTIONAL:
            return self.refuse("size under the minimum")
        tick = market.tick_size
        self._trades[book.token_id] = Trade(market, book.token_id, now_ns, reference=worth, low=book.mid)
        signal = TradeSignal(
            id=self.context.ids.uuid(),
            source=self.name,
            market=market,
            token_id=book.token_id,
            side=OrderSide.BUY,
            price=limit,
            size=size,
            effect=Effect.OPEN,
            order_type=OrderType.FAK,
            urgency=Urgency.HIGH,
            created_ns=now_ns,
            expires_ns=now_ns + SIGNAL_LIFE_NS,
            take_profit=tick.ceil(ask + exact_micros(self.parameters.take_profit)),
            # From the bid: a stop inside the spread would sell at once.
            stop_loss=tick.floor(book.best_bid - exact_micros(self.parameters.stop_loss)),
            reason=f"{why}; buy {format_micros(size)} at {format_micros(limit)} or better",
        )
        return (signal,)

    # Trades under way

    def _tend(self, trade: Trade, book: OrderBook | None, now_ns: int) -> Sequence[Intent]:
        desk = self.context.desk
        trade.market = self.context.markets.get(trade.token_id, trade.market)
        position = desk.position(trade.token_id, self.name)
        if position is None or position.size < trade.market.min_size:
            over = trade.held or now_ns - trade.started_ns > ENTRY_GRACE_NS
            if over and not desk.working(trade.token_id, self.name):
                self._finish(trade, now_ns)
            return NOTHING
        trade.held = True
        if book is None or book.best_bid == NO_BID or now_ns < trade.next_exit_ns:
            return NOTHING
        if book.two_sided:
            trade.low = min(trade.low or book.mid, book.mid)
        reason = self.exit_reason(trade, position, book, now_ns)
        if not reason and now_ns - trade.started_ns >= nanoseconds(self.parameters.max_holding):
            reason = f"held for {(now_ns - trade.started_ns) / SECOND:.0f} s, the longest allowed"
        return self._leave(trade, position, book, now_ns, reason) if reason else NOTHING

    def _leave(self, trade: Trade, position: Position, book: OrderBook, now_ns: int, why: str) -> Sequence[Intent]:
        size = floor_to(min(self.context.desk.available(trade.token_id, self.name), position.size), SIZE_STEP)
        if size < trade.market.min_size:
            return NOTHING
        trade.next_exit_ns = now_ns + EXIT_RETRY_NS
        price = trade.market.tick_size.floor(book.best_bid - exact_micros(self.parameters.slippage))
        signal = TradeSignal(
            id=self.context.ids.uuid(),
            source=self.name,
            market=trade.market,
            token_id=trade.token_id,
            side=OrderSide.SELL,
            price=price,
            size=size,
            effect=Effect.REDUCE,
            order_type=OrderType.FAK,
            urgency=Urgency.HIGH,
            created_ns=now_ns,
            expires_ns=now_ns + SIGNAL_LIFE_NS,
            reason=f"{why}; sell {format_micros(size)} at {format_micros(price)} or better, "
            f"bought at {format_micros(position.entry_price)}",
        )
        return (signal,)

    def _finish(self, trade: Trade, now_ns: int) -> None:
        del self._trades[trade.token_id]
        self._cooling[trade.market.id] = now_ns + nanoseconds(self.parameters.cooldown)

    def _adopt(self, now_ns: int) -> None:
        """Take up positions that this run did not open, or whose fill came after the entry was given up."""
        for position in self.context.desk.positions(self.name):
            market = self.context.markets.get(position.token_id)
            if market is None or position.token_id in self._trades or position.size < market.min_size:
                continue
            self._trades[position.token_id] = Trade(
                market, position.token_id, position.opened_ns, confirmed=True, held=True
            )
