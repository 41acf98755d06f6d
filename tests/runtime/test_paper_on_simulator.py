"""A whole trader with a paper account beside the public side of a simulated venue, where it has no account: nothing is sent there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from domain.fill import FillStatus, Liquidity
from domain.market import Market
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus, OrderType
from runtime.config import KernelConfig, Mode
from runtime.kernel import Kernel
from runtime.ports import Ports
from tests.runtime.kit import Events
from tests.runtime.wire_kit import DEPOSIT, Disk, liquid_market, place
from tests.venues.polymarket.pacing import alone
from tests.venues.simulator.kit import CountingIds, RunningVenue
from tests.waiting import until
from trading.limits import RiskLimits
from trading.own_orders import OwnOrder
from venues.paper.connect import Paper, open_account
from venues.paper.gateway import Latency
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.connect import Public, open_public

ACCOUNT = "paper:test"


class Life:
    """One life of a paper trader."""

    def __init__(self, venue: RunningVenue, public: Public, paper: Paper, kernel: Kernel) -> None:
        self.venue, self.public, self.paper, self.kernel = venue, public, paper, kernel

    async def stop(self, *, gracefully: bool = True) -> None:
        if gracefully:
            await self.kernel.stop("enough")
        else:
            await self.kernel.tasks.stop()
            await self.kernel.executor.abandon()
        await self.paper.close()
        await self.public.close()

    async def pass_time(self, seconds: float) -> None:
        """Let agents act and the feed tell of it."""
        for _ in range(round(seconds / 0.25)):
            self.venue.pass_time(0.25)
            await asyncio.sleep(0.002)

    async def settled(self) -> None:
        async def at_rest() -> bool:
            await self.pass_time(0.5)
            statuses = {fill.status for fill in self.kernel.portfolio.fills.values()}
            return bool(statuses) and statuses <= {FillStatus.CONFIRMED}

        await until(at_rest)

    async def equal_to_the_gateway(self, market: Market) -> None:
        """Positions and ledger are what the paper venue says that the account holds, to the micro-unit."""
        portfolio = self.kernel.portfolio

        async def equal() -> bool:
            held = await self.paper.gateway.balances(market.token_ids)
            ours = {token: portfolio.positions.size(token) for token in market.token_ids}
            return (held.cash, dict(held.tokens)) == (portfolio.ledger.cash, ours)

        await until(equal)
        assert portfolio.ledger.deposits == DEPOSIT
        assert self.kernel.halts.active() == []


class PaperDesk:
    """Lives of one paper account, one after the other."""

    def __init__(self, venue: RunningVenue, folder: Path) -> None:
        self.venue, self.folder, self.disk, self.ids = venue, folder, Disk(venue, ACCOUNT), CountingIds()
        self.lives: list[Life] = []

    async def start(self) -> Life:
        clock, url = self.venue.clock, self.venue.url
        config = PolymarketConfig(
            account="paper", clob_url=url, gamma_url=url + "/gamma", ws_url=url.replace("http", "ws")
        )
        public = open_public(config, clock=clock, rng=Random(1), budgets=alone())
        paper = open_account(
            self.folder, "test", balance=DEPOSIT, venue=public.catalog.venue, feed=public.feed, catalog=public.catalog, clock=clock,
            ids=self.ids, latency=Latency(0.01, 0.005),
        )  # fmt: skip
        ports = Ports(
            clock=clock, ids=self.ids, feed=paper.feed, account_feed=paper.account_feed, gateway=paper.gateway,
            catalog=paper.catalog, storage=self.disk, events=Events(),
        )  # fmt: skip
        kernel = Kernel(
            ports,
            KernelConfig(
                mode=Mode.TRADE, account=ACCOUNT, venue="polymarket", holder=f"life-{len(self.lives)}",
                limits=RiskLimits(max_book_age_ms=3_600_000), max_watched_markets=8, reconcile_every=0.2, absence=5.0, lease_ttl=3_600.0,
            ),
        )  # fmt: skip
        life = Life(self.venue, public, paper, kernel)
        self.lives.append(life)
        await kernel.start()

        async def ready() -> bool:
            return all(book.usable for book in kernel.books) and paper.account_feed.connected

        await until(ready)
        return life


@pytest.fixture
async def desk(venue: RunningVenue, tmp_path: Path) -> AsyncIterator[PaperDesk]:
    made = PaperDesk(venue, tmp_path / "paper")
    yield made
    await made.lives[-1].stop()


async def resting_at_the_best_bid(life: Life, market: Market) -> OwnOrder:
    book = life.kernel.books.get(market.token_ids[0])
    assert book is not None
    own = await place(life.kernel, market, price=book.best_bid, size=10 * MICRO)
    assert own.status is OrderStatus.LIVE
    return own


async def filled(life: Life, own: OwnOrder, *, seconds: int = 300) -> None:
    for _ in range(seconds):
        await life.pass_time(1.0)
        if own.filled:
            return
    pytest.fail(f"nobody traded through this order in {seconds} seconds of the venue")


async def test_a_paper_order_is_filled_by_what_the_venues_agents_trade_and_nothing_is_sent(desk: PaperDesk) -> None:
    life = await desk.start()
    market = liquid_market(life.kernel)
    own = await resting_at_the_best_bid(life, market)

    await filled(life, own)
    await life.settled()

    fill = next(iter(life.kernel.portfolio.fills.values()))
    assert (fill.liquidity, fill.price, fill.fee) == (Liquidity.MAKER, own.order.draft.price, 0)
    assert desk.venue.venue.world.exchange.order(own.id) is None
    assert ACCOUNT not in desk.venue.venue.world.exchange.accounts()
    await life.equal_to_the_gateway(market)


async def test_a_taker_gets_the_depth_that_is_shown_at_its_prices_and_pays_the_fee(desk: PaperDesk) -> None:
    life = await desk.start()
    market = liquid_market(life.kernel)
    token = market.token_ids[0]
    book = life.kernel.books.get(token)
    assert book is not None
    best = book.best_ask
    shown = book.ask_size(best)

    own = await place(life.kernel, market, order_type=OrderType.FAK, price=best, size=10 * MICRO)
    await life.settled()

    assert own.status is OrderStatus.MATCHED
    (fill,) = life.kernel.portfolio.fills.values()
    assert (fill.price, fill.liquidity) == (best, Liquidity.TAKER)
    assert fill.size <= shown
    assert fill.fee == market.fees.taker_fee(best, fill.size)
    await life.equal_to_the_gateway(market)

    position = life.kernel.portfolio.positions.get(token, "test")
    assert position is not None
    sale = await place(
        life.kernel, market, side=OrderSide.SELL, effect=Effect.REDUCE, order_type=OrderType.FAK,
        price=life.kernel.books.get(token).best_bid, size=position.holding.settled,
    )  # fmt: skip
    await life.settled()
    assert sale.filled > 0
    await life.equal_to_the_gateway(market)


@pytest.mark.parametrize("gracefully", [True, False], ids=["stopped", "killed"])
async def test_a_restart_finds_orders_fills_and_money_again(desk: PaperDesk, gracefully: bool) -> None:
    first = await desk.start()
    market = liquid_market(first.kernel)
    await place(
        first.kernel, market, order_type=OrderType.FAK, price=first.kernel.books.get(market.token_ids[0]).best_ask, size=10 * MICRO
    )  # fmt: skip
    await first.settled()
    resting = await place(first.kernel, market, price=20_000, size=50 * MICRO)
    await first.equal_to_the_gateway(market)
    await first.stop(gracefully=gracefully)
    desk.disk.tables.lease_ends.clear()
    desk.venue.pass_time(20, step=0.5)

    second = await desk.start()

    found = second.kernel.portfolio.orders.get(resting.id)
    assert found is not None
    assert found.status is (OrderStatus.CANCELLED if gracefully else OrderStatus.LIVE)
    before, after = first.kernel.portfolio.positions, second.kernel.portfolio.positions
    assert after.size(market.token_ids[0]) == before.size(market.token_ids[0]) > 0
    await second.equal_to_the_gateway(market)


async def test_a_resolution_is_paid_out(desk: PaperDesk) -> None:
    life = await desk.start()
    market = liquid_market(life.kernel)
    token = market.token_ids[0]
    await place(
        life.kernel, market, order_type=OrderType.FAK, price=life.kernel.books.get(token).best_ask, size=10 * MICRO
    )
    await life.settled()
    held = life.kernel.portfolio.positions.size(token)
    cash = life.kernel.portfolio.ledger.cash

    life.paper.paper.resolve(market.condition_id, 0)
    await life.pass_time(10)

    balances = await life.paper.gateway.balances(market.token_ids)
    assert (balances.cash, set(balances.tokens.values())) == (cash + held, {0})
