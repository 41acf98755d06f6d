"""Calls the strategies directly, in one turn of the trader's loop: no queue lies between a frame and a signal.

Strategies see only trusted, uncrossed books, net of our own orders. One that raises is counted and isolated; past a limit it is stopped
(`strategies.registry`). One that exceeds its time budget is counted and named in the log, once in ten minutes. Which strategies care for a token is
indexed, so an event costs only those. Intents go to `submit`: the executor's in `trade` mode, a recorder's in `monitor`; what `submit` raises is
counted and logged, and no other strategy notices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from domain.book import TradePrint
from domain.fill import Fill
from domain.market import Market
from domain.order import OrderSide
from domain.signal import Intent, Replace, TradeSignal
from markets.order_book import OrderBook
from strategies.context import Context
from strategies.registry import Registered, Registry
from strategies.strategy import Strategy

DEFAULT_BUDGET_SECONDS = 0.002
_REPORT_EVERY_SECONDS = 600.0
_CLOCK_TOLERANCE_NS = 1_000_000_000

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_Handler = Callable[..., Sequence[Intent]]
_Calls = tuple[tuple[Registered, _Handler], ...]


class Engine:
    """Distributes market events to the running strategies of `registry` and their intents to `submit`.

    `skipped_books` counts books that no strategy may see, `submit_errors` intents that the executor failed on.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        context: Context,
        submit: Callable[[Intent], object],
        budget_seconds: float = DEFAULT_BUDGET_SECONDS,
    ) -> None:
        self.registry = registry
        self.context = context
        self.skipped_books = 0
        self.submit_errors = 0
        self._submit = submit
        self._budget = budget_seconds
        self._clock = context.clock
        self._last_ns = 0
        self._generation = registry.generation
        self._on_book: dict[str, _Calls] = {}
        self._on_trade: dict[str, _Calls] = {}
        self._reported: dict[str, float] = {}

    # Which markets are traded

    def watch(self, market: Market) -> None:
        """Offer a market, or its changed facts, to the strategies."""
        for token_id in market.token_ids:
            self.context.markets[token_id] = market
        self._index(market)

    def unwatch(self, market: Market) -> None:
        """Forget a market and its history."""
        for token_id in market.token_ids:
            self.context.markets.pop(token_id, None)
            self.context.tracker.forget(token_id)
            self._on_book.pop(token_id, None)
            self._on_trade.pop(token_id, None)

    # Events

    def on_book(self, book: OrderBook) -> None:
        """A book changed."""
        if not book.usable:
            self.skipped_books += 1
            if not book.trusted:
                self.context.tracker.forget(book.token_id)
            return
        now = self._now()
        if book.two_sided:
            self.context.tracker.add_book(book, now)
        calls = self._on_book.get(book.token_id)
        if calls:
            self._call(calls, book, now)

    def on_trade(self, trade: TradePrint) -> None:
        """A public trade was printed; of a market that is not watched it is nobody's news."""
        market = self.context.markets.get(trade.token_id)
        if market is None:
            return
        now = self._now()
        side = OrderSide.BUY if trade.side == "BUY" else OrderSide.SELL
        self.context.tracker.add_trade(trade.token_id, market.complement(trade.token_id), side, trade.size, now)
        calls = self._on_trade.get(trade.token_id)
        if calls:
            self._call(calls, trade, now)

    def on_fill(self, fill: Fill) -> None:
        """One of our fills happened or changed its state; it concerns the strategy that ordered it."""
        self._call(self._handlers_of("on_fill", fill.strategy), fill, self._now())

    def on_refused(self, strategy: str, token_id: str, code: str) -> None:
        """The venue refused an order; it concerns the strategy that ordered it."""
        self._call(self._handlers_of("on_refused", strategy), token_id, code, self._now())

    def on_timer(self) -> None:
        """Time passed; call it a few times a second."""
        for token_id in self.context.markets:
            # What looks like a jump over a gap in the data is none.
            if self.context.has_gap(token_id):
                self.context.tracker.forget(token_id)
        self._call(self._handlers("on_timer"), self._now())

    def on_resolution(self, market: Market) -> None:
        """A market was decided: its strategies hear of it, then it is forgotten."""
        self._call(self._handlers("on_resolution"), market, self._now())
        self.unwatch(market)

    # Calling

    def _call(self, calls: _Calls, *event: Any) -> None:
        monotonic = self._clock.monotonic
        before = monotonic()
        for registered, handler in calls:
            if not registered.running:
                continue
            try:
                intents = tuple(handler(*event))
            except Exception as error:  # noqa: BLE001 - isolation is the purpose; `fail` counts and logs it
                self.registry.fail(registered, error)
                intents = ()
            after = monotonic()
            if after - before > self._budget:
                self._overrun(registered, after - before, after)
            for intent in intents:
                self._send(registered, intent)
                after = monotonic()
            before = after
        if self._generation != self.registry.generation:
            self._reindex()

    def _send(self, registered: Registered, intent: Intent) -> None:
        signal = intent.signal if isinstance(intent, Replace) else intent
        if isinstance(signal, TradeSignal):
            registered.signals_sent += 1
            registered.last_signal_ns = signal.created_ns
        try:
            self._submit(intent)
        except Exception:
            self.submit_errors += 1
            log.exception("intent could not be submitted", strategy=registered.name, intent=intent.id)

    def _overrun(self, registered: Registered, seconds: float, now: float) -> None:
        registered.budget_overruns += 1
        if now - self._reported.get(registered.name, -_REPORT_EVERY_SECONDS) >= _REPORT_EVERY_SECONDS:
            self._reported[registered.name] = now
            log.warning(
                "strategy exceeded its time budget",
                strategy=registered.name,
                milliseconds=round(seconds * 1000, 2),
                budget=round(self._budget * 1000, 2),
                overruns=registered.budget_overruns,
            )

    def _now(self) -> int:
        if self._generation != self.registry.generation:
            self._reindex()
        now = self._clock.now_ns()
        if now < self._last_ns - _CLOCK_TOLERANCE_NS:
            log.warning("the clock was set back: price histories start again", seconds=(self._last_ns - now) / 1e9)
            self.context.tracker.clear()
        self._last_ns = now
        return now

    # Index

    def _handlers(self, name: str) -> _Calls:
        return tuple(
            (registered, getattr(registered.strategy, name))
            for registered in self.registry
            if registered.running and getattr(type(registered.strategy), name) is not getattr(Strategy, name)
        )

    def _handlers_of(self, name: str, strategy: str) -> _Calls:
        return tuple(call for call in self._handlers(name) if call[0].name == strategy)

    def _index(self, market: Market) -> None:
        wanting = {
            registered.name for registered in self.registry if registered.running and self._wants(registered, market)
        }
        for index, name in ((self._on_book, "on_book"), (self._on_trade, "on_trade")):
            calls = tuple(call for call in self._handlers(name) if call[0].name in wanting)
            for token_id in market.token_ids:
                index[token_id] = calls

    def _wants(self, registered: Registered, market: Market) -> bool:
        try:
            return registered.strategy.wants(market)
        except Exception as error:  # noqa: BLE001 - as above
            self.registry.fail(registered, error)
            return False

    def _reindex(self) -> None:
        self._generation = self.registry.generation
        for market in {market.id: market for market in self.context.markets.values()}.values():
            self._index(market)
