"""Rebalancing arbitrage: NO of every outcome is bought where that must pay more than it costs, and only then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.fees import FeeSchedule
from domain.legs import LegPolicy
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderType
from strategies.rebalancing_arb import RebalancingArb
from tests.strategies.world import SECOND, World, a_market
from trading.leg_accumulator import LegGroupAccumulator


def a_world(mids, *, event="e1", changes=None, quote=None, **parameters):
    """Return an event with one market at each YES price, quoted a cent to both sides, and told to the engine."""
    facts = {"neg_risk": True, "group_id": event} | (changes or {})
    markets = [a_market(number, **facts) for number in range(1, len(mids) + 1)]
    world = World(RebalancingArb, markets=markets, parameters=parameters)
    show(world, mids, **(quote or {}))
    return world


def show(world, mids, **quote):
    for market, mid in zip(world.markets, mids, strict=True):
        world.quote(mid, market=market, **quote)


def refusals_of(world):
    (registered,) = world.registry
    return registered.info().refusals


def test_no_of_every_outcome_is_bought_when_together_they_must_pay_more_than_they_cost():
    # YES bids 0.49, 0.34, 0.24: NO costs 0.51 + 0.66 + 0.76 = 1.93 and two of three pay at the least.
    world = a_world([0.50, 0.35, 0.25])

    assert {signal.token_id for signal in world.sent} == {"no1", "no2", "no3"}
    assert {signal.token_id: signal.price for signal in world.sent} == {"no1": 510_000, "no2": 660_000, "no3": 760_000}
    # The dearest leg may spend five dollars: 6.57 shares, of which whole ones are whole cents at every price.
    assert {signal.size for signal in world.sent} == {6 * MICRO}
    assert {(signal.side, signal.effect, signal.order_type) for signal in world.sent} == {
        (OrderSide.BUY, Effect.OPEN, OrderType.FOK)
    }
    (says,) = {tuple(sorted(signal.metadata.items())) for signal in world.sent}
    assert dict(says) | {"leg_group_id": ""} == {
        "leg_group_id": "",
        "leg_count": "3",
        "leg_policy": "all_or_none",
        "arb_type": "rebalancing",
        "payoff": "2",
        "gross_edge_bps": "700",
    }


async def test_what_it_says_of_the_group_is_what_the_trader_understands():
    complete, dropped = [], []
    accumulator = LegGroupAccumulator(
        gap=2.0, most=4, on_complete=complete.append, on_dropped=lambda *what: dropped.append(what)
    )
    for signal in a_world([0.50, 0.35, 0.25]).sent:
        accumulator.add(signal)

    assert dropped == []
    assert (complete[0].policy, complete[0].payoff, complete[0].edge_bps) == (LegPolicy.ALL_OR_NONE, 2 * MICRO, 700)


def test_a_fair_event_is_left_alone():
    assert a_world([0.50, 0.30, 0.20]).sent == []


def test_fees_are_part_of_what_a_set_costs():
    # 7 cents are left before fees; 4 % of p (1 − p) over three legs are 2.6 cents, so that 4.4 cents remain.
    fees = {"fees": FeeSchedule(rate=40_000)}
    assert a_world([0.50, 0.35, 0.25], changes=fees, min_edge_bps=435).sent
    assert a_world([0.50, 0.35, 0.25], changes=fees, min_edge_bps=450).sent == []


def test_an_outcome_without_a_book_is_left_out_and_the_others_count_for_themselves():
    world = a_world([0.50, 0.30, 0.15])
    assert world.sent == []
    world.books["no3"].trusted = False
    world.quote(0.62, market=world.markets[0])
    assert world.sent == []
    world.quote(0.50, market=world.markets[1])

    assert [signal.token_id for signal in world.sent] == ["no1", "no2"]
    assert {(signal.metadata["leg_count"], signal.metadata["payoff"]) for signal in world.sent} == {("2", "1")}


def test_an_old_book_is_no_offer():
    world = a_world([0.50, 0.30, 0.20])
    world.clock.ns += 6 * SECOND
    world.quote(0.62, market=world.markets[0])

    # Only the book that was just told is fresh: one leg is no set.
    assert world.sent == []


def test_an_event_whose_outcomes_may_all_happen_is_no_arbitrage():
    assert a_world([0.50, 0.35, 0.25], changes={"neg_risk": False}).sent == []
    assert a_world([0.50, 0.35, 0.25], changes={"group_id": None}).sent == []


def test_an_event_that_the_venue_does_not_call_exclusive_is_no_arbitrage_whatever_its_markets_say():
    world = a_world([0.50, 0.30, 0.20])
    world.inclusive.add("e1")
    world.wait(1)
    show(world, [0.50, 0.35, 0.25])
    assert world.sent == []
    world.inclusive.clear()
    world.wait(1)
    show(world, [0.50, 0.35, 0.25])

    assert len(world.sent) == 3


def test_markets_that_hold_taking_orders_back_are_left_out():
    assert a_world([0.50, 0.35, 0.25], changes={"taker_delay_ms": 3_000}).sent == []


def test_a_large_event_is_left_alone():
    assert a_world([0.50, 0.35, 0.25], max_group_size=2).sent == []
    assert a_world([0.50, 0.35, 0.25], max_group_size=3).sent


def test_offers_are_taken_no_deeper_than_the_smallest_order_needs():
    # Each level shows two shares; five are the least, so the third level is the limit, and six are offered up to it.
    world = a_world([0.50, 0.35, 0.25], quote={"bids": 8.0})

    assert {signal.token_id: signal.price for signal in world.sent} == {"no1": 530_000, "no2": 680_000, "no3": 780_000}
    assert {signal.size for signal in world.sent} == {6 * MICRO}


def test_too_little_on_offer_is_no_set():
    assert a_world([0.50, 0.35, 0.25], quote={"bids": 4.0}).sent == []


def test_what_is_too_small_for_the_venue_is_refused_and_counted():
    world = a_world([0.50, 0.35, 0.25], size_per_leg=1)

    assert world.sent == []
    assert refusals_of(world)["size under the minimum"] > 0


def test_an_event_cools_down_after_a_set():
    world = a_world([0.50, 0.35, 0.25])
    count = len(world.sent)
    show(world, [0.50, 0.35, 0.26])
    assert len(world.sent) == count
    world.wait(10.5)
    show(world, [0.50, 0.35, 0.25])

    assert len(world.sent) == 2 * count


@pytest.mark.parametrize(
    ("bounds", "gate"),
    [({"max_exposure": 20}, "most in the event reached"), ({"max_events": 1}, "most events reached")],
)
def test_what_is_held_is_bounded(bounds, gate):
    world = a_world([0.50, 0.35, 0.25], **bounds)
    for signal in world.sent:
        world.desk.fill(signal, at_ns=world.clock.ns)
    if "max_events" in bounds:
        for number, mid in enumerate([0.50, 0.35, 0.25], start=11):
            other = a_market(number, neg_risk=True, group_id="e2")
            world.add(other)
            world.wait(0.5)
            world.quote(mid, market=other)
    else:
        world.wait(10.5)
        show(world, [0.50, 0.35, 0.25])

    assert len(world.sent) == 3
    assert refusals_of(world)[gate] > 0


def test_a_market_that_closes_is_no_leg_any_more():
    world = a_world([0.50, 0.30, 0.20])
    for market in world.markets[:2]:
        world.engine.watch(replace(market, accepting_orders=False))
    world.wait(0.5)
    show(world, [0.90, 0.80, 0.70])

    assert world.sent == []


def test_signals_die_when_their_time_is_over():
    world = a_world([0.50, 0.35, 0.25], ttl_seconds=7)

    assert {signal.expires_ns - signal.created_ns for signal in world.sent} == {7 * SECOND}


def test_what_was_signalled_a_moment_ago_counts_among_the_events_that_are_held():
    facts = {"neg_risk": True}
    markets = [a_market(number, group_id=f"e{number // 4}", **facts) for number in range(1, 7) if number != 4]
    world = World(RebalancingArb, markets=markets, parameters={"max_events": 1})

    show(world, [0.50, 0.35, 0.25, 0.60, 0.55])

    assert {signal.market.group_id for signal in world.sent} == {"e0"}
    assert refusals_of(world)["most events reached"] > 0
