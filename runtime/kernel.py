"""The kernel wires feed → books → strategies → executor → account, the same for live, paper and simulation.

It owns the parts; what they do together is in the modules around it: `wiring` makes them, `startup` recovers, `upkeep` is what recurs, `news` who
is told what, `stakes` what the account has in markets, `shutdown` the graceful end. Whatever breaks the account's state (a change that could not be
journaled, a lost lease, a task that died) stops the kernel with a reason; the caller builds a new one.
"""

from __future__ import annotations

import asyncio

from arbitrage.executions import Executions
from domain.ports import Journal
from domain.signal import Intent, Replace, TradeSignal
from markets.books import Books
from runtime import wiring
from runtime.account_events import AccountEvents
from runtime.balance_watch import BalanceWatch
from runtime.clock_watch import ClockWatch
from runtime.config import KernelConfig
from runtime.market_directory import MarketDirectory
from runtime.news import News
from runtime.own_depth import OwnDepth
from runtime.ports import Ports
from runtime.shutdown import shut_down
from runtime.stakes import Stakes
from runtime.startup import start_up
from runtime.status import profit
from runtime.storage_watch import StorageWatch
from runtime.tasks import Tasks, Work
from runtime.upkeep import Upkeep
from trading.desk import Desk
from trading.halts import Halts
from trading.lease_holder import LeaseHolder
from trading.marks import Marks
from trading.portfolio import Portfolio
from trading.resolver import Resolver
from trading.risk.losses import LossLimits
from trading.settlement_watch import SettlementWatch
from trading.venue_state import VenueState
from trading.withdrawals import Withdrawals


class Kernel:
    """One trader. Call `start`, then wait for `stopped`, then `stop`."""

    def __init__(self, ports: Ports, config: KernelConfig) -> None:
        self.ports = ports
        self.config = config
        self.ready = False
        self.stopped: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.started_monotonic = ports.clock.monotonic()
        self.tasks = Tasks(self._break)
        self.news = News(self)
        self.stakes = Stakes(self)
        self.upkeep = Upkeep(self)
        self.markets = MarketDirectory()
        self.books = Books(ports.clock, ports.feed.request_snapshot)
        self.own_depth = OwnDepth(self.books)
        self.lease = LeaseHolder()
        self.portfolio = Portfolio(config.account, self.markets.by_condition)
        self.halts = Halts(config.account)
        self.venue_state = VenueState()
        self.risk = wiring.build_risk(self)
        self.engine = wiring.build_engine(self, self._submit)
        self.journal: Journal = ports.storage.journal(lambda: self.lease.epoch, self.markets.required)
        self.desk = Desk(
            self.portfolio, self.halts, self.journal, ports.clock, notify=self.news.on_change, on_broken=self._break
        )
        self.account_events = AccountEvents(self.desk)
        self.heartbeat = wiring.build_heartbeat(self)
        self.storage = StorageWatch(self.desk, self.journal, self.venue_state, read_again=self.account_events.gap.set)
        self.balances = BalanceWatch(self.desk, self.venue_state, read_again=self.account_events.gap.set)
        self.clock_watch = ClockWatch(
            self.desk, self.venue_state, ports.machine, forward=self.lease.doubt, wrong=self._break
        )
        self.marks = Marks(self.portfolio.positions, book_of=self.books.get, market_of=self.markets.get)
        self.losses = LossLimits(self.desk, config.limits, lambda: profit(self))
        self.policies = wiring.build_policies(self)
        self.flow = wiring.build_flow(self)
        self.resolver = Resolver(self.desk, ports.gateway, absence=config.absence, in_flight=self.flow.in_flight)
        self.reconciler = wiring.build_reconciler(self)
        self.withdrawals = Withdrawals(self.desk, ports.gateway, self.flow, self.resolver)
        self.executions = Executions(self.desk.write, ports.events, session_ns=config.session_ns)
        self.legs = wiring.build_leg_groups(self)
        self.executor = wiring.build_executor(self)
        self.settlement = SettlementWatch(self.desk, self.venue_state)
        self.exits = wiring.build_exits(self)
        self.operator = wiring.build_operator(self)
        self.watch = wiring.build_market_watch(self)

    async def start(self) -> None:
        """Recover, reconcile, then trade (`runtime.startup`).

        Raises:
            VenueError, JournalError, LeaseLostError: the state could not be established; nothing trades.
        """
        await start_up(self)

    def spawn(self, name: str, work: Work) -> None:
        """Run further work as long as the kernel runs; its death stops the kernel."""
        self.tasks.spawn(name, work)

    async def stop(self, reason: str) -> None:
        """Stop in the safe order, in ten seconds at most (`runtime.shutdown`)."""
        await shut_down(self, reason)
        if not self.stopped.done():
            self.stopped.set_result(reason)

    def _break(self, reason: str) -> None:
        self.ready = False
        if not self.stopped.done():
            self.stopped.set_result(reason)

    def _submit(self, intent: Intent) -> object:
        """Take an intent of a strategy: to the executor, or where no orders are placed only to the screens."""
        if self.config.mode.places_orders:
            return self.executor.submit(intent)
        signal = intent.signal if isinstance(intent, Replace) else intent
        if isinstance(signal, TradeSignal):
            self.ports.events.signal(signal, "monitor")
        return None
