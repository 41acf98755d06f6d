"""The catalogue against an HTTP server that pages as Gamma does."""

import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from domain.errors import VenueError, VenueUnavailableError
from domain.fees import NO_FEES, FeeSchedule
from domain.market import ConditionGroup, MarketStatus
from infra.clock import SystemClock
from tests.venues.polymarket.pacing import Unpaced
from tests.venues.polymarket.rest_server import RestServer, refusal, rest_server
from venues.polymarket.clob import ClobReader
from venues.polymarket.gamma import PAGE_LIMIT, GammaCatalog
from venues.polymarket.http import HttpClient, open_session


def condition(number: int) -> str:
    return f"0x{number:064x}"


def market(number: int, **more: Any) -> dict:
    tokens = json.dumps([str(number * 10 + 1), str(number * 10 + 2)])
    return {
        "id": str(number), "question": f"Will {number} happen?", "slug": f"will-{number}", "conditionId": condition(number),
        "clobTokenIds": tokens, "outcomes": '["Yes", "No"]', "outcomePrices": '["0.5", "0.5"]', "active": True, "closed": False,
        "acceptingOrders": True, "enableOrderBook": True, "negRisk": False, "orderPriceMinTickSize": 0.01, "orderMinSize": 5,
        "volume": "1234.567", "volume24hr": 9.5, "endDate": "2026-12-31T12:00:00Z", "description": "rules", **more,
    }  # fmt: skip


def event(number: int, *markets: dict, **more: Any) -> dict:
    return {
        "id": str(number),
        "title": f"Event {number}",
        "active": True,
        "closed": False,
        "markets": list(markets),
        **more,
    }


@pytest.fixture
async def venue() -> AsyncIterator[RestServer]:
    async with rest_server() as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session(timeout=2.0) as session:
        yield session


@pytest.fixture
def catalog(venue: RestServer, session: aiohttp.ClientSession) -> GammaCatalog:
    http = HttpClient(venue.url, session, Unpaced())
    return GammaCatalog(http, ClobReader(http, SystemClock()), "polymarket")


def listing(*pages: list[dict]) -> Any:
    def answer(request: Any) -> dict:
        index = int(request.query.get("after_cursor", "p0")[1:])
        page = {"events": pages[index]}
        return page if index == len(pages) - 1 else {**page, "next_cursor": f"p{index + 1}"}

    return answer


async def test_bytes_that_are_no_text_cost_an_item_or_break_the_listing_off(
    venue: RestServer, catalog: GammaCatalog
) -> None:
    page = json.dumps({"events": [event(100, market(1, question="BAD"), market(2)), event(101, title="BAD")]})
    venue.on("GET /events/keyset", lambda _: web.Response(body=page.encode().replace(b"BAD", b"\xff")))
    markets, _ = await catalog.markets()
    assert ([m.id for m in markets], catalog.skipped) == (["2"], 2)
    venue.on("GET /events/keyset", lambda _: web.Response(body=b'{"events":[],"next_cursor":"\xff"}'))
    with pytest.raises(VenueError, match="malformed"):
        await catalog.markets()
    venue.on("GET /markets/keyset", lambda _: web.Response(body=b'{"markets":[{"id":"1","question":"\xff"}]}'))
    with pytest.raises(VenueError, match="malformed"):
        await catalog.market(condition(1))


@pytest.mark.protocol("6.1")
async def test_every_page_is_read_until_no_cursor_comes(venue: RestServer, catalog: GammaCatalog) -> None:
    venue.on("GET /events/keyset", listing([event(100, market(1))], [], [event(101, market(2), market(3))]))
    markets, groups = await catalog.markets()
    assert [m.id for m in markets] == ["1", "2", "3"]
    assert [(g.id, g.market_ids) for g in groups] == [("100", ("1",)), ("101", ("2", "3"))]
    requests = venue.asked("GET /events/keyset")
    assert [r.query.get("after_cursor") for r in requests] == [None, "p1", "p2"]
    assert all(r.query["limit"] == str(PAGE_LIMIT) and "offset" not in r.query for r in requests)


@pytest.mark.protocol("6.2")
async def test_a_market_carries_everything_trading_needs(venue: RestServer, catalog: GammaCatalog) -> None:
    fees = {"rate": 0.04, "exponent": 1, "takerOnly": True, "rebateRate": 0.25}
    item = market(7, negRisk=True, feesEnabled=True, feeSchedule=fees, secondsDelay=3, orderPriceMinTickSize="0.0025")
    labels = [{"label": "All"}, {"label": "Politics"}, {"label": None}]
    venue.on(
        "GET /events/keyset",
        listing([event(9, item, negRisk=True, negRiskAugmented=True, negRiskFeeBips=150.0, tags=labels)]),
    )
    (found,), (group,) = await catalog.markets()
    assert found.condition_id == condition(7)
    assert (found.venue, found.token_ids, found.outcomes) == ("polymarket", ("71", "72"), ("Yes", "No"))
    assert (found.tick, found.min_size, found.neg_risk, found.taker_delay_ms) == (2_500, 5_000_000, True, 3_000)
    assert found.fees == FeeSchedule(rate=40_000, exponent=1, taker_only=True, rebate=250_000)
    assert (found.category, found.group_id, found.volume, found.volume_24h) == (
        "Politics",
        "9",
        1_234_567_000,
        9_500_000,
    )
    assert found.end_ns == 1_798_718_400_000_000_000
    assert found.tradable
    assert group == ConditionGroup(
        id="9",
        title="Event 9",
        market_ids=("7",),
        exclusive=True,
        augmented=True,
        category="Politics",
        conversion_fee_bips=150,
    )


@pytest.mark.parametrize("fee", [-1, 0.5, 10_001])
async def test_an_event_whose_fee_is_none_loses_its_group_and_not_its_markets(
    venue: RestServer, catalog: GammaCatalog, fee: float
) -> None:
    venue.on("GET /events/keyset", listing([event(9, market(7), negRiskFeeBips=fee), event(10, market(8))]))
    markets, groups = await catalog.markets()
    assert ([market.id for market in markets], [group.id for group in groups]) == (["7", "8"], ["10"])
    assert catalog.skipped == 1


@pytest.mark.protocol("6.3")
async def test_thresholds_are_not_exclusive(venue: RestServer, catalog: GammaCatalog) -> None:
    venue.on(
        "GET /events/keyset", listing([event(9, market(1, negRisk=True), enableNegRisk=True, cumulativeMarkets=True)])
    )
    _, (group,) = await catalog.markets()
    assert not group.exclusive


@pytest.mark.protocol("6.3")
@pytest.mark.parametrize(
    ("other", "exclusive"),
    [
        ({"negRisk": True, "negRiskMarketID": "0xaa"}, True),
        ({"negRisk": True, "negRiskMarketID": "0xbb"}, False),
        ({"negRisk": True}, False),
        ({"negRisk": False, "negRiskMarketID": None}, False),
    ],
)
async def test_an_event_is_exclusive_only_when_all_of_its_markets_are_of_one_set(
    venue: RestServer, catalog: GammaCatalog, other: dict, exclusive: bool
) -> None:
    first = market(1, negRisk=True, negRiskMarketID="0xaa")
    venue.on("GET /events/keyset", listing([event(9, first, market(2, **other), negRisk=True)]))
    _, (group,) = await catalog.markets()
    assert group.exclusive is exclusive


async def test_the_rules_hash_follows_the_text_of_the_rules(venue: RestServer, catalog: GammaCatalog) -> None:
    items = [market(1), market(2, question=market(1)["question"]), market(3, description="other rules")]
    venue.on("GET /events/keyset", listing([event(9, *items)]))
    (one, same, other), _ = await catalog.markets()
    assert one.rules_hash == same.rules_hash != other.rules_hash


MALFORMED = {
    "one token": {"clobTokenIds": '["1"]'},
    "the same token twice": {"clobTokenIds": '["1", "1"]'},
    "three outcomes": {"outcomes": '["A", "B", "C"]'},
    "list not encoded": {"clobTokenIds": ["1", "2"]},
    "broken list": {"outcomes": '["Yes", '},
    "token is no number": {"clobTokenIds": '["1", "0x2"]'},
    "no condition": {"conditionId": ""},
    "unknown tick": {"orderPriceMinTickSize": 0.3},
    "no tick": {"orderPriceMinTickSize": None},
    "negative minimum": {"orderMinSize": -5},
    "no minimum": {"orderMinSize": ""},
    "fees without schedule": {"feesEnabled": True},
    "absurd fee": {"feesEnabled": True, "feeSchedule": {"rate": 7}},
    "fractional exponent": {"feesEnabled": True, "feeSchedule": {"rate": 0.1, "exponent": 1.5}},
    "date is a word": {"endDate": "soon"},
    "flag is a word": {"active": "yes"},
    "volume not finite": {"volume": "nan"},
}


@pytest.mark.parametrize("bad", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_market_is_skipped_and_counted_with_its_id_and_reason(
    venue: RestServer, catalog: GammaCatalog, bad: dict, capsys: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
) -> None:
    venue.on("GET /events/keyset", listing([event(9, market(1), market(2, **bad), market(3))]))
    markets, (group,) = await catalog.markets()
    assert [m.id for m in markets] == list(group.market_ids) == ["1", "3"]
    assert catalog.skipped == 1
    logged = capsys.readouterr().out + caplog.text
    assert "listing item skipped" in logged


async def test_absent_and_empty_fields_that_nothing_depends_on_are_fine(
    venue: RestServer, catalog: GammaCatalog
) -> None:
    sparse = market(
        1, volume="", volume24hr=None, description=None, endDate="", outcomePrices="", category=None, secondsDelay=None
    )
    venue.on("GET /events/keyset", listing([event(9, sparse, tags=None, category=None)]))
    (found,), _ = await catalog.markets()
    assert (found.volume, found.end_ns, found.category, found.fees) == (0, None, "", NO_FEES)


async def test_closed_and_bookless_markets_of_an_open_event_are_not_listed_and_not_wrong(
    venue: RestServer, catalog: GammaCatalog
) -> None:
    items = [market(1, closed=True), market(2, enableOrderBook=False), market(3, clobTokenIds=""), market(4)]
    venue.on("GET /events/keyset", listing([event(9, *items), event(10, market(5, closed=True))]))
    markets, groups = await catalog.markets()
    assert ([m.id for m in markets], [g.id for g in groups]) == (["4"], ["9"])
    assert catalog.skipped == 0


async def test_a_market_that_appears_twice_is_listed_once_in_its_first_event(
    venue: RestServer, catalog: GammaCatalog
) -> None:
    venue.on(
        "GET /events/keyset", listing([event(9, market(1), market(1))], [event(10, market(1)), event(9, market(1))])
    )
    markets, groups = await catalog.markets()
    assert [m.id for m in markets] == ["1"]
    assert [(g.id, g.market_ids) for g in groups] == [("9", ("1",))]


@pytest.mark.protocol("6.3")
async def test_a_malformed_event_is_skipped_with_its_markets(venue: RestServer, catalog: GammaCatalog) -> None:
    venue.on("GET /events/keyset", listing([{"id": "8", "markets": 7}, {"title": "no id"}, event(9, market(1))]))
    markets, _ = await catalog.markets()
    assert [m.id for m in markets] == ["1"]
    assert catalog.skipped == 2


BROKEN_PAGES = {
    "not json": lambda _: web.Response(body=b"<html>"),
    "truncated": lambda _: web.Response(body=b'{"events":[{"id":'),
    "no events": {"markets": []},
    "server error": lambda _: refusal(500, "x"),
    "the cursor comes again": lambda _: {"events": [event(9, market(1))], "next_cursor": "same"},
}


@pytest.mark.parametrize("second", BROKEN_PAGES.values(), ids=BROKEN_PAGES.keys())
async def test_a_broken_page_breaks_the_listing_off(venue: RestServer, catalog: GammaCatalog, second: Any) -> None:
    first = {"events": [event(1, market(1))], "next_cursor": "same"}

    def answer(request: Any) -> Any:
        if "after_cursor" not in request.query:
            return first
        return second(request) if callable(second) else second

    venue.on("GET /events/keyset", answer)
    with pytest.raises(VenueError, match="/events/keyset"):
        await catalog.markets()
    assert len(venue.asked("GET /events/keyset")) == 2


async def test_a_venue_that_is_down_or_silent_is_an_error(venue: RestServer, catalog: GammaCatalog) -> None:
    venue.on("GET /events/keyset", lambda _: refusal(503, "down"))
    with pytest.raises(VenueUnavailableError, match="503"):
        await catalog.markets()


# One market.


def found(*items: dict) -> Any:
    return lambda request: {
        "markets": [item for item in items if str(item["closed"]).lower() == request.query["closed"]]
    }


async def test_one_market_is_listed_by_gamma_and_completed_by_the_order_book_service(
    venue: RestServer, catalog: GammaCatalog
) -> None:
    venue.on("GET /markets/keyset", found(market(1, events=[{"id": "9"}])))
    venue.on(f"GET /markets/{condition(1)}", {"condition_id": condition(1), "closed": False, "accepting_orders": False,
                                             "minimum_tick_size": 0.001, "tokens": []})  # fmt: skip
    one = await catalog.market(condition(1))
    assert one is not None
    assert (one.id, one.group_id, one.tick, one.accepting_orders, one.status) == (
        "1",
        "9",
        1_000,
        False,
        MarketStatus.ACTIVE,
    )
    assert venue.asked("GET /markets/keyset")[0].query["condition_ids"] == condition(1)


@pytest.mark.protocol("3.5", "9.16")
@pytest.mark.parametrize(
    ("said", "listed", "delay"),
    [
        ({"itode": True}, {}, 150),
        ({"sd": 3}, {"secondsDelay": 3}, 3_000),
        ({"itode": False}, {"secondsDelay": 1}, 1_000),
        ({}, {}, 0),
        (None, {"secondsDelay": 1}, 1_000),
    ],
)
async def test_the_taker_delay_is_completed_by_the_order_book_service(
    venue: RestServer, catalog: GammaCatalog, said: Any, listed: Any, delay: int
) -> None:
    venue.on("GET /markets/keyset", found(market(1, **listed)))
    venue.on(f"GET /markets/{condition(1)}", {"condition_id": condition(1), "accepting_orders": True})
    if said is not None:
        venue.on(f"GET /clob-markets/{condition(1)}", {"c": condition(1), **said})
    one = await catalog.market(condition(1))
    assert one is not None
    assert one.taker_delay_ms == delay


@pytest.mark.protocol("6.4")
async def test_a_winner_named_by_the_order_book_service_settles_the_market(
    venue: RestServer, catalog: GammaCatalog
) -> None:
    venue.on("GET /markets/keyset", found(market(1)))
    tokens = [{"token_id": "11", "winner": False}, {"token_id": "12", "winner": True}]
    venue.on(f"GET /markets/{condition(1)}", {"condition_id": condition(1), "closed": True, "tokens": tokens})
    one = await catalog.market(condition(1))
    assert one is not None
    assert (one.status, one.winner, one.tradable) == (MarketStatus.SETTLED, 1, False)


@pytest.mark.protocol("6.4")
@pytest.mark.parametrize(
    ("prices", "resolved", "status", "winner"),
    [
        ('["1", "0"]', "resolved", MarketStatus.SETTLED, 0),
        ('["0", "1"]', "settled", MarketStatus.SETTLED, 1),
        ('["0.5", "0.5"]', "resolved", MarketStatus.SETTLED, None),
        ('["0.93", "0.07"]', "proposed", MarketStatus.CLOSED, None),
        ('["1", "0"]', "proposed", MarketStatus.CLOSED, None),
        ("", None, MarketStatus.CLOSED, None),
    ],
)
async def test_a_closed_market_is_settled_once_it_is_resolved(
    venue: RestServer,
    catalog: GammaCatalog,
    prices: str,
    resolved: str | None,
    status: MarketStatus,
    winner: int | None,
) -> None:
    item = market(
        1, closed=True, outcomePrices=prices, umaResolutionStatus=resolved, closedTime="2026-03-12 09:31:02+00"
    )
    venue.on("GET /markets/keyset", found(item))
    one = await catalog.market(condition(1))
    assert one is not None
    assert (one.status, one.winner, one.accepting_orders) == (status, winner, False)
    assert one.closed_ns == 1_773_307_862_000_000_000


async def test_a_market_nobody_knows_is_none_and_an_answer_about_another_is_not_taken(
    venue: RestServer, catalog: GammaCatalog
) -> None:
    venue.on("GET /markets/keyset", {"markets": []})
    assert await catalog.market(condition(1)) is None
    venue.on("GET /markets/keyset", {"markets": [market(2)]})
    assert await catalog.market(condition(1)) is None


async def test_a_malformed_single_market_is_an_error(venue: RestServer, catalog: GammaCatalog) -> None:
    venue.on("GET /markets/keyset", {"markets": [market(1, outcomes="[")]})
    with pytest.raises(VenueError, match="malformed"):
        await catalog.market(condition(1))


async def test_a_listed_market_equals_the_same_market_asked_for_alone(venue: RestServer, catalog: GammaCatalog) -> None:
    item = market(1, category="Tech")
    venue.on("GET /events/keyset", listing([event(9, item, category="Tech")]))
    venue.on("GET /markets/keyset", {"markets": [{**item, "events": [{"id": "9"}]}]})
    (listed,), _ = await catalog.markets()
    assert await catalog.market(condition(1)) == dataclasses.replace(listed)
