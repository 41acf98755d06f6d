"""What the site tells of a paper twin."""

from __future__ import annotations

import msgspec
import pytest
from django.test import Client

from infra.clock import SystemClock
from infra.redis import sync_client
from infra.redis_pipe import RedisPipe
from polybot_site.shadow import publish_drift, read_drift
from tests.infra.test_redis_pipe import until
from tests.trading import factories as f
from tests.trading import rows
from venues.paper.drift import Drift

DRIFT = Drift(
    account=f.ACCOUNT, twin="paper:twin", since_ns=1, orders=3, refused_live=0, refused_twin=1, filled_live=10_500_000, filled_twin=9_000_000,
    filled_only_live=1_500_000, filled_only_twin=0, slippage=-20_000, fees_live=1, fees_twin=2, profit_live=3, profit_twin=4, failures=0,
)  # fmt: skip


async def test_figures_that_were_published_are_read_again(redis_url):
    pipe = RedisPipe(redis_url, SystemClock(), interval=0.001)
    pipe.start()
    publish_drift(pipe, DRIFT)
    await until(lambda: pipe.connected and not pipe.waiting)
    await pipe.stop()
    with sync_client(redis_url) as redis:
        assert read_drift(redis, f.ACCOUNT) == DRIFT
        assert 0 < redis.ttl(f"shadow:{f.ACCOUNT}") <= 10
        assert read_drift(redis, "paper:other") is None


@pytest.fixture
def api(person, redis_url):
    rows.trading_account()
    return Client(headers=person("viewer").bearer)


@pytest.mark.django_db
def test_without_a_twin_there_is_no_drift(api):
    assert api.get("/api/shadow").json() == {"account": f.ACCOUNT, "drift": None}


@pytest.mark.django_db
def test_the_api_tells_amounts_as_decimals(api, redis_url):
    with sync_client(redis_url) as redis:
        redis.set(f"shadow:{f.ACCOUNT}", msgspec.json.encode(DRIFT), ex=10)
    told = api.get("/api/shadow").json()["drift"]
    assert (told["filled_live"], told["slippage"], told["orders"], told["twin"]) == ("10.5", "-0.02", 3, "paper:twin")


@pytest.mark.django_db
def test_the_drift_is_that_of_the_account_asked_for(api, redis_url):
    rows.lease("paper:second", seconds=10)
    with sync_client(redis_url) as redis:
        redis.set(f"shadow:{f.ACCOUNT}", msgspec.json.encode(DRIFT), ex=10)
    assert api.get("/api/shadow", {"account": "paper:second"}).json() == {"account": "paper:second", "drift": None}
    assert api.get("/api/shadow", {"account": "paper:typo"}).status_code == 400
