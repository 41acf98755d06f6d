"""The Celery application: `celery -A polybot_site worker` and `… beat`. Broker and options: `polybot_site.settings`.

Queues: `scrape` (the default: discovery and scraping), `archive` and `backtest`; a worker serves all of them unless told otherwise.
"""

from __future__ import annotations

import os

from celery import Celery
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polybot_site.settings")

app = Celery("polybot")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [Queue("scrape"), Queue("archive"), Queue("backtest")]
app.autodiscover_tasks()
