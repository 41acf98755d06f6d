"""Legs that belong together: complete in time, or dropped whole with the reason; never more groups than are allowed."""

from __future__ import annotations

import asyncio

import pytest

from domain.money import MICRO
from tests.sim.virtual_time import VirtualClock
from tests.trading import factories as f
from tests.waiting import virtual
from trading.leg_accumulator import Collected, LegGroupAccumulator

SAYS = {"leg_group_id": "g", "leg_count": "2", "leg_policy": "all_or_none", "arb_type": "rebalancing"}


class Heard:
    """An accumulator and what it told."""

    def __init__(self, *, most: int = 4) -> None:
        self.complete: list[Collected] = []
        self.dropped: list[tuple[str, str]] = []
        self.accumulator = LegGroupAccumulator(
            gap=2.0,
            most=most,
            on_complete=self.complete.append,
            on_dropped=lambda name, signals, code, reason: self.dropped.append((code, reason)),
        )

    def add(self, token: str = "1001", *, source: str = "arb", id: str = "", **says: str) -> None:  # noqa: A002
        named = {"id": id} if id else {}
        self.accumulator.add(f.signal(token_id=token, source=source, metadata=SAYS | says, **named))


@virtual
async def test_a_group_is_complete_with_its_last_leg(clock: VirtualClock) -> None:
    heard = Heard()
    heard.add("1001", payoff="2", gross_edge_bps="120", opp_id="o-1")
    await asyncio.sleep(1.9)
    heard.add("2001", payoff="2", gross_edge_bps="120", opp_id="o-1")
    await asyncio.sleep(5.0)

    (group,) = heard.complete
    assert [signal.token_id for signal in group.signals] == ["1001", "2001"]
    assert (group.payoff, group.edge_bps, group.opportunity_id) == (2 * MICRO, 120, "o-1")
    assert heard.dropped == []
    assert len(heard.accumulator) == 0


@virtual
async def test_a_group_that_lacks_a_leg_is_dropped_when_its_time_is_over(clock: VirtualClock) -> None:
    heard = Heard()
    heard.add()
    await asyncio.sleep(2.1)
    heard.add("2001")

    assert [code for code, _ in heard.dropped] == ["incomplete", "late"]
    assert heard.complete == []
    assert heard.accumulator.counters == {"dropped_incomplete": 1, "dropped_late": 1}


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ({"leg_count": "16"}, "expected 2 to 15"),
        ({"leg_count": "1"}, "expected 2 to 15"),
        ({"leg_count": "-2"}, "expected 2 to 15"),
        ({"leg_count": "²"}, "expected 2 to 15"),
        ({"leg_count": ""}, "expected 2 to 15"),
        ({"leg_policy": "some"}, "all_or_none"),
        ({"arb_type": "magic"}, "rebalancing"),
        ({"payoff": "NaN"}, "payoff"),
        ({"payoff": "0.0000001"}, "payoff"),
        ({"gross_edge_bps": "much"}, "gross_edge_bps"),
        ({"leg_group_id": "x" * 81}, "81 characters"),
        ({"leg_group_id": ""}, "0 characters"),
    ],
)
@virtual
async def test_a_leg_that_says_nonsense_of_its_group_is_dropped(clock: VirtualClock, says, reason) -> None:
    heard = Heard()
    heard.add(**says)

    ((code, text),) = heard.dropped
    assert code == "invalid"
    assert reason in text


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ({"token": "2001", "leg_policy": "sequential"}, "differ in leg_policy"),
        ({"token": "2001", "leg_count": "3"}, "differ in leg_count"),
        ({"token": "2001", "payoff": "3"}, "differ in payoff"),
        ({"token": "1001"}, "two legs are in one token"),
        ({"token": "2001", "id": "same"}, "one signal came twice"),
    ],
)
@virtual
async def test_legs_that_contradict_each_other_drop_their_group(clock: VirtualClock, second, reason) -> None:
    heard = Heard()
    heard.add(id="same")
    heard.add(**second)

    assert heard.complete == []
    assert reason in heard.dropped[0][1]


@virtual
async def test_groups_of_two_strategies_may_bear_the_same_name(clock: VirtualClock) -> None:
    heard = Heard()
    for source in ("arb", "other"):
        heard.add("1001", source=source)
        heard.add("2001", source=source)

    assert len(heard.complete) == 2


@virtual
async def test_the_number_of_groups_that_are_collected_is_bounded(clock: VirtualClock) -> None:
    heard = Heard(most=2)
    for name in ("a", "b", "c"):
        heard.add(leg_group_id=name)

    assert len(heard.accumulator) == 2
    assert heard.dropped == [("busy", "2 groups are being collected")]


@virtual
async def test_a_cancel_drops_everything_that_is_collected(clock: VirtualClock) -> None:
    heard = Heard()
    heard.add(leg_group_id="a")
    heard.add(leg_group_id="b")

    assert heard.accumulator.cancel("the trader stops") == 2
    await asyncio.sleep(5.0)
    assert heard.dropped == [("cancelled", "the trader stops")] * 2
