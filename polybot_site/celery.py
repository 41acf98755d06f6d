"""The Celery application: `celery -A polybot_site worker` and `… beat`. Broker and options: `polybot_site.settings`.

Queues: `scrape` (the default: discovery and scraping), `archive` and `backtest`; a worker serves those it is started with (`--queues`).
"""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polybot_site.settings")

app = Celery("polybot")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
