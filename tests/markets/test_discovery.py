"""Discovery against a catalogue whose answers the tests decide."""

from __future__ import annotations

import dataclasses

import pytest

from domain.errors import VenueError
from domain.market import ConditionGroup, MarketStatus
from markets.discovery import LOOKUPS, discover
from tests.markets.builders import make_market


class Catalogue:
    """Lists `markets` and `groups`; single markets are answered from `single`, where an exception is raised."""

    def __init__(self, markets=(), groups=(), single=None) -> None:
        self.listing = list(markets), list(groups)
        self.single = single or {}
        self.asked: list[str] = []

    async def markets(self):
        if isinstance(self.listing, Exception):
            raise self.listing
        return self.listing

    async def market(self, condition_id):
        self.asked.append(condition_id)
        answer = self.single.get(condition_id)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Saved:
    """Remembers what was saved, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], list[str]]] = []
        self.markets: dict[str, object] = {}

    async def __call__(self, markets, groups) -> None:
        self.calls.append(([m.id for m in markets], [g.id for g in groups]))
        self.markets |= {m.id: m for m in markets}


M1, M2 = make_market("m1"), make_market("m2")
GROUP = ConditionGroup(id="g", title="Which?", market_ids=("m1", "m2"))


async def test_everything_is_new_to_somebody_who_knows_nothing():
    saved = Saved()
    found = await discover(Catalogue([M1, M2], [GROUP]), saved)
    assert saved.calls == [(["m1", "m2"], []), ([], ["g"])]
    assert (found.markets, found.groups, found.new, found.changed, found.gone) == ((M1, M2), (GROUP,), (M1, M2), (), ())


async def test_what_did_not_change_is_not_written_again():
    saved = Saved()
    found = await discover(Catalogue([M1, M2], [GROUP]), saved, known=[M1, M2], known_groups=[GROUP])
    assert saved.calls == []
    assert found.markets == (M1, M2)
    assert found.new == found.changed == found.gone == ()


@pytest.mark.parametrize(
    ("details", "news"),
    [
        ({"question": "Other words?"}, True),
        ({"tick": 1_000}, True),
        ({"accepting_orders": False}, True),
        ({"volume": 1_011_000_000}, True),
        ({"volume": 1_009_000_000}, False),
        ({"volume_24h": 1}, True),
        ({"created_ns": 5}, False),
    ],
)
async def test_a_market_is_written_again_when_it_says_something_new(details, news):
    before = make_market(volume=1_000_000_000)
    saved = Saved()
    found = await discover(Catalogue([dataclasses.replace(before, **details)]), saved, known=[before])
    assert bool(saved.calls) == bool(found.changed) == news


async def test_a_listing_that_broke_off_saves_and_closes_nothing():
    catalogue, saved = Catalogue(), Saved()
    catalogue.listing = VenueError("page 3 was malformed")
    with pytest.raises(VenueError, match="page 3"):
        await discover(catalogue, saved, known=[M1])
    assert (saved.calls, catalogue.asked) == ([], [])


async def test_a_missing_market_is_looked_up_before_it_is_closed():
    settled = dataclasses.replace(M2, status=MarketStatus.SETTLED, accepting_orders=False, winner=0)
    catalogue, saved = Catalogue([M1], single={"0xm2": settled}), Saved()
    found = await discover(catalogue, saved, known=[M1, M2])
    assert found.gone == (settled,)
    assert saved.calls == [(["m2"], [])]
    assert catalogue.asked == ["0xm2"]


async def test_a_missing_market_the_venue_still_trades_stays_open():
    found = await discover(Catalogue([M1], single={"0xm2": M2}), Saved(), known=[M1, M2])
    assert found.gone == ()
    assert M2 in found.markets


async def test_a_missing_market_the_venue_does_not_know_is_closed():
    found = await discover(Catalogue([M1]), Saved(), known=[M1, M2])
    (gone,) = found.gone
    assert (gone.id, gone.status, gone.tradable) == ("m2", MarketStatus.CLOSED, False)


async def test_a_missing_market_that_cannot_be_looked_up_stays_as_it_was():
    saved = Saved()
    found = await discover(Catalogue([M1], single={"0xm2": VenueError("timeout")}), saved, known=[M1, M2])
    assert (saved.calls, found.gone, found.missing) == ([], (), 1)
    assert found.markets == (M1,)


async def test_a_closed_market_is_looked_up_until_it_is_settled():
    closed = dataclasses.replace(M2, status=MarketStatus.CLOSED, accepting_orders=False)
    settled = dataclasses.replace(closed, status=MarketStatus.SETTLED, winner=1)
    found = await discover(Catalogue([], single={"0xm2": settled}), Saved(), known=[closed])
    assert found.changed == (settled,)
    assert found.gone == ()
    catalogue = Catalogue([])
    await discover(catalogue, Saved(), known=[settled])
    assert catalogue.asked == []


async def test_lookups_are_bounded_and_active_markets_come_first():
    closed = [make_market(f"c{i}", status=MarketStatus.CLOSED) for i in range(LOOKUPS)]
    catalogue = Catalogue([])
    found = await discover(catalogue, Saved(), known=[*closed, M1, M2])
    assert len(catalogue.asked) == LOOKUPS
    assert set(catalogue.asked[:2]) == {"0xm1", "0xm2"}
    assert found.missing == 2


async def test_a_venue_that_keeps_failing_is_not_asked_for_every_market():
    markets = [make_market(f"m{i}") for i in range(10)]
    catalogue = Catalogue([], single={m.condition_id: VenueError("down") for m in markets})
    found = await discover(catalogue, Saved(), known=markets)
    assert len(catalogue.asked) == 3
    assert found.missing == 10


async def test_large_listings_are_saved_in_portions_groups_last():
    markets = [make_market(f"m{i}") for i in range(600)]
    saved = Saved()
    await discover(Catalogue(markets, [GROUP]), saved)
    assert [(len(m), len(g)) for m, g in saved.calls] == [(250, 0), (250, 0), (100, 0), (0, 1)]


@pytest.mark.parametrize(
    ("now", "news"),
    [
        (dataclasses.replace(GROUP, title="Who?"), True),
        (dataclasses.replace(GROUP, market_ids=("m1", "m2", "m3")), True),
        (dataclasses.replace(GROUP, market_ids=("m1",)), False),
    ],
)
async def test_a_group_is_written_again_for_new_words_or_members(now, news):
    saved = Saved()
    await discover(Catalogue([M1, M2], [now]), saved, known=[M1, M2], known_groups=[GROUP])
    assert bool(saved.calls) == news
