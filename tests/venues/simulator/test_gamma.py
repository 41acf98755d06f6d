"""Listings: shapes, pages and lookups of open and closed markets."""

from __future__ import annotations

import json

import pytest


@pytest.mark.protocol("6.1")
async def test_there_are_many_markets_of_many_kinds(venue):
    _, body = await venue.get("/gamma/events/keyset", limit="100")
    events = body["events"]
    assert len(events) >= 10
    assert sum(len(event["markets"]) for event in events) >= 30
    assert sum(len(event["markets"]) >= 3 for event in events) >= 5
    assert sum(event["negRisk"] for event in events) >= 3
    markets = [market for event in events for market in event["markets"]]
    assert len({market["orderPriceMinTickSize"] for market in markets}) >= 3
    assert len({market.get("feeSchedule", {}).get("rate", 0) for market in markets}) >= 4
    assert len({event["category"] for event in events}) >= 6
    assert "next_cursor" not in body


@pytest.mark.protocol("6.2")
async def test_lists_inside_markets_are_json_text(venue):
    market = await venue.some_market(neg_risk=True)
    assert json.loads(market["outcomes"]) == ["Yes", "No"]
    assert len(json.loads(market["clobTokenIds"])) == 2
    assert sum(float(price) for price in json.loads(market["outcomePrices"])) == 1.0
    assert market["umaResolutionStatuses"] == "[]"
    assert isinstance(market["volume"], str)
    assert isinstance(market["volumeNum"], float)
    assert market["negRiskMarketID"].endswith("00")
    assert market["questionID"][:-2] == market["negRiskMarketID"][:-2]


@pytest.mark.protocol("6.1")
async def test_pages_follow_each_other_without_gap_or_repetition(venue):
    seen, query = [], {"limit": "7"}
    while True:
        status, body = await venue.get("/gamma/markets/keyset", **query)
        assert status == 200
        assert len(body["markets"]) <= 7
        seen += [market["id"] for market in body["markets"]]
        if "next_cursor" not in body:
            break
        query["after_cursor"] = body["next_cursor"]
    assert len(seen) == len(set(seen)) == len(venue.venue.world.listings.open())
    _, busiest = await venue.get("/gamma/markets/keyset", order="volume24hr", ascending="false", limit="100")
    volumes = [market["volume24hr"] for market in busiest["markets"]]
    assert volumes == sorted(volumes, reverse=True)
    assert volumes[0] > 0


@pytest.mark.protocol("6.1")
async def test_limits_are_clamped_and_wrong_parameters_refused(venue):
    _, body = await venue.get("/gamma/markets/keyset")
    assert len(body["markets"]) == 20
    _, body = await venue.get("/gamma/markets/keyset", limit="100000")
    assert len(body["markets"]) == 36
    for query in ({"offset": "5"}, {"order": "volume_24hr"}, {"after_cursor": "%%"}, {"limit": "x"}):
        status, body = await venue.get("/gamma/markets/keyset", **query)
        assert status == 422
        assert body["error"]
    assert (await venue.get("/gamma/markets/keyset", offset="5"))[1][
        "error"
    ] == "offset is not allowed on keyset endpoints"


@pytest.mark.protocol("6.1", "6.3")
async def test_single_objects_are_found_by_id_slug_condition_and_token(venue):
    market = await venue.some_market()
    _, same = await venue.get(f"/gamma/markets/{market['id']}")
    assert same["conditionId"] == market["conditionId"]
    assert same["events"][0]["title"]
    assert (await venue.get(f"/gamma/markets/slug/{market['slug']}"))[1]["id"] == market["id"]
    event = same["events"][0]
    assert (await venue.get(f"/gamma/events/{event['id']}"))[1]["slug"] == event["slug"]
    assert (await venue.get(f"/gamma/events/slug/{event['slug']}"))[1]["id"] == event["id"]
    for query in ({"condition_ids": market["conditionId"]}, {"clob_token_ids": market["tokens"][1]}):
        _, body = await venue.get("/gamma/markets/keyset", **query)
        assert [found["id"] for found in body["markets"]] == [market["id"]]
    assert (await venue.get("/gamma/markets/1"))[0] == 404


@pytest.mark.protocol("6.4")
async def test_events_resolve_and_others_open_in_their_place(venue):
    _, before = await venue.get("/gamma/events/keyset", limit="100")
    venue.jump(1200), venue.jump(30)
    _, after = await venue.get("/gamma/events/keyset", limit="100")
    _, closed = await venue.get("/gamma/events/keyset", limit="100", closed="true")
    assert closed["events"]
    assert len(after["events"]) >= 10
    assert {event["id"] for event in after["events"]} - {event["id"] for event in before["events"]}
    gone = closed["events"][0]["markets"][0]
    _, market = await venue.get(f"/gamma/markets/{gone['id']}")
    assert market["closed"] is True
    assert market["acceptingOrders"] is False
    assert sorted(json.loads(market["outcomePrices"])) == ["0", "1"]
    assert market["umaResolutionStatus"] == "resolved"
    assert "bestBid" not in market
