"""The agents' doing as a whole: prices that fall and come back, news, noise, and books fit to trade on."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from venues.exchange.events import BookChanged, CommandRefused, TradeMatched
from venues.simulator.inputs import Tick
from venues.simulator.world.world import Genesis, World

START_NS = 1_790_000_000_000_000_000


class Recording:
    """Some minutes of a world: what happened, and each market's YES mid every quarter of a second."""

    def __init__(self, seed: int, seconds: int) -> None:
        self.world = World(Genesis(venue_id="recorded", secret="s", seed=seed, started_ns=START_NS))
        self.kinds: Counter[type] = Counter()
        self.mids: dict[str, list[float]] = {}
        self.spreads: list[float] = []
        now = START_NS
        for _ in range(seconds * 4):
            now += 250_000_000
            self.kinds.update(type(event) for event in self.world.apply(now, Tick(0)))
            if now < START_NS + 12 * 10**9:
                continue
            for listing in self.world.listings.open():
                bid, ask = self.world.exchange.best(listing.spec.token_ids[0])
                self.spreads.append((ask - bid) / 1e6)
                self.mids.setdefault(listing.spec.condition_id, []).append((bid + ask) / 2e6)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return Recording(seed=3, seconds=240)


def crashes(mids: list[float]) -> list[bool]:
    """Return for each move of 10 cents within 2 seconds whether half of it was taken back within 20 seconds."""
    found, skip = [], 0
    for index in range(8, len(mids) - 80):
        move = mids[index] - mids[index - 8]
        if abs(move) >= 0.10 and index >= skip:
            back = [mids[index - 8] - later for later in mids[index : index + 80]]
            found.append(min(abs(rest) for rest in back) <= abs(move) / 2)
            skip = index + 80
    return found


def test_crashes_are_frequent_and_most_but_not_all_revert(recording):
    outcomes = [outcome for mids in recording.mids.values() for outcome in crashes(mids)]
    reverted, stayed = outcomes.count(True), outcomes.count(False)
    assert reverted >= 8
    assert stayed >= 2
    assert reverted > stayed


def test_books_are_tight_two_sided_and_busy(recording):
    tight = sum(spread <= 0.04 for spread in recording.spreads) / len(recording.spreads)
    assert tight > 0.95
    assert min(recording.spreads) > 0
    assert 240 * 60 < recording.kinds[BookChanged] < 240 * 500
    assert recording.kinds[TradeMatched] > 240
    assert recording.kinds[CommandRefused] == 0


def test_agents_are_refused_nothing_but_what_movement_explains(recording):
    assert set(recording.world.floor.refusals) <= {"fak_not_filled"}


def test_prices_also_move_without_crashes(recording):
    moved = [sum(left != right for left, right in pairwise(mids)) for mids in recording.mids.values()]
    assert sum(count > 20 for count in moved) >= 30


def test_outcomes_of_an_exclusive_event_sum_to_about_one(recording):
    world = recording.world
    sums = []
    for event in world.listings.events.values():
        listings = world.listings.of_event(event.id)
        if event.neg_risk_market_id and not any(listing.closed for listing in listings):
            sums.append(sum(sum(world.exchange.best(one.spec.token_ids[0])) / 2e6 for one in listings))
    assert sums
    assert all(0.6 < total < 1.4 for total in sums)


def test_the_same_seed_gives_the_same_venue_and_another_seed_another():
    first, same, other = (Recording(seed, 20).world.exchange.state_hash() for seed in (5, 5, 6))
    assert first == same != other


def test_memory_is_bounded(recording):
    exchange = recording.world.exchange
    remembered = sum(len(exchange.orders(account)) for account in exchange.accounts())
    assert remembered < 20_000


def test_markets_that_were_paid_out_leave_the_exchange_and_stay_listed():
    world = World(Genesis(venue_id="v", secret="s", seed=1, started_ns=START_NS, speed=0.1))
    for step in range(15 * 60):
        world.apply(START_NS + step * 10**9, Tick(0))
    paid_out = world.now_ns - 90 * 10**9
    over = [one for one in world.listings.markets.values() if one.closed_ns is not None and one.closed_ns < paid_out]
    assert over
    assert all(world.exchange.market(one.spec.condition_id) is None for one in over)
    assert {market.condition_id for market in world.exchange.markets() if market.tradable} == {
        one.spec.condition_id for one in world.listings.open()
    }


def test_speed_multiplies_the_agents_activity():
    def changes(speed: float) -> int:
        world = World(Genesis(venue_id="v", secret="s", seed=1, started_ns=START_NS, speed=speed))
        count = 0
        for step in range(1, 200):
            count += sum(isinstance(event, BookChanged) for event in world.apply(START_NS + step * 10**8, Tick(0)))
        return count

    assert changes(3.0) > 1.5 * changes(1.0)
