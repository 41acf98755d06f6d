"""Faults between the venue's channels and a WebSocket client, as the client sees them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.venues.simulator.kit import RunningVenue, Trader, drain, frames, trader
from venues.simulator.faults.model import (
    Cut,
    Delay,
    Drop,
    Duplicate,
    Edit,
    EmptyDump,
    Freeze,
    Garbage,
    Inject,
    Lose,
    Reorder,
    When,
    Where,
)

MARKET, USER = Where(channel="market"), Where(channel="user")
LEVELS = Where(channel="market", event="price_change")
ALWAYS = When(times=None)


def books(market: dict[str, Any]) -> dict[str, Any]:
    return {"type": "market", "assets_ids": market["tokens"]}


def account(client: Trader) -> dict[str, Any]:
    return {"type": "user", "auth": dict(client.key)}


async def place_at(client: Trader, market: dict[str, Any], *prices: str) -> None:
    """Rest orders at these prices; each is one `price_change`."""
    for price in prices:
        assert (await client.place(market, "BUY", price, "10"))[0] == 200


def prices(heard: list[dict[str, Any]]) -> list[str]:
    """Return the prices of the first token's levels, in the order in which they were told."""
    return [event["price_changes"][0]["price"] for event in heard if event["event_type"] == "price_change"]


async def closing(socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
    """Return how the connection ended, skipping what came before."""
    while True:
        message = await asyncio.wait_for(socket.receive(), 5)
        if message.type is not aiohttp.WSMsgType.TEXT:
            return message


@pytest.fixture
async def quiet(venue: RunningVenue) -> tuple[RunningVenue, Trader, dict[str, Any]]:
    """A venue whose time stands still, so that nothing is told but what the test does."""
    return venue, await trader(venue), await venue.some_market()


@pytest.mark.protocol("9.1", "4.2")
async def test_a_frozen_connection_answers_ping_and_tells_nothing_more(quiet):
    venue, client, market = quiet
    async with venue.socket("market", books(market)) as socket:
        await frames(socket, 2)
        armed = venue.arm(Freeze(), LEVELS)
        await place_at(client, market, "0.02", "0.03")
        venue.pass_time(60, step=1)
        assert await drain(socket) == []
        assert armed.struck == 1
        async with venue.socket("market", books(market)) as healthy:
            assert len(await frames(healthy, 2)) == 2
            await place_at(client, market, "0.04")
            assert prices(await drain(healthy)) == ["0.04"]
            assert await drain(socket) == []
        venue.heal()
        await place_at(client, market, "0.01")
        assert prices(await drain(socket)) == ["0.01"]


async def test_a_freeze_may_end_and_what_it_swallowed_stays_lost(quiet):
    venue, client, market = quiet
    async with venue.socket("user", account(client)) as socket:
        venue.arm(Freeze(seconds=10), USER)
        await place_at(client, market, "0.02")
        venue.clock.move(11)
        await place_at(client, market, "0.03")
        assert [event["price"] for event in await drain(socket)] == ["0.03"]


@pytest.mark.parametrize("channel", ["market", "user"])
async def test_a_connection_is_reset_or_closed_at_a_frame(quiet, channel):
    venue, client, market = quiet
    first = books(market) if channel == "market" else account(client)
    for reset in (True, False):
        async with venue.socket(channel, first) as socket:
            await drain(socket)
            venue.arm(Cut(reset=reset), Where(channel=channel), When(skip=1))
            await place_at(client, market, "0.02", "0.03")
            message = await closing(socket)
            if reset:
                assert message.type in (aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSED)
            else:
                assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)


async def test_all_connections_of_one_channel_drop_at_once(quiet):
    venue, client, market = quiet
    async with venue.socket("market", books(market)) as first, venue.socket("user", account(client)) as other:
        await drain(first)
        await drain(other)
        venue.arm(Drop(reset=False), MARKET)
        assert (await closing(first)).data == 1001
        await place_at(client, market, "0.02")
        assert len(await drain(other)) == 1


async def test_frames_are_repeated_lost_reordered_and_late(quiet):
    venue, client, market = quiet
    async with venue.socket("market", books(market)) as socket:
        await frames(socket, 2)
        venue.arm(Duplicate(copies=2), LEVELS)
        venue.arm(Lose(), LEVELS, When(skip=3))
        await place_at(client, market, "0.02", "0.03")
        assert prices(await drain(socket)) == ["0.02", "0.02", "0.02"]
        venue.arm(Reorder(behind=2), LEVELS)
        await place_at(client, market, "0.04", "0.05", "0.06", "0.07")
        assert prices(await drain(socket)) == ["0.05", "0.06", "0.04", "0.07"]
        venue.arm(Delay(seconds=30), LEVELS)
        await place_at(client, market, "0.08", "0.09")
        assert prices(await drain(socket)) == ["0.09"]
        venue.heal()
        venue.clock.move(31)
        await place_at(client, market, "0.01")
        assert prices(await drain(socket)) == ["0.01", "0.08"]


async def test_a_dump_of_books_comes_empty_once(quiet):
    venue, _, market = quiet
    venue.arm(EmptyDump(), MARKET)
    for expected in (0, 2):
        async with venue.socket("market", books(market)) as socket:
            assert len(await drain(socket)) == expected


async def test_a_frame_becomes_garbage(quiet):
    venue, client, market = quiet
    async with venue.socket("market", books(market)) as socket:
        await frames(socket, 2)
        venue.arm(Garbage(text="{{{"), LEVELS)
        await place_at(client, market, "0.02", "0.03")
        assert (await asyncio.wait_for(socket.receive(), 5)).data == "{{{"
        assert prices(await drain(socket)) == ["0.03"]


async def test_even_pong_can_be_lost(quiet):
    venue, _, market = quiet
    async with venue.socket("market", books(market)) as socket:
        await frames(socket, 2)
        armed = venue.arm(Lose(), Where(channel="market", event="PONG"))
        await socket.send_str("PING")
        await venue.struck(armed)
        assert await drain(socket) == []


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"price_changes.*.size": "-100"}, "size"),
        ({"price_changes.*.size": "9" * 40}, "size"),
        ({"price_changes.*.price": "1.5"}, "price"),
        ({"price_changes.*.price": None}, "price"),
    ],
)
async def test_levels_carry_hostile_values(quiet, values, path):
    venue, client, market = quiet
    async with venue.socket("market", books(market)) as socket:
        await frames(socket, 2)
        venue.arm(Edit(values=values), LEVELS)
        await place_at(client, market, "0.02")
        (event,) = await drain(socket)
        assert [level[path] for level in event["price_changes"]] == [*values.values()] * 2
        assert event["market"] == market["conditionId"]


async def test_books_in_a_dump_carry_hostile_values(quiet):
    venue, _, market = quiet
    venue.arm(Edit(values={"bids.*.price": "-0.5"}), Where(channel="market", event="book"))
    async with venue.socket("market", books(market)) as socket:
        dump = await drain(socket)
    assert {level["price"] for book in dump for level in book["bids"]} == {"-0.5"}


async def test_the_account_channel_tells_of_unknown_statuses_wrong_owners_and_others_fills(quiet):
    venue, client, market = quiet
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    async with venue.socket("user", account(client)) as socket:
        venue.arm(Edit(values={"status": "BLESSED", "owner": "beef"}), Where(channel="user", event="order"))
        foreign = {"id": "dead", "taker_order_id": "0x77", "maker_orders.*.order_id": "0x88"}
        venue.arm(Edit(values=foreign, keep=True), Where(channel="user", event="trade"))
        _, answer = await client.place(market, "BUY", book["asks"][-1]["price"], "10", "FAK", spend="3.00")
        heard = await drain(socket)
    orders = [event for event in heard if event.get("event_type") == "order"]
    assert (orders[0]["status"], orders[0]["owner"]) == ("BLESSED", "beef")
    assert orders[1]["status"] == "MATCHED"
    trades = [event for event in heard if event.get("event_type", "trade") == "trade"]
    assert [trade["id"] for trade in trades[:2]] == [answer["tradeIDs"][0], "dead"]
    assert (trades[1]["taker_order_id"], trades[1]["maker_orders"][0]["order_id"]) == ("0x77", "0x88")
    assert trades[1]["size"] == trades[0]["size"]


async def test_only_the_frames_of_one_wallet_and_of_one_market_are_struck(quiet):
    venue, client, market = quiet
    other, elsewhere = await trader(venue, 2), await venue.some_market(category="Crypto")
    venue.arm(Lose(), Where(channel="user", wallet=client.address), ALWAYS)
    venue.arm(Lose(), Where(channel="market", market=market["tokens"][1]), ALWAYS)
    async with venue.socket("user", account(client)) as mine, venue.socket("user", account(other)) as theirs:
        await place_at(client, market, "0.02")
        await place_at(other, market, "0.02")
        assert await drain(mine) == []
        assert len(await drain(theirs)) == 1
    async with venue.socket("market", {"type": "market", "assets_ids": [market["tokens"][0]]}) as socket:
        assert await drain(socket) == []
        await place_at(client, market, "0.03")
        await place_at(client, elsewhere, "0.02")
        await socket.send_str(json.dumps({"operation": "subscribe", "assets_ids": elsewhere["tokens"]}))
        assert len(await drain(socket)) == 2


async def test_the_venue_says_what_nobody_asked_for(quiet):
    venue, client, _ = quiet
    other = await trader(venue, 2)
    async with venue.socket("user", account(client)) as mine, venue.socket("user", account(other)) as theirs:
        await drain(mine)
        await drain(theirs)
        venue.arm(Inject(frame={"event_type": "revelation"}), Where(channel="user", wallet=client.address))
        venue.arm(Inject(text="\x00"), USER)
        assert [(await mine.receive()).data, (await mine.receive()).data] == ['{"event_type":"revelation"}', "\x00"]
        assert (await theirs.receive()).data == "\x00"
