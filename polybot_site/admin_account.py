"""Which account the admin shows, on every page, and on its first page how far the account's paper twin is from it.

Both are read when a page is made. Whoever may not look at the trading tables is told nothing; without Redis, or without a twin, the first page has
no drift.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest
from redis.exceptions import RedisError

from domain.money import format_micros
from infra.redis import sync_client
from polybot_site.admin_look import may_look
from polybot_site.shadow import read_drift
from trading.store import current_account
from venues.paper.drift import Drift

_KINDS = {"live": ("Live money", "danger"), "paper": ("Paper", "warning"), "sim": ("Simulated", "info")}
_log = structlog.get_logger(__name__)


def badge(request: HttpRequest) -> tuple[str, str] | None:
    """Return the traded account in words and its colour, for the head of every page."""
    account = current_account() if may_look(request) else None
    if account is None:
        return None
    kind, _, name = account.partition(":")
    title, colour = _KINDS.get(kind, (kind, "info"))
    return f"{title} · {name}", colour


def first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the drift of the paper twin to what the first page shows."""
    drift = _drift(current_account()) if may_look(request) else None
    return context if drift is None else {**context, "drift": drift, "drift_table": _table(drift)}


def _drift(account: str | None) -> Drift | None:
    if account is None:
        return None
    try:
        with sync_client(settings.REDIS_URL) as redis:
            return read_drift(redis, account)
    except RedisError as error:
        _log.warning("redis_unavailable", error=str(error))
        return None


def _table(drift: Drift) -> dict[str, list[Any]]:
    """Return the figures side by side."""
    rows = [
        ("Profit, what is held at the best bids ($)", drift.profit_live, drift.profit_twin),
        ("Shares filled", drift.filled_live, drift.filled_twin),
        ("Shares that only this one got", drift.filled_only_live, drift.filled_only_twin),
        ("Fees ($)", drift.fees_live, drift.fees_twin),
        ("Paid beyond the twin for shares that both got ($)", drift.slippage, None),
    ]
    shown = [[title, *("" if each is None else format_micros(each) for each in both)] for title, *both in rows]
    refused = ["Orders that only this one refused", str(drift.refused_live), str(drift.refused_twin)]
    return {"headers": ["", drift.account, drift.twin], "rows": [*shown, refused]}
