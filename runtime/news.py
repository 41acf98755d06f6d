"""Who is told what: books to exits and strategies, changes of the account to leg groups, screens and strategies, decisions to screens.

Listeners neither block nor raise. Strategies and exits hear nothing before the kernel is ready and nothing after it broke.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import structlog

from domain.book import MarketListed, TradePrint
from domain.market import Market
from domain.order import OrderDraft
from domain.reports import Trouble
from domain.signal import TradeSignal
from markets.books import BookUpdate
from trading.change import Change
from trading.risk import Decision

if TYPE_CHECKING:
    from runtime.kernel import Kernel

_log = structlog.get_logger(__name__)


class News:
    """The `BookListener` of one kernel and the listener to its account. `refusals` counts risk's reasons by strategy."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.refusals: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def on_book(self, update: BookUpdate) -> None:
        kernel, book = self._kernel, update.book
        if not kernel.ready:
            return
        if kernel.config.mode.places_orders and book.trusted:
            kernel.exits.on_book(book.token_id, book)
        kernel.engine.on_book(book)

    def on_trade(self, trade: TradePrint) -> None:
        if self._kernel.ready:
            self._kernel.engine.on_trade(trade)

    def on_tick_size(self, market: Market) -> None:
        self._kernel.watch.on_tick_size(market)

    def on_resolved(self, market: Market) -> None:
        self._kernel.watch.on_resolved(market)

    def on_listed(self, listed: MarketListed) -> None:
        _log.info("market listed", condition_id=listed.condition_id)

    def on_decision(self, signal: TradeSignal, decision: Decision) -> None:
        if decision.refusal is not None:
            self.refusals[signal.source][decision.refusal.value] += 1
        refused = f"{decision.refusal}: {decision.detail}" if decision.refusal is not None else "accepted"
        self._kernel.ports.events.signal(signal, refused)

    def on_refused(self, draft: OrderDraft, trouble: Trouble) -> None:
        self._kernel.engine.on_refused(draft.strategy, draft.token_id, trouble.code)

    def on_change(self, change: Change) -> None:
        kernel = self._kernel
        kernel.legs.on_change(change)
        events = kernel.ports.events
        for own in change.orders:
            kernel.own_depth.order_changed(own)
            events.order(own.order, own.state())
        for fill in change.fills:
            events.fill(fill)
        for position in change.positions:
            events.position(position)
        if kernel.ready:
            for fill in change.fills:
                kernel.engine.on_fill(fill)
