"""The health report says what is so: also when a part is away, silent, or was never there."""

from __future__ import annotations

import re
import time

import pytest
from django.test import Client

from domain.errors import PolybotError
from infra.clock import SystemClock
from infra.ids import RandomIds
from infra.redis import sync_client
from polybot_site import health, tasks
from polybot_site.api import views
from polybot_site.health import SiteHealth
from proto.envelope import EventEncoder
from proto.polybot.v1 import events_pb2
from tests.trading import factories as f
from tests.trading import rows

pytestmark = pytest.mark.django_db

SIX = {"postgres": 30, "redis": 10, "s3": 60, "polymarket_clob": 30, "polymarket_ws": 10, "kalshi": 30}


@pytest.fixture
def redis(redis_url):
    with sync_client(redis_url) as client:
        yield client


@pytest.fixture
def trader_says(redis):
    rows.trading_account()

    def say(clock=None, **errors):
        lines = [
            events_pb2.HealthCheck(
                name=name,
                ok=not errors.get(name),
                age_seconds=2,
                interval_seconds=interval,
                last_error=errors.get(name, ""),
            )
            for name, interval in health.FROM_THE_TRADER.items()
        ]
        encoder = EventEncoder(clock or SystemClock(), RandomIds(), epoch=1)
        budgets = [events_pb2.RateBudget(name="orders", left=3, limit=45, requests=9, waits=2, refusals=1, too_many=4)]
        redis.set(f"health:{f.ACCOUNT}", encoder.encode(events_pb2.HealthStatus(checks=lines, budgets=budgets)))

    return say


@pytest.fixture
def ask(person, settings, monkeypatch):
    """Ask a monitor that was started just now for its report."""
    client = Client(headers=person("viewer").bearer)

    def ask(status=200):
        monitor = SiteHealth(settings.REDIS_URL)
        monkeypatch.setattr(views, "site_health", lambda: monitor)
        answer = client.get("/api/health")
        assert answer.status_code == status
        return answer.json() | {"checks": {check["name"]: check for check in answer.json()["checks"]}}

    return ask


def test_the_six_checks_are_there_at_their_intervals(ask, redis):
    checks = ask()["checks"]
    assert {name: checks[name]["interval"] for name in SIX} == SIX
    assert all(check.keys() == {"name", "ok", "enabled", "age", "interval", "last_error"} for check in checks.values())


def test_everything_is_well_when_everything_says_so(ask, redis, trader_says):
    redis.mset({tasks.WORKER_KEY: time.time(), tasks.BEAT_KEY: time.time()})
    trader_says()
    report = ask()
    assert (report["ok"], report["status"]) == (True, "ok")
    checks = report["checks"]
    assert checks["postgres"]["ok"] is checks["redis"]["ok"] is checks["worker"]["ok"] is checks["trader"]["ok"] is True
    assert checks["polymarket_ws"]["age"] >= 2


def test_the_traders_rate_limits_are_shown_while_it_runs(ask, redis, trader_says):
    assert ask()["budgets"] == []
    trader_says()
    assert ask()["budgets"] == [
        {"name": "orders", "left": 3, "limit": 45, "requests": 9, "waits": 2, "refusals": 1, "too_many": 4}
    ]


def test_parts_that_are_not_configured_are_neither_well_nor_ill(ask, redis):
    checks = ask()["checks"]
    assert [(checks[name]["enabled"], checks[name]["ok"]) for name in ("s3", "kalshi")] == [
        (False, None),
        (False, None),
    ]


def test_without_a_trader_its_checks_fail_and_say_why(ask, redis):
    report = ask()
    assert report["status"] == "degraded"
    assert report["checks"]["trader"] == {
        "name": "trader",
        "ok": False,
        "enabled": True,
        "age": None,
        "interval": 1.0,
        "last_error": "no trader is running",
    }
    assert report["checks"]["polymarket_ws"]["ok"] is False


def test_a_report_of_a_trader_that_fell_silent_counts_as_none(ask, trader_says):
    trader_says(clock=f.FixedClock())
    assert ask()["checks"]["polymarket_clob"]["last_error"] == "no trader is running"


def test_what_the_trader_finds_ill_is_ill(ask, trader_says):
    trader_says(polymarket_ws="no frame for 31 s")
    report = ask()
    assert report["checks"]["polymarket_ws"]["last_error"] == "no frame for 31 s"
    assert report["checks"]["polymarket_clob"]["ok"] is True
    assert report["status"] == "degraded"


def test_a_worker_that_stopped_is_told_from_beat(ask, redis):
    redis.mset({tasks.WORKER_KEY: time.time() - 100, tasks.BEAT_KEY: time.time()})
    checks = ask()["checks"]
    assert (checks["worker"]["ok"], checks["beat"]["ok"]) == (False, True)
    assert re.match(r"last heartbeat of worker 1\d\d s ago", checks["worker"]["last_error"])


def test_redis_away_is_down_and_the_report_still_comes(ask, redis, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    report = ask(status=503)
    assert report["status"] == "down"
    assert report["checks"]["redis"]["ok"] is False
    assert report["checks"]["postgres"]["ok"] is True
    assert "Redis is away" in report["checks"]["trader"]["last_error"]


def test_the_sign_of_life_needs_no_login():
    assert Client().get("/api/health/live").json() == {"ok": True}


def test_a_database_that_is_away_is_told_with_the_way_out(person, monkeypatch):
    from django.db.utils import OperationalError

    viewer = person("viewer")

    def away(_text):
        raise OperationalError("connection refused")

    monkeypatch.setattr("polybot_site.authentication.verify", away)
    answer = Client(headers=viewer.bearer).get("/api/orders")
    assert answer.status_code == 503
    assert answer.json()["error"] == "database_unavailable"
    assert "services" in answer.json()["fix"]


def test_an_error_raised_on_purpose_below_is_an_answer_and_not_a_crash(person, monkeypatch):
    def refuse():
        raise PolybotError("price was 7, expected below 1")

    monkeypatch.setattr(views, "site_health", refuse)
    answer = Client(headers=person("viewer").bearer).get("/api/health")
    assert (answer.status_code, answer.json()["detail"]) == (400, "price was 7, expected below 1")


def test_metrics_are_text_for_prometheus_and_behind_the_login(person):
    assert Client().get("/metrics").status_code == 401
    answer = Client(headers=person("viewer").bearer).get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert b"polybot_push_clients" in answer.content
