"""A paper venue sees everything that the trader sees, and each piece of it before the trader does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.gateway.paper_bench import WrittenFeed
from venues.paper.tee import TeeFeed

TOLD = ["on_snapshot", "on_delta", "on_trade", "on_tick_size", "on_resolved", "on_listed"]


class Hears:
    """A listener that writes down under its name whatever it is told."""

    def __init__(self, name: str, heard: list[tuple[str, str, Any]]) -> None:
        self._name = name
        self._heard = heard

    def __getattr__(self, method: str) -> Callable[..., None]:
        def told(what: Any, *_: Any) -> None:
            self._heard.append((self._name, method, list(what) if method == "on_gap" else what))

        return told


class Kept(WrittenFeed):
    """A feed that keeps whom it was started for."""

    listener: Any = None

    async def start(self, listener: Any) -> None:
        self.listener = listener


async def heard_by_both(method: str, *what: Any) -> list[tuple[str, str, Any]]:
    feed, heard = Kept(), list[tuple[str, str, Any]]()
    await TeeFeed(feed, Hears("paper", heard)).start(Hears("trader", heard))
    getattr(feed.listener, method)(*what)
    return heard


@pytest.mark.parametrize("method", TOLD)
async def test_the_paper_venue_is_told_first(method: str) -> None:
    news = object()
    assert await heard_by_both(method, news) == [("paper", method, news), ("trader", method, news)]


async def test_a_gap_is_told_to_both_though_its_tokens_can_be_gone_through_once_only() -> None:
    assert await heard_by_both("on_gap", iter(["a", "b"]), "lost") == [
        ("paper", "on_gap", ["a", "b"]), ("trader", "on_gap", ["a", "b"]),
    ]  # fmt: skip
