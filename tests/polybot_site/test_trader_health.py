"""What the trader says of itself: a venue that is silent, and news that never reached Redis."""

from types import SimpleNamespace

import pytest

from domain.errors import VenueError
from infra.errors import ServiceError
from infra.redis_pipe import RedisPipe
from polybot_site.trader_health import SILENT_FEED_NS, trader_health
from tests.markets.builders import ManualClock
from venues.polymarket.budgets import Budgets


class Clob:
    error: Exception | None = None

    async def server_time(self):
        if self.error is not None:
            raise self.error


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def public(clock):
    return SimpleNamespace(clob=Clob(), feed=SimpleNamespace(connected=True, last_message_ns=clock.now_ns()))


@pytest.fixture
async def pipe(clock, redis_url):
    pipe = RedisPipe(redis_url, clock, interval=0.001, capacity=2)
    yield pipe
    await pipe.stop(0.1)


async def checks(public, pipe, clock, *, budgets=None, heartbeat=None, troubles=None):
    monitor = trader_health(
        public, pipe, budgets or Budgets("simulator", clock), heartbeat, clock, troubles=troubles or {}
    )
    return {check.name: check.last_error for check in await monitor.run_once()}


async def test_news_that_was_dropped_is_told(public, pipe, clock):
    for number in range(5):
        pipe.append("SET", "key", number)
    said = await checks(public, pipe, clock)
    assert said["redis_pipe"].startswith("3 commands were dropped")
    assert (said["polymarket_clob"], said["polymarket_ws"]) == ("", "")


async def test_a_venue_that_does_not_answer_and_a_silent_feed_are_told(public, pipe, clock):
    public.clob.error = VenueError("refused")
    public.feed.last_message_ns -= SILENT_FEED_NS + 1_000_000_000
    said = await checks(public, pipe, clock)
    assert (said["polymarket_clob"], said["polymarket_ws"]) == ("refused", "no market data for 31 s")


async def test_a_feed_without_connection_is_ill_at_once(public, pipe, clock):
    public.feed.connected = False
    assert (await checks(public, pipe, clock))["polymarket_ws"] == "no market data for 0 s"


async def test_limits_that_are_not_shared_are_told(public, pipe, clock):
    async def away():
        raise ServiceError("rate limits are not shared")

    said = await checks(public, pipe, clock, budgets=SimpleNamespace(probe=away))
    assert said["rate_limits"] == "rate limits are not shared"
    assert "heartbeat" not in said


async def test_what_the_trader_noticed_itself_is_told_as_long_as_it_lasts(public, pipe, clock):
    said = ["the disk is full"]

    assert (await checks(public, pipe, clock, troubles={"journal": lambda: said[0]}))["journal"] == "the disk is full"
    said[0] = ""
    assert (await checks(public, pipe, clock, troubles={"journal": lambda: said[0]}))["journal"] == ""


async def test_heartbeats_without_an_answer_are_told(public, pipe, clock):
    heartbeat = SimpleNamespace(answered_at=None, lapse_seconds=10.0)
    assert (await checks(public, pipe, clock, heartbeat=heartbeat))["heartbeat"] == "no heartbeat was answered yet"
    heartbeat.answered_at = clock.monotonic() - 10
    assert (await checks(public, pipe, clock, heartbeat=heartbeat))["heartbeat"] == ""
    clock.advance(1)
    said = await checks(public, pipe, clock, heartbeat=heartbeat)
    assert said["heartbeat"] == "no heartbeat was answered for 11 s: the venue cancels every order"
