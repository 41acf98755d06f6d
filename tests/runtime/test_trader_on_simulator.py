"""The whole trader over real sockets: kernel and Polymarket client against the simulated venue, which shares no code with them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from domain.amounts import marketable_size
from domain.fill import FillStatus
from domain.ledger import LedgerAccount
from domain.market import ConditionGroup, Market
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus, OrderType
from domain.ports import Journal, LeaseStore
from domain.signal import Cancel
from runtime.config import KernelConfig, Mode
from runtime.kernel import Kernel
from runtime.ports import Ports
from tests.runtime.kit import Events, signal
from tests.trading.kit import until
from tests.venues.polymarket.pacing import alone
from tests.venues.simulator.kit import CountingIds, RunningVenue, running_venue, warm_up
from trading.journal_memory import MemoryJournal, MemoryTables
from trading.lease import MemoryLeases
from trading.limits import RiskLimits
from trading.own_orders import OwnOrder
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.connect import Public, Trading, open_public, open_trading
from venues.polymarket.signer import LocalSigner

ACCOUNT = "sim:test"
DEPOSIT = 1_000 * MICRO


@pytest.fixture(scope="module")
def warm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulator") / "venue"
    warm_up(folder)
    return folder


@pytest.fixture
async def venue(warm_folder: Path, tmp_path: Path) -> AsyncIterator[RunningVenue]:
    async with running_venue(Path(shutil.copytree(warm_folder, tmp_path / "venue"))) as running:
        yield running


class Disk:
    """The `Storage` port in memory; it survives the traders that write to it."""

    def __init__(self, venue: RunningVenue) -> None:
        self._clock = venue.clock
        self._markets: dict[str, Market] = {}
        self.tables = MemoryTables()

    def journal(self, epoch: Callable[[], int], market_of: Callable[[str], Market]) -> Journal:
        return MemoryJournal(self.tables, ACCOUNT, epoch, market_of)

    def leases(self, journal: Journal) -> LeaseStore:
        return MemoryLeases(self.tables, self._clock, grace=0.0)

    async def load_markets(self, journal: Journal) -> list[Market]:
        return list(self._markets.values())

    async def save_markets(self, journal: Journal, markets: Sequence[Market], groups: Sequence[ConditionGroup]) -> None:
        self._markets |= {market.id: market for market in markets}


class Trader:
    """One life of a trader: its connections and its kernel."""

    def __init__(self, public: Public, trading: Trading, kernel: Kernel) -> None:
        self.public, self.trading, self.kernel = public, trading, kernel
        self.over = False

    async def stop(self) -> None:
        self.over = True
        await self.kernel.stop("enough")
        await self.close()

    async def kill(self, disk: Disk) -> None:
        """End without a word: tasks and sockets gone, orders left where they are; its lease runs out some time."""
        self.over = True
        await self.kernel.tasks.stop()
        await self.kernel.executor.abandon()
        await self.close()
        disk.tables.lease_ends.clear()

    async def close(self) -> None:
        await self.trading.close()
        await self.public.close()


class Desk:
    """Traders of one wallet on one venue, one after the other."""

    def __init__(self, venue: RunningVenue) -> None:
        self.venue, self.disk, self.ids = venue, Disk(venue), CountingIds()
        self.signer = LocalSigner("0x" + "5a" * 32)
        self.lives: list[Trader] = []
        self.budgets = alone()

    async def start(self) -> Trader:
        clock, ws = self.venue.clock, self.venue.url.replace("http", "ws")
        config = PolymarketConfig(
            account=ACCOUNT, clob_url=self.venue.url, gamma_url=self.venue.url + "/gamma", ws_url=ws
        )
        public = open_public(config, clock=clock, rng=Random(1), budgets=self.budgets)
        trading = await open_trading(
            config, self.signer, clock=clock, ids=self.ids, rng=Random(1), budgets=self.budgets
        )
        ports = Ports(
            clock=clock, ids=self.ids, feed=public.feed, account_feed=trading.account_feed, gateway=trading.gateway,
            catalog=public.catalog, storage=self.disk, events=Events(),
        )  # fmt: skip
        limits = RiskLimits(max_book_age_ms=3_600_000)
        kernel = Kernel(
            ports,
            KernelConfig(
                mode=Mode.TRADE, account=ACCOUNT, venue="polymarket", holder=f"life-{len(self.lives)}", limits=limits, max_watched_markets=8,
                reconcile_every=0.2, absence=5.0, lease_ttl=3_600.0,
            ),
        )  # fmt: skip
        self.lives.append(Trader(public, trading, kernel))
        await kernel.start()
        await until(lambda: self._ready(kernel))
        return self.lives[-1]

    async def _ready(self, kernel: Kernel) -> bool:
        return kernel.ports.account_feed.connected and all(book.usable for book in kernel.books)

    async def held(self, trader: Trader, tokens: Sequence[str]) -> tuple[int, dict[str, int]]:
        """Return what the venue says the wallet holds."""
        balances = await trader.trading.gateway.balances(tokens)
        return balances.cash, dict(balances.tokens)


@pytest.fixture
async def desk(venue: RunningVenue) -> AsyncIterator[Desk]:
    made = Desk(venue)
    status, _ = await venue.fund(made.signer.address, "1000")
    assert status == 200
    yield made
    for trader in made.lives:
        if not trader.over:
            await trader.stop()


def liquid_market(kernel: Kernel) -> Market:
    """Return a watched market that trades near the middle, without a taker delay."""

    def distance(market: Market) -> int:
        book = kernel.books.get(market.token_ids[0])
        return abs(book.mid - MICRO // 2) if book is not None and book.two_sided else MICRO

    watched = {book.market_id for book in kernel.books}
    markets = [market for market_id in watched if (market := kernel.markets.get(market_id)) is not None]
    return min((market for market in markets if not market.taker_delay_ms and market.tick == 10_000), key=distance)


async def place(kernel: Kernel, market: Market, **changes: Any) -> OwnOrder:
    intent = signal(kernel, market, **changes)
    decision = kernel.executor.submit(intent)
    assert decision is not None
    assert decision.draft is not None, decision
    decided = decision.draft

    def found() -> OwnOrder | None:
        return next((o for o in kernel.portfolio.orders.all() if o.order.draft.intent_id == intent.id), None)

    async def answered() -> bool:
        own = found()
        return own is not None and own.status not in (OrderStatus.PENDING, OrderStatus.SUBMITTED)

    await until(answered)
    own = found()
    assert own is not None
    assert own.order.draft is decided
    return own


async def buy(desk: Desk, kernel: Kernel, market: Market) -> OwnOrder:
    """Take what is offered and let it settle."""
    book = kernel.books.get(market.token_ids[0])
    assert book is not None
    size = marketable_size(book.best_ask, 10 * MICRO)
    own = await place(kernel, market, order_type=OrderType.FAK, price=book.best_ask, size=size)
    await settled(desk, kernel)
    return own


async def settled(desk: Desk, kernel: Kernel) -> None:
    """Let the venue's time pass until every order is explained and every fill final."""

    async def at_rest() -> bool:
        desk.venue.pass_time(0.5)
        statuses = {fill.status for fill in kernel.portfolio.fills.values()}
        waiting = [own for own in kernel.portfolio.orders.open() if own.status.terminal]
        return bool(statuses) and statuses <= {FillStatus.CONFIRMED, FillStatus.FAILED} and not waiting

    await until(at_rest)


async def equal_to_the_venue(desk: Desk, trader: Trader, market: Market) -> None:
    """Compare money and shares with what the venue says."""
    portfolio = trader.kernel.portfolio

    async def equal() -> bool:
        cash, tokens = await desk.held(trader, market.token_ids)
        ours = {token: portfolio.positions.size(token) for token in market.token_ids}
        return (cash, tokens) == (portfolio.ledger.cash, ours)

    await until(equal)
    outside = {LedgerAccount.EQUITY, LedgerAccount.TOKENS, LedgerAccount.COUNTERPARTY}
    assert sum(portfolio.ledger.balance(each) for each in LedgerAccount if each not in outside) == DEPOSIT
    assert portfolio.ledger.deposits == DEPOSIT
    assert trader.kernel.halts.active() == []


async def test_an_order_becomes_a_fill_a_position_and_ledger_entries_equal_to_the_venues(desk: Desk) -> None:
    trader = await desk.start()
    kernel = trader.kernel
    market = liquid_market(kernel)

    own = await buy(desk, kernel, market)

    assert own.status is OrderStatus.MATCHED
    position = kernel.portfolio.positions.get(market.token_ids[0], "test")
    assert position is not None
    assert position.holding.settled >= own.order.draft.size
    assert kernel.portfolio.ledger.balance(LedgerAccount.FEES) >= 0
    await equal_to_the_venue(desk, trader, market)

    sale = await place(
        kernel, market, side=OrderSide.SELL, effect=Effect.REDUCE, order_type=OrderType.FAK,
        price=kernel.books.get(market.token_ids[0]).best_bid, size=position.holding.settled,
    )  # fmt: skip
    await settled(desk, kernel)

    assert sale.filled > 0
    await equal_to_the_venue(desk, trader, market)
    assert {row["kind"] for row in desk.disk.tables.rows["ledger_entries"]} <= {"deposit", "fill", "rounding"}


async def test_a_cancel_takes_a_resting_order_back_and_frees_its_cash(desk: Desk) -> None:
    kernel = (await desk.start()).kernel
    market = liquid_market(kernel)
    own = await place(kernel, market, price=20_000, size=50 * MICRO)
    assert own.status is OrderStatus.LIVE
    assert kernel.risk.reservations.free_cash < DEPOSIT

    kernel.executor.submit(Cancel(id="c-1", source="test", order_id=own.id, reason="enough"))

    await until(lambda: done(own))
    assert (own.status, own.reason) == (OrderStatus.CANCELLED, "enough")
    assert kernel.risk.reservations.free_cash == DEPOSIT
    assert await kernel.ports.gateway.open_orders() == []


async def done(own: OwnOrder) -> bool:
    return own.explained


async def test_what_the_venue_refuses_is_rejected_and_costs_nothing(desk: Desk) -> None:
    kernel = (await desk.start()).kernel
    market = liquid_market(kernel)
    book = kernel.books.get(market.token_ids[0])
    assert book is not None

    own = await place(kernel, market, price=book.best_ask, post_only=True)

    assert own.status is OrderStatus.REJECTED
    assert own.reason.startswith("post_only_would_cross")
    assert kernel.risk.reservations.free_cash == DEPOSIT


@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_a_restart_goes_on_where_the_last_trader_ended(desk: Desk, how: str) -> None:
    first = await desk.start()
    market = liquid_market(first.kernel)
    await buy(desk, first.kernel, market)
    resting = await place(first.kernel, market, price=20_000, size=50 * MICRO)
    await equal_to_the_venue(desk, first, market)
    await (first.kill(desk.disk) if how == "killed" else first.stop())
    desk.venue.pass_time(20, step=0.5)

    second = await desk.start()

    portfolio = second.kernel.portfolio
    found = portfolio.orders.get(resting.id)
    assert found is not None
    assert found.status is (OrderStatus.LIVE if how == "killed" else OrderStatus.CANCELLED)
    assert portfolio.positions.size(market.token_ids[0]) == first.kernel.portfolio.positions.size(market.token_ids[0])
    assert second.kernel.lease.epoch == first.kernel.lease.epoch + 1
    await equal_to_the_venue(desk, second, market)


async def test_a_fill_that_happened_while_no_trader_ran_is_found_at_the_start(desk: Desk) -> None:
    first = await desk.start()
    market = liquid_market(first.kernel)
    book = first.kernel.books.get(market.token_ids[0])
    assert book is not None
    own = await place(first.kernel, market, price=book.best_bid, size=10 * MICRO)
    assert own.status is OrderStatus.LIVE
    await first.kill(desk.disk)
    for _ in range(200):
        desk.venue.pass_time(1.0)
        if desk.venue.venue.world.exchange.order(own.id).size_matched:
            break
        await asyncio.sleep(0)
    else:
        pytest.fail("nobody sold to this order in the next 200 seconds of the venue")

    second = await desk.start()
    await settled(desk, second.kernel)

    assert second.kernel.portfolio.positions.size(market.token_ids[0]) > 0
    await equal_to_the_venue(desk, second, market)
