"""What the venue takes now follows from its answers and ends by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reports import (
    CANCEL_ONLY,
    ENGINE_RESTARTING,
    OVER_BUDGET,
    POST_ONLY_MODE,
    RATE_LIMITED,
    TRADING_DISABLED,
    Policy,
    Trouble,
)
from trading.venue_state import AFTER_RESTART_SECONDS, LONGEST_PAUSE, MODE_SECONDS, VenueMode, VenueState

pytestmark = pytest.mark.protocol("3.5", "9.15")


def retry(code: str, after: float | None = None) -> Trouble:
    return Trouble(code=code, policy=Policy.RETRY_AFTER, retry_after=after)


def opens(state: VenueState, now: float, *, market: str = "m1", post_only: bool = False) -> bool:
    return not state.stops_opening(market, now, post_only=post_only)


def test_without_news_everything_is_taken() -> None:
    state = VenueState()
    assert (state.mode(0.0), state.text(0.0)) == (VenueMode.NORMAL, "normal")
    assert opens(state, 0.0)
    assert not state.stops_reducing(0.0)


def test_each_restarting_answer_pauses_twice_as_long_up_to_thirty_seconds() -> None:
    state, now, pauses = VenueState(), 100.0, []
    for _ in range(8):
        state.note(retry(ENGINE_RESTARTING), now)
        ends = next(now + step for step in (1, 2, 4, 8, 16, 30, 60) if state.mode(now + step) is not VenueMode.PAUSED)
        pauses.append(ends - now)
        now = ends
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_answers_to_requests_that_left_before_the_pause_do_not_lengthen_it() -> None:
    state = VenueState()
    for _ in range(10):
        state.note(retry(ENGINE_RESTARTING), 100.0)
    assert state.mode(101.0) is not VenueMode.PAUSED


def test_the_venues_own_time_to_wait_counts_when_it_is_longer() -> None:
    state = VenueState()
    state.note(retry(ENGINE_RESTARTING, 12.0), 100.0)
    assert state.mode(111.9) is VenueMode.PAUSED
    assert state.mode(112.0) is not VenueMode.PAUSED


def test_after_a_restart_nothing_is_taken_from_the_book_for_two_minutes() -> None:
    state = VenueState()
    assert state.note(retry(ENGINE_RESTARTING), 100.0) is VenueMode.PAUSED
    assert not opens(state, 100.5, post_only=True)
    for now in (101.0, 101.0 + AFTER_RESTART_SECONDS - 0.1):
        assert opens(state, now, post_only=True)
        assert not opens(state, now)
    assert opens(state, 101.0 + AFTER_RESTART_SECONDS)


def test_an_order_that_is_taken_makes_the_next_pause_short_again() -> None:
    state = VenueState()
    for now in (100.0, 101.0, 103.0):
        state.note(retry(ENGINE_RESTARTING), now)
    state.served(107.0)
    state.note(retry(ENGINE_RESTARTING), 110.0)
    assert state.mode(111.0) is not VenueMode.PAUSED


def test_a_post_only_window_lets_resting_orders_through_and_ends_when_the_venue_says() -> None:
    state = VenueState()
    assert state.note(retry(POST_ONLY_MODE, 20.0), 100.0) is VenueMode.POST_ONLY
    assert opens(state, 119.0, post_only=True)
    assert not opens(state, 119.0)
    assert opens(state, 120.0)


def test_a_budget_of_our_own_that_is_used_up_pauses_for_just_as_long_as_it_says() -> None:
    state = VenueState()
    for now in (100.0, 100.5, 101.0):
        state.note(retry(OVER_BUDGET, 0.4), now)
        assert not opens(state, now + 0.3)
        assert opens(state, now + 0.41)


@pytest.mark.parametrize("code", [CANCEL_ONLY, TRADING_DISABLED])
def test_a_mode_without_an_end_is_tried_again_after_a_while(code: str) -> None:
    state = VenueState()
    state.note(retry(code), 100.0)
    assert not opens(state, 100.0 + MODE_SECONDS - 1, post_only=True)
    assert opens(state, 100.0 + MODE_SECONDS)


@pytest.mark.parametrize("code", [POST_ONLY_MODE, CANCEL_ONLY, TRADING_DISABLED, RATE_LIMITED])
def test_reducing_is_tried_in_every_mode_whose_refusal_is_proof(code: str) -> None:
    state = VenueState()
    state.note(retry(code), 100.0)
    assert state.mode(100.5) is not VenueMode.NORMAL
    assert not state.stops_reducing(100.5)


def test_reducing_waits_while_the_engine_restarts_because_its_answers_prove_nothing() -> None:
    state = VenueState()
    state.note(retry(ENGINE_RESTARTING), 100.0)
    assert "engine_restarting" in state.stops_reducing(100.5)
    assert not state.stops_reducing(101.0)


def test_other_policies_change_nothing() -> None:
    state = VenueState()
    for policy in Policy:
        if policy is not Policy.RETRY_AFTER:
            assert state.note(Trouble(code=ENGINE_RESTARTING, policy=policy), 1.0) is None
    assert state.mode(1.0) is VenueMode.NORMAL


def test_a_mode_is_news_once() -> None:
    state = VenueState()
    assert state.note(retry(CANCEL_ONLY), 100.0) is VenueMode.CANCEL_ONLY
    assert state.note(retry(CANCEL_ONLY), 100.1) is None


def test_a_hold_stops_opening_where_it_stands_until_it_is_released() -> None:
    state = VenueState()
    state.hold("resync", "m1 is read again", "m1")
    assert state.stops_opening("m1", 0.0, post_only=True) == "m1 is read again"
    assert opens(state, 0.0, market="m2")
    state.hold("heartbeat", "heartbeats stopped")
    assert not opens(state, 0.0, market="m2")
    assert not state.stops_reducing(0.0)
    assert state.text(0.0) == "m1 is read again; heartbeats stopped"
    state.release("heartbeat")
    state.release("resync", "m1")
    state.release("resync", "m1")
    assert opens(state, 0.0)
    assert state.text(0.0) == "normal"


def test_the_text_says_what_and_for_how_long() -> None:
    state = VenueState()
    state.note(retry(POST_ONLY_MODE, 90.0), 100.0)
    assert state.text(130.0) == "post-only for 60 s more (post_only_mode)"


codes = st.sampled_from([POST_ONLY_MODE, CANCEL_ONLY, TRADING_DISABLED, RATE_LIMITED, ENGINE_RESTARTING, "unavailable"])


@given(st.lists(st.tuples(codes, st.none() | st.floats(0, 3600), st.floats(0, 60)), max_size=12))
def test_every_mode_ends_by_itself(news: list[tuple[str, float | None, float]]) -> None:
    state, now = VenueState(), 0.0
    for code, after, passes in news:
        now += passes
        state.note(retry(code, after), now)
    later = now + 3600 + AFTER_RESTART_SECONDS + LONGEST_PAUSE
    assert state.mode(later) is VenueMode.NORMAL
    assert opens(state, later)
    assert not state.stops_reducing(later)
