"""The engine: who is called for what, and that one strategy's fault stays its own."""

from dataclasses import replace

import pytest
from structlog.testing import CapturingLogger

from domain.book import TradePrint
from domain.fill import Fill, FillKey, FillStatus, Liquidity
from domain.order import OrderSide
from domain.signal import Cancel, Replace
from domain.status import StrategyState
from tests.strategies.toys import BookOnly, Eager, Forgetful, Interrupted, Raising, Recorder, Requoting, Slow
from tests.strategies.world import SECOND, START, World, a_market


def strategy(world, name):
    return world.registry.get(name).strategy


def a_fill(strategy_name, world):
    return Fill(
        key=FillKey("t", "o"),
        account="sim:test",
        market_id=world.market.id,
        token_id=world.yes,
        side=OrderSide.BUY,
        price=500_000,
        size=10_000_000,
        fee=0,
        fee_rate=0,
        liquidity=Liquidity.TAKER,
        status=FillStatus.MATCHED,
        strategy=strategy_name,
        matched_ns=START,
    )


def test_every_kind_of_event_reaches_its_handler():
    world = World(Recorder)
    world.quote(0.5)
    world.trade("BUY", 10, 0.5)
    world.engine.on_timer()
    fill = a_fill("recorder", world)
    world.engine.on_fill(fill)
    world.engine.on_refused("recorder", world.yes, "off_grid")
    world.engine.on_refused("another", world.yes, "off_grid")
    world.engine.on_resolution(world.market)
    assert strategy(world, "recorder").events == [
        "start",
        ("book", world.yes),
        ("book", world.no),
        ("trade", world.yes),
        "timer",
        ("fill", fill),
        ("refused", world.yes, "off_grid"),
        ("resolution", world.market.id),
    ]


def test_a_strategy_without_a_handler_is_not_called_for_it():
    world = World(BookOnly)
    world.trade("BUY", 10, 0.5)
    world.engine.on_timer()
    world.engine.on_fill(a_fill("book_only", world))
    world.engine.on_resolution(world.market)
    assert world.registry.get("book_only").error_count == 0


def test_a_fill_concerns_only_the_strategy_that_ordered_it():
    world = World(Recorder)
    world.engine.on_fill(a_fill("somebody_else", world))
    assert strategy(world, "recorder").events == ["start"]


@pytest.mark.parametrize(
    ("bids", "asks"),
    [([(510_000, 10)], [(500_000, 10)]), ([(500_000, 10)], [(500_000, 10)])],
    ids=["crossed", "locked"],
)
def test_crossed_and_locked_books_are_nobodys_business(bids, asks):
    world = World(BookOnly)
    world.show(world.yes, bids, asks)
    assert strategy(world, "book_only").seen == 0
    assert world.engine.skipped_books == 1
    assert world.context.book(world.yes) is None


def test_books_with_a_gap_are_nobodys_business():
    world = World(BookOnly)
    world.show(world.yes, [(490_000, 10)], [(510_000, 10)], tell=False)
    world.books[world.yes].trusted = False
    world.engine.on_book(world.books[world.yes])
    assert strategy(world, "book_only").seen == 0
    assert world.context.book(world.yes) is None
    assert world.context.tracker.history(world.yes) is None


def test_depth_is_seen_net_of_our_own_orders():
    world = World(BookOnly)
    world.show(world.yes, [(490_000, 10), (480_000, 5)], [(510_000, 10)], tell=False)
    world.books[world.yes].set_own(OrderSide.BUY, 490_000, 10_000_000)
    assert world.context.book(world.yes).best_bid == 480_000


def test_one_sided_books_reach_strategies_but_not_the_price_history():
    world = World(BookOnly)
    world.show(world.yes, [(490_000, 10)], [])
    assert strategy(world, "book_only").seen == 1
    assert world.context.tracker.history(world.yes) is None


def test_events_of_unwatched_tokens_cost_nothing():
    world = World(Recorder)
    world.engine.unwatch(world.market)
    world.quote(0.5)
    world.trade("BUY", 10, 0.5)
    assert strategy(world, "recorder").events == ["start"]
    world.engine.on_trade(
        TradePrint(token_id="x", condition_id="y", side="BUY", price=1, size=1, venue_ms=0, received_ns=0)
    )


def test_a_raising_strategy_does_not_keep_others_from_their_events():
    world = World(Raising, BookOnly)
    world.quote(0.5)
    assert strategy(world, "book_only").seen == 2
    assert world.registry.get("raising").error_count == 2


@pytest.mark.parametrize("broken", [Forgetful, Interrupted])
def test_an_answer_that_cannot_be_read_is_the_strategys_error_and_nobody_elses(broken):
    world = World(broken, BookOnly)
    world.quote(0.5)
    assert strategy(world, "book_only").seen == 2
    assert world.registry.get(broken.kind).error_count == 2
    assert world.sent == []


def test_a_stopped_strategy_hears_nothing_and_a_started_one_hears_again():
    world = World(BookOnly)
    world.registry.stop("book_only")
    world.quote(0.5)
    assert strategy(world, "book_only").seen == 0
    world.registry.start("book_only")
    world.quote(0.5)
    assert strategy(world, "book_only").seen == 2


def test_intents_are_submitted_and_signals_are_counted():
    world = World(Eager)
    world.show(world.yes, [(490_000, 10)], [(510_000, 10)])
    signal, cancel = world.sent
    assert signal.source == "eager"
    assert isinstance(cancel, Cancel)
    info = world.registry.list_info()[0]
    assert (info.signals_sent, info.last_signal_ns) == (1, signal.created_ns)


def test_a_replacement_is_a_signal_too():
    world = World(Requoting)
    world.show(world.yes, [(490_000, 10)], [(510_000, 10)])
    (intent,) = world.sent
    assert isinstance(intent, Replace)
    info = world.registry.list_info()[0]
    assert (info.signals_sent, info.last_signal_ns) == (1, intent.signal.created_ns)


def test_a_failing_executor_is_counted_and_stops_no_strategy():
    world = World(Eager, BookOnly)

    def refuse(_intent):
        raise RuntimeError("executor is broken")

    world.engine._submit = refuse
    world.quote(0.5)
    assert world.engine.submit_errors == 4
    assert strategy(world, "book_only").seen == 2
    assert world.registry.get("eager").error_count == 0


def test_a_slow_strategy_is_counted_and_named_once_in_ten_minutes(monkeypatch):
    log = CapturingLogger()
    monkeypatch.setattr("strategies.engine.log", log)
    world = World(Slow, BookOnly, budget_seconds=0.002)
    for _ in range(3):
        world.quote(0.5)
    world.clock.ns += 599 * SECOND
    world.quote(0.5)
    world.clock.ns += 2 * SECOND
    world.quote(0.5)
    assert world.registry.get("slow").info().budget_overruns == 10
    assert world.registry.get("book_only").info().budget_overruns == 0
    assert [call.kwargs["overruns"] for call in log.calls if "time budget" in call.args[0]] == [1, 9]


def test_a_strategy_within_its_budget_is_not_reported():
    world = World(Slow, budget_seconds=0.006)
    world.quote(0.5)
    assert world.registry.get("slow").info().budget_overruns == 0


def test_strategies_get_only_markets_they_want():
    class Picky(BookOnly):
        kind = "picky"

        def wants(self, market):
            return market.category == "Sports"

    sport, crypto = a_market(1, category="Sports"), a_market(2, category="Crypto")
    world = World(Picky, markets=[sport, crypto])
    world.quote(0.5, market=sport)
    world.quote(0.5, market=crypto)
    assert strategy(world, "picky").seen == 2


def test_a_market_that_stops_trading_is_no_longer_offered():
    world = World(BookOnly)
    world.engine.watch(replace(world.market, accepting_orders=False))
    world.quote(0.5)
    assert strategy(world, "book_only").seen == 0


def test_history_is_forgotten_over_a_gap():
    world = World(BookOnly)
    world.quote(0.5)
    world.books[world.yes].trusted = False
    world.engine.on_timer()
    assert world.context.tracker.history(world.yes) is None
    assert world.context.tracker.history(world.no) is not None


def test_history_starts_again_when_the_clock_is_set_back():
    world = World(BookOnly)
    world.quote(0.5)
    world.clock.ns -= 5 * SECOND
    world.engine.on_timer()
    assert world.context.tracker.history(world.yes) is None


def test_a_strategy_that_fails_to_choose_markets_is_isolated():
    class Confused(BookOnly):
        kind = "confused"

        def wants(self, market):
            raise KeyError("category")

    world = World(Confused, BookOnly)
    world.quote(0.5)
    assert world.registry.get("confused").error_count >= 1
    assert strategy(world, "book_only").seen == 2
    assert world.registry.get("book_only").state is StrategyState.RUNNING
