"""The dead man's switch: chained beats from a thread, silence when the loop stands still, and what a real venue makes of it."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest

from domain.money import MICRO
from domain.reports import Accepted
from infra.clock import SystemClock
from tests.venues.polymarket.pacing import NoLimits
from tests.venues.polymarket.test_on_simulated_venue import LATER, config, draft
from tests.venues.polymarket.vectors import PRIVATE_KEY
from tests.venues.simulator.kit import CountingIds, ManualClock, RunningVenue, running_venue
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.connect import open_public, open_trading
from venues.polymarket.heartbeat import Heartbeat, HeartbeatSettings
from venues.polymarket.signer import LocalSigner

pytestmark = pytest.mark.protocol("3.7")

CREDENTIALS = ApiCredentials("0x" + "11" * 20, "key", "c2VjcmV0", "pass")
FAST = HeartbeatSettings(every=0.02, stall=0.1)


class Turns:
    """A loop that turns as long as it `lives`."""

    def __init__(self) -> None:
        self.lives = True
        self.count = 0

    def __call__(self) -> int:
        self.count += self.lives
        return self.count


class Server:
    """Speaks the protocol from a thread of its own. `refuse` is answered instead of it while it is set."""

    def __init__(self) -> None:
        self.expected = ""
        self.beats: list[str] = []
        self.connections = 0
        self.refuse: tuple[int, bytes] | None = None
        self.refused = 0
        self.hang_up = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert (self.path, self.headers["POLY_API_KEY"]) == ("/v1/heartbeats", "key")
                if refusal := outer.refuse:
                    outer.refused += 1
                status, content = refusal or outer.answer(body["heartbeat_id"])
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = outer.hang_up

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def answer(self, heartbeat_id: str) -> tuple[int, bytes]:
        self.beats.append(heartbeat_id)
        if heartbeat_id != self.expected:
            return 400, json.dumps({"error_msg": "Invalid Heartbeat ID", "heartbeat_id": self.expected}).encode()
        self.expected = f"id-{len(self.beats)}"
        return 200, json.dumps({"heartbeat_id": self.expected}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def beating(server: Server) -> Iterator[Callable[..., tuple[Heartbeat, Turns]]]:
    made: list[Heartbeat] = []

    def start(settings: HeartbeatSettings = FAST, url: str = "", **more: float) -> tuple[Heartbeat, Turns]:
        heartbeat, turns = (
            Heartbeat(url or server.url, CREDENTIALS, SystemClock(), settings, timeout=0.5, **more),
            Turns(),
        )
        made.append(heartbeat)
        heartbeat.start(turns)
        return heartbeat, turns

    yield start
    for heartbeat in made:
        heartbeat.close()


def wait_until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 5
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)


def test_each_beat_carries_the_id_of_the_answer_before(server, beating):
    heartbeat, _ = beating()
    wait_until(lambda: len(server.beats) >= 4)
    assert server.beats[:4] == ["", "id-1", "id-2", "id-3"]
    assert server.connections == 1
    assert heartbeat.answered_at is not None
    assert (heartbeat.lapses, heartbeat.failed) == (0, "")


def test_a_wrong_id_is_followed_at_once_by_the_one_the_venue_expects(server, beating):
    server.expected = "of-an-earlier-life"
    heartbeat, _ = beating(HeartbeatSettings(every=8.0, stall=3.0))
    wait_until(lambda: heartbeat.answered_at is not None)
    assert server.beats == ["", "of-an-earlier-life"]


def test_a_lapse_is_counted_before_the_beat_that_ends_it_is_told(server):
    seen: list[int] = []

    class Watched(Heartbeat):
        def __setattr__(self, name, value):
            if name == "answered_at" and value is not None:
                seen.append(self.lapses)
            super().__setattr__(name, value)

    heartbeat = Watched(server.url, CREDENTIALS, SystemClock(), FAST, timeout=0.5, lapse=0.1)
    heartbeat.start(Turns())
    try:
        wait_until(lambda: seen)
        server.refuse = (503, b"{}")
        wait_until(lambda: server.refused)
        before = len(seen)
        time.sleep(0.15)
        server.refuse = None
        wait_until(lambda: len(seen) > before)
    finally:
        heartbeat.close()
    assert seen[before] > seen[before - 1]


def test_a_venue_that_never_agrees_on_an_id_is_not_asked_for_ever(server, beating):
    server.refuse = (400, b'{"error_msg": "Invalid Heartbeat ID", "heartbeat_id": "x"}')
    heartbeat, _ = beating(HeartbeatSettings(every=8.0, stall=3.0))
    wait_until(lambda: server.refused >= 3)
    time.sleep(0.1)
    assert server.refused == 3
    assert heartbeat.answered_at is None
    assert heartbeat.failed == ""


def test_a_connection_that_the_venue_closed_is_opened_again(server, beating):
    server.hang_up = True
    beating()
    wait_until(lambda: len(server.beats) >= 4)
    assert server.beats[:4] == ["", "id-1", "id-2", "id-3"]
    assert server.connections >= 4


@pytest.mark.parametrize(
    "refusal", [(500, b"{}"), (401, b'{"error": "x"}'), (403, b"<html>"), (200, b"{}"), (200, b"[")]
)
def test_an_answer_that_is_none_is_no_beat_and_is_tried_again(server, beating, refusal):
    server.refuse = refusal
    heartbeat, _ = beating()
    wait_until(lambda: server.refused >= 2)
    assert heartbeat.answered_at is None
    server.refuse = None
    wait_until(lambda: heartbeat.answered_at is not None)


def test_a_venue_that_is_not_there_is_no_end_of_the_switch(beating):
    heartbeat, _ = beating(url="http://127.0.0.1:1")
    time.sleep(0.1)
    assert (heartbeat.answered_at, heartbeat.failed) == (None, "")


def test_no_beat_is_sent_while_the_loop_stands_still(server, beating):
    _, turns = beating()
    wait_until(lambda: len(server.beats) >= 2)
    turns.lives = False
    time.sleep(2 * FAST.stall)
    count = len(server.beats)
    time.sleep(5 * FAST.every)
    assert len(server.beats) == count
    turns.lives = True
    wait_until(lambda: len(server.beats) > count)


def test_a_long_silence_between_answers_is_a_lapse(server, beating):
    heartbeat, turns = beating(lapse=0.8)
    wait_until(lambda: len(server.beats) >= 2)
    assert heartbeat.lapses == 0
    turns.lives = False
    time.sleep(1.0)
    turns.lives = True
    wait_until(lambda: heartbeat.lapses == 1)
    time.sleep(0.05)
    assert heartbeat.lapses == 1


def test_after_a_stop_no_beat_begins(server, beating):
    heartbeat, _ = beating()
    wait_until(lambda: server.beats)
    heartbeat.close()
    count = len(server.beats)
    time.sleep(5 * FAST.every)
    assert len(server.beats) == count


def test_an_error_nobody_foresaw_ends_the_thread_and_is_told(server, beating):
    heartbeat, turns = beating()
    wait_until(lambda: server.beats)
    turns.count = None
    wait_until(lambda: heartbeat.failed)
    assert heartbeat.failed.startswith("TypeError")


def test_a_switch_is_started_once(beating):
    heartbeat, turns = beating()
    with pytest.raises(RuntimeError, match="started twice"):
        heartbeat.start(turns)


# On the simulated venue, which lives in a thread of its own: this one's loop will stand still.


class VenueThread:
    """A simulated venue on another loop; time there passes when a test says so."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._context = running_venue(folder)
        self.venue: RunningVenue = self.run(self._context.__aenter__())

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def pass_time(self, seconds: float) -> None:
        async def passing() -> None:
            self.venue.pass_time(seconds, step=0.5)

        self.run(passing())

    def fund(self, address: str) -> None:
        status, _ = self.run(self.venue.fund(address, "1000"))
        assert status == 200

    def beats(self) -> int:
        return sum(chain.count for chain in self.venue.venue.world.heartbeats._chains.values())

    def close(self) -> None:
        self.run(self._context.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class VenueTime:
    """The venue's time of day, and this machine's monotonic time."""

    def __init__(self, venue: ManualClock) -> None:
        self._venue = venue

    def now_ns(self) -> int:
        return self._venue.now_ns()

    def monotonic(self) -> float:
        return time.monotonic()


@pytest.fixture
def venue_thread(tmp_path: Path, warm_folder: Path) -> Iterator[VenueThread]:
    shutil.copytree(warm_folder, tmp_path / "venue")
    thread = VenueThread(tmp_path / "venue")
    yield thread
    thread.close()


async def test_a_loop_that_stands_still_loses_its_orders_to_the_venue(venue_thread: VenueThread):
    signer = LocalSigner(PRIVATE_KEY)
    venue_thread.fund(signer.address)
    clock, settings = VenueTime(venue_thread.venue.clock), config(venue_thread.venue)
    turns = 0
    public = open_public(settings, clock=clock, rng=Random(1), budgets=NoLimits())
    trading = await open_trading(
        settings, signer, clock=clock, ids=CountingIds(), rng=Random(1), budgets=NoLimits(), heartbeat=FAST
    )
    try:
        markets, _ = await public.catalog.markets()
        market = next(each for each in markets if each.tradable and not each.taker_delay_ms)
        prepared = await trading.gateway.prepare(draft(market, price=20_000, size=10 * MICRO))
        assert isinstance(await trading.gateway.send(prepared, LATER), Accepted)
        trading.heartbeat.start(lambda: turns)
        for _ in range(30):
            turns += 1
            before = venue_thread.beats()
            while venue_thread.beats() == before:
                turns += 1
                await asyncio.sleep(0.002)
            await asyncio.to_thread(venue_thread.pass_time, 1.0)
        assert [report.order_id for report in await trading.gateway.open_orders()] == [prepared.order_id]

        # Nothing of this loop turns any more.
        time.sleep(2 * FAST.stall)  # noqa: ASYNC251
        for _ in range(16):
            venue_thread.pass_time(1.0)
            time.sleep(2 * FAST.every)  # noqa: ASYNC251

        assert await trading.gateway.open_orders() == []
        assert trading.heartbeat.failed == ""
    finally:
        await trading.close()
        await public.close()
