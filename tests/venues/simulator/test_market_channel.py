"""The public WebSocket: what a client is told, in which shape, and what closes the connection."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import aiohttp
import pytest

from tests.venues.simulator.kit import drain, frames, trader
from venues.simulator.clob import outbox

UNKNOWN = "123456789"


def subscribe(tokens: list[str], **more: object) -> dict[str, object]:
    return {"type": "market", "assets_ids": tokens, **more}


@pytest.mark.protocol("4.1", "9.3")
@pytest.mark.parametrize("first", ["PING", "{}", "nonsense", '{"type":"user","assets_ids":[]}', '["a"]'])
async def test_anything_but_a_subscription_first_closes_with_1008(venue, first):
    async with venue.socket("market", first) as socket:
        message = await asyncio.wait_for(socket.receive(), 5)
        assert (message.type, message.data, message.extra) == (
            aiohttp.WSMsgType.CLOSE,
            1008,
            "invalid subscription payload",
        )


@pytest.mark.protocol("4.1", "4.2")
async def test_a_subscription_is_answered_by_one_array_of_books(venue):
    market = await venue.some_market()
    async with venue.socket("market", subscribe([*market["tokens"], UNKNOWN])) as socket:
        message = await socket.receive()
        books = json.loads(message.data)
        assert [book["asset_id"] for book in books] == market["tokens"]
        _, rest = await venue.get("/book", token_id=market["tokens"][0])
        for key in ("market", "bids", "asks", "hash", "timestamp", "tick_size"):
            assert books[0][key] == rest[key]
        assert books[0]["event_type"] == "book"
        await socket.send_str("PING")
        assert (await socket.receive()).data == "PONG"


@pytest.mark.protocol("4.1")
async def test_unknown_tokens_alone_give_an_empty_array(venue):
    async with venue.socket("market", subscribe([UNKNOWN])) as socket:
        assert (await socket.receive()).data == "[]"


@pytest.mark.protocol("4.3")
async def test_a_placement_is_one_price_change_with_both_tokens_and_event_type_last(venue):
    client = await trader(venue)
    market = await venue.some_market()
    yes, no = market["tokens"]
    async with venue.socket("market", subscribe([yes, no])) as socket:
        await frames(socket, 2)
        await client.place(market, "BUY", "0.02", "10")
        message = await socket.receive()
        assert message.data.endswith('"event_type":"price_change"}')
        change = json.loads(message.data)
        _, book = await venue.get("/book", token_id=yes)
        best_bid, best_ask = book["bids"][-1]["price"], book["asks"][-1]["price"]
        assert change["price_changes"][0] == {
            "asset_id": yes,
            "price": "0.02",
            "size": "10",
            "side": "BUY",
            "hash": book["hash"],
            "best_bid": best_bid,
            "best_ask": best_ask,
        }
        mirror = change["price_changes"][1]
        assert (mirror["asset_id"], mirror["price"], mirror["size"], mirror["side"]) == (no, "0.98", "10", "SELL")
        await client.call("DELETE", "/cancel-all")
        (gone,) = await frames(socket, 1)
        assert [entry["size"] for entry in gone["price_changes"]] == ["0", "0"]


@pytest.mark.protocol("4.3")
async def test_a_trade_is_told_as_print_level_changes_and_whole_books(venue):
    client = await trader(venue)
    market = await venue.some_market()
    yes, no = market["tokens"]
    async with venue.socket("market", subscribe([yes, no])) as socket:
        await frames(socket, 2)
        _, book = await venue.get("/book", token_id=yes)
        ask = book["asks"][-1]["price"]
        await client.place(market, "BUY", ask, "10", "FAK", spend="5.00")
        heard = await drain(socket)
        kinds = [frame["event_type"] for frame in heard]
        assert kinds == ["last_trade_price", "price_change", "book", "book"]
        assert (heard[0]["asset_id"], heard[0]["price"], heard[0]["side"]) == (yes, ask, "BUY")
        assert {frame["asset_id"] for frame in heard[2:]} == {yes, no}
        assert heard[2]["last_trade_price"] == ask


@pytest.mark.protocol("4.3")
async def test_books_rebuilt_from_changes_equal_the_venues_books(venue):
    _, body = await venue.get("/gamma/markets/keyset", limit="100")
    tokens = [token for market in body["markets"] for token in json.loads(market["clobTokenIds"])]
    async with venue.socket("market", subscribe(tokens)) as socket:
        heard = await frames(socket, len(tokens))
        for _ in range(4):
            venue.pass_time(5, step=0.1)
            heard += await drain(socket)
        books: dict[str, dict[str, dict[str, str]]] = {}
        for frame in heard:
            if frame["event_type"] == "book":
                books[frame["asset_id"]] = {
                    side: {level["price"]: level["size"] for level in frame[side]} for side in ("bids", "asks")
                }
            for change in frame.get("price_changes", []):
                levels = books[change["asset_id"]]["bids" if change["side"] == "BUY" else "asks"]
                levels.pop(change["price"], None)
                if change["size"] != "0":
                    levels[change["price"]] = change["size"]
        assert {frame["event_type"] for frame in heard} >= {"book", "price_change", "last_trade_price"}
        for token in tokens:
            _, rest = await venue.get("/book", token_id=token)
            for side in ("bids", "asks"):
                assert books[token][side] == {level["price"]: level["size"] for level in rest[side]}


@pytest.mark.protocol("4.3")
async def test_best_bid_ask_and_new_markets_need_the_custom_feature(venue):
    market = await venue.some_market()
    token = market["tokens"][0]
    async with (
        venue.socket("market", subscribe([token])) as plain,
        venue.socket("market", subscribe([token], custom_feature_enabled=True)) as custom,
    ):
        await frames(plain, 1), await frames(custom, 1)
        venue.pass_time(10, step=0.25)
        venue.jump(1000), venue.jump(30)
        heard_plain, heard_custom = await drain(plain), await drain(custom)
        assert not {"best_bid_ask", "new_market", "market_resolved"} & {frame["event_type"] for frame in heard_plain}
        tops = [frame for frame in heard_custom if frame["event_type"] == "best_bid_ask"]
        assert tops
        assert all(frame["asset_id"] == token for frame in tops)
        announced = next(frame for frame in heard_custom if frame["event_type"] == "new_market")
        assert announced["active"] is True
        assert len(announced["clob_token_ids"]) == 2
        assert isinstance(announced["order_price_min_tick_size"], str)
        assert announced["event_message"]["title"]
        # A client can toggle the feature by naming an asset again.
        await plain.send_json({"operation": "subscribe", "assets_ids": [token], "custom_feature_enabled": True})
        assert await drain(plain) == []
        venue.pass_time(10, step=0.25)
        assert "best_bid_ask" in {frame["event_type"] for frame in await drain(plain)}


@pytest.mark.protocol("4.3", "6.4", "9.14")
async def test_resolution_and_finer_ticks_are_announced(venue):
    _, body = await venue.get("/gamma/events/keyset", limit="100")
    event = min(body["events"], key=lambda event: event["endDate"])
    tokens = [token for market in event["markets"] for token in json.loads(market["clobTokenIds"])]
    end = datetime.fromisoformat(event["endDate"]).timestamp()
    async with venue.socket("market", subscribe(tokens, custom_feature_enabled=True)) as socket:
        heard = await frames(socket, len(tokens))
        venue.jump(end - venue.clock.now_ns() / 1e9 - 20)
        for _ in range(25):
            venue.pass_time(1, step=0.5)
            heard += await drain(socket)
        finer = [frame for frame in heard if frame["event_type"] == "tick_size_change"]
        assert finer
        assert {(frame["old_tick_size"], frame["new_tick_size"]) for frame in finer} == {("0.01", "0.001")}
        resolved = [frame for frame in heard if frame["event_type"] == "market_resolved"]
        assert len(resolved) == len(event["markets"])
        assert resolved[0]["winning_asset_id"] in resolved[0]["assets_ids"]
        assert resolved[0]["winning_outcome"] in ("Yes", "No")
    assert (await venue.get("/book", token_id=tokens[0]))[0] == 404
    _, market = await venue.get(f"/markets/{event['markets'][0]['conditionId']}")
    assert market["closed"] is True
    assert sum(token["winner"] for token in market["tokens"]) == 1


@pytest.mark.protocol("4.1")
async def test_subscriptions_can_be_added_and_taken_back(venue):
    first, second = (
        (await venue.some_market())["tokens"][0],
        (await venue.some_market(category="Geopolitics"))["tokens"][0],
    )
    async with venue.socket("market", subscribe([first])) as socket:
        await frames(socket, 1)
        await socket.send_json({"operation": "subscribe", "assets_ids": [second, UNKNOWN]})
        (book,) = await frames(socket, 1)
        assert book["asset_id"] == second
        await socket.send_json({"operation": "unsubscribe", "assets_ids": [first, second]})
        await socket.send_json(subscribe([first]))
        await socket.send_str("what?")
        assert await drain(socket) == []
        venue.pass_time(5)
        assert await drain(socket) == []


async def test_a_client_that_does_not_read_is_cut_off_and_harms_nobody(venue, monkeypatch):
    monkeypatch.setattr(outbox, "LIMIT", 20)
    market = await venue.some_market()
    async with venue.socket("market", subscribe(market["tokens"])) as socket:
        await frames(socket, 2)
        # No wait between the frames: the writer never gets its turn.
        venue.pass_time(60, step=0.5)
        message = await asyncio.wait_for(socket.receive(), 5)
        while message.type is aiohttp.WSMsgType.TEXT:
            message = await asyncio.wait_for(socket.receive(), 5)
        assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.ERROR)
    async with venue.socket("market", subscribe(market["tokens"])) as socket:
        assert len(await frames(socket, 2)) == 2
