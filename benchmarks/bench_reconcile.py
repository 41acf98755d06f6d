"""Reconciliation of 10,000 open orders with a venue that lists them: without news, and after a gap in which 2,000 were filled and 1,000 cancelled.

The venue answers from memory, so the time is our own work. A stall is the longest time for which another task of the same loop had to wait
meanwhile. The best of several rounds counts, each with an account of its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter

import uvloop

from benchmarks.measure import Result
from domain.fill import FillStatus
from domain.money import MICRO
from domain.order import OrderStatus
from infra.clock import SystemClock
from tests.trading import factories as f
from tests.trading.kit import Rig

ORDERS, MARKETS, ROUNDS = 10_000, 500, 4
PAUSE = 0.001


@dataclass(frozen=True, slots=True)
class Took:
    seconds: float
    stall: float


def run(orders: int = ORDERS, rounds: int = ROUNDS) -> list[Result]:
    results: list[Result] = []
    for news in (False, True):
        took = [uvloop.run(_reconcile(orders, news=news)) for _ in range(rounds)]
        name = f"reconcile {orders:,} orders, {'after a gap' if news else 'no news'}"
        results += [
            Result(name, "s", min(each.seconds for each in took)),
            Result(f"{name}, longest stall", "ms", min(each.stall for each in took) * 1e3),
        ]
    return results


async def _reconcile(orders: int, *, news: bool) -> Took:
    rig = _account(orders)
    if news:
        _let_time_pass(rig)
    stalls: list[float] = []
    watch = asyncio.ensure_future(_note_stalls(stalls))
    await asyncio.sleep(0)
    begun = perf_counter()
    found = await rig.reconciler.run()
    seconds = perf_counter() - begun
    await asyncio.sleep(2 * PAUSE)
    watch.cancel()
    if not found.complete or found.missing_orders != (orders // 10 if news else 0):
        raise AssertionError(f"the account was not read as it was made: {found}")
    return Took(seconds, max(stalls))


def _account(orders: int) -> Rig:
    """Return an account whose orders rest at the venue."""
    rig = Rig(SystemClock(), deposit=10**6 * MICRO)  # type: ignore[arg-type]
    markets = [f.market(id=f"m{n}", condition_id=f"0xc{n}", token_ids=(f"{n}001", f"{n}002")) for n in range(MARKETS)]
    rig.markets = {market.id: market for market in markets}
    for number in range(orders):
        market = markets[number % MARKETS]
        own = rig.track(market=market, token_id=market.token_ids[0], price=400_000)
        rig.venue.orders[own.id] = f.report(own.order, OrderStatus.LIVE)
    rig.venue.cash = rig.portfolio.ledger.cash
    return rig


def _let_time_pass(rig: Rig) -> None:
    """Let the venue fill every fifth order and cancel another of each ten, unheard."""
    for number, own in enumerate(rig.portfolio.orders.open()):
        if number % 5 == 0:
            rig.venue.reports.append(f.trade(own.order, own.order.draft.size, status=FillStatus.CONFIRMED))
        if number % 5 == 0 or number % 10 == 1:
            del rig.venue.orders[own.id]


async def _note_stalls(stalls: list[float]) -> None:
    before = perf_counter()
    while True:
        await asyncio.sleep(PAUSE)
        now = perf_counter()
        stalls.append(max(now - before - PAUSE, 0.0))
        before = now
