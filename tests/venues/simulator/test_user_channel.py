"""The private WebSocket: a client's own orders and trades through all their states."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from tests.venues.simulator.kit import Trader, drain, running_venue, trader


def log_in(client: Trader, **more: object) -> dict[str, object]:
    return {"type": "user", "auth": dict(client.key), **more}


@pytest.mark.protocol("4.4")
async def test_wrong_credentials_close_the_connection(venue):
    client, other = await trader(venue), await trader(venue, 2)
    for auth in (client.key | {"secret": other.key["secret"]}, client.key | {"apiKey": "x"}, {}):
        async with venue.socket("user", {"type": "user", "auth": auth}) as socket:
            message = await asyncio.wait_for(socket.receive(), 5)
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1008)


@pytest.mark.protocol("4.4")
async def test_an_order_is_told_from_placement_to_cancellation(venue):
    client = await trader(venue)
    market = await venue.some_market()
    async with venue.socket("user", log_in(client)) as socket:
        assert await drain(socket) == []
        _, answer = await client.place(market, "BUY", "0.02", "10")
        (placed,) = await drain(socket)
        assert placed == {
            "id": answer["orderID"],
            "owner": client.key["apiKey"],
            "order_owner": client.key["apiKey"],
            "market": market["conditionId"],
            "asset_id": market["tokens"][0],
            "side": "BUY",
            "price": "0.02",
            "original_size": "10",
            "size_matched": "0",
            "outcome": "Yes",
            "associate_trades": None,
            "order_type": "GTC",
            "status": "LIVE",
            "maker_address": client.address,
            "created_at": str(venue.clock.now_ns() // 10**9),
            "expiration": "0",
            "type": "PLACEMENT",
            "timestamp": str(venue.clock.now_ns() // 10**6),
            "event_type": "order",
        }
        await client.call("DELETE", "/cancel-all")
        (cancelled,) = await drain(socket)
        assert (cancelled["type"], cancelled["status"]) == ("CANCELLATION", "CANCELED")


@pytest.mark.protocol("4.4")
async def test_a_trade_is_told_once_per_status(venue):
    client = await trader(venue)
    market = await venue.some_market()
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    async with venue.socket("user", log_in(client)) as socket:
        await drain(socket)
        _, answer = await client.place(market, "BUY", book["asks"][-1]["price"], "10", "FAK", spend="3.00")
        venue.pass_time(6)
        heard = await drain(socket)
        trades = [event for event in heard if event.get("event_type", "trade") == "trade"]
        assert {event["id"] for event in trades} == set(answer["tradeIDs"])
        statuses = [event["status"] for event in trades]
        assert statuses[0] == "MATCHED"
        assert statuses[-1] == "CONFIRMED"
        assert "MINED" in statuses
        assert trades[0]["transaction_hash"] == ""
        assert trades[-1]["transaction_hash"]
        assert all(event["type"] == "TRADE" and event["trader_side"] == "TAKER" for event in trades)
        matched = next(event for event in heard if event.get("event_type") == "order" and event["status"] == "MATCHED")
        assert matched["type"] == "UPDATE"
        assert matched["associate_trades"] == answer["tradeIDs"]


@pytest.mark.protocol("4.4")
async def test_both_sides_of_a_trade_hear_of_it_and_nobody_else(venue):
    maker, taker, stranger = await trader(venue, 1), await trader(venue, 2), await trader(venue, 3)
    market = await venue.some_market(room=True)
    inside = market["inside"]
    async with (
        venue.socket("user", log_in(maker)) as makers,
        venue.socket("user", log_in(taker)) as takers,
        venue.socket("user", log_in(stranger)) as strangers,
    ):
        for socket in (makers, takers, strangers):
            await drain(socket)
        await maker.place(market, "BUY", inside, "20")
        await taker.place(market, "BUY", f"{1 - float(inside):.2f}", "20", token=1)
        sides = {
            name: [event["trader_side"] for event in await drain(socket) if event.get("event_type", "trade") == "trade"]
            for name, socket in (("maker", makers), ("taker", takers), ("stranger", strangers))
        }
        assert sides == {"maker": ["MAKER"], "taker": ["TAKER"], "stranger": []}


@pytest.mark.protocol("4.4")
async def test_markets_narrow_what_is_told(venue):
    client = await trader(venue)
    first, second = await venue.some_market(), await venue.some_market(category="Geopolitics")
    async with venue.socket("user", log_in(client, markets=[first["conditionId"]])) as socket:
        await drain(socket)
        await client.place(second, "BUY", "0.02", "10")
        await client.place(first, "BUY", "0.02", "10")
        assert [event["market"] for event in await drain(socket)] == [first["conditionId"]]
        await socket.send_json({"operation": "subscribe", "markets": [second["conditionId"]]})
        await socket.send_json({"operation": "unsubscribe", "markets": [first["conditionId"]]})
        await drain(socket)
        await client.call("DELETE", "/cancel-all")
        assert [event["market"] for event in await drain(socket)] == [second["conditionId"]]


@pytest.mark.protocol("4.4", "9.4")
@pytest.mark.parametrize("failing", [1.0, 0.0])
async def test_a_failed_trade_is_told_and_gives_everything_back(tmp_path, failing):
    async with running_venue(tmp_path / "venue", failing=failing) as venue:
        venue.pass_time(10, step=0.25)
        client = await trader(venue)
        market = await venue.some_market()
        _, book = await venue.get("/book", token_id=market["tokens"][0])
        async with venue.socket("user", log_in(client)) as socket:
            await drain(socket)
            await client.place(market, "BUY", book["asks"][-1]["price"], "10", "FAK", spend="3.00")
            venue.pass_time(6)
            statuses = {event["status"] for event in await drain(socket) if event.get("event_type", "trade") == "trade"}
        _, held = await client.call("GET", "/balance-allowance", asset_type="COLLATERAL")
        assert ("FAILED" in statuses) == (failing == 1.0)
        assert (held["balance"] == "1000000000") == (failing == 1.0)


@pytest.mark.protocol("4.4", "6.4")
async def test_orders_of_a_resolved_market_end_as_such_and_winners_are_paid(venue):
    client = await trader(venue)
    _, body = await venue.get("/gamma/events/keyset", limit="100")
    plain = (one for one in body["events"] if one["category"] != "Crypto" and not one["markets"][0]["secondsDelay"])
    event = min(plain, key=lambda one: one["endDate"])
    market = event["markets"][0] | {"tokens": json.loads(event["markets"][0]["clobTokenIds"])}
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    bid, ask = float(book["bids"][-1]["price"]), float(book["asks"][-1]["price"])
    _, bought = await client.place(market, "BUY", f"{ask:.2f}", "10", "FAK", spend="5.00")
    _, opposite = await client.place(market, "BUY", f"{1 - bid:.2f}", "10", "FAK", token=1, spend="5.00")
    venue.pass_time(6)
    _, resting = await client.place(market, "BUY", "0.01", "10")
    async with venue.socket("user", log_in(client)) as socket:
        await drain(socket)
        venue.jump(3600)
        (ended,) = [event for event in await drain(socket) if event["id"] == resting["orderID"]]
        assert (ended["type"], ended["status"]) == ("CANCELLATION", "CANCELED_MARKET_RESOLVED")
    venue.pass_time(10, step=0.5)
    _, final = await venue.get(f"/gamma/markets/{market['id']}")
    winner = json.loads(final["outcomePrices"]).index("1")
    paid = float((bought, opposite)[winner]["takingAmount"])
    spent = float(bought["makingAmount"]) + float(opposite["makingAmount"])
    _, held = await client.call("GET", "/balance-allowance", asset_type="COLLATERAL")
    fees = 0.5
    assert 1000 - spent + paid - fees <= int(held["balance"]) / 1e6 <= 1000 - spent + paid
    for token in market["tokens"]:
        _, shares = await client.call("GET", "/balance-allowance", asset_type="CONDITIONAL", token_id=token)
        assert shares["balance"] == "0"


@pytest.mark.protocol("4.4")
async def test_a_killed_fok_is_told_with_empty_fields_and_its_size_in_dollars(venue):
    client = await trader(venue)
    market = await venue.some_market()
    async with venue.socket("user", log_in(client)) as socket:
        await drain(socket)
        status, _ = await client.place(market, "BUY", "0.02", "10", "FOK", spend="2.50")
        assert status == 400
        (killed,) = await drain(socket)
    assert (killed["type"], killed["status"], killed["original_size"]) == ("CANCELLATION", "UNMATCHED", "2.5")
    assert (killed["size_matched"], killed["created_at"]) == ("", "")
    assert killed["id"] == client.digest


@pytest.mark.protocol("4.4")
async def test_some_frames_lack_their_type_and_spell_the_time_of_the_match_differently(venue):
    client = await trader(venue)
    market = await venue.some_market()
    async with venue.socket("user", log_in(client)) as socket:
        await drain(socket)
        for _ in range(16):
            await client.place(market, "BUY", "0.98", "10", "FAK", spend="6.00")
            venue.pass_time(0.3)
        venue.pass_time(6)
        trades = [event for event in await drain(socket) if event["type"] == "TRADE"]
    untyped = [event for event in trades if "event_type" not in event]
    assert untyped
    assert {event["status"] for event in untyped} == {"MINED"}
    assert {"match_time" in event for event in trades} == {"matchtime" in event for event in trades} == {True, False}


@pytest.mark.protocol("3.8")
async def test_rest_tells_a_match_that_was_not_broadcast_yet(venue):
    client = await trader(venue)
    market = await venue.some_market()
    await client.place(market, "BUY", "0.98", "10", "FAK", spend="6.00")
    statuses = []
    for _ in range(60):
        venue.pass_time(0.1)
        _, page = await client.call("GET", "/data/trades")
        statuses += [page["data"][0]["status"]]
    known = ["MATCHED", "MATCHED_NOT_BROADCASTED", "MINED", "CONFIRMED"]
    assert list(dict.fromkeys(statuses)) == [f"TRADE_STATUS_{status}" for status in known]
