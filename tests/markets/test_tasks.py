"""The scheduled discovery runs the same function over real rows."""

from __future__ import annotations

import dataclasses
from contextlib import asynccontextmanager

import pytest

from domain.errors import VenueError
from domain.market import ConditionGroup, MarketStatus
from markets import store
from markets.schedule import SCHEDULE
from markets.tasks import discover_markets
from tests.markets.builders import make_market

pytestmark = pytest.mark.django_db(transaction=True)

LISTING = [make_market("m1"), make_market("m2")]
GROUPS = [ConditionGroup(id="g", title="Which?", market_ids=("m1", "m2"))]


class Catalogue:
    venue = "simulator"
    fail = False
    listing = LISTING

    async def markets(self):
        if self.fail:
            raise VenueError("the listing broke off")
        return list(self.listing), GROUPS

    async def market(self, condition_id):
        return dataclasses.replace(make_market("m2"), status=MarketStatus.SETTLED, accepting_orders=False, winner=0)


CATALOGUE = Catalogue()


@asynccontextmanager
async def open_catalogue():
    yield CATALOGUE


@pytest.fixture(autouse=True)
def configured(settings, monkeypatch):
    settings.MARKET_CATALOG = f"{__name__}.open_catalogue"
    monkeypatch.setattr(CATALOGUE, "fail", False)
    monkeypatch.setattr(CATALOGUE, "listing", LISTING)


def test_the_task_saves_what_is_new_and_closes_what_is_gone(monkeypatch):
    discover_markets()
    assert {market.id: market.group_id for market in store.load_markets()} == {"m1": "g", "m2": "g"}
    monkeypatch.setattr(CATALOGUE, "listing", LISTING[:1])
    discover_markets()
    after = store.load_markets_by_id(["m1", "m2"])
    assert after["m1"].status is MarketStatus.ACTIVE
    assert (after["m2"].status, after["m2"].winner, after["m2"].group_id) == (MarketStatus.SETTLED, 0, "g")


def test_a_listing_that_broke_off_fails_the_task_and_closes_nothing(monkeypatch):
    discover_markets()
    monkeypatch.setattr(CATALOGUE, "fail", True)
    with pytest.raises(VenueError, match="broke off"):
        discover_markets()
    assert all(market.status is MarketStatus.ACTIVE for market in store.load_markets())


def test_beat_sends_the_task_under_its_name():
    assert [entry["task"] for entry in SCHEDULE.values()] == [discover_markets.name]


def test_markets_of_another_venue_in_the_same_database_are_neither_looked_up_nor_closed():
    store.save_markets([make_market("m9", venue="elsewhere")], [])
    discover_markets()
    # Whatever the catalogue is asked for, it answers that m2 is settled.
    assert {market.id: market.status for market in store.load_markets()} == dict.fromkeys(
        ("m1", "m2", "m9"), MarketStatus.ACTIVE
    )
    assert [market.id for market in store.load_markets(venue="elsewhere")] == ["m9"]
