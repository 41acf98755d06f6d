"""Discovery as a scheduled task, so that the list of markets is right whether or not a trader runs.

The setting `MARKET_CATALOG` names a function without parameters that returns an asynchronous context manager of a `MarketCatalog`. A venue that
cannot be read fails the task; the next run tries again.
"""

from __future__ import annotations

from asgiref.sync import async_to_sync, sync_to_async
from celery import shared_task
from django.conf import settings
from django.utils.module_loading import import_string

from domain.errors import VenueError
from domain.market import MarketStatus
from markets import store
from markets.discovery import Discovery, discover
from markets.schedule import DISCOVER_SECONDS

_UNSETTLED = (MarketStatus.ACTIVE, MarketStatus.CLOSED)


@shared_task(name="markets.discover", expires=DISCOVER_SECONDS, throws=(VenueError,))
def discover_markets() -> None:
    """List the venue's markets and save what is new, changed or gone."""
    async_to_sync(_discover)()


async def _discover() -> Discovery:
    async with import_string(settings.MARKET_CATALOG)() as catalog:
        known = await sync_to_async(store.load_markets)(venue=catalog.venue, statuses=_UNSETTLED)
        known_groups = await sync_to_async(store.load_groups)(venue=catalog.venue)
        return await discover(catalog, sync_to_async(store.save_markets), known=known, known_groups=known_groups)
