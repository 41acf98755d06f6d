"""Markets by every name they go by, and which of them may be traded."""

from __future__ import annotations

import pytest

from domain.market import MarketStatus
from runtime.market_directory import MarketDirectory
from tests.trading import factories as f


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
