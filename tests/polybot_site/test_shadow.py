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


@pytest.mark.django_db
def test_the_api_tells_them_and_without_a_twin_what_to_do(person, settings, redis_url):
    settings.REDIS_URL = redis_url
    rows.trading_account()
    client = Client(headers=person("viewer").bearer)
    with sync_client(redis_url) as redis:
        redis.delete(f"shadow:{f.ACCOUNT}")
    silent = client.get("/api/shadow")
    assert silent.status_code == 404
    assert "shadow.enabled" in silent.json()["fix"]


@pytest.mark.django_db
def test_the_api_tells_amounts_as_decimals(person, settings, redis_url):
    settings.REDIS_URL = redis_url
    rows.trading_account()
    with sync_client(redis_url) as redis:
        redis.set(f"shadow:{f.ACCOUNT}", msgspec.json.encode(DRIFT), ex=10)
    told = Client(headers=person("viewer").bearer).get("/api/shadow").json()
    assert (told["filled_live"], told["slippage"], told["orders"], told["twin"]) == ("10.5", "-0.02", 3, "paper:twin")
