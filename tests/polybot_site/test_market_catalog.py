"""The scheduled discovery reads the configured venue: here a simulated one behind a real socket."""

from __future__ import annotations

import json

import pytest
from django.conf import settings as django_settings
from django.urls import reverse
from django.utils.module_loading import import_string

from domain.errors import VenueError
from infra.paths import var_dir
from polybot_site.schedule import SCHEDULE
from tests.venues.simulator.kit import running_venue


@pytest.fixture
def venue_file(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYBOT_VAR", str(tmp_path))
    return var_dir() / "venue.json"


def open_catalog():
    return import_string(django_settings.MARKET_CATALOG)()


async def test_the_simulated_venues_markets_are_listed(venue_file, tmp_path):
    async with running_venue(tmp_path / "venue") as venue:
        venue_file.write_text(json.dumps({"url": venue.url, "gamma_url": f"{venue.url}/gamma"}))
        async with open_catalog() as catalog:
            markets, groups = await catalog.markets()
            again = await catalog.market(markets[0].condition_id)
    assert len(markets) >= 30
    assert {market.group_id for market in markets} <= {group.id for group in groups}
    assert again is not None
    assert again.id == markets[0].id


@pytest.mark.parametrize(
    ("content", "message"), [(None, "runvenue"), ("{}", "start the venue again"), ("?", "start the venue again")]
)
async def test_a_venue_that_is_not_there_is_one_message(venue_file, content, message):
    if content is not None:
        venue_file.write_text(content)
    with pytest.raises(VenueError, match=message):
        async with open_catalog():
            pass


def test_beat_sends_discovery():
    assert "markets.discover" in {entry["task"] for entry in SCHEDULE.values()}


def test_markets_have_their_addresses():
    assert reverse("markets") == "/api/markets"
    assert reverse("market", args=["7"]) == "/api/markets/7"
