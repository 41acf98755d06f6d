"""Notifications, scoring, and the leftovers of an older protocol: what the venue tells an account beside its orders."""

from __future__ import annotations

import pytest

from tests.venues.simulator.kit import running_venue, trader
from tests.venues.simulator.test_modes import raw
from venues.simulator.inputs import EndEvent

pytestmark = pytest.mark.protocol("3.8")


async def told(client, **query):
    status, found = await client.call("GET", "/notifications", **{"signature_type": "0", **query})
    assert status == 200
    return found


async def test_cancels_and_fills_are_told_and_can_be_dropped(venue):
    client, stranger = await trader(venue), await trader(venue, 2)
    market = await venue.some_market()
    _, resting = await client.place(market, "BUY", "0.02", "10")
    await client.call("DELETE", "/cancel-all")
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    _, filled = await client.place(market, "BUY", book["asks"][-1]["price"], "10", "FAK", spend="3.00")
    cancelled, fill = await told(client)
    assert (cancelled["type"], fill["type"]) == (1, 2)
    assert cancelled["owner"] == fill["owner"] == client.key["apiKey"]
    assert cancelled["timestamp"] == venue.clock.now_ns() // 10**9
    assert cancelled["payload"] == {
        "order_id": resting["orderID"],
        "market": market["conditionId"],
        "asset_id": market["tokens"][0],
        "side": "BUY",
        "type": "GTC",
        "price": "0.02",
        "original_size": "10",
        "matched_size": "0",
        "remaining_size": "10",
        "outcome": "Yes",
        "outcome_index": 0,
        "trade_id": "",
        "transaction_hash": "",
        "question": market["question"],
        "market_slug": market["slug"],
        "icon": "",
        "image": "",
        "eventSlug": cancelled["payload"]["eventSlug"],
        "seriesSlug": "",
    }
    assert (fill["payload"]["order_id"], fill["payload"]["trade_id"]) == (filled["orderID"], filled["tradeIDs"][0])
    assert await told(stranger) == []
    assert await told(client, signature_type="2") == []
    assert await stranger.call("DELETE", "/notifications", ids=str(fill["id"])) == (200, "OK")
    assert await client.call("DELETE", "/notifications", ids=str(cancelled["id"])) == (200, "OK")
    assert [one["id"] for one in await told(client)] == [fill["id"]]
    assert await client.call("DELETE", "/notifications") == (200, "OK")
    assert await told(client) == []
    assert (await client.call("DELETE", "/notifications", ids="x"))[0] == 400


async def test_an_order_killed_on_arrival_is_no_notification(venue):
    client = await trader(venue)
    await client.place(await venue.some_market(), "BUY", "0.02", "10", "FOK", spend="2.00")
    assert await told(client) == []


async def test_a_resolution_and_its_payout_are_told_to_whoever_held(venue):
    client = await trader(venue)
    market = await venue.some_market(category="Geopolitics")
    for token in (0, 1):
        status, _ = await client.place(market, "BUY", "0.98", "10", "FAK", spend="6.00", token=token)
        assert status == 200
    venue.pass_time(6, step=0.5)
    event = venue.venue.world.listings.by_condition(market["conditionId"]).event
    venue.venue.submit(EndEvent(event.id))
    venue.pass_time(10, step=0.5)
    kinds = {one["type"]: one["payload"] for one in await told(client)}
    assert {4, 9} <= set(kinds)
    assert (kinds[4]["condition_id"], kinds[4]["closed"]) == (market["conditionId"], True)
    assert kinds[9]["conditionId"] == market["conditionId"]
    assert float(kinds[9]["amount"]) > 0


async def test_a_fill_that_fails_is_told(tmp_path):

    async with running_venue(tmp_path / "venue", failing=1.0) as venue:
        venue.pass_time(10, step=0.25)
        client = await trader(venue)
        market = await venue.some_market()
        _, book = await venue.get("/book", token_id=market["tokens"][0])
        await client.place(market, "BUY", book["asks"][-1]["price"], "10", "FAK", spend="3.00")
        venue.pass_time(8)
        assert [one["type"] for one in await told(client)] == [2, 8]


async def test_scoring_tells_whether_an_order_earns_rewards(venue):
    client = await trader(venue, dollars="10000")
    world = venue.venue.world
    market = await venue.some_market(neg_risk=True, category="Politics")
    _, far = await client.place(market, "BUY", "0.02", "100")
    terms = world.listings.by_condition(market["conditionId"]).spec.rewards
    assert terms
    size = str(2 * terms.min_size // 10**6)
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    _, near = await client.place(market, "BUY", book["bids"][-1]["price"], size)
    _, ask = await client.place(market, "BUY", f"{1 - float(book['asks'][-1]['price']):.2f}", size, token=1)
    venue.clock.move(4)
    ids = [far["orderID"], near["orderID"], ask["orderID"]]
    status, scoring = await client.call("POST", "/orders-scoring", ids)
    assert status == 200
    assert scoring == dict(zip(ids, (False, True, True), strict=True))
    assert await client.call("GET", "/order-scoring", order_id=near["orderID"]) == (200, {"scoring": True})
    stranger = await trader(venue, 2)
    assert await stranger.call("GET", "/order-scoring", order_id=near["orderID"]) == (200, {"scoring": False})
    assert (await raw(venue, client, "POST", "/orders-scoring", {"a": 1}))[0] == 400


async def test_there_are_no_orders_from_before_the_present_protocol(venue):
    client = await trader(venue)
    status, page = await client.call("GET", "/data/pre-migration-orders", next_cursor="MA==")
    assert (status, page) == (200, {"data": [], "next_cursor": "LTE=", "limit": 500, "count": 0})
