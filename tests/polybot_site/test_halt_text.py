"""What an operator reads in the terminal after `manage.py halt`, `flatten` and `resume`."""

from __future__ import annotations

import pytest

from domain.halt import HaltScope
from polybot_site.halt_text import halt_lines

DONE = {"halted": True, "news": True, "durable": True, "open_after": 0, "confirmed": True}


def text(kind, result, scope=HaltScope.ALL, target="", status="done"):
    return "\n".join(halt_lines(kind, scope, target, status, result))


def test_a_halt_says_what_is_halted_and_that_nothing_of_it_is_open():
    assert text("halt", DONE) == "everything is halted: nothing opens new risk there\nno order of it is open"
    assert "market 7 was already halted" in text("halt", DONE | {"news": False}, HaltScope.MARKET, "7")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"confirmed": False}, "has not confirmed yet"),
        ({"open_after": 2}, "how 2 of them ended is still being read"),
        ({"durable": False}, "not stored yet"),
        ({"detail": "no trader runs"}, "no trader runs"),
    ],
)
def test_what_is_not_as_it_should_be_is_said(change, told):
    assert told in text("halt", DONE | change)


def test_a_flattening_says_what_was_sold_and_what_was_kept_and_why():
    sold = DONE | {
        "flatten": "flat",
        "slices": 3,
        "positions_left": 0,
        "waiting": {"7 Yes of manual": "too few shares"},
    }
    told = text("flatten", sold, HaltScope.STRATEGY, "manual")
    assert "3 sales; everything in it that can be sold is sold" in told
    assert "kept: 7 Yes of manual: too few shares" in told
    assert "not everything could be sold" in text("flatten", sold | {"flatten": "given up"})
    assert "goes on selling" in text("flatten", DONE | {"slices": 1, "waiting": {}}, status="pending")


def test_a_resumption_names_what_it_lifted():
    assert text("resume", {"halted": False}) == "the halt of everything is lifted"
    assert text("resume", {"halted": False}, target="daily_loss") == "the halt of daily_loss is lifted"


def test_a_trader_that_does_not_answer_is_said_to():
    assert "has not answered yet" in text("halt", {}, status="pending")
