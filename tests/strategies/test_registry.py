"""The life cycle: who may become what, and what happens when a strategy fails on the way."""

import pytest

from domain.errors import InvalidTransitionError
from domain.status import StrategyState
from strategies.parameters import ParameterError
from strategies.registry import ERROR_LIMIT, TRANSITIONS, UnknownStrategyError
from tests.strategies.toys import BadStart, BadStop, BookOnly, Raising, Recorder
from tests.strategies.world import SECOND, World


def state(world, name):
    return world.registry.get(name).state


def test_every_state_has_a_way_out_except_while_it_waits_to_be_started():
    assert set(TRANSITIONS) == set(StrategyState)
    reachable = set().union(*TRANSITIONS.values())
    assert reachable == set(StrategyState) - {StrategyState.PENDING}


def test_a_registered_strategy_is_pending_until_it_is_started():
    world = World()
    world.registry.add(Recorder("r", Recorder.parameters_type(), world.context), enabled=False)
    assert state(world, "r") is StrategyState.PENDING
    world.registry.start_enabled()
    assert state(world, "r") is StrategyState.PENDING
    world.registry.start("r")
    assert state(world, "r") is StrategyState.RUNNING
    world.registry.stop("r")
    assert state(world, "r") is StrategyState.STOPPED
    assert world.registry.get("r").strategy.events == ["start", "stop"]
    world.registry.start("r")
    assert state(world, "r") is StrategyState.RUNNING


def test_starting_twice_is_refused():
    world = World(Recorder)
    with pytest.raises(InvalidTransitionError, match="recorder is running, it cannot become initializing"):
        world.registry.start("recorder")


def test_stopping_what_does_not_run_is_refused():
    world = World(Recorder)
    world.registry.stop("recorder")
    with pytest.raises(InvalidTransitionError):
        world.registry.stop("recorder")


def test_a_name_is_registered_once_and_an_unknown_one_is_named():
    world = World(Recorder)
    with pytest.raises(ValueError, match="registered already"):
        world.registry.add(Recorder("recorder", Recorder.parameters_type(), world.context), enabled=True)
    with pytest.raises(UnknownStrategyError, match="'ghost' is not registered, known: recorder"):
        world.registry.get("ghost")


def test_a_strategy_that_cannot_start_ends_in_error_and_the_others_start():
    world = World(BadStart, Recorder)
    assert state(world, "bad_start") is StrategyState.ERROR
    assert world.registry.get("bad_start").info().last_error == "RuntimeError: no data"
    assert state(world, "recorder") is StrategyState.RUNNING


def test_a_failed_strategy_can_be_started_again():
    world = World(BadStart)
    world.registry.get("bad_start").strategy.broken = False
    world.registry.start("bad_start")
    assert state(world, "bad_start") is StrategyState.RUNNING


def test_raising_while_stopping_ends_in_error():
    world = World(BadStop)
    world.registry.stop_all()
    assert state(world, "bad_stop") is StrategyState.ERROR


def test_too_many_errors_stop_a_strategy():
    world = World(Raising, BookOnly)
    for _ in range(ERROR_LIMIT + 5):
        world.quote(0.5)
    info = world.registry.get("raising").info()
    assert (info.state, info.error_count) == (StrategyState.ERROR, ERROR_LIMIT)
    assert info.last_error == "RuntimeError: this strategy is broken"
    assert state(world, "book_only") is StrategyState.RUNNING


def test_rare_errors_do_not_stop_a_strategy():
    world = World(Raising)
    for _ in range(ERROR_LIMIT * 2):
        world.clock.ns += 7 * SECOND
        world.books[world.no].trusted = False
        world.show(world.yes, [(490_000, 10)], [(510_000, 10)])
    info = world.registry.get("raising").info()
    assert (info.state, info.error_count) == (StrategyState.RUNNING, ERROR_LIMIT * 2)


def test_switching_a_strategy_off_and_on_stops_and_starts_it():
    world = World(Recorder)
    world.registry.configure("recorder", {}, enabled=False)
    assert state(world, "recorder") is StrategyState.STOPPED
    assert world.registry.get("recorder").info().enabled is False
    world.registry.configure("recorder", {}, enabled=True)
    assert state(world, "recorder") is StrategyState.RUNNING


def test_wrong_parameters_change_nothing():
    world = World(Recorder, parameters={"size": 25})
    with pytest.raises(ParameterError, match=r"recorder.size was -1, allowed: a number from 1 to 100000"):
        world.registry.configure("recorder", {"size": -1}, enabled=False)
    info = world.registry.get("recorder").info()
    assert (info.state, info.enabled, info.parameters["size"]) == (StrategyState.RUNNING, True, 25.0)


def test_new_parameters_count_at_once_and_are_shown():
    world = World(Recorder)
    world.registry.configure("recorder", {"size": 30, "cooldown": "2m"}, enabled=True)
    shown = world.registry.list_info()[0].parameters
    assert (shown["size"], shown["cooldown"]) == (30.0, "2m")
    assert world.registry.get("recorder").strategy.events == ["start"]
