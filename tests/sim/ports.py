"""The kernel's ports over a `World`, each effect with a crash point before and after it. The ports of a dead trader never answer."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NoReturn

from domain.book import BookDelta, BookSnapshot, Level, LevelChange, MarketResolved
from domain.errors import JournalError, JournalUncertainError, LeaseLostError, WrongAccountError
from domain.market import ConditionGroup, Market
from domain.money import format_micros
from domain.order import OrderDraft, PreparedOrder
from domain.ports import AccountListener, FeedListener, Journal, JournalRow, Lease, LeaseStore
from domain.reports import (
    Balances,
    CancelOutcome,
    OrderReport,
    Rejected,
    SendOutcome,
    TradeReport,
)
from tests.sim.crash_points import CANCEL, READ, SEND, commits
from tests.sim.world import ACCOUNT, TRADER, Dead, World
from trading.journal_memory import MemoryJournal
from trading.lease import MemoryLeases
from trading.row_write import Verb, Write
from venues.exchange import commands as c
from venues.exchange import events as e
from venues.paper.reports import news, order_report, outcome, trade_reports
from venues.polymarket.order_body import order_amounts, venue_expiration

LATENCY = 0.02
COMMIT_SECONDS = 0.05
"""Slower than the way to the venue: what is sent without waiting for its commit gets there first."""


async def silence() -> NoReturn:
    """Wait for an answer that never comes."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("the dead do not answer")


class SimGateway:
    """The `OrderGateway` port: one round trip to the exchange core, which may be cut anywhere."""

    def __init__(self, world: World, life: Dead) -> None:
        self._world = world
        self._life = life
        self._drafts: dict[str, OrderDraft] = {}
        self.account = ACCOUNT

    async def prepare(self, draft: OrderDraft) -> PreparedOrder:
        if draft.account != self.account:
            raise WrongAccountError(draft.account)
        amounts = order_amounts(draft)
        expiration = venue_expiration(draft, self._world.clock.now_ns())
        salt = self._world.ids.salt()
        order_id = "0x" + hashlib.sha256(f"{salt}{draft.token_id}{amounts}".encode()).hexdigest()
        self._drafts[order_id] = draft
        return PreparedOrder(
            order_id=order_id,
            payload=f"{draft.token_id} {draft.side} {amounts}".encode(),
            salt=salt,
            timestamp_ms=self._world.clock.now_ns() // 1_000_000,
            maker_amount=amounts.maker,
            taker_amount=amounts.taker,
            signature="0x",
            venue_expiration=expiration,
        )

    async def _effect(self, name: str, work: Callable[[], object]) -> object:
        """Do something to the venue and back, each way with its latency, unless the trader dies on the way."""
        point = READ if name.startswith(READ) else name
        await asyncio.sleep(LATENCY)
        if not self._world.point(f"before {point}", self._life):
            await silence()
        result = work()
        if not self._world.point(f"after {point}", self._life):
            await silence()
        await asyncio.sleep(LATENCY)
        if not self._life.alive:
            await silence()
        return result

    async def send(self, prepared: PreparedOrder, deadline: float) -> SendOutcome:
        (outcome,) = await self.send_many([prepared], deadline)
        return outcome

    async def send_many(self, prepared: Sequence[PreparedOrder], deadline: float) -> list[SendOutcome]:
        for order in prepared:
            self._world.watch("handed", self._life, self._drafts[order.order_id], order)
        await self._on_the_way()
        if self._world.clock.monotonic() >= deadline:
            return [Rejected(order_id=order.order_id, code="deadline") for order in prepared]
        for order in prepared:
            self._world.watch("left", self._life, self._drafts[order.order_id], order)
        return await self._carry(prepared)

    async def _on_the_way(self) -> None:
        """What happens between the trader's last look and the write."""

    async def _carry(self, prepared: Sequence[PreparedOrder]) -> list[SendOutcome]:
        commands = [self._place_command(order, self._drafts[order.order_id]) for order in prepared]
        events = await self._effect(SEND, lambda: [self._world.step(command)[-1] for command in commands])
        assert isinstance(events, list)
        return [outcome(event) for event in events]

    @staticmethod
    def _place_command(prepared: PreparedOrder, draft: OrderDraft) -> c.PlaceOrder:
        return c.PlaceOrder(
            prepared.order_id,
            TRADER,
            draft.token_id,
            draft.side,
            draft.order_type,
            prepared.maker_amount,
            prepared.taker_amount,
            expiration_s=prepared.venue_expiration,
            post_only=draft.post_only,
        )

    async def _cancel(self, command: c.Command) -> CancelOutcome:
        events = await self._effect(CANCEL, lambda: self._world.step(command))
        assert isinstance(events, list)
        answer = events[-1]
        assert isinstance(answer, e.CancelAnswer), answer
        return CancelOutcome(cancelled=answer.canceled, refused=answer.not_canceled)

    async def cancel(self, order_ids: Sequence[str]) -> CancelOutcome:
        return await self._cancel(c.CancelOrders(TRADER, tuple(order_ids)))

    async def cancel_all(self) -> CancelOutcome:
        return await self._cancel(c.CancelAll(TRADER))

    async def cancel_market(self, condition_id: str = "", token_id: str = "") -> CancelOutcome:
        if not (condition_id or token_id):
            raise ValueError("neither a market nor a token was named")
        return await self._cancel(c.CancelMarketOrders(TRADER, condition_id, token_id))

    async def order(self, order_id: str) -> OrderReport | None:
        view = await self._effect("read order", lambda: self._world.exchange.order(order_id))
        return order_report(view) if isinstance(view, e.OrderView) else None

    async def open_orders(self) -> list[OrderReport]:
        views = await self._effect("read open orders", lambda: self._world.exchange.open_orders(TRADER))
        assert isinstance(views, list)
        return [order_report(view) for view in views]

    async def trades(self, after_ns: int = 0) -> list[TradeReport]:
        trades = await self._effect("read trades", lambda: self._world.exchange.trades(TRADER))
        assert isinstance(trades, list)
        return [report for trade in trades if trade.matched_ns >= after_ns for report in trade_reports(trade, TRADER)]

    async def balances(self, token_ids: Sequence[str]) -> Balances:
        def read() -> Balances:
            exchange = self._world.exchange
            cash = exchange.balance(TRADER).settled
            return Balances(cash=cash, tokens={t: exchange.balance(TRADER, t).settled for t in token_ids})

        balances = await self._effect("read balances", read)
        assert isinstance(balances, Balances)
        return balances

    async def refresh_balances(self, token_ids: Sequence[str]) -> None:
        """The exchange keeps no copies."""


class SimAccountFeed:
    """The `AccountFeed` port; events arrive one latency later, in order, as long as the trader lives."""

    connected = True
    refused = 0

    def __init__(self, world: World, life: Dead) -> None:
        self._world = world
        self._life = life

    async def start(self, listener: AccountListener) -> None:
        self._later(partial(listener.on_gap, "the channel stands"))

        def on_events(events: list[e.Event]) -> None:
            if not self._life.alive:
                self._world.listeners.remove(on_events)
                return
            for told in news(events, TRADER):
                self._later(partial(told, listener))

        self._world.listeners.append(on_events)

    def _later(self, tell: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(LATENCY, self._tell, tell, context=self._life.context)

    def _tell(self, tell: Callable[[], None]) -> None:
        if self._life.alive:
            tell()

    async def stop(self) -> None:
        self._life.alive = False


class SimMarketFeed:
    """The `MarketFeed` port in the venue's decimal texts."""

    connected = True
    refused = 0

    def __init__(self, world: World, life: Dead) -> None:
        self._world = world
        self._life = life
        self._listener: FeedListener | None = None
        self._watched: set[str] = set()
        self.last_message_ns = 0

    async def start(self, listener: FeedListener) -> None:
        self._listener = listener
        loop = asyncio.get_running_loop()

        def on_events(events: list[e.Event]) -> None:
            if self._life.alive:
                now_ms, context = self._world.clock.now_ns() // 1_000_000, self._life.context
                loop.call_later(LATENCY, self._tell, events, now_ms, context=context)
            else:
                self._world.listeners.remove(on_events)

        self._world.listeners.append(on_events)

    def _tell(self, events: Iterable[e.Event], venue_ms: int) -> None:
        listener = self._listener
        if listener is None or not self._life.alive:
            return
        now = self.last_message_ns = self._world.clock.now_ns()
        for event in events:
            if isinstance(event, e.BookChanged):
                changes = [self._change(level) for level in event.levels if level.token_id in self._watched]
                listener.on_delta(BookDelta(event.condition_id, changes, venue_ms, now))
            elif isinstance(event, e.MarketResolved) and event.winner is not None:
                winning = event.token_ids[event.winner]
                listener.on_resolved(MarketResolved(event.condition_id, winning, venue_ms, now))

    @staticmethod
    def _change(level: e.LevelChange) -> LevelChange:
        return LevelChange(
            token_id=level.token_id,
            side=level.side.value.upper(),
            price=format_micros(level.price),
            size=format_micros(level.size),
            best_bid=format_micros(level.best_bid),
            best_ask=format_micros(level.best_ask),
        )

    async def watch(self, token_ids: Sequence[str]) -> None:
        self._watched |= set(token_ids)
        for token_id in token_ids:
            self.request_snapshot(token_id)

    async def unwatch(self, token_ids: Sequence[str]) -> None:
        self._watched -= set(token_ids)

    def request_snapshot(self, token_id: str) -> None:
        asyncio.get_running_loop().call_later(LATENCY, self._snapshot, token_id)

    def _snapshot(self, token_id: str) -> None:
        """The venue answers with its book of this moment, behind the changes that are on their way."""
        book = self._world.exchange.book(token_id)
        if book is not None:
            venue_ms = self._world.clock.now_ns() // 1_000_000
            asyncio.get_running_loop().call_later(LATENCY, self._tell_snapshot, book, venue_ms)

    def _tell_snapshot(self, book: e.BookView, venue_ms: int) -> None:
        if self._listener is None or not self._life.alive:
            return
        bids = [Level(format_micros(price), format_micros(size)) for price, size in book.bids]
        asks = [Level(format_micros(price), format_micros(size)) for price, size in book.asks]
        now = self._world.clock.now_ns()
        self._listener.on_snapshot(
            BookSnapshot(book.token_id, book.condition_id, bids, asks, venue_ms, now, tick=book.tick)
        )

    async def stop(self) -> None:
        self._watched.clear()


class SimCatalog:
    """The `MarketCatalog` port."""

    venue = "simulator"

    def __init__(self, world: World) -> None:
        self._world = world

    async def markets(self) -> tuple[list[Market], list[ConditionGroup]]:
        return [market for market in self._world.exchange.markets() if market.tradable], self._world.groups

    async def market(self, condition_id: str) -> Market | None:
        return self._world.exchange.market(condition_id)


class SimHoldings:
    """The `HoldingsIndex` port: it names what the wallet holds now."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def tokens(self) -> list[str]:
        return [token for token, held in self._world.exchange.balances(TRADER).items() if token and held.settled]


class CrashingJournal(MemoryJournal):
    """A memory journal whose commit may be the last thing a trader does, or the first it did not."""

    def __init__(self, world: World, life: Dead, epoch: Callable[[], int], market_of: Callable[[str], Market]) -> None:
        super().__init__(world.tables, ACCOUNT, epoch, market_of, delay=COMMIT_SECONDS)
        self._world = world
        self._life = life
        self._waiting: list[JournalRow] = []
        self._unsure = self._lost = False

    def submit(self, rows: Sequence[JournalRow]) -> asyncio.Future[None]:
        if not self._life.alive:
            return asyncio.get_running_loop().create_future()
        self._world.written(rows)
        self._waiting += rows
        return super().submit(rows)

    def _commit(self) -> None:
        effects = commits(self._waiting)
        self._waiting.clear()
        if all(self._world.point(f"before {effect}", self._life) for effect in effects):
            # Behind a batch of which nobody knows, nothing is written any more.
            self._lost = self._unsure
            if not self._unsure and self._world.fault("journal unsure", 0.002):
                self._unsure, self._lost = True, self._world.roll("journal unsure").random() < 0.5
            super()._commit()
            all(self._world.point(f"after {effect}", self._life) for effect in effects)

    def _write(self, writes: Sequence[Write]) -> JournalError | LeaseLostError | None:
        """Write, or say no, or break off: then a batch is written or not, and nothing is after it."""
        broken = JournalUncertainError("the connection broke while the rows were committed") if self._unsure else None
        if self._lost:
            return broken
        if any(write.table == "orders" and write.verb is Verb.INSERT for write in writes) and self._world.fault(
            "journal failed", 0.02
        ):
            return broken or JournalError("the disk said no")
        error = super()._write(writes)
        if error is None and self._epoch() != self._world.tables.epochs.get(ACCOUNT, 0):
            self._world.complaints.append(f"one writer: epoch {self._epoch()} wrote under a newer one")
        return broken or error


class SimLeases(MemoryLeases):
    """Leases on the world's disk, which a trader sometimes cannot reach for longer than its lease lasts."""

    def __init__(self, world: World) -> None:
        super().__init__(world.tables, world.clock, grace=1.0)
        self._world = world

    async def renew(self, lease: Lease, ttl: float) -> Lease:
        if self._world.fault("lease cut", 0.04):
            await asyncio.sleep(self._world.roll("lease cut").uniform(1.0, 6.0))
        return await super().renew(lease, ttl)


class SimStorage:
    """The `Storage` port on the world's disk."""

    def __init__(self, world: World, life: Dead) -> None:
        self._world = world
        self._life = life

    def journal(self, epoch: Callable[[], int], market_of: Callable[[str], Market]) -> Journal:
        return CrashingJournal(self._world, self._life, epoch, market_of)

    def leases(self, journal: Journal) -> LeaseStore:
        return SimLeases(self._world)

    async def load_markets(self, journal: Journal) -> list[Market]:
        return list(self._world.exchange.markets())

    async def save_markets(self, journal: Journal, markets: Sequence[Market], groups: Sequence[ConditionGroup]) -> None:
        if not self._life.alive:
            await silence()
