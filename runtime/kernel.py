"""The kernel wires feed → books → strategies → executor → account, the same for live, paper and simulation.

Start is recovery: take the lease, load what was journaled, listen to the account channel and hold its news back, read the venue, apply
both, and only then trade. Whatever breaks the account's state (a change that could not be journaled, a lost lease, a task that died) stops
the kernel with a reason; the caller builds a new one. `stop` is the graceful way: strategies, orders on their way, cancels, feeds, lease.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from domain.book import MarketListed, TradePrint
from domain.errors import JournalError, LeaseLostError, PolybotError, VenueError
from domain.market import ConditionGroup, Market, MarketStatus
from domain.money import MICRO
from domain.ports import Journal
from domain.signal import Intent, TradeSignal
from markets.books import Books, BookUpdate
from markets.discovery import discover
from runtime.account_events import AccountEvents
from runtime.config import KernelConfig
from runtime.market_directory import MarketDirectory
from runtime.operator import Operator
from runtime.own_depth import OwnDepth
from runtime.ports import Ports
from runtime.status import equity, trader_status
from strategies.catalog import CATALOG
from strategies.context import Context
from strategies.engine import Engine
from strategies.parameters import parse
from strategies.price_tracker import PriceTracker
from strategies.registry import Registry
from trading.change import Change
from trading.desk import Desk, describe
from trading.executor import Executor
from trading.exits import Exits
from trading.halts import Halts
from trading.order_flow import LeaseHolder, OrderFlow
from trading.portfolio import Portfolio
from trading.reconcile import Reconciler
from trading.resolver import Resolver
from trading.risk import Decision, RiskCore
from trading.strategy_view import StrategyView

_log = structlog.get_logger(__name__)

STOP_SECONDS = 3.0


class Kernel:
    """One trader. Call `start`, then wait for `stopped`, then `stop`."""

    def __init__(self, ports: Ports, config: KernelConfig) -> None:
        self.ports = ports
        self.config = config
        self.ready = False
        self.stopped: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.markets = MarketDirectory()
        self.lease = LeaseHolder()
        self.journal: Journal = ports.storage.journal(lambda: self.lease.epoch, self.markets.required)
        self.portfolio = Portfolio(config.account, self.markets.by_condition)
        self.halts = Halts(config.account)
        self.desk = Desk(
            self.portfolio, self.halts, self.journal, ports.clock, notify=self._on_change, on_broken=self._break
        )
        self.books = Books(ports.clock, ports.feed.request_snapshot)
        self.market_sinks = [make(self.books) for make in ports.market_sinks]
        self.own_depth = OwnDepth(self.books)
        self.risk = RiskCore(
            self.portfolio,
            self.halts,
            config.limits,
            ports.clock,
            ports.ids,
            book_of=self.books.get,
            lease_valid=lambda: self.lease.valid(ports.clock.monotonic()),
            committed=self.markets.committed,
        )
        self.flow = OrderFlow(
            self.desk, ports.gateway, self.risk.reservations, self.lease, send_deadline=config.send_deadline
        )
        self.executor = Executor(
            self.portfolio, self.risk, self.flow, on_decision=self._on_decision, on_failure=self.desk.fail
        )
        self.account_events = AccountEvents(self.desk)
        self.reconciler = Reconciler(self.desk, ports.gateway, resolved=self.markets.resolved)
        self.resolver = Resolver(self.desk, ports.gateway, absence=config.absence, in_flight=self.flow.in_flight)
        self.exits = Exits(
            self.portfolio, ports.clock, ports.ids, submit=self.executor.submit, market_of=self.markets.get
        )
        self.operator = Operator(self.desk, self.executor, self.flow, ports.ids, market_of=self.markets.get)
        self.engine = self._build_engine()
        self.started_monotonic = ports.clock.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._groups: dict[str, ConditionGroup] = {}

    def _build_engine(self) -> Engine:
        clock = self.ports.clock
        context = Context(
            clock=clock,
            ids=self.ports.ids,
            tracker=PriceTracker(),
            desk=StrategyView(self.portfolio, self.risk.reservations),
            book_of=self.books.get,
        )
        registry = Registry(clock)
        for name, setting in self.config.strategies.items():
            kind = CATALOG[name]
            parameters = parse(kind.parameters_type, setting.values, strategy=name)
            registry.add(kind(name, parameters, context), enabled=setting.enabled)
        return Engine(registry=registry, context=context, submit=self._submit)

    # Start

    async def start(self) -> None:
        """Recover, reconcile, then trade.

        Raises:
            VenueError, JournalError, LeaseLostError: the state could not be established; nothing trades.
        """
        await self._take_lease()
        self.markets.put(await self.ports.storage.load_markets(self.journal))
        for sink in self.market_sinks:
            sink.put_markets(self.markets.unsettled())
        await self._discover()
        if self.config.mode.places_orders:
            await self._recover()
        await self._start_market_data()
        self.engine.registry.start_enabled()
        self.ready = True
        self._run_tasks()
        _log.info("trader ready", account=self.config.account, mode=self.config.mode.value, epoch=self.lease.epoch)

    async def _take_lease(self) -> None:
        leases = self.ports.storage.leases(self.journal)
        self.lease.lease = await leases.acquire(self.config.account, self.config.holder, self.config.lease_ttl)
        for begin in self.ports.on_epoch:
            begin(self.lease.epoch)
        self._spawn("lease", self._keep_lease)

    async def _recover(self) -> None:
        state = await self.journal.load()
        self.portfolio.restore(state)
        self.halts.restore(state.halts)
        for own in self.portfolio.orders.open():
            self.own_depth.order_changed(own)
        await self.ports.account_feed.start(self.account_events)
        first = not state.ledger and not state.orders
        outcome = await self.reconciler.run(first=first)
        if not outcome.complete:
            raise VenueError("the venue could not be read at start")
        unexplained = self.portfolio.orders.open()
        if unexplained and not await self.resolver.read(unexplained):
            raise VenueError("orders could not be read at start")
        self.account_events.release()
        self._settle_resolved()
        _log.info("recovered", orders=len(state.orders), fills=len(state.fills), unexplained=len(unexplained))

    async def _start_market_data(self) -> None:
        for sink in self.market_sinks:
            self.books.listen(sink)
        self.books.listen(self)
        await self.ports.feed.start(self.books)
        await self._watch()

    async def _watch(self) -> None:
        """Watch the most traded markets and every market in which something is at stake."""
        wanted = {market.id: market for market in self.markets.most_traded(self.config.max_watched_markets)}
        for market_id in self._at_stake():
            market = self.markets.get(market_id)
            if market is not None and market.status is not MarketStatus.SETTLED:
                wanted[market_id] = market
        known = {book.market_id for book in self.books}
        for market in wanted.values():
            self.books.watch(market)
            # Listings lag by minutes; a watched market's tick is what the feed said last.
            current = self.books.market(market.token_ids[0]) or market
            self.markets.put([current])
            self.engine.watch(current)
        new = [token for market in wanted.values() if market.id not in known for token in market.token_ids]
        if new:
            await self.ports.feed.watch(new)
        gone = [market for market_id in known - wanted.keys() if (market := self.markets.get(market_id)) is not None]
        if gone:
            await self.ports.feed.unwatch([token for market in gone for token in market.token_ids])
            for market in gone:
                self.engine.unwatch(market)
                self.books.unwatch(market.id)

    def _at_stake(self) -> set[str]:
        held = {position.market_id for position in self.portfolio.positions.open()}
        return held | {own.order.draft.market.id for own in self.portfolio.orders.open()}

    # Running

    def _run_tasks(self) -> None:
        config = self.config
        self._spawn("timer", lambda: self._every(config.timer_every, self._tick))
        self._spawn("discovery", lambda: self._every(config.discover_every, self._rediscover, immediately=False))
        self._spawn("status", lambda: self._every(config.status_every, self._publish_status))
        if config.mode.places_orders:
            self._spawn("resolver", self.resolver.run)
            self._spawn("reconcile", self._reconcile_when_due)
            self._spawn("equity", lambda: self._every(config.equity_every, self._record_equity))

    def spawn(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run further work as long as the kernel runs; its death stops the kernel."""
        self._spawn(name, work)

    def _spawn(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            await work()

        task = asyncio.create_task(run(), name=name)
        task.add_done_callback(self._task_ended)
        self._tasks.append(task)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self.stopped.done():
            return
        error = task.exception()
        if error is not None:
            _log.error("kernel task died", task=task.get_name(), exc_info=error)
            self._break(f"{task.get_name()} died: {describe(error)}")

    def _break(self, reason: str) -> None:
        self.ready = False
        if not self.stopped.done():
            self.stopped.set_result(reason)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]], *, immediately: bool = True) -> None:
        if not immediately:
            await asyncio.sleep(seconds)
        while True:
            await work()
            await asyncio.sleep(seconds)

    async def _tick(self) -> None:
        self.books.check()
        self.engine.on_timer()

    async def _keep_lease(self) -> None:
        """Renew three times in each term; what cannot be renewed runs out by itself."""
        leases = self.ports.storage.leases(self.journal)
        while True:
            await asyncio.sleep(self.config.lease_ttl / 3)
            lease = self.lease.lease
            if lease is None:
                return
            try:
                self.lease.lease = await leases.renew(lease, self.config.lease_ttl)
            except LeaseLostError as error:
                self.desk.fail(str(error))
                return
            except (JournalError, OSError) as error:
                _log.warning("lease not renewed", error=str(error))

    async def _reconcile_when_due(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self.account_events.gap.wait(), self.config.reconcile_every)
            except TimeoutError:
                _log.debug("periodic reconciliation")
            self.account_events.gap.clear()
            outcome = await self.reconciler.run()
            if not outcome.complete:
                self.account_events.gap.set()
                await asyncio.sleep(1.0)

    async def _rediscover(self) -> None:
        try:
            await self._discover()
        except VenueError as error:
            _log.warning("discovery broke off", error=str(error))
            return
        self._settle_resolved()
        await self._watch()

    async def _discover(self) -> None:
        """List the venue; a market may be traded once its row is saved."""
        groups = tuple(self._groups.values())
        await discover(self.ports.catalog, self._save, known=self.markets.unsettled(), known_groups=groups)

    async def _save(self, markets: Sequence[Market], groups: Sequence[ConditionGroup]) -> None:
        await self.ports.storage.save_markets(self.journal, markets, groups)
        self.markets.put(markets)
        for sink in self.market_sinks:
            sink.put_markets(markets, groups)
        self._groups.update({group.id: group for group in groups})

    def _settle_resolved(self) -> None:
        """Close positions of markets that were resolved while nobody listened."""
        for position in list(self.portfolio.positions.open()):
            market = self.markets.get(position.market_id)
            if market is not None and market.status is MarketStatus.SETTLED:
                self._resolve(market)

    def _resolve(self, market: Market) -> None:
        if market.winner is None:
            self.desk.audit("resolved_without_winner", market=market.id)
            return
        payouts = (MICRO, 0) if market.winner == 0 else (0, MICRO)
        self.desk.apply(self.portfolio.resolve(market, payouts, now_ns=self.ports.clock.now_ns()))

    async def _publish_status(self) -> None:
        self.ports.events.status(trader_status(self))
        for info in self.engine.registry.list_info():
            self.ports.events.strategy(info)

    async def _record_equity(self) -> None:
        self.desk.write([equity(self)])

    # News from books

    def on_book(self, update: BookUpdate) -> None:
        book = update.book
        if not self.ready:
            return
        if self.config.mode.places_orders and book.trusted:
            self.exits.on_book(book.token_id, book)
        self.engine.on_book(book)

    def on_trade(self, trade: TradePrint) -> None:
        if self.ready:
            self.engine.on_trade(trade)

    def on_tick_size(self, market: Market) -> None:
        self.markets.put([market])
        self.engine.watch(market)

    def on_resolved(self, market: Market) -> None:
        self.markets.put([market])
        if self.config.mode.places_orders:
            self._resolve(market)
        self.engine.on_resolution(market)

    def on_listed(self, listed: MarketListed) -> None:
        _log.info("market listed", condition_id=listed.condition_id)

    # News from the account

    def _submit(self, intent: Intent) -> object:
        if self.config.mode.places_orders:
            return self.executor.submit(intent)
        if isinstance(intent, TradeSignal):
            self.ports.events.signal(intent, "monitor")
        return None

    def _on_decision(self, signal: TradeSignal, decision: Decision) -> None:
        refused = f"{decision.refusal}: {decision.detail}" if decision.refusal is not None else "accepted"
        self.ports.events.signal(signal, refused)

    def _on_change(self, change: Change) -> None:
        events = self.ports.events
        for own in change.orders:
            self.own_depth.order_changed(own)
            events.order(own.order, own.state())
        for fill in change.fills:
            events.fill(fill)
        for position in change.positions:
            events.position(position)
        if self.ready:
            for fill in change.fills:
                self.engine.on_fill(fill)

    # Stop

    async def stop(self, reason: str) -> None:
        """Stop in the safe order; every step is bounded in time, and a step that fails does not keep the next from running."""
        _log.info("trader stopping", reason=reason)
        self.engine.registry.stop_all()
        left = await self.executor.drain(self.config.drain_seconds)
        if left:
            _log.warning("orders still on their way", orders=left)
        self.ready = False
        if self.config.mode.places_orders and not self.desk.broken:
            await self._bounded("cancel open orders", self._cancel_open)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._bounded("account feed", self.ports.account_feed.stop)
        await self._bounded("market feed", self.ports.feed.stop)
        if self.lease.lease is not None:
            lease = self.lease.lease
            await self._bounded("lease", lambda: self.ports.storage.leases(self.journal).release(lease))
        await self._bounded("journal", self.journal.close)
        if not self.stopped.done():
            self.stopped.set_result(reason)

    async def _cancel_open(self) -> None:
        await self.flow.cancel_many(self.portfolio.orders.open(), "the trader stops")
        await self.resolver.read(self.portfolio.orders.open())

    async def _bounded(self, what: str, work: Callable[[], Awaitable[object]]) -> None:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await work()
        except (TimeoutError, PolybotError, OSError) as error:
            _log.warning("step of the shutdown failed", step=what, error=describe(error))
