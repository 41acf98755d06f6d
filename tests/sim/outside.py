"""Somebody else with the same wallet: trades by hand, splits, merges, deposits and withdrawals that no trader decided on; and markets that resolve.

They happen to a wallet with cash to spare alone (`World.shared`), so that nothing a trader may promise is taken from under it. What was done by hand
is remembered (`World.by_hand`, `World.deposited`): the trader adopts it, and its books must say the same. Trades are told by the venue. Of the moves
and payouts that only balances tell of there is one in each run: two at once cannot be told apart.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from domain.market import Market
from domain.money import MICRO
from domain.order import OrderSide, OrderType
from runtime.kernel import Kernel
from tests.sim.world import TRADER, World
from trading.portfolio import EXTERNAL
from venues.exchange import commands as c

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

LEAST_CASH = 1_000 * MICRO
MOVED = 20 * MICRO
"""Dollars, or shares, that move at a time."""


def by_hand(simulation: Simulation, kernel: Kernel) -> None:
    """Do one thing that the trader is not told of before."""
    world, rng = simulation.world, simulation.world.roll("by hand")
    if not world.shared or world.exchange.balance(TRADER).settled < LEAST_CASH:
        return
    market = rng.choice([market for market in world.exchange.markets() if market.tradable])
    act = rng.choice((_buy, _buy, _rest, _sell, _sell, *_MOVES))
    if act not in _MOVES or not world.moved:
        done = act(world, kernel, market)
        world.moved = world.moved or (done and act in _MOVES)
        world.faults["by hand"] += done


def _buy(world: World, _: Kernel, market: Market) -> bool:
    token = world.roll("by hand").choice(market.token_ids)
    ask = world.exchange.best(token)[1]
    return bool(ask) and _order(world, token, OrderSide.BUY, ask, OrderType.FAK)


def _rest(world: World, _: Kernel, market: Market) -> bool:
    """Leave an order in the book: the trader takes it away."""
    price = world.exchange.best(market.token_ids[0])[0] - 2 * market.tick
    return price > market.tick and _order(world, market.token_ids[0], OrderSide.BUY, price, OrderType.GTC)


def _sell(world: World, kernel: Kernel, market: Market) -> bool:
    token = market.token_ids[0]
    bid = world.exchange.best(token)[0]
    position = kernel.portfolio.positions.get(token, EXTERNAL)
    held = position is not None and position.holding.settled >= MOVED
    return bool(bid) and held and _order(world, token, OrderSide.SELL, bid, OrderType.FAK)


def _order(world: World, token: str, side: OrderSide, price: int, kind: OrderType) -> bool:
    order_id = f"hand-{len(world.by_hand)}"
    world.by_hand.add(order_id)
    world.place(TRADER, order_id, token, side, price, MOVED, kind)
    return True


def _split(world: World, _: Kernel, market: Market) -> bool:
    world.step(c.Split(TRADER, market.condition_id, MOVED))
    return True


def _merge(world: World, kernel: Kernel, market: Market) -> bool:
    positions = [kernel.portfolio.positions.get(token, EXTERNAL) for token in market.token_ids]
    if not all(position is not None and position.holding.settled >= MOVED for position in positions):
        return False
    world.step(c.Merge(TRADER, market.condition_id, MOVED))
    return True


def _deposit(world: World, _: Kernel, __: Market) -> bool:
    world.step(c.Deposit(TRADER, MOVED))
    world.deposited += MOVED
    return True


def _withdraw(world: World, _: Kernel, __: Market) -> bool:
    world.step(c.Withdraw(TRADER, MOVED))
    world.deposited -= MOVED
    return True


_MOVES = (_split, _merge, _deposit, _withdraw)


def resolve(simulation: Simulation, _: Kernel) -> None:
    """Let a market resolve, and somebody redeem its shares a while later."""
    world, rng = simulation.world, simulation.world.roll("resolved")
    markets = [market for market in world.exchange.markets() if market.tradable]
    if not world.shared or world.moved:
        return
    market, world.moved = rng.choice(markets), True
    world.faults["resolved"] += 1
    world.step(c.Resolve(market.condition_id, rng.choice((0, 1, None))))
    asyncio.get_running_loop().call_later(rng.uniform(0.5, 10.0), world.step, c.RedeemAll(market.condition_id))
