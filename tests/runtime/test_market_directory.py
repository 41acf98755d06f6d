"""Markets by every name they go by, which of them may be traded, and which are forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.market import ConditionGroup, Market, MarketStatus
from runtime.market_directory import MarketDirectory
from tests.trading import factories as f

DAY = 86_400_000_000_000


def test_a_market_is_found_by_each_of_its_names() -> None:
    directory = MarketDirectory()
    market = f.market()
    directory.put([market])

    assert directory.get("m1") is directory.by_condition("0xc1") is directory.required("m1") is market
    assert directory.committed("m1")


def test_what_was_never_put_is_not_there() -> None:
    directory = MarketDirectory()

    assert directory.get("m1") is None
    assert directory.by_condition("0xc1") is None
    assert not directory.committed("m1")
    assert not directory.settled("m1")
    assert not directory.resolved(f.YES)
    with pytest.raises(KeyError, match="m1"):
        directory.required("m1")


def test_the_newest_word_on_a_market_counts() -> None:
    directory = MarketDirectory()
    directory.put([f.market()])
    directory.put([f.market(status=MarketStatus.SETTLED, winner=0)])

    assert directory.settled("m1")
    assert directory.resolved(f.YES)
    assert directory.resolved(f.NO)
    assert directory.unsettled() == []


def test_the_most_traded_markets_are_those_that_take_orders_by_volume() -> None:
    directory = MarketDirectory()
    volumes = {"a": (5, 1), "b": (9, 1), "c": (5, 2), "closed": (99, 1), "paused": (99, 1), "d": (5, 1)}
    for name, (day, whole) in volumes.items():
        directory.put(
            [
                f.market(
                    id=name, condition_id=name, token_ids=(f"{name}1", f"{name}2"), volume_24h=day, volume=whole,
                    status=MarketStatus.CLOSED if name == "closed" else MarketStatus.ACTIVE, accepting_orders=name != "paused",
                )
            ]
        )  # fmt: skip

    assert [market.id for market in directory.most_traded(3)] == ["b", "c", "a"]
    assert [market.id for market in directory.most_traded(99)] == ["b", "c", "a", "d"]


def market(number: int, status: MarketStatus = MarketStatus.ACTIVE) -> Market:
    name = f"m{number}"
    return replace(f.market(), id=name, condition_id=f"0x{name}", token_ids=(f"{number}1", f"{number}2"), status=status)


def group(number: int, *members: int) -> ConditionGroup:
    return ConditionGroup(id=f"g{number}", title="", market_ids=tuple(f"m{each}" for each in members))


def test_a_market_settled_for_a_day_is_forgotten_by_every_name_unless_something_of_ours_is_in_it() -> None:
    directory = MarketDirectory()
    directory.put([market(1), market(2), market(3)])
    directory.put_groups([group(1, 1, 2), group(2, 2)])
    directory.forget(0, DAY, keep=set())
    directory.put([market(2, MarketStatus.SETTLED), market(3, MarketStatus.SETTLED)])
    for moment in (DAY, 2 * DAY - 1):
        directory.forget(moment, DAY, keep={"m3"})
        assert directory.settled("m2")

    directory.forget(2 * DAY, DAY, keep={"m3"})

    assert directory.get("m2") is directory.by_condition("0xm2") is directory.of_token("21") is None
    assert not directory.committed("m2")
    assert [each.id for each in directory.groups] == ["g1"]
    assert [directory.get(name) is not None for name in ("m1", "m3")] == [True, True]


def test_the_day_begins_when_a_market_is_no_more_of_ours() -> None:
    directory = MarketDirectory()
    directory.put([market(1, MarketStatus.SETTLED)])
    directory.forget(0, DAY, keep={"m1"})
    directory.forget(DAY, DAY, keep=set())
    assert directory.settled("m1")

    directory.forget(2 * DAY, DAY, keep=set())

    assert directory.get("m1") is None
