"""What beat sends, and how often. Each app names its own periodic tasks; here they come together."""

from __future__ import annotations

from typing import Any

from markets.schedule import SCHEDULE as MARKETS

HEARTBEAT_SECONDS = 10

SCHEDULE: dict[str, dict[str, Any]] = {
    **MARKETS,
    "heartbeat": {
        "task": "polybot_site.heartbeat",
        "schedule": float(HEARTBEAT_SECONDS),
        "options": {"expires": HEARTBEAT_SECONDS},
    },
}
