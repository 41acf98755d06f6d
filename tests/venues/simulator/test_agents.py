"""The agents that make trading hard: one who knows what is coming, and rivals who are always a tick ahead."""

from __future__ import annotations

import pytest

from domain.ticks import tick_size
from tests.venues.exchange.invariants import check_all
from venues.exchange.events import OrderPlaced, TradeMatched, TradeView
from venues.simulator.agents.cast import agent_address
from venues.simulator.inputs import Tick
from venues.simulator.world.world import Genesis, World

START_NS = 1_790_000_000_000_000_000
VENUE = "agents"
RIVALS = (agent_address(VENUE, "rival"), agent_address(VENUE, "other rival"))
INFORMED = agent_address(VENUE, "informed")
LATER_STEPS = 60


class Watched:
    """Two minutes of a world in steps of a tenth of a second."""

    def __init__(self) -> None:
        self.world = World(Genesis(venue_id=VENUE, secret="s", seed=11, started_ns=START_NS, speed=2.0))
        self.informed: list[tuple[int, TradeView]] = []
        self.mids: list[dict[str, float]] = []
        self.undercuts = 0
        self.rival_orders: list[dict[str, int]] = []
        now = START_NS
        for step in range(1200):
            now += 100_000_000
            before = self.best()
            for event in self.world.apply(now, Tick(0)):
                if isinstance(event, TradeMatched) and event.trade.account == INFORMED:
                    self.informed.append((step, event.trade))
                elif isinstance(event, OrderPlaced) and event.order.account in RIVALS:
                    order = event.order
                    tick = tick_size(self.world.exchange.market(order.condition_id).tick).micros
                    bid, ask = before.get(order.token_id, (0, 0))
                    self.undercuts += order.price in (bid + tick, ask - tick)
            self.mids.append({token: (bid + ask) / 2e6 for token, (bid, ask) in self.best().items()})
            counts: dict[str, int] = {}
            for rival in RIVALS:
                for order in self.world.exchange.open_orders(rival):
                    counts[order.condition_id] = counts.get(order.condition_id, 0) + 1
            self.rival_orders.append(counts)

    def best(self) -> dict[str, tuple[int, int]]:
        exchange = self.world.exchange
        return {
            token: exchange.best(token) for listing in self.world.listings.open() for token in listing.spec.token_ids
        }


@pytest.fixture(scope="module")
def watched() -> Watched:
    return Watched()


def test_the_informed_trader_buys_what_is_worth_more_moments_later(watched):
    gains = [
        watched.mids[step + LATER_STEPS][trade.token_id] - trade.price / 1e6
        for step, trade in watched.informed
        if step + LATER_STEPS < len(watched.mids) and trade.token_id in watched.mids[step + LATER_STEPS]
    ]
    assert len(gains) >= 10
    # Other news may strike in between; on the whole it knew.
    assert sum(gain > 0 for gain in gains) > 2 / 3 * len(gains)
    assert sum(gains) / len(gains) > 0.01


def test_rivals_race_each_other_by_a_tick_and_keep_an_edge(watched):
    assert watched.undercuts > 100
    rivals = {account: watched.world.exchange.orders(account) for account in RIVALS}
    assert all(rivals.values())


def test_rivals_leave_a_market_that_the_informed_trader_hits(watched):
    hit = [
        (step, trade.condition_id)
        for step, trade in watched.informed
        if watched.rival_orders[step].get(trade.condition_id) and step + 10 < len(watched.rival_orders)
    ]
    assert hit
    assert all(condition not in watched.rival_orders[step + 5] for step, condition in hit)


def test_value_is_conserved_through_all_of_it(watched):
    check_all(watched.world.exchange)
    assert set(watched.world.floor.refusals) <= {"fak_not_filled"}
