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


@pytest.mark.protocol("6.2")
async def test_markets_have_the_fields_that_clients_read(venue):
    venue.jump(60)
    _, body = await venue.get("/gamma/markets/keyset", limit="100", include_tag="true")
    market = next(one for one in body["markets"] if one.get("clobRewards") and one["feesEnabled"])
    fields = (
        "id slug question description conditionId questionID groupItemTitle groupItemThreshold version events category tags"
        " outcomes outcomePrices clobTokenIds umaResolutionStatuses active closed archived restricted acceptingOrders"
        " acceptingOrdersTimestamp enableOrderBook ready funded approved pendingDeployment deploying automaticallyActive"
        " manualActivation clearBookOnStart rfqEnabled cyom startDate endDate endDateIso startDateIso createdAt updatedAt"
        " orderPriceMinTickSize orderMinSize secondsDelay feeType feeSchedule makerBaseFee takerBaseFee negRisk volume"
        " liquidity volumeNum liquidityNum volume24hr volume1wk volume1mo volume1yr volumeClob bestBid bestAsk spread"
        " oneHourPriceChange oneDayPriceChange oneWeekPriceChange oneMonthPriceChange competitive rewardsMinSize"
        " rewardsMaxSpread holdingRewardsEnabled resolutionSource resolvedBy umaBond umaReward"
    )
    assert set(fields.split()) <= set(market)
    assert market["tags"][0]["label"] == market["category"]
    assert isinstance(market["liquidity"], str)
    assert float(market["liquidity"]) == market["liquidityNum"] > 0
    middle = (market["bestBid"] + market["bestAsk"]) / 2
    assert market["competitive"] == pytest.approx(1 / (1 + (middle - 0.5) ** 2), rel=1e-3)
    _, book = await venue.get("/book", token_id=json.loads(market["clobTokenIds"])[0])
    worth = sum(float(level["price"]) * float(level["size"]) for level in book["bids"])
    worth += sum((1 - float(level["price"])) * float(level["size"]) for level in book["asks"])
    assert market["liquidityNum"] == pytest.approx(worth)


@pytest.mark.protocol("6.3")
async def test_events_sum_up_their_markets_and_name_their_series_and_tags(venue):
    _, body = await venue.get("/gamma/events/keyset", limit="100", tag_slug="crypto")
    assert {event["category"] for event in body["events"]} == {"Crypto"}
    event = next(one for one in body["events"] if len(one["markets"]) > 1)
    assert event["liquidity"] == pytest.approx(sum(market["liquidityNum"] for market in event["markets"]))
    assert event["volume"] == pytest.approx(sum(market["volumeNum"] for market in event["markets"]))
    assert event["openInterest"] > 0
    assert event["series"][0]["slug"] == event["seriesSlug"] == "bitcoin-price-thresholds"
    assert event["series"][0]["recurrence"] == "hourly"
    assert [tag["slug"] for tag in event["tags"]] == ["crypto", "hourly", "all"]
    _, tags = await venue.get(f"/gamma/events/{event['id']}/tags")
    assert [tag["slug"] for tag in tags] == ["crypto", "hourly", "all"]
    assert (await venue.get(f"/gamma/markets/{event['markets'][0]['id']}/tags"))[1] == tags


@pytest.mark.protocol("6.1")
async def test_listings_are_filtered_by_what_objects_are(venue):
    _, body = await venue.get("/gamma/markets/keyset", limit="100")
    every = body["markets"]

    async def found(**query):
        _, page = await venue.get("/gamma/markets/keyset", limit="100", **query)
        return {market["id"] for market in page["markets"]}

    assert await found(rewards_min_size="50") == {m["id"] for m in every if m["rewardsMinSize"] >= 50}
    level = sorted(market["liquidityNum"] for market in every)[len(every) // 2]
    assert await found(liquidity_num_min=str(level)) == {m["id"] for m in every if m["liquidityNum"] >= level}
    assert await found(liquidity_num_max=str(level)) == {m["id"] for m in every if m["liquidityNum"] <= level}
    end = sorted(market["endDate"] for market in every)[len(every) // 2]
    assert await found(end_date_min=end) == {m["id"] for m in every if m["endDate"] >= end}
    assert await found(end_date_max=end.replace("Z", "+00:00")) == {m["id"] for m in every if m["endDate"] <= end}
    _, tags = await venue.get("/gamma/tags")
    sports = next(tag["id"] for tag in tags if tag["slug"] == "sports")
    assert await found(tag_id=sports) == {m["id"] for m in every if m["category"] == "Sports"}
    assert await found(exclude_tag_id=sports) == {m["id"] for m in every if m["category"] != "Sports"}
    assert await found(question_ids=every[0]["questionID"]) == {every[0]["id"]}
    assert await found(game_id="1") == await found(uma_resolution_status="resolved") == set()
    versions = {version: {m["id"] for m in every if m["version"] == version} for version in ("v1", "v2")}
    assert all(versions.values())
    assert await found(version="v2") == await found(resolution_status="inactive") == versions["v2"]
    position = next(market["positionIds"][0] for market in every if market["version"] == "v2")
    assert await found(position_ids=position) == versions["v2"]
    assert await found(position_ids=json.loads(every[0]["clobTokenIds"])[0]) <= versions["v2"]
    assert await found(version="v1", active="false", archived="true") == versions["v1"]
    for bad in ({"liquidity_num_min": "much"}, {"end_date_min": "soon"}, {"order": "liquidity_num"}):
        assert (await venue.get("/gamma/markets/keyset", **bad))[0] == 422
    _, events = await venue.get("/gamma/events/keyset", limit="100", recurrence="daily", title_search="close above")
    assert len(events["events"]) == 1
    _, several = await venue.get(
        "/gamma/events/keyset?limit=100&" + "&".join(f"id={m['events'][0]['id']}" for m in every[:9])
    )
    assert {event["id"] for event in several["events"]} == {market["events"][0]["id"] for market in every[:9]}


@pytest.mark.protocol("6.1")
async def test_pages_hold_in_any_order(venue):
    for order in ("endDate", "liquidityNum", "volume", "startDate,volumeNum"):
        seen, query = [], {"limit": "9", "order": order, "ascending": "false"}
        while True:
            _, body = await venue.get("/gamma/markets/keyset", **query)
            seen += body["markets"]
            if "next_cursor" not in body:
                break
            query["after_cursor"] = body["next_cursor"]
        assert len({market["id"] for market in seen}) == len(seen) == len(venue.venue.world.listings.open())
        values = [market[order] for market in seen if "," not in order]
        # A market's `volume` is text, and sorts as text.
        assert values == sorted(values, reverse=True)


@pytest.mark.protocol("6.1")
async def test_the_old_listings_still_answer_by_offset(venue):
    first = await venue.get("/gamma/markets", limit="5", closed="false")
    _, second = await venue.get("/gamma/markets", limit="5", offset="5", closed="false")
    _, both = await venue.get("/gamma/markets", limit="10", closed="false")
    assert first[1] + second == both
    assert isinstance((await venue.get("/gamma/events", limit="3"))[1], list)
    for path in ("/gamma/markets", "/gamma/events"):
        assert (await venue.get(path, offset="2000"))[0] == 200
        assert (await venue.get(path, offset="2001"))[0] == 422
        async with venue.session.get(venue.url + path) as response:
            assert response.headers["Sunset"] == "Fri, 01 May 2026 00:00:00 GMT"


@pytest.mark.protocol("6.1")
async def test_tags_series_teams_and_sports_are_found_and_their_limits_cut(venue):
    _, tags = await venue.get("/gamma/tags", limit="1000")
    assert {"crypto", "politics", "all"} <= {tag["slug"] for tag in tags}
    assert (await venue.get("/gamma/tags", limit="2", offset="1"))[1] == tags[1:3]
    tag = next(tag for tag in tags if tag["slug"] == "crypto")
    assert (await venue.get(f"/gamma/tags/{tag['id']}"))[1] == tag
    assert (await venue.get("/gamma/tags/slug/crypto"))[1] == tag
    assert tag["activeEventsCount"] == 2
    _, relations = await venue.get(f"/gamma/tags/{tag['id']}/related-tags")
    _, related = await venue.get("/gamma/tags/slug/crypto/related-tags/tags")
    assert [str(one["relatedTagID"]) for one in relations] == [one["id"] for one in related]
    assert (await venue.get("/gamma/tags/1"))[0] == 404
    _, series = await venue.get("/gamma/series")
    assert len(series) == 4
    assert all(len(one["events"]) == 1 for one in series)
    assert (await venue.get(f"/gamma/series/{series[0]['id']}"))[1] == series[0]
    assert len((await venue.get("/gamma/series", recurrence="hourly", exclude_events="true"))[1]) == 2
    _, teams = await venue.get("/gamma/teams", league="sim")
    assert len(teams) == 8
    assert (await venue.get("/gamma/teams", name=teams[3]["name"]))[1] == [teams[3]]
    assert (await venue.get("/gamma/sports"))[1][0]["sport"] == "sim"
    assert "moneyline" in (await venue.get("/gamma/sports/market-types"))[1]["marketTypes"]
    assert (await venue.get("/gamma/tags", order="nothing"))[0] == 422


@pytest.mark.protocol("6.1")
async def test_search_finds_events_tags_and_profiles(venue):
    _, body = await venue.get("/gamma/public-search", q="Bitcoin above", limit_per_type="1")
    assert body["pagination"] == {"hasMore": False, "totalResults": 1}
    assert body["events"][0]["category"] == "Crypto"
    _, wide = await venue.get("/gamma/public-search", q="will", limit_per_type="2")
    assert wide["pagination"]["hasMore"] is True
    _, second = await venue.get("/gamma/public-search", q="will", limit_per_type="2", page="2")
    assert not {event["id"] for event in wide["events"]} & {event["id"] for event in second["events"]}
    _, tagged = await venue.get("/gamma/public-search", q="crypto")
    assert [tag["slug"] for tag in tagged["tags"]] == ["crypto"]
    assert (await venue.get("/gamma/public-search"))[0] == 422
    assert (await venue.get("/gamma/public-search", q="x", sort="luck"))[0] == 422
    address = "0x" + "Ab" * 20
    assert (await venue.get("/gamma/public-profile", address=address))[0] == 404
    await venue.fund(address, "5")
    _, profile = await venue.get("/gamma/public-profile", address=address)
    assert profile["proxyWallet"].lower() == address.lower()
    assert (await venue.get("/gamma/public-profile", address="me"))[0] == 400


@pytest.mark.protocol("6.1")
async def test_nobody_writes_comments(venue):
    about = {"parent_entity_id": "1", "parent_entity_type": "Event"}
    assert await venue.get("/gamma/comments", **about) == (200, [])
    assert await venue.get("/gamma/comments/keyset", **about) == (200, {"comments": []})
    assert await venue.get("/gamma/comments/7") == (200, [])
    assert await venue.get("/gamma/comments/user_address/0x1") == (200, [])
    assert (await venue.get("/gamma/comments"))[0] == 422
    assert (await venue.get("/gamma/comments", offset="201", **about))[0] == 422


@pytest.mark.protocol("6.4")
async def test_a_proposed_outcome_is_shown_before_the_market_closes(venue):
    listing = venue.venue.world.listings.open()[0]
    _, market = await venue.get(f"/gamma/markets/{listing.spec.id}")
    assert "umaResolutionStatus" not in market
    listing.proposed_ns = venue.clock.now_ns()
    _, market = await venue.get(f"/gamma/markets/{listing.spec.id}")
    assert (market["umaResolutionStatus"], json.loads(market["umaResolutionStatuses"])) == ("proposed", ["proposed"])
    assert market["closed"] is False
    _, body = await venue.get("/data-api/v2/resolutions", condition_id=listing.spec.condition_id)
    assert body["data"][0]["status"] == "proposed"
    assert body["data"][0]["expected_settlement_time"].endswith("Z")
