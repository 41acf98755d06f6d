"""A paper account beside a book that the test writes: what a rival quotes is shown, what a rival takes is printed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from domain.book import BookSnapshot, Level, TradePrint
from domain.fees import FeeSchedule
from domain.fill import FillStatus
from domain.market import ConditionGroup, Market
from domain.money import MICRO, format_micros
from domain.order import OrderSide, OrderType
from domain.ports import FeedListener
from tests.conformance.gateway.bench import Bench
from tests.venues.polymarket.listeners import AccountDiary, MarketDiary
from tests.venues.simulator.kit import CountingIds, ManualClock
from venues.paper.connect import Paper, open_account
from venues.paper.gateway import Latency

MARKET = Market(
    id="1", venue="polymarket", question="?", slug="s", condition_id="0xc", token_ids=("11", "12"), fees=FeeSchedule(rate=40_000)
)  # fmt: skip


class WrittenFeed:
    """A `MarketFeed` without a venue: the test tells what happens."""

    connected = True
    last_message_ns = 0
    refused = 0
    listener: FeedListener

    async def start(self, listener: FeedListener) -> None:
        self.listener = listener

    async def watch(self, token_ids) -> None: ...
    async def unwatch(self, token_ids) -> None: ...
    def request_snapshot(self, token_id: str) -> None: ...
    async def stop(self) -> None: ...


class WrittenCatalog:
    """A `MarketCatalog` of one market."""

    venue = "polymarket"

    async def markets(self) -> tuple[list[Market], list[ConditionGroup]]:
        return [MARKET], []

    async def market(self, condition_id: str) -> Market | None:
        return MARKET


class PaperBench(Bench):
    """`venues.paper` without latency."""

    def __init__(self, paper: Paper, feed: WrittenFeed, clock: ManualClock) -> None:
        self.paper = paper
        self.gateway = paper.gateway
        self.account_feed = paper.account_feed
        self.market = MARKET
        self.diary = AccountDiary()
        self._feed = feed
        self._clock = clock
        self._levels: dict[bool, dict[int, int]] = {True: {}, False: {}}

    def now_ns(self) -> int:
        return self._clock.now_ns()

    async def rival(
        self, side: OrderSide, price: int, size: int, order_type: OrderType = OrderType.GTC, *, token: int = 0
    ) -> None:
        if not order_type.rests:
            self._feed.listener.on_trade(
                TradePrint(self.market.token_ids[token], "0xc", side.name, price, size, self._now_ms(), self.now_ns())
            )
            return
        is_bid = (side is OrderSide.BUY) is (token == 0)
        levels = self._levels[is_bid]
        level = price if token == 0 else MICRO - price
        levels[level] = levels.get(level, 0) + size
        self.show()

    def show(self) -> None:
        """Tell the whole book."""
        bids, asks = (
            [Level(format_micros(price), format_micros(self._levels[is_bid][price])) for price in sorted(self._levels[is_bid], reverse=not is_bid)]
            for is_bid in (True, False)
        )  # fmt: skip
        self._feed.listener.on_snapshot(
            BookSnapshot(self.market.token_ids[0], "0xc", bids, asks, self._now_ms(), self.now_ns())
        )

    def _now_ms(self) -> int:
        return self.now_ns() // 1_000_000

    async def pass_time(self, seconds: float) -> None:
        self._clock.move(seconds)
        self.paper.paper.advance()


@asynccontextmanager
async def paper_bench(folder: Path, *, failing: float = 0.0) -> AsyncIterator[PaperBench]:
    clock, feed = ManualClock(), WrittenFeed()
    path = ((2.0, FillStatus.FAILED),) if failing else ((2.0, FillStatus.MINED), (4.0, FillStatus.CONFIRMED))
    paper = open_account(
        folder, "bench", balance=1_000 * MICRO, venue="polymarket", feed=feed, catalog=WrittenCatalog(), clock=clock,
        ids=CountingIds(), latency=Latency(), settles=path,
    )  # fmt: skip
    bench = PaperBench(paper, feed, clock)
    await paper.feed.start(MarketDiary())
    await paper.catalog.markets()
    bench.show()
    await bench.listen()
    try:
        yield bench
    finally:
        await paper.close()
