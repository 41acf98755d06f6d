"""What beat sends for the markets, and how often."""

from __future__ import annotations

from typing import Any

DISCOVER_SECONDS = 300

SCHEDULE: dict[str, dict[str, Any]] = {
    "discover-markets": {
        "task": "markets.discover",
        "schedule": float(DISCOVER_SECONDS),
        "options": {"expires": DISCOVER_SECONDS},
    },
}
