"""Public reads of many tokens and markets at once, and of the past: plural prices, market lists, price history, latest trades."""

from __future__ import annotations

from base64 import b64encode

import pytest

from tests.venues.simulator.kit import running_venue, trader


async def market_with_book(venue):
    market = await venue.some_market()
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    return market, book["bids"][-1]["price"], book["asks"][-1]["price"]


@pytest.mark.protocol("3.9")
async def test_plural_reads_say_what_the_single_ones_say(venue):
    market, bid, ask = await market_with_book(venue)
    yes, no = market["tokens"]
    wanted = [{"token_id": token} for token in (yes, no, "123")]
    for plural, single, key in (("/midpoints", "/midpoint", "mid"), ("/spreads", "/spread", "spread")):
        status, body = await venue.post(plural, wanted)
        assert status == 200
        assert set(body) == {yes, no}
        for token in (yes, no):
            assert (await venue.get(single, token_id=token))[1] == {key: body[token]}
    sides = [{"token_id": yes, "side": "BUY"}, {"token_id": yes, "side": "SELL"}, {"token_id": no, "side": "BUY"}]
    _, prices = await venue.post("/prices", sides)
    assert prices[yes] == {"BUY": bid, "SELL": ask}
    assert set(prices[no]) == {"BUY"}
    assert await venue.post("/prices", [{"token_id": yes, "side": "up"}]) == (400, {"error": "Invalid side"})


@pytest.mark.protocol("3.9")
async def test_last_trades_leave_out_tokens_that_never_traded(venue):
    client = await trader(venue)
    market = await venue.some_market()
    await client.place(market, "BUY", f"{market['bestAsk']:g}", "10")
    _, rows = await venue.post("/last-trades-prices", [{"token_id": token} for token in (*market["tokens"], "5")])
    assert {row["token_id"] for row in rows} == set(market["tokens"])
    assert {row["side"] for row in rows} == {"BUY"}
    listing = venue.venue.world.listings.by_token(market["tokens"][0])
    listing.last_price = None
    assert await venue.post("/last-trades-prices", [{"token_id": market["tokens"][0]}]) == (200, [])


@pytest.mark.protocol("3.9", "3.10")
@pytest.mark.parametrize("path", ["/books", "/prices", "/midpoints", "/spreads", "/last-trades-prices"])
async def test_plural_paths_take_an_array_by_post_of_500_at_most(venue, path):
    assert await venue.get(path) == (400, {"error": "Invalid payload"})
    assert await venue.get(path, token_ids="1,2") == (400, {"error": "Invalid payload"})
    assert await venue.post(path, {"token_id": "1"}) == (400, {"error": "Invalid payload"})
    assert await venue.post(path, [{"token": "1"}]) == (400, {"error": "Invalid payload"})
    many = [{"token_id": "1", "side": "BUY"}]
    assert (await venue.post(path, many * 500))[0] == 200
    assert await venue.post(path, many * 501) == (400, {"error": "Payload exceeds the limit"})


@pytest.mark.protocol("3.9")
async def test_market_lists_are_paged_by_cursors_of_offsets(venue_folder):
    async with running_venue(venue_folder, page_size=8) as venue:
        seen, cursor = [], "MA=="
        while cursor != "LTE=":
            status, page = await venue.get("/markets", next_cursor=cursor)
            assert (status, page["limit"], page["count"]) == (200, 16, len(page["data"]))
            seen += [market["condition_id"] for market in page["data"]]
            cursor = page["next_cursor"]
        assert seen == [one.spec.condition_id for one in venue.venue.world.listings.markets.values()]
        assert len(seen) > 32
        assert (await venue.get("/markets"))[1]["data"][0]["condition_id"] == seen[0]
        refused = {"error": "next item should be greater than or equal to 0"}
        assert await venue.get("/markets", next_cursor="LTE=") == (400, refused)
        assert (await venue.get("/markets", next_cursor="%%"))[0] == 400
        beyond = b64encode(b"999").decode()
        _, last = await venue.get("/markets", next_cursor=beyond)
        assert (last["data"], last["next_cursor"]) == ([], "LTE=")


@pytest.mark.protocol("3.9", "5.3")
async def test_sampling_means_markets_with_rewards_that_take_orders(venue):
    _, whole = await venue.get("/markets")
    _, sampling = await venue.get("/sampling-markets")
    expected = [row for row in whole["data"] if row["rewards"]["rates"] and row["accepting_orders"]]
    assert sampling["data"] == expected
    assert 0 < len(expected) < len(whole["data"])
    fields = ["condition_id", "rewards", "tokens", "active", "closed", "archived", "accepting_orders"]
    for path, rows in (("/simplified-markets", whole["data"]), ("/sampling-simplified-markets", expected)):
        _, page = await venue.get(path)
        assert page["data"] == [{field: row[field] for field in fields} for row in rows]


@pytest.mark.protocol("3.9", "6.4")
async def test_a_market_that_is_over_keeps_its_long_form_and_loses_its_prices(venue):
    listing = min(venue.venue.world.listings.open(), key=lambda one: one.event.end_ns)
    venue.jump((listing.event.end_ns - venue.clock.now_ns()) / 1e9 + 1)
    _, market = await venue.get(f"/markets/{listing.spec.condition_id}")
    assert (market["closed"], market["accepting_orders"]) == (True, False)
    assert sum(token["price"] for token in market["tokens"]) == 1
    assert market["is_50_50_outcome"] == (listing.winner is None)
    token = listing.spec.token_ids[0]
    for path in ("/book", "/price", "/midpoint", "/spread"):
        assert (await venue.get(path, token_id=token, side="BUY"))[0] == 404
    for path in ("/midpoints", "/spreads"):
        assert await venue.post(path, [{"token_id": token}]) == (200, {})
    assert await venue.post("/prices", [{"token_id": token, "side": "BUY"}]) == (200, {})


@pytest.mark.protocol("3.9")
async def test_price_history_ends_with_now_and_mirrors_for_no(venue):
    for _ in range(4):
        venue.jump(60)
    market, bid, ask = await market_with_book(venue)
    yes, no = market["tokens"]
    _, body = await venue.get("/prices-history", market=yes, interval="1h", fidelity="1")
    points = body["history"]
    now = venue.clock.now_ns() // 10**9
    assert len(points) >= 4
    assert points[-1] == {"t": now, "p": pytest.approx((float(bid) + float(ask)) / 2)}
    assert [point["t"] for point in points] == sorted({point["t"] for point in points})
    _, mirror = await venue.get("/prices-history", market=no, interval="1h", fidelity="1")
    assert [point["p"] + other["p"] for point, other in zip(points, mirror["history"], strict=True)] == pytest.approx(
        [1.0] * len(points)
    )
    window = {"startTs": str(points[0]["t"]), "endTs": str(points[1]["t"])}
    _, body = await venue.get("/prices-history", market=yes, fidelity="1", **window)
    assert body["history"] == points[:2]
    _, batch = await venue.post("/batch-prices-history", {"markets": [yes, no, "7"], "interval": "1h", "fidelity": 1})
    assert batch["history"] == {yes: points, no: mirror["history"]}
    assert (await venue.get("/prices-history", market="7", interval="1d"))[1] == {"history": []}


@pytest.mark.protocol("3.9", "3.10")
@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"interval": "1d"}, "Invalid market"),
        ({"market": "1"}, "startTs is required"),
        ({"market": "1", "endTs": "5"}, "startTs is required"),
        ({"market": "1", "interval": "1d", "fidelity": "0"}, "invalid fidelity"),
        ({"market": "1", "interval": "1d", "fidelity": "x"}, "invalid fidelity"),
        ({"market": "1", "interval": "1m", "fidelity": "9"}, "minimum 'fidelity' for '1m' range is 10"),
        ({"market": "1", "interval": "1w", "fidelity": "4"}, "minimum 'fidelity' for '1w' range is 5"),
        ({"market": "1", "interval": "2d"}, "Invalid payload"),
    ],
)
async def test_price_history_refuses_in_the_venues_words(venue, query, text):
    assert await venue.get("/prices-history", **query) == (400, {"error": text})


async def test_a_batch_of_histories_is_small_and_well_formed(venue):
    assert await venue.post("/batch-prices-history", {"markets": ["1"] * 21, "interval": "1d"}) == (
        400,
        {"error": "Payload exceeds the limit"},
    )
    assert (await venue.post("/batch-prices-history", {"markets": "1"}))[0] == 400
    assert (await venue.post("/batch-prices-history", {"markets": []}))[0] == 400


@pytest.mark.protocol("3.9")
async def test_live_activity_shows_a_markets_latest_takers(venue):
    client = await trader(venue)
    market = await venue.some_market()
    await client.place(market, "BUY", f"{market['bestAsk']:g}", "10")
    venue.pass_time(6, step=0.25)
    _, rows = await venue.get(f"/markets/live-activity/{market['conditionId']}")
    mine = next(row for row in rows if row["user"]["address"] == client.address)
    assert (mine["side"], float(mine["size"]), mine["outcome"], mine["outcome_index"]) == ("BUY", 10, "Yes", 0)
    assert (mine["market"]["slug"], mine["event_type"]) == (market["slug"], "trade")
    assert [row["timestamp"] for row in rows] == sorted((row["timestamp"] for row in rows), reverse=True)
    assert await venue.get("/markets/live-activity/0x00") == (404, {"error": "market not found"})
