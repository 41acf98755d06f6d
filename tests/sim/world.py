"""What survives a crash: the venue with its agents, the disk, the clock, and the plan of when to crash.

Every effect of a port passes two `point`s, before and after (`tests.sim.crash_points`). When a planned countdown ends at one, the trader of that
moment is dead: its ports never answer again, and the driver drops it and builds another from disk and venue.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextvars import Context
from weakref import WeakKeyDictionary

from domain.fees import FeeSchedule
from domain.fill import FillStatus
from domain.market import ConditionGroup, Market, MarketStatus
from domain.order import OrderDraft, OrderSide, OrderType, PreparedOrder
from domain.ports import JournalRow
from tests.sim.crash_points import Crash
from tests.sim.virtual_time import SeededIds, VirtualClock
from trading.journal_memory import MemoryTables
from venues.exchange import commands as c
from venues.exchange.events import Event, OrderView, VenueStatus
from venues.exchange.exchange import Exchange

ACCOUNT = "sim:world"
TRADER = "trader"
SIZE = 1_000_000
AGENT_CASH = 1_000_000_000_000
START_CASH = 2_000_000_000


class Dead:
    """One life of a trader: `alive` until the crash. What its ports tell it is told in `context`; `tasks` are all it has begun, in that order."""

    def __init__(self) -> None:
        self.alive = True
        self.died = asyncio.Event()
        self.context: Context | None = None
        self.tasks: WeakKeyDictionary[asyncio.Task[object], None] = WeakKeyDictionary()

    def end(self) -> None:
        """Die: nothing it has begun goes on."""
        self.alive = False
        self.died.set()
        for task in list(self.tasks):
            task.cancel()


class World:
    """The simulated outside world of one seed.

    `enabled` are the kinds of faults that may happen, `faults` how often each did. `watch` is told of every order that is handed to a gateway
    ("handed") and of every one whose bytes leave ("left"), `written` of the rows that a trader hands to its journal. `shared`: somebody else uses the
    trader's wallet too (`tests.sim.outside`); `by_hand` are that person's orders, `deposited` what was paid in less what was taken out.
    `false` are the trades that were told wrong.
    """

    def __init__(self, seed: int, *, cash: int = START_CASH) -> None:
        self.rng = random.Random(seed)
        self.seed = seed
        self.enabled: frozenset[str] = frozenset({"ghost", "retried"})
        self.watch: Callable[[str, Dead, OrderDraft, PreparedOrder], None] = lambda *_: None
        self.written: Callable[[Sequence[JournalRow]], None] = lambda _: None
        self.complaints: list[str] = []
        self.restarting_until = 0.0
        self.frozen_until = 0.0
        self.skew_ns = 0
        self.clock = VirtualClock()
        self.ids = SeededIds(random.Random(seed * 7 + 1))
        self.tables = MemoryTables()
        self.exchange = Exchange(f"venue-{seed}")
        self.groups: list[ConditionGroup] = []
        self.listeners: list[Callable[[list[Event]], None]] = []
        self.faults: Counter[str] = Counter()
        self._rolls: dict[str, random.Random] = {}
        self.plan: list[Crash] = []
        self.now_step = 0
        self.crashed_at: list[str] = []
        self.life = Dead()
        self.fair: dict[str, int] = {}
        self.settling: dict[str, tuple[int, FillStatus]] = {}
        self.halted_agents = False
        self._agent_orders: dict[str, list[str]] = {}
        self._order_number = 0
        self.shared = self.moved = False
        self.by_hand: set[str] = set()
        self.false: set[str] = set()
        self.deposited = cash
        self._open(cash)

    def _open(self, cash: int) -> None:
        self.step(c.Deposit(TRADER, cash))
        for number in range(6):
            market = Market(
                id=f"m{number}",
                venue="simulator",
                question=f"Question {number}?",
                slug=f"question-{number}",
                condition_id=f"0x{number:064x}",
                token_ids=(str(1000 + 2 * number), str(1001 + 2 * number)),
                tick=(10_000, 1_000, 10_000, 100_000, 5_000, 10_000)[number],
                fees=FeeSchedule(rate=(0, 40_000, 70_000)[number % 3]),
                taker_delay_ms=150 if number == 5 else 0,
                volume_24h=1_000_000 * (10 - number),
                end_ns=self.clock.now_ns() + 86_400_000_000_000,
            )
            self.step(c.ListMarket(market))
            self.fair[market.condition_id] = 500_000 if market.tick == 100_000 else self.rng.randrange(300_000, 700_000)
        self.step(c.Deposit("maker", AGENT_CASH))
        self.step(c.Deposit("noise", AGENT_CASH))
        for market in self.exchange.markets():
            self.step(c.Split("maker", market.condition_id, 100_000 * SIZE))
            self.step(c.Split("noise", market.condition_id, 100_000 * SIZE))
            self.quote(market)

    # Effects and crashes

    def point(self, name: str, life: Dead) -> bool:
        """Pass a point; False when the trader of `life` is dead, now or before."""
        if not life.alive:
            return False
        due = next((crash for crash in self.plan if crash.point == name and crash.step <= self.now_step), None)
        if due is None:
            return True
        due.countdown -= 1
        if due.countdown:
            return True
        self.plan.remove(due)
        self.crashed_at.append(name)
        life.alive = False
        life.died.set()
        return False

    def join(self) -> Dead:
        """Begin a life beside those that are."""
        self.life = Dead()
        return self.life

    def reborn(self) -> Dead:
        """Begin the only life."""
        self.listeners.clear()
        return self.join()

    def fault(self, kind: str, probability: float) -> bool:
        """Tell whether a fault happens now, and count it. Each kind has its own dice: switching one off changes no other's."""
        if self.halted_agents or kind not in self.enabled:
            return False
        if self.roll(kind).random() >= probability:
            return False
        self.faults[kind] += 1
        return True

    def roll(self, kind: str) -> random.Random:
        """Return the dice of a kind of faults."""
        if kind not in self._rolls:
            self._rolls[kind] = random.Random(f"{self.seed}:{kind}")
        return self._rolls[kind]

    # The venue

    def step(self, command: c.Command) -> list[Event]:
        events = self.exchange.step(self.clock.now_ns() + self.skew_ns, command)
        for listener in list(self.listeners):
            listener(events)
        return events

    async def live(self) -> None:
        """Let makers, takers and settlement act until cancelled. The venue's time passes also when nobody does: what it delays is released."""
        while True:
            await asyncio.sleep(0.2)
            self.step(c.Advance())
            self.settle()
            if not self.halted_agents:
                self._disturb()
                market = self.rng.choice([m for m in self.exchange.markets() if m.tradable])
                self._drift(market)
                self.quote(market)
                if self.rng.random() < 0.5:
                    self._take(self.rng.choice([m for m in self.exchange.markets() if m.tradable]))

    def _disturb(self) -> None:
        """Change a tick size, or restart the engine: open orders are gone, and for a while nothing is taken."""
        if self.fault("tick", 0.01):
            market = self.roll("tick").choice([m for m in self.exchange.markets() if m.tick < 100_000])
            self.step(c.SetTick(market.condition_id, 1_000 if market.tick == 10_000 else 10_000))
        if self.fault("restart", 0.001):
            self.restarting_until = self.clock.monotonic() + 3.0
            self.step(c.EndOrders("", VenueStatus.CANCELED_ENGINE_RESTART, "the engine restarts"))

    def _drift(self, market: Market) -> None:
        fair = self.fair[market.condition_id] + self.rng.randint(-2, 2) * market.tick
        if self.rng.random() < 0.03:
            fair += self.rng.choice((-15, 15)) * market.tick
        self.fair[market.condition_id] = min(max(fair, 12 * market.tick, 50_000), 950_000)

    def quote(self, market: Market) -> None:
        """Replace the maker's quotes around the fair value, three levels a side."""
        old = self._agent_orders.pop(market.condition_id, [])
        if old:
            self.step(c.CancelOrders("maker", tuple(old)))
        tick = market.tick
        mid = min(max(self.fair[market.condition_id] // tick * tick, 5 * tick), 1_000_000 - 5 * tick)
        placed = []
        for level in range(1, 4):
            shares = self.rng.randrange(20, 80) * SIZE
            for side, price in ((OrderSide.BUY, mid - level * tick), (OrderSide.SELL, mid + level * tick)):
                order_id = self._next_order_id("maker")
                self.place("maker", order_id, market.token_ids[0], side, price, shares, OrderType.GTC)
                placed.append(order_id)
        self._agent_orders[market.condition_id] = placed

    def _take(self, market: Market) -> None:
        token = self.rng.choice(market.token_ids)
        side = self.rng.choice((OrderSide.BUY, OrderSide.SELL))
        bid, ask = self.exchange.best(token)
        price = ask if side is OrderSide.BUY else bid
        if market.tick <= price <= 1_000_000 - market.tick:
            shares = self.rng.randrange(5, 60) * 10 * SIZE
            self.place("noise", self._next_order_id("noise"), token, side, price, shares, OrderType.FAK)

    def hit(self, view: OrderView) -> None:
        """Have somebody trade with a part of an order that rests, if it still does."""
        if not self.halted_agents:
            side = OrderSide.SELL if view.side is OrderSide.BUY else OrderSide.BUY
            shares = self.rng.choice((view.size // 2, view.size)) // SIZE * SIZE
            name = self._next_order_id("noise")
            self.place("noise", name, view.token_id, side, view.price, max(shares, 5 * SIZE), OrderType.FAK)

    def _next_order_id(self, who: str) -> str:
        self._order_number += 1
        return f"{who}-{self._order_number}"

    def place(
        self, account: str, order_id: str, token: str, side: OrderSide, price: int, shares: int, kind: OrderType
    ) -> None:
        cash = price * shares // 1_000_000
        maker, taker = (cash, shares) if side is OrderSide.BUY else (shares, cash)
        self.step(c.PlaceOrder(order_id, account, token, side, kind, maker, taker))

    # Settlement

    def redeem(self) -> None:
        """Have somebody redeem what the trader holds of resolved markets."""
        for market in self.exchange.markets():
            held = (self.exchange.balance(TRADER, token_id).settled for token_id in market.token_ids)
            if market.status is MarketStatus.SETTLED and any(held):
                self.step(c.RedeemAll(market.condition_id))

    def settle(self, *, failing: bool = True) -> None:
        """Move each unsettled trade along: mined, confirmed, now and then retried or failed."""
        now = self.clock.now_ns()
        for trade in self.exchange.unsettled_trades():
            due, target = self.settling.get(trade.id) or self._schedule(trade.id, trade.status, now, failing=failing)
            if now >= due:
                del self.settling[trade.id]
                self.step(c.Settle(trade.id, target))

    def _schedule(self, trade_id: str, status: FillStatus, now: int, *, failing: bool) -> tuple[int, FillStatus]:
        delay = int(self.rng.uniform(0.2, 2.5) * 1e9)
        target = FillStatus.MINED if status in (FillStatus.MATCHED, FillStatus.RETRYING) else FillStatus.CONFIRMED
        if failing and self.fault("ghost", 0.04):
            target = FillStatus.FAILED
        elif failing and status is not FillStatus.RETRYING and self.fault("retried", 0.04):
            target = FillStatus.RETRYING
        self.settling[trade_id] = (now + delay, target)
        return self.settling[trade_id]
