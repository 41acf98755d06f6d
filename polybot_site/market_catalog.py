"""The configured venue's list of markets for scheduled work; public data, no account.

A venue that is not there raises `VenueError`: the simulated one has not written `var/venue.json`, or does not answer.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings

from domain.errors import VenueError
from domain.ports import MarketCatalog
from infra.clock import SystemClock
from infra.paths import var_dir
from polybot_site.config import Config


@asynccontextmanager
async def open_catalog() -> AsyncIterator[MarketCatalog]:
    """Open the catalogue for as long as the block lasts (the setting `MARKET_CATALOG`)."""
    from polybot_site.budgets import open_budgets
    from venues.polymarket.clob import ClobReader
    from venues.polymarket.gamma import GammaCatalog
    from venues.polymarket.http import HttpClient, open_session

    clob_url, gamma_url = _hosts(settings.CONFIG)
    clock, venue = SystemClock(), settings.CONFIG.venue.kind
    budgets = open_budgets(venue, clock, settings.REDIS_URL)
    try:
        async with open_session() as session:
            clob = ClobReader(HttpClient(clob_url, session, budgets.clob), clock)
            yield GammaCatalog(HttpClient(gamma_url, session, budgets.gamma), clob, venue)
    finally:
        await budgets.close()


def _hosts(config: Config) -> tuple[str, str]:
    """Return where the order books and where the listings are."""
    if config.venue.kind == "polymarket":
        return config.polymarket.clob_host, config.polymarket.gamma_host
    path = var_dir() / "venue.json"
    try:
        where = json.loads(path.read_text(encoding="utf-8"))
        return where["url"], where["gamma_url"]
    except FileNotFoundError:
        raise VenueError(f"no simulated venue has written {path}; start it with `manage.py runvenue`") from None
    except (ValueError, KeyError, TypeError) as error:
        raise VenueError(f"{path} is not what a simulated venue writes ({error!r}); start the venue again") from error
