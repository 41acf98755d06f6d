"""A trader that was frozen while another took over: the real processes, judged by the venue's own log of everything that ever reached it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.paths import ROOT
from tests.e2e import kills
from tests.e2e.running import Platform, eventually, started
from tests.e2e.test_halt_command import FAR, order, quoted
from tests.e2e.venue_books import Arrivals

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ENDED = re.compile(r"the lease of \S+ is held by another trader|Timeout \(0:00:30\)!")
"""How a trader ends that has lost its lease, or that stood still for so long that its watchdog ends the process."""


@pytest.fixture
def _trading() -> None:
    """The platform that all other tests share has no part in this."""


class Inputs(Arrivals):
    """Follows everything that reached the venue from outside: orders, cancels, beats, whatever; `seen` are their kinds."""

    def __init__(self, folder: Path, account: str) -> None:
        super().__init__(folder, account)
        self.seen: list[str] = []

    def _take(self, line: bytes) -> None:
        _, _, what = json.loads(line[9:])
        if what["type"] != "tick":
            self.seen.append(what["type"])
        super()._take(line)


@contextmanager
def rival(platform: Platform, of: psutil.Process) -> Iterator[psutil.Process]:
    """Run a second trader on the data and settings of the first; it waits for the lease."""
    with (platform.var / "rival.log").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "runtrader", "--mode", "trade"],
            cwd=ROOT,
            env=of.environ(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def traded(platform: Platform) -> Any:
    """Buy something and leave an order resting; returns the id of that order, None when the market had moved on."""
    market = quoted(platform)
    if market is None:
        return None
    taken = order(platform, market, price=market["best_ask"], order_type="FAK")
    rests = order(platform, market, price=FAR, size="40", post_only=True)
    if taken.get("status") != "done" or rests.get("status") != "done":
        return None
    return next(
        (row["id"] for row in platform.get("/api/orders?status=open")["results"] if row["market_id"] == market["id"]),
        None,
    )


def test_a_trader_that_was_frozen_sends_nothing_once_another_trades_in_its_place() -> None:
    with started(kills.SETTINGS) as platform:
        run = kills.Run(platform, 7, print)
        inputs = Inputs(platform.var / "venue", run.books.address)
        inputs.start()
        try:
            take_over(platform, inputs)
        finally:
            inputs.stop()
        assert inputs.failure is None
        assert set(inputs.count.values()) == {1}, "an order reached the venue twice"
        run.rest()


def take_over(platform: Platform, inputs: Inputs) -> None:
    first = platform.program("runtrader")
    eventually(lambda: traded(platform), within=60, what="a position and an order of the first trader")
    epoch = platform.get("/api/status")["epoch"]
    with rival(platform, first) as second:
        eventually(lambda: "manage.py" in " ".join(second.cmdline()), within=10, what="a second trader")
        time.sleep(3.0)  # It starts and stands by; frozen any earlier, the first one might stand still for too long.
        first.suspend()
        try:
            eventually(lambda: at_work(platform, epoch), within=60, what="the second trader at work")
            resting = eventually(lambda: traded(platform), within=30, what="a position and an order of the second")
            second.suspend()
            at_rest(inputs)
            before, printed = len(inputs.seen), platform.log.stat().st_size
        finally:
            first.resume()
        try:
            eventually(lambda: ENDED.search(read(platform.log, printed)), within=20, what="an end of the first trader")
            time.sleep(1.5)
            assert inputs.seen[before:] == []
        finally:
            second.resume()
        eventually(lambda: at_work(platform, epoch), within=30, what="the second trader, undisturbed")
        assert platform.get("/api/status")["epoch"] == epoch + 1
        assert platform.get(f"/api/orders/{resting}")["status"] == "live"
        eventually(lambda: traded(platform), within=30, what="another position and order of the second trader")


def at_work(platform: Platform, epoch: int) -> bool:
    status = platform.get("/api/status")
    return bool(status["online"] and status["ready"] and status["epoch"] > epoch)


def at_rest(inputs: Inputs) -> None:
    """Wait until nothing has reached the venue for a moment: what was on its way has arrived."""
    last = -1
    while last != len(inputs.seen):
        last = len(inputs.seen)
        time.sleep(0.6)


def read(log: Path, offset: int) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        return file.read().decode(errors="replace")
