"""The whole trader on a venue where everything goes wrong that can: it may lose time, and it never miscounts its money."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from domain.fill import FillStatus
from domain.market import Market
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderType
from runtime.kernel import Kernel
from tests.runtime.kit import signal
from tests.runtime.wire_kit import Desk, liquid_market
from tests.waiting import until
from venues.simulator.faults.model import Plan

TURNS = 400
FINAL = {FillStatus.CONFIRMED, FillStatus.FAILED}

pytestmark = pytest.mark.sim


def trade(kernel: Kernel, market: Market, rng: Random) -> None:
    """Now and then take or join what is offered, or sell what is held."""
    book = kernel.books.get(market.token_ids[0])
    if book is None or not book.usable or not book.two_sided or rng.random() < 0.5:
        return
    held = kernel.portfolio.positions.get(market.token_ids[0], "test")
    sells = held is not None and held.holding.settled >= 10 * MICRO and rng.random() < 0.5
    kernel.executor.submit(
        signal(
            kernel,
            market,
            side=OrderSide.SELL if sells else OrderSide.BUY,
            effect=Effect.REDUCE if sells else Effect.OPEN,
            order_type=rng.choice([OrderType.FAK, OrderType.GTC]),
            price=book.best_bid if sells else book.best_ask,
            size=10 * MICRO,
        )
    )


async def busy_day(desk: Desk, kernel: Kernel, market: Market, plan: Plan) -> int:
    """Trade through a plan of faults, then let the venue be itself again; return how often it struck."""
    rng = Random(plan.seed)
    armed = desk.venue.faults.arm_all(plan)
    for _ in range(TURNS):
        trade(kernel, market, rng)
        desk.venue.pass_time(0.25)
        await asyncio.sleep(0.005)
    desk.venue.heal()
    return sum(fault.struck for fault in armed)


@pytest.mark.parametrize("seed", range(3))
async def test_after_a_very_bad_day_money_and_shares_are_those_of_the_venue(desk: Desk, seed: int) -> None:
    trader = await desk.start()
    kernel, portfolio = trader.kernel, trader.kernel.portfolio
    market = liquid_market(kernel)

    assert await busy_day(desk, kernel, market, Plan(mix="chaos", seed=seed)) > 10

    async def equal() -> bool:
        desk.venue.pass_time(0.5)
        if not {fill.status for fill in portfolio.fills.values()} <= FINAL:
            return False
        cash, tokens = await desk.held(trader, market.token_ids)
        ours = {token: portfolio.positions.size(token) for token in market.token_ids}
        return (cash, tokens) == (portfolio.ledger.cash, ours)

    await until(equal)
    assert len(portfolio.fills) > 0


@pytest.mark.parametrize("seed", range(3))
async def test_what_a_lying_venue_says_moves_no_money_or_halts_its_market(desk: Desk, seed: int) -> None:
    trader = await desk.start()
    kernel, portfolio = trader.kernel, trader.kernel.portfolio
    market = liquid_market(kernel)

    assert await busy_day(desk, kernel, market, Plan(mix="hostile", seed=seed)) > 10

    async def equal_or_halted() -> bool:
        desk.venue.pass_time(0.5)
        cash, tokens = await desk.held(trader, market.token_ids)
        ours = {token: portfolio.positions.size(token) for token in market.token_ids}
        return (cash, tokens) == (portfolio.ledger.cash, ours) or bool(kernel.halts.active())

    await until(equal_or_halted)
    # The venue lied about fills of a million shares; nobody can hold more than the deposit bought.
    assert max(abs(portfolio.positions.size(token)) for token in market.token_ids) < 10_000 * MICRO
