"""Beat and worker, as processes over a real broker and a real database, prove that they run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from psycopg.conninfo import make_conninfo

from infra.redis import sync_client
from polybot_site import tasks
from polybot_site.schedule import HEARTBEAT_SECONDS, SCHEDULE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def celery(transactional_db, redis_url, tmp_path):
    """Start celery programs; they end with the test."""
    parts = connection.settings_dict
    conninfo = make_conninfo(
        host=parts["HOST"], port=parts["PORT"], user=parts["USER"], password=parts["PASSWORD"], dbname=parts["NAME"]
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("POLYBOT_", "DJANGO_"))}
    environ = kept | {"DATABASE_URL": conninfo, "REDIS_URL": redis_url, "POLYBOT_VAR": str(tmp_path)}
    environ |= {"POLYBOT_CONFIG": "", "POLYBOT_SERVER__SECRET_KEY": django_settings.SECRET_KEY}
    running = []

    def start(*arguments):
        command = [sys.executable, "-m", "celery", "-A", "polybot_site", *arguments]
        with (tmp_path / f"{arguments[0]}.log").open("wb") as log:
            running.append(subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log))

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(20)


def test_the_heartbeat_of_beat_and_worker_arrives(celery, redis_url):
    _due_since_long_ago()
    celery("worker", "--concurrency", "1", "--queues", "scrape,archive,backtest", "--loglevel", "WARNING")
    celery("beat", "--loglevel", "WARNING", "--pidfile=")
    with sync_client(redis_url) as redis:
        for _ in range(1200):
            beats = redis.mget(tasks.BEAT_KEY, tasks.WORKER_KEY)
            if all(beats):
                break
            time.sleep(0.05)
    assert all(abs(time.time() - float(beat)) < 60 for beat in beats)


def _due_since_long_ago():
    """Otherwise beat waits one interval before its first heartbeat."""
    every = IntervalSchedule.objects.create(every=HEARTBEAT_SECONDS, period=IntervalSchedule.SECONDS)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    PeriodicTask.objects.create(name="heartbeat", task=tasks.heartbeat.name, interval=every, last_run_at=yesterday)


def test_every_scheduled_task_exists():
    from polybot_site.celery import app

    app.loader.import_default_modules()
    assert {entry["task"] for entry in SCHEDULE.values()} <= set(app.tasks)
