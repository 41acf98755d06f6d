"""Paper trading as `POLYBOT_VENUE=polymarket make run` starts it, on the public side of a venue where the trader has no account and no key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.paths import ROOT
from tests.e2e.running import Platform, eventually, started

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ACCOUNT = "paper:default"
HOSTS = {"clob_host": "url", "gamma_host": "gamma_url", "data_host": "data_url", "ws_host": "ws_url"}


@pytest.fixture
def _trading() -> None:
    """Nothing here is done to the platform that the other tests share."""


@pytest.fixture
def hosts() -> Iterator[dict[str, str]]:
    """A venue in a process of its own, which is not this platform's; returns where it is."""
    with tempfile.TemporaryDirectory(prefix="polybot-venue-") as var:
        venue = subprocess.Popen(
            [sys.executable, "manage.py", "runvenue", "--port", "0"],
            cwd=ROOT,
            env={**os.environ, "POLYBOT_VAR": var, "DJANGO_SETTINGS_MODULE": "polybot_site.settings"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            where = Path(var) / "venue.json"
            eventually(where.exists, within=60, what="a venue that says where it is")
            yield json.loads(where.read_text())
        finally:
            venue.terminate()
            venue.wait(20)


def rows(platform: Platform, path: str) -> list[Any]:
    found: list[Any] = platform.get(path)["results"]
    return found


def offers(platform: Platform) -> list[dict[str, Any]]:
    """Return orders for the best offers of the markets that trade near the middle."""
    near = [
        market
        for market in rows(platform, "/api/markets?limit=100")
        if market["accepting_orders"] and market["best_ask"] and 0.2 < float(market["best_ask"]) < 0.8
    ]
    return [
        {
            "token_id": market["token_ids"][0],
            "side": "buy",
            "order_type": "FAK",
            "price": market["best_ask"],
            "size": "10",
        }
        for market in near
    ]


def test_a_stranger_trades_on_paper_without_a_key_and_the_account_is_told_from_real_money(
    hosts: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "polybot.toml"
    lines = [f'{ours} = "{hosts[theirs]}"' for ours, theirs in HOSTS.items()]
    config.write_text("\n".join(["[polymarket]", *lines, "[paper]", "balance = 500"]))

    with started({"POLYBOT_VENUE": "polymarket", "POLYBOT_CONFIG": str(config)}) as platform:
        assert [(each["account"], each["kind"]) for each in platform.get("/api/accounts")] == [(ACCOUNT, "paper")]
        status = platform.get("/api/status")
        assert (status["account"], status["venue"], status["mode"]) == (ACCOUNT, "polymarket", "full")
        eventually(lambda: platform.get("/api/ledger")["deposits"] == "500", within=30, what="the starting balance")

        def bought() -> Any:
            for order in offers(platform)[:1]:
                platform.post("/api/orders", order)
            return rows(platform, "/api/fills?strategy=manual")

        fill = eventually(bought, within=60, what="a fill")[0]
        assert (fill["account"], fill["side"], fill["liquidity"]) == (ACCOUNT, "buy", "taker")

        def equity() -> Any:
            ledger = platform.get("/api/ledger")
            return float(ledger["inventory_cost"]) > 0 and ledger["balanced"] and ledger["deposits"] == "500"

        eventually(equity, within=30, what="a position in the books")
        assert {row["account"] for row in rows(platform, "/api/positions")} == {ACCOUNT}
        eventually(lambda: platform.get("/api/ledger")["curve"], within=90, what="an equity snapshot")
        assert platform.get("/api/reports/statement")["account"] == ACCOUNT
        assert platform.get("/api/shadow") == {"account": ACCOUNT, "drift": None}
