"""The health report says what is so: also when a part is away, silent, or was never there."""

from __future__ import annotations

import re
import time

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from domain.errors import PolybotError
from domain.halt import Halt, HaltScope
from domain.status import TraderStatus
from infra.clock import SystemClock
from infra.ids import RandomIds
from infra.paths import ROOT
from infra.redis import sync_client
from polybot_site import health, tasks
from polybot_site.api import views
from polybot_site.health import SiteHealth
from proto.envelope import EventEncoder
from proto.polybot.v1 import events_pb2
from proto.status_mapping import status_to_proto
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


def scraped(person) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return what Prometheus would read: values by the sample's name and its labels' values."""
    answer = Client(headers=person("viewer").bearer).get("/metrics")
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_everything_the_traders_status_counts_is_a_metric_once(redis, person, trader_says):
    trader_says()
    counters = {
        "accepted": 7, "cancels": 2, "refused_price_band": 3, "refused_too_many_intents": 1, "manual_refused_halted": 4, "group_filled": 5,
        "group_refused_unhedged_cap": 6, "group_dropped_late": 8, "quarantined_trades": 9, "balances_compared_seconds_ago": 11,
        "orders_in_flight": 12, "changes_unwritten": 13, "events_waiting": 14, "events_dropped": 15,
        "unknown_tokens": 22, "stale_snapshots": 23, "skipped_books": 24, "submit_errors": 25,
    }  # fmt: skip
    halt = Halt(account=f.ACCOUNT, scope=HaltScope.MARKET, target="m1", reason="r", set_by="polybot", set_ns=f.NOW)
    status = TraderStatus(
        mode="trade", account=f.ACCOUNT, venue="simulator", ready=True, feed_connected=True, user_feed_connected=False, last_message_ns=0,
        uptime_seconds=60, epoch=1, open_orders=16, unknown_orders=17, open_positions=18, watched_markets=19, refused_frames=20,
        counters=counters, leg_groups=21, halts=(halt,),
    )  # fmt: skip
    encoder = EventEncoder(SystemClock(), RandomIds(), epoch=1)
    redis.set(f"status:{f.ACCOUNT}", encoder.encode(status_to_proto(status)))

    found = scraped(person)

    a, shown = f.ACCOUNT, "polybot_trader_"
    expected = {
        ("up", a): 1, ("ready", a): 1, ("ws_connected", a): 1, ("user_ws_connected", a): 0, ("uptime_seconds", a): 60, ("open_orders", a): 16,
        ("unknown_orders", a): 17, ("open_positions", a): 18, ("watched_markets", a): 19, ("refused_frames_total", a): 20, ("leg_groups_open", a): 21,
        ("intents_total", a, "accepted"): 7, ("intents_total", a, "cancels"): 2, ("refusals_total", a, "price_band"): 3,
        ("refusals_total", a, "too_many_intents"): 1, ("refusals_total", a, "slippage"): 0, ("manual_refusals_total", a, "halted"): 4,
        ("leg_groups_total", a, "filled"): 5, ("leg_group_refusals_total", a, "unhedged_cap"): 6, ("leg_group_drops_total", a, "late"): 8,
        ("quarantined_trades", a): 9, ("balances_compared_seconds_ago", a): 11, ("orders_in_flight", a): 12, ("changes_unwritten", a): 13,
        ("events_waiting", a): 14, ("events_dropped_total", a): 15, ("halts", a, "polybot", "market"): 1, ("halts", a, "person", "market"): 0,
        ("halts", a, "polybot", "all"): 0, ("unknown_tokens_total", a): 22, ("stale_snapshots_total", a): 23, ("skipped_books_total", a): 24,
        ("submit_errors_total", a): 25,
    }  # fmt: skip
    for (name, *labels), value in expected.items():
        assert found[f"{shown}{name}", tuple(labels)] == value, name
    for name, value in {
        "requests_total": 9,
        "waits_total": 2,
        "refusals_total": 1,
        "too_many_total": 4,
        "left": 3,
    }.items():
        assert found[f"polybot_venue_budget_{name}", (a, "orders")] == value
    names = {name for name, _ in found if name.startswith((shown, "polybot_venue_"))}
    assert names == set(documented())


def documented() -> list[str]:
    """Return the names of the traders' metrics that docs/api.md explains."""
    return re.findall(r"`(polybot_(?:trader|venue)_\w+)", (ROOT / "docs" / "api.md").read_text())


def test_a_silent_trader_is_down_and_says_nothing_else(person, redis):
    rows.trading_account()
    found = scraped(person)
    assert found["polybot_trader_up", (f.ACCOUNT,)] == 0
    assert [name for name, _ in found if name.startswith("polybot_trader_")] == ["polybot_trader_up"]
