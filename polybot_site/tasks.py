"""The site's own background task: a heartbeat, which proves that beat sends and the worker runs."""

from __future__ import annotations

import time
from typing import Any

from celery import shared_task
from celery.signals import before_task_publish
from django.conf import settings

from infra.redis import sync_client
from polybot_site.schedule import HEARTBEAT_SECONDS

BEAT_KEY = "heartbeat:beat"
WORKER_KEY = "heartbeat:worker"
_KEPT_SECONDS = 3600


@shared_task(name="polybot_site.heartbeat", expires=HEARTBEAT_SECONDS)
def heartbeat() -> None:
    """Note in Redis that a worker runs tasks."""
    _note(WORKER_KEY)


@before_task_publish.connect(sender="polybot_site.heartbeat", dispatch_uid="polybot_beat")
def note_beat(**_: Any) -> None:
    """Note in Redis that beat sent the heartbeat."""
    _note(BEAT_KEY)


def _note(key: str) -> None:
    with sync_client(settings.REDIS_URL) as redis:
        redis.set(key, f"{time.time():.3f}", ex=_KEPT_SECONDS)
