"""Mean reversion: quick noise is bought low and sold at the middle; trends, walks and jumps are not."""

import random

import pytest

from domain.fees import FeeSchedule
from domain.order import Effect, OrderSide
from strategies.mean_reversion import MeanReversion
from tests.strategies.world import SECOND, START, World, a_market

NAME = MeanReversion.kind


def play(world, mids, *, every=1.0, spread=0.004):
    for mid in mids:
        world.wait(every)
        world.quote(round(min(max(mid, 0.02), 0.98), 3), spread)


def noise(count, *, phi=0.3, sigma=0.012, around=0.5, seed=7):
    """A series that comes back to `around` within a step or two."""
    rng, deviation = random.Random(seed), 0.0
    for _ in range(count):
        deviation = phi * deviation + rng.gauss(0.0, sigma)
        yield around + deviation


def a_world(**options):
    options.setdefault("markets", [a_market(tick=1_000)])
    return World(MeanReversion, **options)


def quiet(world, count=120, **how):
    """Play noise that stays within one deviation of the middle."""
    play(world, (min(max(mid, 0.49), 0.51) for mid in noise(count, **how)))
    world.sent.clear()
    world.registry.get(NAME).strategy.refusals.clear()
    return world


def bought():
    world = quiet(a_world())
    play(world, [0.46])
    world.fill()
    return world


def test_a_far_but_not_absurd_deviation_below_the_middle_is_bought():
    world = quiet(a_world())
    play(world, [0.46])
    (signal,) = world.sent
    assert (signal.side, signal.effect, signal.token_id) == (OrderSide.BUY, Effect.OPEN, world.yes)
    assert signal.price <= 470_000
    for part in ("standard deviations below the middle", "half-life", "variance ratio", "mid 0.46"):
        assert part in signal.reason


def test_a_deviation_above_the_middle_is_bought_on_the_complement():
    world = quiet(a_world())
    play(world, [0.54])
    (signal,) = world.sent
    assert signal.token_id == world.no


def test_without_inventory_nothing_is_ever_sold():
    world = quiet(a_world())
    play(world, [0.54, 0.46, 0.54])
    assert {signal.side for signal in world.sent} == {OrderSide.BUY}


def test_the_way_back_is_sold_and_only_what_is_held():
    world = bought()
    held = world.desk.available(world.yes, NAME)
    play(world, [0.50])
    signal = world.sent[-1]
    assert (signal.side, signal.effect, signal.size) == (OrderSide.SELL, Effect.REDUCE, held)
    assert "back at the middle" in signal.reason


def test_the_opposite_deviation_is_sold_as_well():
    world = bought()
    play(world, [0.54])
    assert world.sent[-1].side is OrderSide.SELL


def test_a_position_that_does_not_come_back_is_sold_by_time():
    world = quiet(a_world(parameters={"max_holding": "20s"}))
    play(world, [0.46])
    world.fill()
    world.wait(19)
    assert len(world.sent) == 1
    world.wait(2)
    assert "the longest allowed" in world.sent[-1].reason


def test_a_jump_is_news_and_is_not_bought():
    world = quiet(a_world())
    play(world, [0.35])
    assert not world.sent
    assert world.refusals(NAME)["jump, not noise"] >= 1


@pytest.mark.parametrize(
    "fall", [lambda step: 0.002 * step, lambda step: 1e-5 * step**2], ids=["steady", "accelerating"]
)
def test_a_trend_is_not_bought(fall):
    world = a_world()
    play(world, (0.80 - fall(step) for step in range(200)))
    assert not world.sent


@pytest.mark.parametrize("seed", range(5))
def test_a_random_walk_is_hardly_ever_bought(seed):
    world = a_world(parameters={"cooldown": "0s"})
    rng, mid, mids = random.Random(seed), 0.5, []
    for _ in range(600):
        mid = min(max(mid + rng.gauss(0.0, 0.004), 0.1), 0.9)
        mids.append(mid)
    play(world, mids)
    walk = len(world.sent)
    reverting = a_world(parameters={"cooldown": "0s"})
    play(reverting, noise(600, seed=seed))
    assert len(reverting.sent) >= 10
    assert walk <= len(reverting.sent) / 5


def test_calm_before_the_deviation_gives_no_reason_to_expect_a_return():
    world = a_world()
    play(world, [0.5] * 120)
    play(world, [0.47])
    assert not world.sent
    assert world.refusals(NAME) == {"no reversion seen": 1}


def test_slow_reversion_is_not_bought():
    world = quiet(a_world(), phi=0.98, sigma=0.002, count=300)
    play(world, [0.46])
    assert not world.sent
    assert world.refusals(NAME) == {"reverts too slowly": 1}


def test_too_little_history_is_no_history():
    world = a_world()
    play(world, [*noise(50), 0.45])
    assert not world.sent


def test_fees_that_eat_the_way_back_stop_the_entry():
    world = quiet(a_world(markets=[a_market(tick=1_000, fees=FeeSchedule(rate=200_000))]))
    play(world, [0.46])
    assert not world.sent
    assert world.refusals(NAME) == {"price leaves no gain": 1}


def test_a_market_that_ends_before_it_reverts_is_not_entered():
    world = quiet(
        a_world(markets=[a_market(tick=1_000, end_ns=START + 130 * SECOND)], parameters={"min_time_to_end": "0s"})
    )
    play(world, [0.46])
    assert not world.sent
    assert world.refusals(NAME) == {"end too near or unknown": 1}


def test_a_wide_spread_stops_the_entry():
    world = quiet(a_world())
    play(world, [0.46], spread=0.06)
    assert not world.sent
    assert world.refusals(NAME) == {"spread too wide": 1}


def test_one_sided_books_are_not_entered():
    world = quiet(a_world())
    world.wait(1)
    world.show(world.yes, [(460_000, 100)], [])
    assert not world.sent


def test_a_wider_threshold_counts_from_the_next_book():
    world = quiet(a_world(parameters={"std_dev_threshold": 7.9}))
    play(world, [0.46])
    assert not world.sent
    world.registry.configure(NAME, {"std_dev_threshold": 2.0}, enabled=True)
    play(world, [0.46], every=0.5)
    assert len(world.sent) == 1
