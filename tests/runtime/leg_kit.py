"""Leg groups on a kernel over the simulated world: signals that belong together, offers of known size, and what became of both."""

from __future__ import annotations

import asyncio
from typing import Any

from domain.legs import LegPolicy
from domain.market import Market
from domain.money import MICRO
from domain.order import OrderSide, OrderType
from domain.signal import TradeSignal
from runtime.kernel import Kernel
from tests.runtime.kit import House, signal
from tests.sim.world import SIZE
from venues.exchange.commands import CancelOrders


def offer(house: House, market: Market, token: str, price: int, shares: int) -> None:
    """Let somebody offer whole shares at a price, as the only ask up to there."""
    house.world.place("noise", house.world._next_order_id("noise"), token, OrderSide.SELL, price, shares * SIZE, OrderType.GTC)  # fmt: skip


def clear(house: House, market: Market) -> None:
    """Take every quote of the agents away."""
    house.world.halted_agents = True
    orders = house.world._agent_orders.pop(market.condition_id, [])
    if orders:
        house.world.step(CancelOrders("maker", tuple(orders)))


def group_signals(
    kernel: Kernel, legs: list[tuple[Market, str, int]], policy: LegPolicy = LegPolicy.ALL_OR_NONE, *, size: int = 10,
    name: str = "g-1", **changes: Any,
) -> list[TradeSignal]:  # fmt: skip
    """Return purchases of `size` shares of each (market, token, price) that belong together."""
    metadata = {
        "leg_group_id": name,
        "leg_count": str(len(legs)),
        "leg_policy": policy.value,
        "arb_type": "rebalancing",
        "payoff": "1",
    }
    return [
        signal(
            kernel, market, token_id=token, price=price, size=size * MICRO, source="arb",
            metadata=metadata | changes.get("metadata", {}),
        )
        for market, token, price in legs
    ]  # fmt: skip


def submit(kernel: Kernel, signals: list[TradeSignal]) -> None:
    for each in signals:
        kernel.executor.submit(each)


def groups_on_disk(house: House) -> list[dict[str, Any]]:
    return house.world.tables.rows["leg_groups"]


async def over(house: House, name: str = "g-1", seconds: float = 20.0) -> dict[str, Any]:
    """Wait until a group has ended; returns its row."""
    for _ in range(round(seconds / 0.1)):
        for row in groups_on_disk(house):
            if row["name"] == name and row["state"] not in ("placing", "unwinding"):
                return row
        await asyncio.sleep(0.1)
    raise AssertionError(f"{name} did not end: {groups_on_disk(house)}")
