"""The kernel wires feed → books → strategies → executor → account, the same for live, paper and simulation.

Start is recovery: take the lease, load what was journaled, listen to the account channel and hold its news back, read the venue, apply
both, and only then trade. Whatever breaks the account's state (a change that could not be journaled, a lost lease, a task that died) stops
the kernel with a reason; the caller builds a new one. `stop` is the graceful way: strategies, orders on their way, cancels, feeds, lease.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import replace

import structlog

from arbitrage.executions import Executions
from domain.book import MarketListed, TradePrint
from domain.errors import LeaseLostError, VenueError
from domain.market import Market
from domain.money import MICRO
from domain.order import OrderDraft
from domain.ports import Journal
from domain.reports import NOT_ENOUGH_BALANCE, OFF_GRID, Trouble
from domain.signal import Intent, Replace, TradeSignal
from markets.books import Books, BookUpdate
from runtime.account_events import AccountEvents
from runtime.config import KernelConfig
from runtime.halting import Halting
from runtime.heartbeat_watch import HeartbeatWatch
from runtime.leg_wiring import build_legs
from runtime.market_directory import MarketDirectory
from runtime.market_watch import MarketWatch
from runtime.operator import Operator
from runtime.own_depth import OwnDepth
from runtime.ports import Ports
from runtime.shutdown import shut_down
from runtime.status import equity, profit, trader_status
from runtime.tasks import Tasks, Work
from strategies.catalog import CATALOG
from strategies.context import Context
from strategies.engine import Engine
from strategies.parameters import parse
from strategies.price_tracker import PriceTracker
from strategies.registry import Registry
from trading.account_state import REMEMBER_NS
from trading.change import Change
from trading.desk import Desk
from trading.executor import Executor
from trading.exits import Exits
from trading.flatten import Flatten
from trading.halts import Halts
from trading.income import Income
from trading.lease_holder import LeaseHolder
from trading.leg_groups import LegGroups
from trading.marks import Marks
from trading.order_flow import OrderFlow
from trading.policies import Policies
from trading.portfolio import Portfolio
from trading.reconcile import Reconciler
from trading.resolver import Resolver
from trading.risk import Decision, RiskCore
from trading.risk.losses import Loss, LossLimits, day_start
from trading.risk.rejections import Rejections
from trading.settlement_watch import SettlementWatch
from trading.strategy_view import StrategyView
from trading.venue_state import VenueState
from trading.withdrawals import Withdrawals

_log = structlog.get_logger(__name__)

FORGET_SECONDS = 600.0
SETTLEMENT_SECONDS = 1.0
NO_MARKS = "marks"
"""The name of the hold on everything while what is held has no price."""
INCOME_SECONDS = 300.0


class Kernel:
    """One trader. Call `start`, then wait for `stopped`, then `stop`."""

    def __init__(self, ports: Ports, config: KernelConfig) -> None:
        self.ports = ports
        self.config = config
        self.ready = False
        self.stopped: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.started_monotonic = ports.clock.monotonic()
        self.refusals: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.tasks = Tasks(self._break)
        self.markets = MarketDirectory()
        self.lease = LeaseHolder()
        self.portfolio = Portfolio(config.account, self.markets.by_condition)
        self.halts = Halts(config.account)
        self.books = Books(ports.clock, ports.feed.request_snapshot)
        self.own_depth = OwnDepth(self.books)
        self.venue_state = VenueState()
        self.risk = self._build_risk()
        self.engine = self._build_engine()
        self.journal: Journal = ports.storage.journal(lambda: self.lease.epoch, self.markets.required)
        self.desk = Desk(
            self.portfolio, self.halts, self.journal, ports.clock, notify=self._on_change, on_broken=self._break
        )
        self.account_events = AccountEvents(self.desk)
        self.heartbeat = HeartbeatWatch(
            ports.heartbeat if config.mode.places_orders else None,
            self.venue_state,
            ports.clock,
            read_again=self.account_events.gap.set,
        )
        self.marks = Marks(self.portfolio.positions, book_of=self.books.get, market_of=self.markets.get)
        self.losses = LossLimits(self.desk, config.limits, lambda: profit(self))
        self.policies = Policies(
            self.desk,
            self.venue_state,
            venue=ports.catalog.venue,
            resync=self._resync,
            rejections=Rejections(self.desk, config.limits, venue=ports.catalog.venue),
            on_refused=self._on_refused,
        )
        self.flow = OrderFlow(
            self.desk,
            ports.gateway,
            self.risk.reservations,
            self.lease,
            self.policies,
            send_deadline=config.send_deadline,
        )
        self.resolver = Resolver(self.desk, ports.gateway, absence=config.absence, in_flight=self.flow.in_flight)
        self.reconciler = Reconciler(
            self.desk,
            ports.gateway,
            resolved=self.markets.resolved,
            market_of=self.markets.of_token,
            event_of=self.markets.event_of,
            fee_bips_of=self.markets.conversion_fee_bips,
            holdings=ports.holdings,
        )
        self.withdrawals = Withdrawals(self.desk, ports.gateway, self.flow, self.resolver)
        self.executions = Executions(self.desk.write, ports.events)
        self.legs = self._build_legs()
        self.executor = Executor(
            self.portfolio,
            self.risk,
            self.flow,
            self.withdrawals,
            self.legs,
            ports.clock,
            on_decision=self._on_decision,
            on_failure=self.desk.fail,
        )
        self.settlement = SettlementWatch(self.desk, self.venue_state)
        self.exits = self._build_exits()
        self.operator = self._build_operator()
        self.watch = MarketWatch(
            ports,
            self.journal,
            self.markets,
            self.books,
            self.engine,
            most=config.max_watched_markets,
            at_stake=self._at_stake,
            settle=self._settle,
        )

    def _build_risk(self) -> RiskCore:
        clock = self.ports.clock
        return RiskCore(
            self.portfolio,
            self.halts,
            self.config.limits,
            clock,
            self.ports.ids,
            self.venue_state,
            book_of=self.books.get,
            lease_valid=lambda: self.lease.valid(clock.monotonic()),
            committed=self.markets.committed,
            market_of=self.markets.get,
            exclusive=self.markets.exclusive,
        )

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

    def _build_legs(self) -> LegGroups:
        return build_legs(
            self.config.legs,
            self.desk,
            self.risk,
            self.flow,
            self.lease,
            self.venue_state,
            self.ports.ids,
            self.books,
            on_decision=self._on_decision,
            on_report=self.executions.on_report,
        )

    def _build_exits(self) -> Exits:
        return Exits(
            self.portfolio,
            self.risk.reservations,
            self.ports.clock,
            self.ports.ids,
            submit=self.executor.submit,
            market_of=self.markets.get,
        )

    def _build_operator(self) -> Operator:
        return Operator(
            self.desk,
            self.executor,
            self.flow,
            self.resolver,
            self.withdrawals,
            self.risk.reservations,
            self._build_halting(),
            market_of=self.markets.get,
        )

    def _build_halting(self) -> Halting:
        flatten = Flatten(
            self.desk,
            self.risk.reservations,
            self.ports.ids,
            submit=self.executor.submit,
            book_of=self.books.get,
            market_of=self.markets.get,
        )
        return Halting(self.desk, self.withdrawals, flatten, market_of=self.markets.get)

    def spawn(self, name: str, work: Work) -> None:
        """Run further work as long as the kernel runs; its death stops the kernel."""
        self.tasks.spawn(name, work)

    def _break(self, reason: str) -> None:
        self.ready = False
        if not self.stopped.done():
            self.stopped.set_result(reason)

    # Start

    async def start(self) -> None:
        """Recover, reconcile, then trade.

        Raises:
            VenueError, JournalError, LeaseLostError: the state could not be established; nothing trades.
        """
        await self._take_lease()
        await self.watch.load()
        await self.watch.discover()
        if self.config.mode.places_orders:
            await self._recover()
        for sink in self.watch.sinks:
            self.books.listen(sink)
        self.books.listen(self)
        await self.ports.feed.start(self.books)
        await self.watch.watch()
        self.engine.registry.start_enabled()
        self.ready = not self.stopped.done()
        self._run_tasks()
        self.executions.begin()
        self.legs.resume()
        _log.info("trader ready", account=self.config.account, mode=self.config.mode.value, epoch=self.lease.epoch)

    async def _take_lease(self) -> None:
        leases, config = self.ports.storage.leases(self.journal), self.config
        self.lease.lease = await leases.acquire(config.account, config.holder, config.lease_ttl)
        for begin in self.ports.on_epoch:
            begin(self.lease.epoch)
        self.tasks.spawn("lease", self._keep_lease)

    async def _keep_lease(self) -> None:
        try:
            await self.lease.keep(self.ports.storage.leases(self.journal), self.config.lease_ttl)
        except LeaseLostError as error:
            self.desk.fail(str(error))

    async def _recover(self) -> None:
        state = await self.journal.load()
        self.portfolio.restore(state)
        self.halts.restore(state.halts)
        await self._restore_losses()
        self.legs.restore(state.groups)
        for own in self.portfolio.orders.open():
            self.own_depth.order_changed(own)
        await self.ports.account_feed.start(self.account_events)
        first = not state.ledger and not state.orders
        outcome = await self.reconciler.run(first=first)
        if not outcome.complete:
            raise VenueError("the venue could not be read at start")
        unexplained = self.portfolio.orders.open()
        if not await self.resolver.read(unexplained):
            raise VenueError("orders could not be read at start")
        self.account_events.release()
        self.watch.settle_resolved()
        _log.info("recovered", orders=len(state.orders), fills=len(state.fills), unexplained=len(unexplained))

    async def _restore_losses(self) -> None:
        now_ns = self.ports.clock.now_ns()
        since = {
            Loss.DAY: day_start(now_ns),
            Loss.SESSION: self.config.session_ns,
            Loss.DRAWDOWN: self.config.session_ns,
        }
        spans = {loss: await self.journal.profits(moment, loss) for loss, moment in since.items()}
        self.losses.restore(spans, now_ns)

    def _run_tasks(self) -> None:
        config, tasks = self.config, self.tasks
        tasks.every("timer", config.timer_every, self._tick)
        tasks.every("discovery", config.discover_every, self.watch.refresh, at_once=False)
        tasks.every("status", config.status_every, self._publish_status)
        if config.mode.places_orders:
            self.heartbeat.start()
            tasks.every("pulse", config.pulse_every, self.heartbeat.pulse)
            tasks.spawn("resolver", self.resolver.run)
            tasks.spawn("withdrawals", self.withdrawals.run)
            tasks.spawn("policies", self.policies.run)
            tasks.spawn("reconcile", self._reconcile_when_due)
            tasks.every("equity", config.equity_every, self._record_equity)
            tasks.every("settlement", SETTLEMENT_SECONDS, self.settlement.check)
            if self.ports.income is not None:
                tasks.every("income", INCOME_SECONDS, Income(self.desk, self.ports.income).read)
            tasks.every("memory", FORGET_SECONDS, self._forget)

    # Running

    async def _tick(self) -> None:
        self.books.check()
        if self.ready and self.config.mode.places_orders:
            self._value_account()
            self.exits.check(self.engine.context.book)
        self.engine.on_timer()

    def _value_account(self) -> None:
        """Hold the account's worth against the loss limits; as long as it is not known, new risk waits."""
        self.losses.check()
        if self.marks.missing:
            self.venue_state.hold(NO_MARKS, f"no price yet for what is held in market {self.marks.missing}")
        else:
            self.venue_state.release(NO_MARKS)

    async def _reconcile_when_due(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self.config.reconcile_every):
                    await self.account_events.gap.wait()
            except TimeoutError:
                _log.debug("periodic reconciliation")
            self.account_events.gap.clear()
            if not await self._read_account():
                self.account_events.gap.set()
                await asyncio.sleep(1.0)

    async def _read_account(self) -> bool:
        """Bring the account in line with the venue; False when that could not be read. After a lapse of the heartbeats every open order is read."""
        lapses = self.heartbeat.lapses
        outcome = await self.reconciler.run()
        if not outcome.complete or (
            self.heartbeat.unread and not await self.resolver.read(self.portfolio.orders.open())
        ):
            return False
        self.heartbeat.read(lapses)
        return True

    async def _resync(self, market: Market, trouble: Trouble) -> None:
        """Read again what a refusal showed to be outdated. Raises `VenueError`."""
        if trouble.code == NOT_ENOUGH_BALANCE:
            await self.ports.gateway.refresh_balances(market.token_ids)
        else:
            await self.watch.reread(market, off_grid=trouble.code == OFF_GRID)
        self.account_events.gap.set()

    def _on_refused(self, draft: OrderDraft, trouble: Trouble) -> None:
        self.engine.on_refused(draft.strategy, draft.token_id, trouble.code)

    def _at_stake(self) -> set[str]:
        held = {position.market_id for position in self.portfolio.positions.open()}
        return held | {own.order.draft.market.id for own in self.portfolio.orders.open()}

    def _settle(self, market: Market) -> None:
        """Close the positions of a resolved market. Without a winner both tokens pay half: the catalogue says so of no other."""
        if not self.config.mode.places_orders:
            return
        payouts = {None: (MICRO // 2, MICRO // 2), 0: (MICRO, 0), 1: (0, MICRO)}[market.winner]
        self.desk.apply(self.portfolio.resolve(market, payouts, now_ns=self.ports.clock.now_ns()))

    async def _publish_status(self) -> None:
        self.ports.events.status(trader_status(self))
        for info in self.engine.registry.list_info():
            counts = self.refusals.get(info.name, Counter()) + Counter(info.refusals)
            self.ports.events.strategy(replace(info, refusals=counts))

    async def _record_equity(self) -> None:
        self.desk.write([equity(self)])

    async def _forget(self) -> None:
        self.portfolio.forget(self.ports.clock.now_ns() - REMEMBER_NS)

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
        self.watch.on_tick_size(market)

    def on_resolved(self, market: Market) -> None:
        self.watch.on_resolved(market)

    def on_listed(self, listed: MarketListed) -> None:
        _log.info("market listed", condition_id=listed.condition_id)

    # News from the account

    def _submit(self, intent: Intent) -> object:
        if self.config.mode.places_orders:
            return self.executor.submit(intent)
        signal = intent.signal if isinstance(intent, Replace) else intent
        if isinstance(signal, TradeSignal):
            self.ports.events.signal(signal, "monitor")
        return None

    def _on_decision(self, signal: TradeSignal, decision: Decision) -> None:
        if decision.refusal is not None:
            self.refusals[signal.source][decision.refusal.value] += 1
        refused = f"{decision.refusal}: {decision.detail}" if decision.refusal is not None else "accepted"
        self.ports.events.signal(signal, refused)

    def _on_change(self, change: Change) -> None:
        self.legs.on_change(change)
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
        """Stop in the safe order, in five seconds at most (`runtime.shutdown`)."""
        await shut_down(self, reason)
        if not self.stopped.done():
            self.stopped.set_result(reason)
