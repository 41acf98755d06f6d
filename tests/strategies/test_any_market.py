"""Whatever a market does, strategies do not fail, and what they ask for is always allowed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.amounts import marketable_size
from domain.fees import FeeSchedule
from domain.order import Effect, OrderSide
from domain.ticks import TICK_SIZES, tick_size
from strategies.catalog import CATALOG
from strategies.single_leg import SingleLegStrategy
from tests.strategies.world import SECOND, World, a_market

SINGLE_LEGS = tuple(kind for kind in CATALOG.values() if issubclass(kind, SingleLegStrategy))
EAGER = {
    "max_holding": "20s",
    "cooldown": "1s",
    "max_positions": 1,
}
mids = st.integers(2, 98).map(lambda cents: cents / 100)
moves = st.one_of(
    st.tuples(st.just("quote"), mids, st.sampled_from([0.02, 0.04, 0.2]), st.sampled_from([8.0, 400.0])),
    st.tuples(st.just("calm"), mids, st.integers(1, 50)),
    st.tuples(st.just("trade"), st.sampled_from(["BUY", "SELL"]), st.integers(1, 2000)),
    st.tuples(st.just("crash"), mids, st.integers(10, 60)),
    st.tuples(st.just("crash"), st.sampled_from([0.5, 0.6]), st.integers(10, 30)),
    st.tuples(st.just("one side"), mids),
    st.tuples(st.just("gap")),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 3, 40])),
    st.tuples(st.just("fill"), st.integers(1, 100)),
    st.tuples(st.just("back in time")),
)


def carry_out(world, move):
    match move:
        case ("quote", mid, spread, size):
            world.quote(mid, spread, bids=size, asks=size)
        case ("calm", mid, times):
            for _ in range(times):
                world.wait(1)
                world.quote(mid)
        case ("crash", mid, cents):
            world.clock.ns += SECOND
            world.trade("SELL", 500, mid)
            world.quote(max(0.03, mid - cents / 100), bids=40.0)
        case ("trade", side, size):
            world.trade(side, size, 0.5)
        case ("one side", mid):
            world.show(world.yes, [(round(mid * 1e6) // 100_000 * 100_000, 100.0)], [])
        case ("gap",):
            world.books[world.yes].trusted = world.books[world.no].trusted = False
        case ("wait", seconds):
            world.wait(seconds)
        case ("fill", percent) if world.sent:
            signal = world.sent[-1]
            size = max(10_000, signal.size * percent // 100 // 10_000 * 10_000)
            if signal.side is OrderSide.BUY or size <= world.desk.available(signal.token_id, signal.source):
                world.fill(signal, size=size)
        case ("back in time",):
            world.clock.ns -= 3 * SECOND


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(TICK_SIZES)),
    st.sampled_from([0, 40_000, 70_000]),
    st.lists(moves, min_size=5, max_size=40),
)
def test_every_signal_obeys_the_venue_and_no_strategy_raises(tick, fee_rate, played):
    world = World(*SINGLE_LEGS, parameters=EAGER, markets=[a_market(tick=tick, fees=FeeSchedule(rate=fee_rate))])
    carry_out(world, ("calm", 0.6, 45))
    seen = 0
    for move in played:
        held = dict(world.desk.held)
        carry_out(world, move)
        for signal in world.sent[seen:]:
            assert tick_size(tick).contains(signal.price)
            assert signal.size >= world.market.min_size
            assert signal.reason
            if signal.side is OrderSide.BUY:
                assert signal.effect is Effect.OPEN
                assert marketable_size(signal.price, signal.size) == signal.size
                assert 1_000_000 <= signal.price * signal.size // 1_000_000 <= 10_000_000
            else:
                assert signal.effect is Effect.REDUCE
                assert signal.size <= held[signal.token_id, signal.source].settled
        seen = len(world.sent)
    assert {info.name: info.last_error for info in world.registry.list_info() if info.error_count} == {}
