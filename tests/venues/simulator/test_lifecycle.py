"""Events from opening to payout: games that delay and clear, books that vanish before the end, and outcomes nobody won."""

from __future__ import annotations

import json

import pytest

from tests.venues.simulator.kit import drain, trader
from tests.venues.simulator.test_user_channel import log_in
from venues.simulator.inputs import EndEvent
from venues.simulator.world import fair_value
from venues.simulator.world.lifecycle import PROPOSED_EVERY, PROPOSED_SECONDS


async def a_game(venue):
    _, body = await venue.get("/gamma/events/keyset", limit="100")
    market = next(market for event in body["events"] for market in event["markets"] if market["secondsDelay"])
    return market | {"tokens": json.loads(market["clobTokenIds"])}


async def shares(client, token):
    _, held = await client.call("GET", "/balance-allowance", asset_type="CONDITIONAL", token_id=token)
    return int(held["balance"])


@pytest.mark.protocol("3.5", "9.16")
async def test_a_marketable_order_on_a_game_waits_its_seconds_and_cannot_be_cancelled_meanwhile(venue):
    client = await trader(venue)
    market = await a_game(venue)
    assert market["secondsDelay"] == 3
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    status, answer = await client.place(market, "BUY", book["asks"][-1]["price"], "10")
    assert (status, answer["success"], answer["status"], answer["makingAmount"]) == (200, True, "delayed", "")
    venue.pass_time(2.9)
    _, cancelled = await client.call("DELETE", "/order", {"orderID": answer["orderID"]})
    reason = "cannot cancel because the order is in pending/delayed status"
    assert cancelled == {"canceled": [], "not_canceled": {answer["orderID"]: reason}}
    assert (await client.call("GET", "/data/trades"))[1]["data"] == []
    venue.pass_time(0.2)
    _, order = await client.call("GET", f"/data/order/{answer['orderID']}")
    assert order["status"] != "ORDER_STATUS_DELAYED"
    _, resting = await client.place(market, "BUY", "0.02", "10")
    assert resting["status"] == "live"


@pytest.mark.protocol("3.5", "3.9")
async def test_what_rests_on_a_game_is_cancelled_when_it_starts(venue):
    client = await trader(venue)
    market = await a_game(venue)
    _, compact = await venue.get(f"/clob-markets/{market['conditionId']}")
    assert (compact["sd"], compact["cbos"]) == (3, True)
    assert compact["gst"].replace("T", " ").replace("Z", "+00") == market["gameStartTime"]
    _, resting = await client.place(market, "BUY", "0.02", "10")
    listing = venue.venue.world.listings.by_condition(market["conditionId"])
    venue.jump((listing.event.game_start_ns - venue.clock.now_ns()) / 1e9 - 2)
    assert (await client.call("GET", "/data/orders"))[1]["count"] == 1
    async with venue.socket("user", log_in(client)) as socket:
        await drain(socket)
        venue.pass_time(2)
        (ended,) = await drain(socket)
    assert (ended["id"], ended["status"]) == (resting["orderID"], "CANCELED_GAME_STARTED")
    venue.pass_time(3)
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    assert book["bids"]
    assert (await client.place(market, "BUY", "0.02", "10"))[1]["status"] == "live"


@pytest.mark.protocol("3.9")
async def test_a_proposed_event_loses_its_book_before_it_resolves_and_its_orders_only_then(venue):
    client = await trader(venue)
    world = venue.venue.world
    event = min(
        (one for one in world.listings.events.values() if int(one.id) % PROPOSED_EVERY == 0), key=lambda one: one.end_ns
    )
    token = event.markets[0].token_ids[0]
    market = {"tokens": event.markets[0].token_ids, "negRisk": event.markets[0].neg_risk}
    _, resting = await client.place(market, "BUY", "0.02", "10")
    venue.jump((event.end_ns - venue.clock.now_ns()) / 1e9 - PROPOSED_SECONDS)
    assert (await venue.get("/book", token_id=token))[0] == 404
    assert (await client.place(market, "BUY", "0.02", "10"))[0] == 404
    assert (await client.call("GET", "/data/orders"))[1]["count"] == 1
    venue.pass_time(PROPOSED_SECONDS, step=0.5)
    _, order = await client.call("GET", f"/data/order/{resting['orderID']}")
    assert order["status"] == "ORDER_STATUS_CANCELED_MARKET_RESOLVED"


async def test_a_void_event_pays_half_for_both_tokens(venue, monkeypatch):
    monkeypatch.setattr(fair_value, "SPLIT_SHARE", 1.0)
    client = await trader(venue)
    world = venue.venue.world
    held = None
    for _ in range(6):
        market = await venue.some_market(category="Geopolitics")
        assert (await client.place(market, "BUY", "0.98", "10", "FAK", spend="6.00"))[0] == 200
        venue.pass_time(6, step=0.5)
        held = await shares(client, market["tokens"][0])
        listing = world.listings.by_condition(market["conditionId"])
        before = world.exchange.balance(client.address).settled
        venue.venue.submit(EndEvent(listing.event.id))
        if listing.winner is None:
            break
        venue.pass_time(30, step=0.5)
    assert listing.winner is None
    assert held
    venue.pass_time(10, step=0.5)
    assert world.exchange.balance(client.address).settled == before + held // 2
    _, closed = await venue.get(f"/gamma/markets/{market['id']}")
    assert [float(price) for price in json.loads(closed["outcomePrices"])] == [0.5, 0.5]
    _, long = await venue.get(f"/markets/{market['conditionId']}")
    assert long["is_50_50_outcome"] is True
    assert [token["winner"] for token in long["tokens"]] == [False, False]
