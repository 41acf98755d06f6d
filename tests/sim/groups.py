"""Leg groups in the simulation: baskets of two or three markets at the offers that stand, some of which nothing answers, and what must hold of them
at rest.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from typing import Any

from domain.legs import GroupState, LegPolicy
from domain.market import Market
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderType
from domain.signal import TradeSignal
from domain.ticks import SIZE_STEP
from runtime.kernel import Kernel
from tests.sim.world import World

STRATEGY = "basket"


def basket(world: World, kernel: Kernel) -> list[TradeSignal]:
    """Return the signals of a random group; now and then a price is too low, or a leg is missing."""
    rng, now = world.rng, world.clock.now_ns()
    tradable = [market for market in world.exchange.markets() if market.tradable]
    chosen = rng.sample(tradable, min(rng.choice((2, 2, 3)), len(tradable)))
    name, policy = world.ids.uuid(), rng.choice(list(LegPolicy))
    legs = []
    for market in chosen:
        token = rng.choice(market.token_ids)
        book = kernel.books.get(token)
        if book is None or not book.two_sided:
            return []
        low = rng.random() < 0.3
        legs.append((market, token, book.best_bid - market.tick if low else book.best_ask))
    size = rng.randrange(5, 40) * MICRO
    says = {
        "leg_group_id": name,
        "leg_count": str(len(legs)),
        "leg_policy": policy.value,
        "arb_type": "rebalancing",
        "payoff": "1.6",
    }
    signals = [_signal(world, leg, size, says, now) for leg in legs]
    return signals[:-1] if rng.random() < 0.1 else signals


def _signal(world: World, leg: tuple[Market, str, int], size: int, says: dict[str, str], now: int) -> TradeSignal:
    market, token, price = leg
    return TradeSignal(
        id=world.ids.uuid(),
        source=STRATEGY,
        market=market,
        token_id=token,
        side=OrderSide.BUY,
        price=min(max(price, market.tick), MICRO - market.tick),
        size=size,
        effect=Effect.OPEN,
        created_ns=now,
        expires_ns=now + 5_000_000_000,
        order_type=OrderType.FAK,
        metadata=says,
    )


def groups_wrong(
    rows: Iterable[dict[str, Any]],
    orders: Iterable[dict[str, Any]],
    halts: Iterable[dict[str, Any]],
    left: Container[str],
) -> list[str]:
    """Return what does not hold of the groups: an end, a truth that agrees with the fills, no residual unsaid, no second order for a leg.

    Where a group's row could not be written, those of its orders may have been, but none of them may be among those that `left`.
    """
    wrong = []
    halted = {row["target"] for row in halts}
    by_group: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for order in orders:
        if order["leg_group"]:
            by_group.setdefault(order["leg_group"], {}).setdefault(order["intent_id"], []).append(order)
    for row in rows:
        intents = by_group.pop(str(row["id"]), {})
        if not GroupState(row["state"]).over:
            wrong.append(f"group {row['id']} is still {row['state']}")
        wrong += [
            f"group {row['id']}: {len(each)} orders for {intent}" for intent, each in intents.items() if len(each) > 1
        ]
        wrong += _untrue(row, intents, halted)
    return wrong + [
        f"order {order['id'][:10]} left, its group {group} has no row"
        for group, intents in by_group.items()
        for each in intents.values()
        for order in each
        if order["id"] in left
    ]


def _untrue(row: dict[str, Any], intents: dict[str, list[dict[str, Any]]], halted: set[str]) -> list[str]:
    """Compare a group's row with what its orders were really filled."""
    legs = row["legs"] if isinstance(row["legs"], list) else json.loads(row["legs"])
    said = row["residual"] if isinstance(row["residual"], list) else json.loads(row["residual"])
    received = [sum(o["filled_units"] for o in intents.get(leg["intent_id"], [])) for leg in legs]
    out = [
        sum(o["filled_units"] for attempt in range(2) for o in intents.get(f"{row['id']}:{n}.{attempt}", []))
        for n in range(len(legs))
    ]
    sets = min(received)
    true = [got - sets - left for got, left in zip(received, out, strict=True)]
    wrong = [] if true == said else [f"group {row['id']} ({row['state']}) says residual {said}, its orders say {true}"]
    state = GroupState(row["state"])
    if (
        state is GroupState.FILLED
        and sets < row["size_units"] - SIZE_STEP
        and any(abs(each) >= SIZE_STEP for each in true)
    ):
        wrong.append(f"group {row['id']} is filled with {received}, {row['size_units']} were decided")
    if state is GroupState.FAILED:
        wrong += [
            f"group {row['id']}: {left} of {leg['token_id']} are left and {leg['market_id']} was never halted"
            for leg, left in zip(legs, true, strict=True)
            if abs(left) >= SIZE_STEP and leg["market_id"] not in halted
        ]
    return wrong
