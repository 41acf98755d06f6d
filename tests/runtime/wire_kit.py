"""A whole trader over real sockets: kernel and Polymarket client against a simulated venue, which shares no code with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from domain.amounts import marketable_size
from domain.fill import FillStatus
from domain.ledger import LedgerAccount
from domain.market import ConditionGroup, Market
from domain.money import MICRO
from domain.order import OrderStatus, OrderType
from domain.ports import Journal, LeaseStore
from runtime.config import KernelConfig, Mode
from runtime.kernel import Kernel
from runtime.ports import Ports
from tests.runtime.kit import Events, signal
from tests.venues.polymarket.pacing import alone
from tests.venues.simulator.kit import CountingIds, RunningVenue
from tests.waiting import until
from trading.journal_memory import MemoryJournal, MemoryTables
from trading.lease import MemoryLeases
from trading.limits import RiskLimits
from trading.own_orders import OwnOrder
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.connect import Public, Trading, open_public, open_trading
from venues.polymarket.feed import PolymarketFeed
from venues.polymarket.signer import LocalSigner, Signer
from venues.polymarket.silence import Watchfulness

ACCOUNT = "sim:test"
DEPOSIT = 1_000 * MICRO


class Disk:
    """The `Storage` port in memory; it survives the traders that write to it."""

    def __init__(self, venue: RunningVenue, account: str = ACCOUNT) -> None:
        self._clock = venue.clock
        self._account = account
        self._markets: dict[str, Market] = {}
        self.tables = MemoryTables()

    def journal(self, epoch: Callable[[], int], market_of: Callable[[str], Market]) -> Journal:
        return MemoryJournal(self.tables, self._account, epoch, market_of)

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
        self.signer: Signer = LocalSigner("0x" + "5a" * 32)
        self.lives: list[Trader] = []
        self.budgets = alone()
        self.dress: Callable[[Ports], Ports] = lambda ports: ports

    async def start(
        self, *, care: Watchfulness | None = None, limits: RiskLimits | None = None, absence: float = 5.0
    ) -> Trader:
        clock, ws = self.venue.clock, self.venue.url.replace("http", "ws")
        config = PolymarketConfig(
            account=ACCOUNT,
            clob_url=self.venue.url,
            gamma_url=self.venue.url + "/gamma",
            ws_url=ws,
            data_url=self.venue.url + "/data-api",
        )
        public = open_public(config, clock=clock, rng=Random(1), budgets=self.budgets)
        trading = await open_trading(
            config, self.signer, clock=clock, ids=self.ids, rng=Random(1), budgets=self.budgets
        )
        feed = PolymarketFeed(ws, public.clob, clock=clock, rng=Random(1), watchfulness=care) if care else public.feed
        ports = Ports(
            clock=clock, ids=self.ids, feed=feed, account_feed=trading.account_feed, gateway=trading.gateway,
            catalog=public.catalog, storage=self.disk, events=Events(), holdings=trading.holdings,
        )  # fmt: skip
        limits = limits or RiskLimits(max_book_age_ms=3_600_000)
        kernel = Kernel(
            self.dress(ports),
            KernelConfig(
                mode=Mode.TRADE, account=ACCOUNT, venue="polymarket", holder=f"life-{len(self.lives)}", limits=limits, max_watched_markets=8,
                reconcile_every=0.2, absence=absence, lease_ttl=3_600.0,
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


def liquid_market(kernel: Kernel, *, exclusive: bool | None = None) -> Market:
    """Return a watched market that trades near the middle, without a taker delay; `exclusive` tells whether of an exclusive event."""

    def distance(market: Market) -> int:
        book = kernel.books.get(market.token_ids[0])
        return abs(book.mid - MICRO // 2) if book is not None and book.two_sided else MICRO

    watched = {book.market_id for book in kernel.books}
    markets = [market for market_id in watched if (market := kernel.markets.get(market_id)) is not None]
    fitting = (market for market in markets if exclusive in (None, market.neg_risk))
    return min((market for market in fitting if not market.taker_delay_ms and market.tick == 10_000), key=distance)


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


async def equal_to_the_venue(desk: Desk, trader: Trader, *markets: Market) -> None:
    """Compare money and shares with what the venue says."""
    portfolio = trader.kernel.portfolio
    token_ids = [token for market in markets for token in market.token_ids]

    async def equal() -> bool:
        cash, tokens = await desk.held(trader, token_ids)
        ours = {token: portfolio.positions.size(token) for token in token_ids}
        return (cash, tokens) == (portfolio.ledger.cash, ours)

    await until(equal)
    outside = {LedgerAccount.EQUITY, LedgerAccount.TOKENS, LedgerAccount.COUNTERPARTY}
    assert sum(portfolio.ledger.balance(each) for each in LedgerAccount if each not in outside) == DEPOSIT
    assert portfolio.ledger.deposits == DEPOSIT
    assert trader.kernel.halts.active() == []


async def done(own: OwnOrder) -> bool:
    return own.explained
