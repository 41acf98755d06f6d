"""Flash crash: a swept and recovering price is traded, news, trends and doubtful data are not."""

from dataclasses import replace

import pytest

from domain.fees import FeeSchedule
from domain.order import Effect, OrderSide, OrderType
from domain.ticks import tick_size
from strategies.flash_crash import FlashCrash
from tests.strategies.world import SECOND, START, World, a_market

NAME = FlashCrash.kind


def crash(world, to=0.40, sold=350, bids=100.0, spread=0.02):
    world.clock.ns += SECOND
    if sold:
        world.trade("SELL", sold, 0.45)
    world.quote(to, spread, bids=bids)


def a_world(**options):
    world = World(FlashCrash, **options)
    world.calm()
    assert not world.sent
    return world


def bought(**options):
    world = a_world(**options)
    crash(world)
    world.fill()
    return world


def test_a_crash_is_bought_at_the_executable_price_with_the_numbers_in_its_reason():
    world = a_world()
    crash(world)
    (signal,) = world.sent
    assert (signal.side, signal.effect, signal.order_type) == (OrderSide.BUY, Effect.OPEN, OrderType.FAK)
    assert signal.token_id == world.yes
    assert 410_000 <= signal.price <= 420_000
    assert signal.price * signal.size // 1_000_000 <= 10_000_000
    assert signal.price * signal.size % 10_000_000_000 == 0
    assert (signal.take_profit, signal.stop_loss) == (510_000, 340_000)
    for number in ("0.63", "0.4", "0.62", "-44.8", "350", "400 → 100", "23.5"):
        assert number in signal.reason


def test_the_complement_of_a_spike_is_a_crash_too():
    world = a_world()
    world.clock.ns += SECOND
    world.trade("BUY", 350, 0.75)
    world.quote(0.84, asks=100.0)
    (signal,) = world.sent
    assert signal.token_id == world.no
    assert signal.price <= 180_000


def test_a_recovered_price_is_sold():
    world = bought()
    world.wait(3)
    world.quote(0.55)
    signal = world.sent[-1]
    assert (signal.side, signal.effect) == (OrderSide.SELL, Effect.REDUCE)
    assert signal.size == world.desk.available(world.yes, NAME)
    assert "recovered: bid 0.54 is 0.12 above the entry" in signal.reason


def test_a_sale_is_not_repeated_while_it_is_under_way():
    world = bought()
    world.wait(3)
    world.quote(0.55)
    world.quote(0.56)
    assert len(world.sent) == 2
    world.wait(2)
    world.quote(0.56)
    assert len(world.sent) == 3


def test_only_settled_shares_that_are_not_on_offer_are_sold():
    world = bought()
    key = (world.yes, NAME)
    position = world.desk.held[key]
    world.desk.held[key] = replace(position, settled=0, unsettled=position.settled)
    world.wait(3)
    world.quote(0.55)
    assert len(world.sent) == 1
    world.desk.held[key] = position
    world.desk.locked[world.yes] = position.settled
    world.quote(0.55)
    assert len(world.sent) == 1
    world.desk.locked.clear()
    world.quote(0.55)
    assert len(world.sent) == 2


def test_a_fall_that_does_not_recover_is_news_and_is_sold():
    world = bought(parameters={"recovery_timeout": "15s"})
    world.wait(10)
    world.quote(0.41)
    assert len(world.sent) == 1
    world.wait(6)
    assert world.sent[-1].side is OrderSide.SELL
    assert "news, not a crash" in world.sent[-1].reason


def test_a_confirmed_recovery_is_given_its_time():
    world = bought(parameters={"recovery_timeout": "15s", "max_holding": "60s", "recovery_target": 0.08})
    world.wait(5)
    world.quote(0.48)
    world.wait(30)
    assert len(world.sent) == 1
    world.wait(30)
    assert "the longest allowed" in world.sent[-1].reason


def test_a_slow_fall_is_not_a_crash():
    world = World(FlashCrash)
    world.calm()
    mid = 0.62
    for _ in range(30):
        mid -= 0.01
        world.wait(2)
        world.trade("SELL", 50, mid)
        world.quote(round(mid, 2), bids=100.0)
    assert not world.sent


def test_a_fall_without_a_sweep_is_news():
    world = a_world()
    crash(world, sold=0, bids=400.0)
    assert not world.sent
    assert world.refusals(NAME) == {"no sweep seen": 1}


def test_bids_that_vanish_without_trades_are_a_sweep_too():
    world = a_world()
    crash(world, sold=0, bids=100.0)
    assert len(world.sent) == 1


def test_a_spike_that_falls_back_to_normal_is_not_a_crash():
    world = a_world()
    world.wait(1)
    world.quote(0.76)
    world.wait(1)
    world.trade("SELL", 500, 0.65)
    world.quote(0.62, bids=100.0)
    assert not [signal for signal in world.sent if signal.token_id == world.yes]
    assert world.refusals(NAME)["within normal movement"] == 1


def test_a_drop_below_the_threshold_is_ignored():
    world = a_world()
    crash(world, to=0.54)
    assert not world.sent
    assert world.refusals(NAME) == {}


def test_the_drop_must_exceed_three_spreads():
    world = a_world(parameters={"max_spread": 0.10})
    crash(world, to=0.50, spread=0.06)
    assert not world.sent
    assert world.refusals(NAME) == {"drop small against tick or spread": 1}


def test_the_drop_must_exceed_five_ticks():
    world = World(FlashCrash, parameters={"drop_threshold": 0.02})
    world.calm()
    crash(world, to=0.59)
    assert not world.sent
    assert set(world.refusals(NAME)) == {"drop small against tick or spread"}


def test_a_wide_book_is_not_entered():
    world = a_world()
    crash(world, spread=0.06)
    assert not world.sent
    assert world.refusals(NAME) == {"spread too wide": 1}


def test_an_ask_that_did_not_follow_leaves_no_gain():
    world = a_world(parameters={"max_spread": 0.20, "min_drop_spreads": 0})
    world.clock.ns += SECOND
    world.trade("SELL", 400, 0.45)
    world.show(world.no, [(380_000, 100), (370_000, 100)], [(580_000, 30)], tell=False)
    world.show(world.yes, [(420_000, 30)], [(620_000, 100), (630_000, 100)])
    assert not world.sent
    assert world.refusals(NAME) == {"price leaves no gain": 1}


def test_one_sided_books_are_not_entered():
    world = a_world()
    world.clock.ns += SECOND
    world.trade("SELL", 400, 0.45)
    world.show(world.yes, [(390_000, 100)], [])
    world.show(world.yes, [], [(410_000, 100)])
    assert not world.sent


def test_a_complement_that_tells_another_story_stops_the_entry():
    world = a_world()
    world.clock.ns += SECOND
    world.trade("SELL", 400, 0.45)
    world.show(world.yes, [(390_000, 30)], [(410_000, 100)])
    assert not world.sent
    assert world.refusals(NAME) == {"complement disagrees": 1}


def test_a_complement_without_a_trusted_book_stops_the_entry():
    world = a_world()
    world.clock.ns += SECOND
    world.books[world.no].trusted = False
    world.show(world.yes, [(390_000, 30)], [(410_000, 100)])
    assert world.refusals(NAME) == {"complement's book missing": 1}


def test_a_stale_complement_stops_the_entry():
    world = a_world()
    world.clock.ns += SECOND
    world.show(world.no, [(590_000, 100)], [(610_000, 30)], tell=False)
    world.books[world.no].received_ns -= 6 * SECOND
    world.show(world.yes, [(390_000, 30)], [(410_000, 100)])
    assert not world.sent
    assert world.refusals(NAME) == {"book too old": 1}


@pytest.mark.parametrize("end_ns", [None, START + 120 * SECOND])
def test_markets_that_end_soon_or_nobody_knows_when_are_not_entered(end_ns):
    world = a_world(markets=[a_market(end_ns=end_ns)])
    crash(world)
    assert not world.sent
    assert world.refusals(NAME) == {"end too near or unknown": 1}


def test_too_little_history_stops_the_entry():
    world = World(FlashCrash)
    world.calm(times=2)
    crash(world)
    assert not world.sent
    assert world.refusals(NAME) == {"too little history": 1}


def test_a_jump_over_a_gap_is_not_a_crash():
    world = a_world()
    for token_id in world.market.token_ids:
        world.books[token_id].trusted = False
    world.wait(1)
    crash(world)
    assert not world.sent


def test_fees_of_both_ways_must_leave_the_target():
    free, dear = a_market(1), a_market(2, fees=FeeSchedule(rate=400_000))
    for market, entries in ((free, 1), (dear, 0)):
        world = a_world(markets=[market])
        crash(world, to=0.47)
        assert len(world.sent) == entries
    assert world.refusals(NAME) == {"price leaves no gain": 1}


def test_an_entry_is_not_repeated_while_it_is_open():
    world = bought()
    world.wait(1)
    world.quote(0.41, bids=100.0)
    assert len(world.sent) == 1


def test_a_missed_entry_cools_down_before_the_next():
    world = a_world(parameters={"cooldown": "20s"})
    crash(world)
    world.wait(6)
    world.quote(0.39, bids=100.0)
    assert len(world.sent) == 1
    assert world.refusals(NAME) == {"cooling down": 1}


@pytest.mark.protocol("9.14")
def test_an_entry_off_the_grid_is_quoted_again_once_the_market_was_read():
    world = a_world(parameters={"cooldown": "20s"})
    crash(world)
    world.engine.on_refused(NAME, world.yes, "off_grid")
    world.quote(0.40, bids=100.0)
    assert len(world.sent) == 1
    world.wait(1.1)
    world.engine.watch(a_market(tick=1_000))
    world.quote(0.39, bids=100.0)
    assert len(world.sent) == 2
    assert world.sent[1].market.tick == 1_000


def test_an_entry_refused_for_another_reason_cools_down():
    world = a_world(parameters={"cooldown": "20s"})
    crash(world)
    world.engine.on_refused(NAME, world.yes, "fak_not_filled")
    world.wait(6)
    world.quote(0.39, bids=100.0)
    assert len(world.sent) == 1


def test_an_order_of_unknown_fate_keeps_the_entry_open():
    world = a_world(parameters={"cooldown": "0s"})
    crash(world)
    world.desk.orders.add((world.yes, NAME))
    world.wait(20)
    world.quote(0.62)
    world.wait(60)
    crash(world)
    assert len(world.sent) == 1
    assert world.refusals(NAME)["market already held"] == 1


def test_a_fill_that_comes_late_is_taken_up_and_sold():
    world = a_world(parameters={"cooldown": "1h"})
    crash(world)
    late = world.sent[-1]
    world.wait(10)
    world.fill(late)
    world.wait(1)
    world.quote(0.55)
    assert world.sent[-1].side is OrderSide.SELL


def test_positions_of_an_earlier_run_are_taken_up():
    before = bought()
    world = World(FlashCrash)
    world.desk.held = before.desk.held
    world.clock.ns = before.clock.ns
    world.registry.stop_all()
    world.registry.start_enabled()
    world.quote(0.55)
    assert world.sent[-1].side is OrderSide.SELL


def test_no_more_positions_than_allowed():
    markets = [a_market(number) for number in (1, 2, 3)]
    world = World(FlashCrash, markets=markets, parameters={"max_positions": 2})
    for _ in range(6):
        for mid in (0.62, 0.61, 0.62, 0.63, 0.62, 0.61, 0.62):
            world.wait(1)
            for market in markets:
                world.quote(mid, market=market)
    world.clock.ns += SECOND
    for market in markets:
        world.quote(0.40, bids=100.0, market=market)
    assert len(world.sent) == 2
    assert world.refusals(NAME) == {"most positions reached": 1}


def test_dust_does_not_keep_a_token_from_being_traded_again():
    world = bought(parameters={"cooldown": "0s"})
    key = (world.yes, NAME)
    world.desk.held[key] = replace(world.desk.held[key], settled=2_000_000, cost=840_000)
    world.wait(1)
    world.calm()
    crash(world)
    assert len(world.sent) == 2


def test_an_entry_takes_no_more_than_is_offered():
    world = a_world()
    world.clock.ns += SECOND
    world.trade("SELL", 400, 0.45)
    world.quote(0.40, bids=100.0, asks=28.0)
    assert world.sent[-1].size == 14_000_000
    thin = a_world()
    thin.clock.ns += SECOND
    thin.trade("SELL", 400, 0.45)
    thin.quote(0.40, bids=100.0, asks=4.0)
    assert not thin.sent
    assert thin.refusals(NAME) == {"size under the minimum": 1}


@pytest.mark.parametrize("tick", [10_000, 5_000, 2_500, 1_000, 100])
def test_entries_fit_the_venues_grid_on_every_tick(tick):
    world = a_world(markets=[a_market(tick=tick)])
    crash(world)
    (signal,) = world.sent
    grid = tick_size(tick)
    assert grid.contains(signal.price)
    assert grid.contains(signal.take_profit)
    assert grid.contains(signal.stop_loss)
    assert signal.size % 10_000 == 0


def test_changed_parameters_act_on_the_next_book():
    world = a_world(parameters={"drop_threshold": 0.30})
    crash(world)
    assert not world.sent
    world.registry.configure(NAME, {"drop_threshold": 0.10}, enabled=True)
    world.quote(0.40, bids=100.0)
    assert len(world.sent) == 1


def test_a_resolved_market_is_let_go():
    world = bought()
    world.desk.held.clear()
    world.engine.on_resolution(world.market)
    world.wait(5)
    assert len(world.sent) == 1
    assert not world.registry.get(NAME).strategy._trades
