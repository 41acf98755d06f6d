"""Who makes the trader busy: one of these acts at each step, on the trader that is running.

An actor gets the simulation and the running kernel and returns at once. Add one line to `ACTORS` for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from domain.market import Market
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderType
from domain.signal import Cancel, Replace, TradeSignal
from runtime.kernel import Kernel
from tests.sim import operators, outside
from tests.sim.groups import basket
from tests.sim.ports import LATENCY
from tests.sim.world import TRADER

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation


class Actor(NamedTuple):
    """`weight` is how often it acts compared with the others; `fault` is the kind of fault it belongs to, "" for plain trading."""

    name: str
    weight: int
    act: Callable[[Simulation, Kernel], None]
    fault: str = ""


def _market(simulation: Simulation) -> Market:
    return simulation.rng.choice([market for market in simulation.world.exchange.markets() if market.tradable])


def _bounded(price: int, market: Market) -> int:
    return min(max(price, market.tick), MICRO - market.tick)


def _signal(
    simulation: Simulation, market: Market, token: str, side: OrderSide, price: int, size: int, kind: OrderType,
    *, source: str = "chaos", post_only: bool = False,
) -> TradeSignal:  # fmt: skip
    now = simulation.world.clock.now_ns()
    return TradeSignal(
        id=simulation.world.ids.uuid(),
        source=source,
        market=market,
        token_id=token,
        side=side,
        price=_bounded(price, market),
        size=size,
        effect=Effect.OPEN if side is OrderSide.BUY else Effect.REDUCE,
        created_ns=now,
        expires_ns=now + 5_000_000_000,
        order_type=kind,
        post_only=post_only,
        take_profit=_bounded(price + 5 * market.tick, market) if side is OrderSide.BUY else None,
    )


def buy(simulation: Simulation, kernel: Kernel) -> None:
    rng, market = simulation.rng, _market(simulation)
    token = rng.choice(market.token_ids)
    book = kernel.books.get(token)
    if book is None or not book.two_sided:
        return
    price = rng.choice((book.best_bid, book.best_ask, book.best_ask - market.tick))
    kind = rng.choice((OrderType.GTC, OrderType.GTC, OrderType.FAK, OrderType.FOK))
    post_only = kind is OrderType.GTC and price == book.best_bid
    size = rng.randrange(5, 40) * MICRO
    kernel.executor.submit(
        _signal(simulation, market, token, OrderSide.BUY, price, size, kind, post_only=post_only),
    )


def burst(simulation: Simulation, kernel: Kernel) -> None:
    """Several purchases in one turn: what the first has reserved, the second does not get."""
    for _ in range(4):
        buy(simulation, kernel)


def sell(simulation: Simulation, kernel: Kernel) -> None:
    rng = simulation.rng
    held = [p for p in kernel.portfolio.positions.open() if p.holding.settled >= 5 * MICRO]
    if not held:
        return
    position = rng.choice(held)
    market, book = kernel.markets.get(position.market_id), kernel.books.get(position.token_id)
    if market is None or book is None or not book.two_sided:
        return
    kind = rng.choice((OrderType.GTC, OrderType.FAK))
    size = rng.choice((position.holding.settled, 5 * MICRO))
    for _ in range(rng.choice((1, 1, 2))):
        price = rng.choice((book.best_bid, book.best_ask, book.best_ask + market.tick))
        kernel.executor.submit(
            _signal(simulation, market, position.token_id, OrderSide.SELL, price, size, kind, source=position.strategy)
        )


def replace(simulation: Simulation, kernel: Kernel) -> None:
    rng = simulation.rng
    resting = [own for own in kernel.portfolio.orders.open() if own.order.draft.order_type.rests]
    if not resting:
        return
    own = rng.choice(resting)
    draft = own.order.draft
    market = kernel.markets.get(draft.market.id) or draft.market
    price = draft.price + rng.choice((-1, 1)) * market.tick
    signal = _signal(
        simulation, market, draft.token_id, draft.side, price, draft.size, OrderType.GTC, source=draft.strategy
    )
    simulation.successors[signal.id] = (own.id, draft.size)
    kernel.executor.submit(
        Replace(id=simulation.world.ids.uuid(), source=draft.strategy, order_id=own.id, signal=signal)
    )


def cancel(simulation: Simulation, kernel: Kernel) -> None:
    open_orders = kernel.portfolio.orders.open()
    if open_orders:
        target = simulation.rng.choice(open_orders)
        kernel.executor.submit(Cancel(id=simulation.world.ids.uuid(), source="chaos", order_id=target.id))


def raced_cancel(simulation: Simulation, kernel: Kernel) -> None:
    """Cancel an order that somebody trades with while the cancel is on its way, now and then while the account channel is frozen."""
    world, resting = simulation.world, simulation.world.exchange.open_orders(TRADER)
    if resting:
        view = simulation.rng.choice(resting)
        if world.fault("frozen", 0.3):
            world.frozen_until = world.clock.monotonic() + 1.0
        kernel.executor.submit(Cancel(id=world.ids.uuid(), source="chaos", order_id=view.id))
        asyncio.get_running_loop().call_later(LATENCY * simulation.rng.uniform(0.1, 0.9), world.hit, view)


def group(simulation: Simulation, kernel: Kernel) -> None:
    for leg in basket(simulation.world, kernel):
        kernel.executor.submit(leg)


def command(simulation: Simulation, kernel: Kernel) -> None:
    """An operator's command; a halt comes while purchases are being written down."""
    if operators.command(simulation, kernel) in ("halt", "flatten"):
        burst(simulation, kernel)


ACTORS = [
    Actor("buy", 30, buy),
    Actor("burst", 6, burst),
    Actor("sell", 20, sell),
    Actor("replace", 14, replace),
    Actor("cancel", 12, cancel),
    Actor("raced cancel", 8, raced_cancel),
    Actor("group", 12, group),
    Actor("lift", 8, operators.lift),
    Actor("command", 10, command, "operator"),
    Actor("by hand", 5, outside.by_hand, "by hand"),
    Actor("resolve", 2, outside.resolve, "resolved"),
]
