"""Halting, flattening and resuming from the command line, on the platform as `make run` starts it: done means done at the venue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
from typing import Any

import pytest

from infra.paths import ROOT
from tests.e2e.deaths import server
from tests.e2e.running import Platform, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


FAR = "0.05"
"""A price that nobody sells at."""


def manage(platform: Platform, *arguments: str) -> dict[str, Any]:
    """Run `manage.py` beside the platform; returns what it printed for programs. A refusal fails the test."""
    finished = subprocess.run(
        [sys.executable, "manage.py", *arguments, "--by", "ann", "--json"],
        cwd=ROOT,
        env={**os.environ, "POLYBOT_VAR": str(platform.var), "DJANGO_SETTINGS_MODULE": "polybot_site.settings"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    printed: dict[str, Any] = json.loads(finished.stdout)
    return printed


def quoted(platform: Platform) -> Any:
    """Return a market with a price to buy at, for not much money."""
    listed = platform.get("/api/markets?status=active&limit=100")["results"]
    return next(
        (row for row in listed if row["best_bid"] and row["best_ask"] and 0.2 < float(row["best_ask"]) < 0.7), None
    )


def order(platform: Platform, market: Any, **changes: Any) -> Any:
    """Place an order; returns the command's answer, a refusal included."""
    facts = {"token_id": market["token_ids"][0], "side": "buy", "size": "10"}
    try:
        return platform.post("/api/orders", facts | changes)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)


def holding(platform: Platform) -> list[tuple[str, str]]:
    """Return market and strategy of every position that is large enough to be sold."""
    rows = platform.get("/api/positions?status=open")["results"]
    return [(row["market_id"], row["strategy"]) for row in rows if float(row["settled"]) + float(row["unsettled"]) >= 5]


@pytest.fixture
def traded(platform: Platform) -> Any:
    """A market in which there is a position of a person's, and an order that rests."""

    def bought() -> Any:
        market = quoted(platform)
        if market is None:
            return None
        taken = order(platform, market, price=market["best_ask"], order_type="FAK")
        rests = order(platform, market, price=FAR, size="40", post_only=True)
        held = (market["id"], "manual") in holding(platform)
        return market if taken.get("status") == rests.get("status") == "done" and held else None

    return eventually(bought, within=60, what="a position and an order")


def test_a_market_is_halted_and_resumed_by_name(platform: Platform, traded: Any) -> None:
    halted = manage(platform, "halt", "market", traded["id"], "--reason", "a drill")

    assert (halted["status"], halted["open_after"], halted["confirmed"]) == ("done", 0, True)
    opened = [row for row in platform.get("/api/orders?status=open")["results"] if row["market_id"] == traded["id"]]
    assert opened == []
    assert [each["target"] for each in platform.halts("market") if each["set_by"] == "ann"] == [traded["id"]]
    refused = order(platform, traded, price=FAR, size="40")
    assert refused["detail"] == f"halted: market {traded['id']}: a drill"

    assert manage(platform, "resume", "market", traded["id"])["halted"] is False
    assert traded["id"] not in [each["target"] for each in platform.halts("market")]
    assert order(platform, traded, price=FAR, size="41")["status"] == "done"


def test_a_halt_needs_neither_redis_nor_the_web(platform: Platform, traded: Any) -> None:
    away = [platform.program("uvicorn"), server(platform, "valkey-server")]
    for process in away:
        process.suspend()
    try:
        halted = manage(platform, "halt", "all", "--reason", "alone")
    finally:
        for process in away:
            process.resume()

    assert (halted["status"], halted["open_after"], halted["confirmed"]) == ("done", 0, True)
    listed = eventually(lambda: platform.halts("all"), within=30, what="the site")
    assert [each["reason"] for each in listed] == ["alone"]
    assert platform.get("/api/orders?status=open")["results"] == []
    assert order(platform, traded, price=FAR, size="42")["detail"].startswith("halted: all: alone")
    manage(platform, "resume")


def test_everything_is_sold_that_somebody_bids_for_and_the_rest_is_named(platform: Platform, traded: Any) -> None:
    sold = manage(platform, "flatten", "all", "--max-slippage", "0.2", "--reason", "a storm")

    assert (sold["status"], sold["open_after"], sold["confirmed"]) == ("done", 0, True)
    assert sold["slices"] >= 1
    assert sold["flatten"] == "flat" or len(sold["waiting"]) >= sold["positions_left"]
    assert (traded["id"], "manual") not in holding(platform)
    assert platform.get("/api/orders?status=open")["results"] == []

    assert manage(platform, "resume")["halted"] is False
