"""The Celery application: `celery -A polybot_site worker` and `… beat`. Broker and options: `polybot_site.settings`.

Queues: `scrape` (the default: discovery and scraping), `archive` and `backtest`; a worker serves those it is started with (`--queues`).
"""

from __future__ import annotations

import os
import warnings

from celery import Celery
from celery.exceptions import SecurityWarning

# Celery warns root of pickled tasks, which could carry code; ours are JSON and nothing else is accepted.
warnings.filterwarnings("ignore", category=SecurityWarning)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polybot_site.settings")

app = Celery("polybot")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
