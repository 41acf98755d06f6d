"""Leg groups in the simulation: baskets of two or three markets at the offers that stand, some of which nothing answers, and what must hold of them
at rest.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from domain.fill import FillStatus
from domain.legs import GroupState, LegPolicy
from domain.market import Market
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderType
from domain.signal import TradeSignal
from domain.ticks import SIZE_STEP
from runtime.kernel import Kernel
from tests.sim.world import World
from trading.leg_settings import LegSettings

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

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


def groups_end(simulation: Simulation, _: Kernel) -> Iterator[str]:
    """Every group has an end that agrees with its fills, no residual is unsaid, no leg has a second order.

    Where a group's row could not be written, those of its orders may have been, but none of them may have left.
    """
    halts = simulation.rows("halts")
    by_group: defaultdict[str, defaultdict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for order in simulation.rows("orders"):
        if order["leg_group"]:
            by_group[order["leg_group"]][order["intent_id"]].append(order)
    for row in simulation.rows("leg_groups"):
        intents: Mapping[str, list[dict[str, Any]]] = by_group.pop(str(row["id"]), {})
        if not GroupState(row["state"]).over:
            yield f"group {row['id']} is still {row['state']}"
        for intent, each in intents.items():
            if len(each) > 1:
                yield f"group {row['id']}: {len(each)} orders for {intent}"
        yield from _untrue(row, intents, halts)
        cost = _unwinding_cost(simulation, row, (order for each in intents.values() for order in each))
        if cost > LegSettings().max_unwind_loss:
            yield f"group {row['id']}: buying out of it cost {cost}"
    for group, unwritten in by_group.items():
        for order in (order for each in unwritten.values() for order in each):
            if order["id"] in simulation.witness.left:
                yield f"order {order['id'][:10]} left, its group {group} has no row"


def _untrue(
    row: dict[str, Any], intents: Mapping[str, list[dict[str, Any]]], halts: list[dict[str, Any]]
) -> Iterator[str]:
    """Compare a group's row with what its orders were really filled."""
    legs, said, name = json_of(row["legs"]), json_of(row["residual"]), f"group {row['id']} ({row['state']})"
    received = [sum(o["filled_units"] for o in intents.get(leg["intent_id"], [])) for leg in legs]
    out = [
        sum(o["filled_units"] for attempt in range(2) for o in intents.get(f"{row['id']}:{n}.{attempt}", []))
        for n in range(len(legs))
    ]
    sets = min(received)
    true = [got - sets - left for got, left in zip(received, out, strict=True)]
    if true != said:
        yield f"{name} says residual {said}, its orders say {true}"
    equal, state = all(abs(each) < SIZE_STEP for each in true), GroupState(row["state"])
    if state is GroupState.FILLED and (any(out) or not sets or not (equal or sets > row["size_units"] - SIZE_STEP)):
        yield f"{name} received {received} and bought {out} to leave, {row['size_units']} were decided"
    if state is GroupState.CANCELLED and any(received + out):
        yield f"{name} received {received} and bought {out}"
    if state is GroupState.PARTIAL and not LegPolicy(row["policy"]).keeps_partials:
        yield f"{name} keeps a part, its policy is {row['policy']}"
    if state is GroupState.FAILED:
        for leg, left in zip(legs, true, strict=True):
            if abs(left) >= SIZE_STEP and not _stopped(leg["market_id"], row, halts):
                yield f"{name}: {left} of {leg['token_id']} are left and {leg['market_id']} was not halted"


def _stopped(market_id: str, row: dict[str, Any], halts: list[dict[str, Any]]) -> bool:
    """Tell whether a market was halted for what is left of a group, or for another reason that stood when that was found."""
    return any(
        each["target"] == market_id
        and (row["name"] in each["reason"] or each["lifted_at"] is None or each["lifted_at"] >= row["updated_at"])
        for each in halts
    )


def _unwinding_cost(simulation: Simulation, row: dict[str, Any], orders: Iterable[dict[str, Any]]) -> int:
    """Return what buying out of a group cost beyond the dollar of each pair; nothing is said of one in which a settlement failed afterwards."""
    by_order: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for fill in simulation.rows("fills"):
        by_order[fill["order_id"]].append(fill)
    fills = {order["intent_id"]: by_order[order["id"]] for order in orders}
    if any(fill["status"] == FillStatus.FAILED for each in fills.values() for fill in each):
        return 0
    cost = 0
    for number, leg in enumerate(json_of(row["legs"])):
        bought = fills.get(leg["intent_id"], [])
        out = [fill for attempt in range(2) for fill in fills.get(f"{row['id']}:{number}.{attempt}", [])]
        shares = sum(fill["size_units"] for fill in out)
        if shares and bought:
            paid = sum(fill["price_ticks"] * fill["size_units"] for fill in bought)
            entry = paid * shares // sum(fill["size_units"] for fill in bought)
            exits = sum(fill["price_ticks"] * fill["size_units"] + fill["fee_units"] * MICRO for fill in out)
            cost += (entry + exits) // MICRO - shares
    return cost


def json_of(column: Any) -> Any:
    """PostgreSQL's driver has read JSON already; the disk in memory keeps its text."""
    return json.loads(column) if isinstance(column, str) else column
