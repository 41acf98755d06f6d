"""Faults of the venue itself: trades that do not settle, restarts, a wrong clock, markets that change under resting orders."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

import aiohttp
import pytest

from tests.venues.simulator.kit import RunningVenue, Trader, drain, running_venue, trader
from venues.simulator.faults.model import (
    Change,
    FaultError,
    Hold,
    LoseBook,
    Restart,
    Settle,
    Skew,
    TickChange,
    When,
    Where,
)
from venues.simulator.inputs import SetEngine

ORDER = Where(method="POST", path="/order")


async def buy(venue: RunningVenue, client: Trader, market: dict[str, Any], dollars: str = "5.00") -> dict[str, Any]:
    """Take what is offered now; return the venue's answer."""
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    status, answer = await client.place(market, "BUY", book["asks"][-1]["price"], "10", "FAK", spend=dollars)
    assert (status, answer.get("status")) == (200, "matched"), answer
    return dict(answer)


async def fills(client: Trader) -> dict[str, str]:
    """Return the status of each of the client's trades."""
    _, trades = await client.call("GET", "/data/trades")
    return {trade["id"]: trade["status"].removeprefix("TRADE_STATUS_") for trade in trades["data"]}


async def held(client: Trader, market: dict[str, Any]) -> int:
    _, answer = await client.call("GET", "/balance-allowance", asset_type="CONDITIONAL", token_id=market["tokens"][0])
    return int(answer["balance"])


async def sweep(venue: RunningVenue, client: Trader, market: dict[str, Any]) -> list[str]:
    """Take the three best levels with one order; return its trades."""
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    levels = book["asks"][-3:]
    dollars = sum(float(level["price"]) * float(level["size"]) for level in levels) - 0.5
    _, answer = await client.place(market, "BUY", levels[0]["price"], "10", "FAK", spend=f"{dollars:.2f}")
    assert len(answer["tradeIDs"]) == 3
    return list(answer["tradeIDs"])


@pytest.mark.protocol("9.4")
async def test_a_ghost_fill_is_matched_then_failed_and_moves_nothing(venue):
    client, other = await trader(venue), await trader(venue, 2)
    market = await venue.some_market()
    armed = venue.arm(Settle(), Where(wallet=client.address), When(times=None))
    async with venue.socket("user", {"type": "user", "auth": dict(client.key)}) as socket:
        ghost, real = await buy(venue, client, market), await buy(venue, other, market)
        assert await fills(client) == dict.fromkeys(ghost["tradeIDs"], "MATCHED")
        venue.pass_time(6)
        told = [event["status"] for event in await drain(socket) if event.get("event_type", "trade") == "trade"]
    assert told == ["MATCHED", "FAILED"]
    assert await fills(client) == dict.fromkeys(ghost["tradeIDs"], "FAILED")
    assert await fills(other) == dict.fromkeys(real["tradeIDs"], "CONFIRMED")
    assert await held(client, market) == 0 < await held(other, market)
    assert (armed.struck, armed.last) == (1, f"trade {ghost['tradeIDs'][0]}")


async def test_the_trades_of_the_venues_own_agents_settle_and_do_not_count(venue):
    client = await trader(venue)
    market = await venue.some_market()
    armed = venue.arm(Settle())
    venue.pass_time(20)
    assert venue.venue.world.listings.by_condition(market["conditionId"]).volume > 0
    assert (armed.seen, armed.struck) == (0, 0)
    await buy(venue, client, await venue.some_market())
    assert armed.struck == 1


@pytest.mark.protocol("9.5")
async def test_the_second_of_three_fills_of_one_order_fails(venue):
    client = await trader(venue)
    market = await venue.some_market()
    venue.arm(Settle(), Where(market=market["conditionId"]), When(skip=1))
    first, second, third = await sweep(venue, client, market)
    venue.pass_time(6)
    assert await fills(client) == {first: "CONFIRMED", second: "FAILED", third: "CONFIRMED"}


@pytest.mark.protocol("9.6")
async def test_a_match_may_never_settle(venue):
    client = await trader(venue)
    market = await venue.some_market()
    venue.arm(Settle(steps=()))
    (stuck,) = (await buy(venue, client, market))["tradeIDs"]
    venue.pass_time(120, step=1)
    assert await fills(client) == {stuck: "MATCHED_NOT_BROADCASTED"}
    assert await held(client, market) == 0


async def test_settlement_retries_for_as_long_as_it_is_told(venue):
    client = await trader(venue)
    market = await venue.some_market()
    venue.arm(Settle(steps=((1, "RETRYING"), (30, "MINED"), (31, "CONFIRMED"))))
    (trade,) = (await buy(venue, client, market))["tradeIDs"]
    seen = []
    for seconds in (2, 27, 1.5, 2):
        venue.pass_time(seconds, step=0.25)
        seen.append((await fills(client))[trade])
    assert seen == ["RETRYING", "RETRYING", "MINED", "CONFIRMED"]


async def test_a_share_of_all_fills_fails_the_same_ones_each_time(venue_folder, tmp_path):
    outcomes = []
    for copy in ("once", "again"):
        async with running_venue(shutil.copytree(venue_folder, tmp_path / copy)) as venue:
            client = await trader(venue)
            market = await venue.some_market()
            venue.arm(Settle(), when=When(times=None, share=0.4), seed=3, name="some")
            for _ in range(12):
                await buy(venue, client, market)
            venue.pass_time(6)
            outcomes.append(await fills(client))
    assert outcomes[0] == outcomes[1]
    assert 2 < list(outcomes[0].values()).count("FAILED") < len(outcomes[0]) - 2


async def test_a_killed_venue_remembers_which_trade_was_to_fail(venue_folder, tmp_path):
    async with running_venue(venue_folder) as venue:
        client = await trader(venue)
        market = await venue.some_market()
        venue.arm(Settle(steps=((30, "FAILED"),)))
        venue.arm(TickChange(tick="0.001"), Where(market=market["conditionId"]))
        (ghost,) = (await buy(venue, client, market))["tradeIDs"]
        venue.pass_time(5)
        killed, clock, key = shutil.copytree(venue_folder, tmp_path / "killed"), venue.clock, client.key
        state = venue.venue.world.exchange.state_hash()
    async with running_venue(killed, clock=clock) as venue:
        assert venue.venue.world.exchange.state_hash() == state
        client = Trader(venue, f"0x{1:064x}")
        client.key = key
        venue.pass_time(31, step=0.25)
        assert await fills(client) == {ghost: "FAILED"}
        assert (await venue.get("/tick-size", token_id=market["tokens"][0]))[1] == {"minimum_tick_size": 0.001}


@pytest.mark.protocol("9.15", "3.5")
@pytest.mark.parametrize(
    ("orders", "status"), [("kept", "ORDER_STATUS_LIVE"), ("cancelled", "ORDER_STATUS_CANCELED"), ("lost", None)]
)
async def test_a_restart_drops_everybody_answers_425_then_takes_only_post_only(venue, orders, status):
    client = await trader(venue)
    market = await venue.some_market()
    _, resting = await client.place(market, "BUY", "0.02", "10")
    async with venue.socket("user", {"type": "user", "auth": dict(client.key)}) as socket:
        await drain(socket)
        venue.arm(Restart(down_seconds=90, post_only_seconds=120, orders=orders))
        message = await asyncio.wait_for(socket.receive(), 5)
        assert message.type in (aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSED)
    assert (await client.place(market, "BUY", "0.03", "10"))[0] == 425
    venue.pass_time(91, step=1)
    assert (await client.place(market, "BUY", "0.03", "10"))[0] == 503
    assert (await client.place(market, "BUY", "0.03", "10", postOnly=True))[0] == 200
    venue.pass_time(121, step=1)
    assert (await client.place(market, "BUY", "0.03", "10"))[0] == 200
    code, order = await client.call("GET", f"/data/order/{resting['orderID']}")
    assert order.get("status") == status
    assert (code == 404) is (orders == "lost")


async def test_a_restart_may_refuse_connections_for_a_while(venue):
    venue.arm(Restart(down_seconds=0, post_only_seconds=0, refuse_seconds=5))
    for _ in range(2):
        with pytest.raises(aiohttp.ClientConnectorError, match="Connect call failed"):
            await venue.get("/time")
        venue.pass_time(2)
    venue.pass_time(2)
    async with asyncio.timeout(5):
        while True:
            try:
                assert (await venue.get("/time"))[0] == 200
                break
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0)


async def test_a_restart_can_come_right_after_the_nth_order_was_taken(venue):
    client = await trader(venue)
    market = await venue.some_market()
    armed = venue.arm(Restart(down_seconds=5), ORDER, When(skip=1, stage="after"))
    assert (await client.place(market, "BUY", "0.02", "10"))[0] == 200
    with pytest.raises(aiohttp.ClientError):
        await client.place(market, "BUY", "0.03", "10")
    taken = client.digest
    assert armed.struck == 1
    assert (await client.place(market, "BUY", "0.04", "10"))[0] == 425
    _, orders = await client.call("GET", "/data/orders")
    assert taken in [order["id"] for order in orders["data"]]
    assert len(orders["data"]) == 2


@pytest.mark.protocol("9.14")
async def test_the_tick_changes_while_an_order_rests_and_before_the_next_is_judged(venue):
    client = await trader(venue)
    market = await venue.some_market()
    async with venue.socket("market", {"type": "market", "assets_ids": market["tokens"]}) as socket:
        _, resting = await client.place(market, "BUY", "0.02", "10")
        await drain(socket)
        venue.arm(TickChange(tick="0.1"), Where(method="POST", path="/order", market=market["tokens"][0]))
        status, refused = await client.place(market, "BUY", "0.03", "10")
        changes = [event for event in await drain(socket) if event["event_type"] == "tick_size_change"]
    assert status == 400
    assert "breaks minimum tick size rule: 0.1" in refused["error"]
    assert {(change["old_tick_size"], change["new_tick_size"]) for change in changes} == {("0.01", "0.1")}
    _, order = await client.call("GET", f"/data/order/{resting['orderID']}")
    assert (order["status"], order["price"]) == ("ORDER_STATUS_LIVE", "0.02")


async def test_a_market_loses_its_book_and_gets_it_back(venue):
    client = await trader(venue)
    market = await venue.some_market()
    venue.arm(LoseBook(seconds=20), Where(market=market["conditionId"]), When(after=10))
    token = market["tokens"][0]
    seen = []
    for _ in range(4):
        seen.append((await venue.get("/book", token_id=token))[0])
        venue.pass_time(10, step=1)
    assert seen == [200, 404, 404, 200]
    assert (await client.place(market, "BUY", "0.02", "10"))[0] == 200


@pytest.mark.protocol("9.16")
async def test_orders_that_match_at_once_are_delayed_for_a_while(venue):
    client = await trader(venue)
    market = await venue.some_market()
    venue.arm(Hold(milliseconds=3000, seconds=60), Where(market=market["conditionId"]))
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    best = book["asks"][-1]["price"]
    _, answer = await client.place(market, "BUY", best, "10", "FAK", spend="3.00")
    assert (answer["status"], answer["tradeIDs"]) == ("delayed", [])
    assert (await client.place(market, "BUY", "0.02", "10"))[1]["status"] == "live"
    venue.pass_time(3.1)
    _, order = await client.call("GET", f"/data/order/{answer['orderID']}")
    assert order["status"] != "ORDER_STATUS_DELAYED"
    venue.pass_time(60, step=1)
    assert (await buy(venue, client, market))["status"] == "matched"


@pytest.mark.protocol("2.3")
async def test_the_venues_clock_is_wrong_for_a_while(venue):
    client = await trader(venue)
    market = await venue.some_market()
    seconds = venue.clock.now_ns() // 10**9
    async with venue.socket("market", {"type": "market", "assets_ids": market["tokens"]}) as socket:
        venue.arm(Skew(offset=-90, seconds=30))
        await drain(socket)
        assert (await venue.get("/time"))[1] == seconds - 90
        assert (await client.call("GET", "/data/orders"))[0] == 401
        told = client.l2_headers("GET", "/data/orders", b"", seconds=seconds - 90)
        async with venue.session.get(venue.url + "/data/orders", headers=told) as response:
            assert response.status == 200
        _, book = await venue.get("/book", token_id=market["tokens"][0])
        assert int(book["timestamp"]) == (seconds - 90) * 1000
        venue.clock.move(10)
        venue.pass_time(3)
        stamps = {int(event["timestamp"]) for event in await drain(socket)}
        assert max(stamps) <= (seconds - 90 + 13) * 1000
    venue.pass_time(20, step=1)
    assert (await client.call("GET", "/data/orders"))[0] == 200
    armed = venue.arm(Skew(offset=90))
    assert (await client.call("GET", "/data/orders"))[0] == 401
    venue.faults.disarm(armed.fault.name)
    assert (await client.call("GET", "/data/orders"))[0] == 200


async def test_a_mode_of_the_venue_changes_with_a_request(venue):
    client = await trader(venue)
    market = await venue.some_market()
    venue.arm(Change(input=SetEngine("cancel_only", 5000)), ORDER, When(stage="after"))
    assert (await client.place(market, "BUY", "0.02", "10"))[0] == 200
    status, refused = await client.place(market, "BUY", "0.02", "10")
    assert status == 503
    assert "cancel-only" in refused["error"]


async def test_a_drawn_market_is_the_same_for_the_same_seed(venue):
    drawn = []
    for seed in (1, 1, 2):
        drawn.append(venue.arm(TickChange(tick="0.005"), seed=seed, name="some").last)
        venue.heal()
    assert drawn[0] == drawn[1] != drawn[2]
    struck = venue.venue.world.listings.by_condition(drawn[0].removeprefix("market "))
    assert struck.tick == 5_000


async def test_a_fault_of_the_venue_at_a_time_cannot_repeat(venue):
    with pytest.raises(FaultError, match=r"name where\.path to let requests bring it about"):
        venue.arm(Restart(), when=When(times=2))
