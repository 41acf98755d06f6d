"""Bursts over real sockets against a venue that enforces its limits: with budgets it has no reason to, without them it does."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from domain.errors import VenueUnavailableError
from domain.money import MICRO
from domain.reports import OVER_BUDGET, RATE_LIMITED, Accepted, Rejected
from tests.infra.sole_lender import SoleLender
from tests.venues.polymarket.pacing import NoLimits
from tests.venues.polymarket.test_on_simulated_venue import config, draft
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY
from tests.venues.simulator.kit import START_NS, CountingIds, ManualClock, RunningVenue, running_venue
from venues.polymarket.budgets import Budgets
from venues.polymarket.connect import Public, Trading, open_public, open_trading
from venues.polymarket.pace import Paces
from venues.polymarket.signer import LocalSigner

pytestmark = pytest.mark.protocol("3.11")

BURST = 120


class RunningClock(ManualClock):
    """The venue's time of day, which goes on by itself."""

    def __init__(self, begin_ns: int) -> None:
        super().__init__(begin_ns)
        self._begun = time.monotonic_ns()

    def now_ns(self) -> int:
        return super().now_ns() + time.monotonic_ns() - self._begun

    def monotonic(self) -> float:
        return time.monotonic()


@pytest.fixture
def clock() -> ManualClock:
    return RunningClock(START_NS + 10**12)


@pytest.fixture
async def venue(warm_folder: Path, tmp_path: Path, clock: ManualClock) -> AsyncIterator[RunningVenue]:
    async with running_venue(Path(shutil.copytree(warm_folder, tmp_path / "venue")), clock=clock) as running:
        status, _ = await running.fund(ADDRESS, "10000")
        assert status == 200
        yield running


async def opened(venue: RunningVenue, budgets: Paces) -> tuple[Public, Trading]:
    public = open_public(config(venue), clock=venue.clock, rng=Random(1), budgets=budgets)
    trading = await open_trading(
        config(venue), LocalSigner(PRIVATE_KEY), clock=venue.clock, ids=CountingIds(), rng=Random(1), budgets=budgets
    )
    return public, trading


async def burst(venue: RunningVenue, public: Public, trading: Trading) -> list[Any]:
    """Send many orders at once, none of which may leave more than half a second later, and cancel those that were taken one by one."""
    chosen = await venue.some_market()
    market = await public.catalog.market(chosen["conditionId"])
    prepared = [await trading.gateway.prepare(draft(market, price=10_000, size=5 * MICRO)) for _ in range(BURST)]
    deadline = venue.clock.monotonic() + 0.5
    outcomes = await asyncio.gather(*(trading.gateway.send(each, deadline) for each in prepared))
    taken = [outcome.order_id for outcome in outcomes if isinstance(outcome, Accepted)]
    cancels = await asyncio.gather(*(trading.gateway.cancel([order_id]) for order_id in taken))
    return [*outcomes, *cancels]


def codes(outcomes: list[Any]) -> Counter[str]:
    return Counter(each.code for each in outcomes if isinstance(each, Rejected))


async def test_a_burst_within_budgets_gives_the_venue_nothing_to_refuse(venue: RunningVenue) -> None:
    budgets = Budgets("simulator", venue.clock, SoleLender(venue.clock))
    public, trading = await opened(venue, budgets)
    try:
        outcomes = await burst(venue, public, trading)
        told = codes(outcomes)
        taken = [each for each in outcomes if isinstance(each, Accepted)]

        # A slow machine may find that some were too late; the venue itself refused none.
        assert {OVER_BUDGET} <= set(told) <= {OVER_BUDGET, "deadline"}
        assert len(taken) == BURST - told.total()
        held = next(each for each in outcomes if isinstance(each, Rejected) and each.code == OVER_BUDGET)
        assert held.retry_after is not None
        assert 0 < held.retry_after < 5
        assert await trading.gateway.open_orders() == []
        figures = budgets.figures()
        assert sum(figure.too_many for figure in figures) == 0
        assert {figure.name: figure.refusals for figure in figures}["clob POST /order"] == told[OVER_BUDGET]
    finally:
        await trading.close()
        await public.close()


@pytest.mark.parametrize("clock", [ManualClock(START_NS + 10**12)])
async def test_the_same_burst_without_budgets_is_refused_by_the_venue(venue: RunningVenue) -> None:
    public, trading = await opened(venue, NoLimits())
    try:
        assert codes(await burst(venue, public, trading)) == {RATE_LIMITED: BURST - 60}
    finally:
        await trading.close()
        await public.close()


async def test_reads_beyond_their_budget_say_when_to_come_back(venue: RunningVenue) -> None:
    budgets = Budgets("simulator", venue.clock)
    public, trading = await opened(venue, budgets)
    try:
        budgets.clob.answered(await budgets.clob.admit("GET", "/data/orders"), 429, {"retry-after": "30"})
        with pytest.raises(VenueUnavailableError, match="GET /data/orders was not sent") as held:
            await trading.gateway.open_orders()
        assert held.value.retry_after is not None
        assert 29 < held.value.retry_after <= 30
        assert await public.clob.server_time() > 0
    finally:
        await trading.close()
        await public.close()
