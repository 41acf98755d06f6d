"""The dead man's switch: chained beats, and what happens when they stop."""

from __future__ import annotations

import pytest

from tests.venues.simulator.kit import CountingIds, drain, trader
from tests.venues.simulator.test_state import killed_copy
from tests.venues.simulator.test_user_channel import log_in
from venues.simulator.venue import Options, Venue

pytestmark = pytest.mark.protocol("3.7")


async def beat(client, heartbeat_id):
    return await client.call("POST", "/v1/heartbeats", {"heartbeat_id": heartbeat_id})


async def open_orders(client) -> int:
    return (await client.call("GET", "/data/orders"))[1]["count"]


async def test_beats_are_chained_and_a_wrong_id_is_told_the_right_one(venue):
    client = await trader(venue)
    status, first = await beat(client, "")
    assert status == 200
    _, second = await beat(client, first["heartbeat_id"])
    assert second["heartbeat_id"] not in ("", first["heartbeat_id"])
    wrong = (400, {"error_msg": "Invalid Heartbeat ID", "heartbeat_id": second["heartbeat_id"]})
    for other in ("", "x", first["heartbeat_id"]):
        assert await beat(client, other) == wrong
    assert (await beat(client, second["heartbeat_id"]))[0] == 200


async def test_nothing_is_cancelled_before_the_first_beat_or_while_they_come(venue):
    client = await trader(venue)
    await client.place(await venue.some_market(), "BUY", "0.02", "10")
    venue.pass_time(20, step=0.5)
    assert await open_orders(client) == 1
    heartbeat_id = ""
    for _ in range(6):
        heartbeat_id = (await beat(client, heartbeat_id))[1]["heartbeat_id"]
        venue.pass_time(5, step=0.5)
    assert await open_orders(client) == 1


async def test_when_beats_stop_every_order_of_that_key_is_cancelled_and_the_user_is_told(venue):
    client, other = await trader(venue), await trader(venue, 2)
    market = await venue.some_market()
    _, mine = await client.place(market, "BUY", "0.02", "10")
    await other.place(market, "BUY", "0.02", "10")
    await beat(client, "")
    async with venue.socket("user", log_in(client)) as socket:
        await drain(socket)
        venue.pass_time(9.5, step=0.5)
        assert await drain(socket) == []
        venue.pass_time(6, step=0.5)
        (ended,) = await drain(socket)
    assert (ended["id"], ended["type"], ended["status"]) == (mine["orderID"], "CANCELLATION", "CANCELED")
    assert await open_orders(client) == 0
    assert await open_orders(other) == 1


async def test_a_wrong_beat_does_not_keep_orders_alive(venue):
    client = await trader(venue)
    await client.place(await venue.some_market(), "BUY", "0.02", "10")
    await beat(client, "")
    for _ in range(3):
        venue.pass_time(5, step=0.5)
        assert (await beat(client, "wrong"))[0] == 400
    assert await open_orders(client) == 0


async def test_once_begun_beats_never_become_optional(venue):
    client = await trader(venue)
    market = await venue.some_market()
    _, first = await beat(client, "")
    venue.pass_time(20, step=0.5)
    await client.place(market, "BUY", "0.02", "10")
    venue.pass_time(6, step=0.5)
    assert await open_orders(client) == 0
    assert (await beat(client, first["heartbeat_id"]))[0] == 200
    await client.place(market, "BUY", "0.02", "10")
    venue.pass_time(6, step=0.5)
    assert await open_orders(client) == 1


async def test_the_older_form_without_a_body_counts_too(venue):
    client = await trader(venue)
    await client.place(await venue.some_market(), "BUY", "0.02", "10")
    assert await client.call("POST", "/heartbeats") == (200, {"status": "ok"})
    for _ in range(4):
        venue.pass_time(5, step=0.5)
        await client.call("POST", "/heartbeats")
    assert await open_orders(client) == 1
    venue.pass_time(16, step=0.5)
    assert await open_orders(client) == 0


async def test_a_killed_venue_still_waits_for_the_next_beat(venue, venue_folder, tmp_path):
    client = await trader(venue)
    await client.place(await venue.some_market(), "BUY", "0.02", "10")
    _, first = await beat(client, "")
    again = Venue.open(killed_copy(venue_folder, tmp_path / "early"), venue.clock, CountingIds(), Options())
    assert again.world.heartbeats.expected(client.key["apiKey"]) == first["heartbeat_id"]
    again.close()
    venue.pass_time(16, step=0.5)
    again = Venue.open(killed_copy(venue_folder, tmp_path / "late"), venue.clock, CountingIds(), Options())
    assert again.world.exchange.open_orders(client.address) == []
    assert again.world.exchange.state_hash() == venue.venue.world.exchange.state_hash()
    again.close()
