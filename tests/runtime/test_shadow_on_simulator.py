"""A paper twin beside a trader on the simulated venue: the same orders, the difference measured, and nothing of it felt by the account."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from domain.money import MICRO
from domain.order import OrderStatus, OrderType
from domain.signal import Cancel
from runtime.ports import Ports
from tests.runtime.wire_kit import Desk, Trader, buy, done, equal_to_the_venue, liquid_market, place
from tests.waiting import until
from venues.paper.connect import open_twin
from venues.paper.gateway import Latency
from venues.paper.shadow import ShadowedFeed, ShadowedGateway, Twin


class ShadowedDesk:
    """A desk whose traders have a twin."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.twin: Twin | None = None
        desk.dress = self._dress

    def _dress(self, ports: Ports) -> Ports:
        paper = open_twin(
            "paper:twin", venue=ports.catalog.venue, feed=ports.feed, catalog=ports.catalog, clock=ports.clock, ids=ports.ids,
            latency=Latency(),
        )  # fmt: skip
        self.paper = paper
        self.twin = twin = Twin(ports.gateway.account, paper, ports.clock)
        return dataclasses.replace(
            ports, feed=paper.feed, catalog=paper.catalog, gateway=ShadowedGateway(ports.gateway, twin),
            account_feed=ShadowedFeed(ports.account_feed, twin),
        )  # fmt: skip

    async def start(self) -> Trader:
        return await self.desk.start()

    async def figures(self, **wanted: Any) -> Any:
        assert self.twin is not None
        twin = self.twin

        async def reached() -> bool:
            self.paper.paper.advance()
            figures = twin.figures()
            return all(getattr(figures, name) == value for name, value in wanted.items())

        await until(reached)
        return twin.figures()


async def test_an_order_that_both_fill_alike_shows_no_drift(desk: Desk) -> None:
    shadowed = ShadowedDesk(desk)
    trader = await shadowed.start()
    market = liquid_market(trader.kernel)

    own = await buy(desk, trader.kernel, market)

    figures = await shadowed.figures(orders=1, filled_live=own.filled, filled_twin=own.filled)
    assert (figures.slippage, figures.filled_only_live, figures.filled_only_twin, figures.failures) == (0, 0, 0, 0)
    assert (figures.refused_live, figures.refused_twin) == (0, 0)
    assert figures.fees_live == figures.fees_twin
    assert figures.profit_live == figures.profit_twin
    await equal_to_the_venue(desk, trader, market)


async def test_the_twin_begins_with_what_the_account_holds_and_cancels_what_is_cancelled(desk: Desk) -> None:
    shadowed = ShadowedDesk(desk)
    kernel = (await shadowed.start()).kernel
    market = liquid_market(kernel)
    own = await place(kernel, market, price=20_000, size=50 * MICRO)
    exchange = shadowed.paper.paper.exchange

    async def rests() -> bool:
        return len(exchange.open_orders("paper:twin")) == 1

    await until(rests)
    assert exchange.balance("paper:twin").settled == 1_000 * MICRO

    kernel.executor.submit(Cancel(id="c-1", source="test", order_id=own.id, reason="enough"))
    await until(lambda: done(own))

    async def gone() -> bool:
        return exchange.open_orders("paper:twin") == []

    await until(gone)


async def test_an_order_that_only_the_account_is_refused_is_counted(desk: Desk) -> None:
    shadowed = ShadowedDesk(desk)
    kernel = (await shadowed.start()).kernel
    market = liquid_market(kernel)
    assert shadowed.twin is not None
    shadowed.paper.paper.deposit(100_000 * MICRO)
    known = shadowed.paper.paper.market_of(market.token_ids[0])
    assert known is not None
    known.ladder.replace([], [], 0, desk.venue.clock.now_ns())

    book = kernel.books.get(market.token_ids[0])
    own = await place(kernel, market, price=book.best_ask, post_only=True)

    assert own.status is OrderStatus.REJECTED
    figures = await shadowed.figures(orders=1, refused_live=1)
    assert figures.filled_twin == 0


@pytest.mark.parametrize("how", ["raises", "broken"])
async def test_a_twin_that_fails_is_counted_and_felt_by_nobody(
    desk: Desk, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadowed = ShadowedDesk(desk)
    trader = await shadowed.start()
    market = liquid_market(trader.kernel)
    paper = shadowed.paper.paper
    if how == "broken":
        paper.broken = "the disk is full"
    else:

        def fail(*_: object) -> None:
            raise RuntimeError("a bug of the twin")

        monkeypatch.setattr(paper, "place", fail)
        monkeypatch.setattr(paper, "fill", fail)

    own = await buy(desk, trader.kernel, market)

    assert own.order.draft.order_type is OrderType.FAK
    assert own.status is OrderStatus.MATCHED
    assert not trader.kernel.stopped.done()
    await equal_to_the_venue(desk, trader, market)
    figures = await shadowed.figures(filled_live=own.filled)
    assert figures.filled_twin == 0
    assert figures.failures > 0 or figures.refused_twin == 1
