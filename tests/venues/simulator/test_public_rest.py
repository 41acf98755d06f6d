"""Public answers: their types, their order, and the book's hash."""

from __future__ import annotations

import hashlib
import json

import pytest


@pytest.mark.protocol("3.9")
async def test_service_answers_are_bare_values(venue):
    assert await venue.get("/ok") == (200, "OK")
    assert await venue.get("/time") == (200, venue.clock.now_ns() // 10**9)
    assert await venue.get("/version") == (200, {"version": 2})


@pytest.mark.protocol("3.9", "4.5")
async def test_a_book_has_its_best_level_last_and_a_hash_that_verifies(venue):
    market = await venue.some_market()
    status, book = await venue.get("/book", token_id=market["tokens"][0])
    assert status == 200
    bids, asks = [float(level["price"]) for level in book["bids"]], [float(level["price"]) for level in book["asks"]]
    assert bids == sorted(bids)
    assert asks == sorted(asks, reverse=True)
    assert bids[-1] < asks[-1]
    assert len(bids) > 5
    assert len(asks) > 5
    assert list(book) == [
        "market",
        "asset_id",
        "timestamp",
        "hash",
        "bids",
        "asks",
        "min_order_size",
        "tick_size",
        "neg_risk",
        "last_trade_price",
    ]
    text = json.dumps(book | {"hash": ""}, separators=(",", ":"))
    assert hashlib.sha1(text.encode()).hexdigest() == book["hash"]
    assert book["timestamp"] == str(venue.clock.now_ns() // 10**6)
    assert (book["min_order_size"], book["tick_size"], book["neg_risk"]) == ("5", "0.01", False)


async def test_the_no_book_mirrors_the_yes_book(venue):
    market = await venue.some_market()
    _, yes = await venue.get("/book", token_id=market["tokens"][0])
    _, no = await venue.get("/book", token_id=market["tokens"][1])
    mirrored = [(round(1 - float(level["price"]), 6), level["size"]) for level in yes["asks"]]
    assert [(float(level["price"]), level["size"]) for level in no["bids"]] == mirrored


@pytest.mark.protocol("3.9")
async def test_prices_are_text_and_the_side_is_the_books(venue):
    token = (await venue.some_market())["tokens"][0]
    _, book = await venue.get("/book", token_id=token)
    bid, ask = book["bids"][-1]["price"], book["asks"][-1]["price"]
    assert await venue.get("/price", token_id=token, side="BUY") == (200, {"price": bid})
    assert await venue.get("/price", token_id=token, side="SELL") == (200, {"price": ask})
    _, spread = await venue.get("/spread", token_id=token)
    _, mid = await venue.get("/midpoint", token_id=token)
    assert float(spread["spread"]) == pytest.approx(float(ask) - float(bid))
    assert float(mid["mid"]) == pytest.approx((float(ask) + float(bid)) / 2)
    assert await venue.get("/price", token_id=token, side="UP") == (400, {"error": "Invalid side"})


@pytest.mark.protocol("3.9")
async def test_market_parameters_have_their_documented_types(venue):
    market = await venue.some_market(category="Sports", neg_risk=True)
    token = market["tokens"][0]
    assert await venue.get("/tick-size", token_id=token) == (200, {"minimum_tick_size": 0.01})
    assert await venue.get("/neg-risk", token_id=token) == (200, {"neg_risk": True})
    assert await venue.get("/fee-rate", token_id=token) == (200, {"base_fee": 1000})
    assert await venue.get("/markets-by-token/" + token) == (
        200,
        {
            "condition_id": market["conditionId"],
            "primary_token_id": token,
            "secondary_token_id": market["tokens"][1],
        },
    )
    _, compact = await venue.get("/clob-markets/" + market["conditionId"])
    assert (compact["c"], compact["mos"], compact["mts"], compact["nr"]) == (market["conditionId"], 5, 0.01, True)
    assert compact["fd"] == {"r": 0.05, "e": 1, "to": True}
    assert [token["t"] for token in compact["t"]] == market["tokens"]
    _, long = await venue.get("/markets/" + market["conditionId"])
    assert (long["minimum_order_size"], long["accepting_orders"], long["closed"]) == (5, True, False)
    assert [token["winner"] for token in long["tokens"]] == [False, False]


@pytest.mark.protocol("3.9", "5.1")
async def test_markets_without_fees_have_no_fee_object(venue):
    market = await venue.some_market(category="Geopolitics")
    _, compact = await venue.get("/clob-markets/" + market["conditionId"])
    assert "fd" not in compact
    assert "nr" not in compact
    assert await venue.get("/fee-rate", token_id=market["tokens"][0]) == (200, {"base_fee": 0})


async def test_crypto_markets_show_their_taker_delay(venue):
    _, body = await venue.get("/gamma/events/keyset", limit="100")
    market = next(event for event in body["events"] if event["category"] == "Crypto")["markets"][0]
    _, compact = await venue.get("/clob-markets/" + market["conditionId"])
    assert compact["itode"] is True


@pytest.mark.protocol("3.9")
async def test_many_books_come_in_one_answer_without_the_unknown(venue):
    market = await venue.some_market()
    wanted = [{"token_id": token} for token in [*market["tokens"], "123"]]
    status, books = await venue.post("/books", wanted)
    assert status == 200
    assert {book["asset_id"] for book in books} == set(market["tokens"])
    assert await venue.post("/books", [{"token_id": "1"}] * 501) == (400, {"error": "Payload exceeds the limit"})
    assert await venue.post("/books", {"token_id": "1"}) == (400, {"error": "Invalid payload"})
    assert await venue.get("/books") == (400, {"error": "Invalid payload"})


@pytest.mark.protocol("3.9", "3.10")
async def test_unknown_things_are_not_found(venue):
    missing = {"error": "No orderbook exists for the requested token id"}
    for path in ("/book", "/price", "/midpoint", "/spread", "/tick-size"):
        assert await venue.get(path, token_id="123", side="BUY") == (404, missing)
    assert await venue.get("/book", token_id="abc") == (400, {"error": "Invalid token id"})
    assert await venue.get("/markets/0x00") == (404, {"error": "market not found"})
    assert (await venue.get("/nowhere"))[0] == 404


async def test_the_admin_door_describes_the_venue_and_gives_money(venue):
    status, body = await venue.get("/admin/venue")
    assert (status, body["venue_id"], body["seed"]) == (200, "00000000-0000-4000-8000-000000000001", 7)
    address = "0x" + "ab" * 20
    assert (await venue.fund(address, "12.5"))[1]["balance"] == "12.5"
    assert (await venue.fund(address, "1"))[1]["balance"] == "13.5"


async def test_the_owner_of_the_venue_ends_an_event_before_its_time(venue):
    market = await venue.some_market(neg_risk=True)
    status, ended = await venue.post("/admin/resolve", {"condition_id": market["conditionId"]})
    assert status == 200
    _, event = await venue.get(f"/gamma/events/{ended['event_id']}")
    outcomes = {one["conditionId"]: one["outcomePrices"] for one in event["markets"]}
    assert event["closed"]
    assert market["conditionId"] in outcomes
    assert sorted(outcomes.values()).count('["1", "0"]') == 1
    venue.jump(48 * 3600)
    for condition_id in (market["conditionId"], "0x00"):
        assert (await venue.post("/admin/resolve", {"condition_id": condition_id}))[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        {"address": "0x12", "amount": "1"},
        {"address": "0x" + "ab" * 20, "amount": "-1"},
        {"address": "0x" + "ab" * 20, "amount": "0.0000001"},
        {"address": "0x" + "ab" * 20, "amount": 5},
        {"address": "0x" + "ab" * 20, "amount": "1", "signature_type": 3},
        {"address": "0x" + "ab" * 20},
    ],
)
async def test_the_faucet_refuses_what_it_cannot_read(venue, body):
    status, answer = await venue.post("/admin/faucet", body)
    assert status == 400
    assert answer["error"]


async def test_the_admin_door_is_closed_to_web_pages(venue):
    body = json.dumps({"address": "0x" + "ab" * 20, "amount": "1"})
    async with venue.session.post(
        venue.url + "/admin/faucet", data=body, headers={"Content-Type": "text/plain"}
    ) as form:
        assert form.status == 400
    async with venue.session.get(venue.url + "/admin/venue", headers={"Host": "evil.example"}) as rebound:
        assert rebound.status == 403
