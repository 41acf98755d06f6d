"""The venue in its bad moods: restarts, cancel-only and post-only windows, blocked regions and accounts, markets without a book."""

from __future__ import annotations

import json

import pytest

from tests.venues.simulator.kit import CountingIds, drain, trader
from tests.venues.simulator.test_state import killed_copy
from tests.venues.simulator.test_user_channel import log_in
from venues.exchange.events import BookChanged, TradeMatched
from venues.simulator.inputs import RestartEngine, SetAccount, SetEngine, SetMarket, SetSwitch, Tick
from venues.simulator.venue import Options, Venue


async def raw(venue, client, method, path, payload):
    """Return status, headers and body text of one signed request."""
    body = b"" if payload is None else json.dumps(payload).encode()
    headers = client.l2_headers(method, path, body)
    async with venue.session.request(method, venue.url + path, data=body or None, headers=headers) as response:
        return response.status, response.headers, await response.text()


@pytest.mark.protocol("3.5", "3.10", "9.15")
async def test_a_restarting_engine_takes_no_orders_and_no_cancels_then_only_post_only_ones(venue):
    client = await trader(venue)
    market = await venue.some_market()
    _, resting = await client.place(market, "BUY", "0.02", "10")
    venue.venue.submit(RestartEngine(down_ms=3_000, post_only_ms=120_000))
    for method, path, payload in (
        ("POST", "/order", client.order(market, "BUY", "0.03", "10")),
        ("POST", "/orders", [client.order(market, "BUY", "0.03", "10")]),
        ("DELETE", "/order", {"orderID": resting["orderID"]}),
        ("DELETE", "/orders", [resting["orderID"]]),
        ("DELETE", "/cancel-all", None),
        ("DELETE", "/cancel-market-orders", {"market": market["conditionId"]}),
    ):
        status, headers, text = await raw(venue, client, method, path, payload)
        assert (status, headers["Retry-After"], json.loads(text)) == (425, "3", {"error": "Service is not ready"})
    assert [one["id"] for one in (await client.call("GET", "/data/orders"))[1]["data"]] == [resting["orderID"]]
    venue.pass_time(3)
    status, headers, text = await raw(venue, client, "POST", "/order", client.order(market, "BUY", "0.03", "10"))
    assert (status, headers["Retry-After"]) == (503, "120")
    assert json.loads(text) == {
        "error": "post-only mode: only post-only orders and cancels are allowed",
        "code": "post_only_mode",
        "retry_after_seconds": 120,
    }
    status, answer = await client.place(market, "BUY", "0.03", "10", postOnly=True)
    assert (status, answer["status"]) == (200, "live")
    assert (await client.call("DELETE", "/order", {"orderID": resting["orderID"]}))[1]["canceled"]
    venue.jump(121)
    assert (await client.place(market, "BUY", "0.04", "10"))[0] == 200


async def test_nobody_trades_while_the_engine_is_down_or_post_only(venue):
    venue.venue.submit(RestartEngine(down_ms=4_000, post_only_ms=4_000))

    def happened(seconds: float) -> list[type]:
        found = []
        for _ in range(round(seconds * 20)):
            venue.clock.move(0.05)
            found += [type(event) for event in venue.venue.submit(Tick(venue.venue.world.mark()))]
        return found

    down, post_only, open_again = happened(3.9), happened(4), happened(4)
    assert not {BookChanged, TradeMatched} & set(down)
    assert BookChanged in post_only
    assert TradeMatched not in post_only
    assert TradeMatched in open_again


@pytest.mark.protocol("3.5")
async def test_a_restart_may_cancel_what_rests(venue):
    client = await trader(venue)
    _, resting = await client.place(await venue.some_market(), "BUY", "0.02", "10")
    async with venue.socket("user", log_in(client)) as socket:
        await drain(socket)
        venue.venue.submit(RestartEngine(orders="cancelled"))
        (ended,) = await drain(socket)
    assert (ended["id"], ended["status"]) == (resting["orderID"], "CANCELED_ENGINE_RESTART")
    _, order = await client.call("GET", f"/data/order/{resting['orderID']}")
    assert order["status"] == "ORDER_STATUS_CANCELED"


@pytest.mark.protocol("3.5")
async def test_a_restart_may_lose_what_rests_without_a_word(venue):
    client = await trader(venue)
    market = await venue.some_market()
    envelope = client.order(market, "BUY", "0.02", "49990")
    _, resting = await client.call("POST", "/order", envelope)
    async with venue.socket("user", log_in(client)) as socket:
        await drain(socket)
        venue.venue.submit(RestartEngine(down_ms=1_000, post_only_ms=0, orders="lost"))
        assert await drain(socket) == []
    assert await client.call("GET", f"/data/order/{resting['orderID']}") == (404, {"error": "order not found"})
    assert (await client.call("GET", "/data/orders"))[1]["data"] == []
    venue.pass_time(4)
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    assert {"price": "0.02", "size": "49990"} not in book["bids"]
    # Its funds are free, and its id was never taken.
    status, again = await client.call("POST", "/order", envelope)
    assert (status, again["orderID"]) == (200, resting["orderID"])


@pytest.mark.parametrize(
    ("mode", "error", "cancels"),
    [
        ("cancel_only", "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.", 200),
        ("disabled", "Trading is currently disabled. Check polymarket.com for updates", 503),
    ],
)
@pytest.mark.protocol("3.5", "3.10")
async def test_cancel_only_and_disabled_trading(venue, mode, error, cancels):
    client = await trader(venue)
    market = await venue.some_market()
    await client.place(market, "BUY", "0.02", "10")
    venue.venue.submit(SetEngine(mode))
    assert await client.place(market, "BUY", "0.02", "10", postOnly=True) == (503, {"error": error})
    assert (await client.call("DELETE", "/cancel-all"))[0] == cancels
    venue.venue.submit(SetEngine("open"))
    assert (await client.place(market, "BUY", "0.02", "10"))[0] == 200


@pytest.mark.protocol("2.2", "3.5", "3.10")
async def test_a_closed_only_account_only_sells(venue):
    client = await trader(venue)
    market = await venue.some_market()
    ask = (await venue.get("/book", token_id=market["tokens"][0]))[1]["asks"][-1]["price"]
    await client.place(market, "BUY", ask, "10", "FAK", spend="9.00")
    venue.pass_time(5)
    assert await client.call("GET", "/auth/ban-status/closed-only") == (200, {"closed_only": False})
    venue.venue.submit(SetAccount(client.address, "closed_only"))
    assert await client.call("GET", "/auth/ban-status/closed-only") == (200, {"closed_only": True})
    refused = {"error": f"'{client.address}' address in closed only mode"}
    assert await client.place(market, "BUY", "0.02", "10") == (400, refused)
    _, legs = await client.call("POST", "/orders", [client.order(market, "BUY", "0.02", "10")])
    assert (legs[0]["orderID"], legs[0]["errorMsg"]) == ("", refused["error"])
    assert (await client.place(market, "SELL", "0.98", "10"))[1]["status"] == "live"


@pytest.mark.protocol("3.10")
async def test_a_banned_account_trades_nothing(venue):
    client = await trader(venue)
    venue.venue.submit(SetAccount(client.address, "banned"))
    refused = {"error": f"'{client.address}' address banned"}
    assert await client.place(await venue.some_market(), "SELL", "0.98", "10") == (400, refused)


@pytest.mark.protocol("3.1", "9.11")
async def test_plain_wallets_may_have_to_be_listed(venue):
    client, listed = await trader(venue), await trader(venue, 2)
    market = await venue.some_market()
    venue.venue.submit(SetSwitch("listed_plain_wallets", on=True))
    venue.venue.submit(SetAccount(listed.address, "allow_listed"))
    refused = {"error": "maker address not allowed, please use the deposit wallet flow"}
    assert await client.place(market, "BUY", "0.02", "10") == (400, refused)
    assert (await listed.place(market, "BUY", "0.02", "10"))[0] == 200
    wallet = "0xBc0fF067b7740Eff76C1ca93c875Ba6B890d6B50"
    await venue.fund(wallet, "500", owner=client.address, signature_type=3)
    assert (await client.place(market, "BUY", "0.02", "10", maker=wallet, signature_type=3))[0] == 200


@pytest.mark.protocol("9.17")
async def test_a_blocked_region_gets_a_page_for_orders_and_everything_else_as_ever(venue):
    client = await trader(venue)
    market = await venue.some_market()
    assert (await venue.get("/api/geoblock"))[1]["blocked"] is False
    _, resting = await client.place(market, "BUY", "0.02", "10")
    venue.venue.submit(SetSwitch("geoblock", on=True))
    status, headers, text = await raw(venue, client, "POST", "/order", client.order(market, "BUY", "0.03", "10"))
    assert (status, headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert text.startswith("<!DOCTYPE html>")
    _, told = await venue.get("/api/geoblock")
    assert set(told) == {"blocked", "ip", "country", "region"}
    assert told["blocked"] is True
    assert (await client.call("DELETE", "/cancel-all"))[1]["canceled"] == [resting["orderID"]]


@pytest.mark.protocol("3.3", "3.10")
async def test_a_refused_order_may_also_come_as_a_success(venue):
    client = await trader(venue)
    market = await venue.some_market()
    venue.venue.submit(SetSwitch("refusals_in_200", on=True))
    status, answer = await client.place(market, "BUY", "0.02", "4")
    assert status == 200
    assert (answer["success"], answer["orderID"]) == (True, "")
    assert "lower than the minimum: 5" in answer["errorMsg"]
    envelope = client.order(market, "BUY", "0.02", "10")
    envelope["order"]["signature"] = "0x" + "11" * 65
    assert (await client.call("POST", "/order", envelope))[1]["errorMsg"] == "invalid signature"
    envelope["order"]["tokenId"] = "12345"
    assert (await client.call("POST", "/order", envelope))[0] == 404


@pytest.mark.protocol("3.11", "9.17")
@pytest.mark.parametrize("path", ["/time", "/gamma/events", "/ws/market", "/nothing"])
async def test_a_program_that_gives_its_librarys_name_is_turned_away_with_a_page(venue, path):
    for name, turned_away in (("Python-urllib/3.11", True), ("polybot/1.0", False)):
        async with venue.session.get(venue.url + path, headers={"User-Agent": name}) as response:
            assert (response.status == 403) is turned_away
            assert response.content_type == ("text/html" if turned_away else response.content_type)


@pytest.mark.protocol("3.10")
async def test_a_market_that_is_not_ready_takes_no_orders(venue):
    client = await trader(venue)
    market = await venue.some_market()
    venue.venue.submit(SetMarket(market["conditionId"], "not_ready"))
    refused = {"error": "the market is not yet ready to process new orders"}
    assert await client.place(market, "BUY", "0.02", "10") == (400, refused)
    venue.venue.submit(SetMarket(market["conditionId"], "ready"))
    assert (await client.place(market, "BUY", "0.02", "10"))[0] == 200


@pytest.mark.protocol("3.9")
@pytest.mark.parametrize("clear", [False, True])
async def test_a_market_loses_its_book_and_its_orders_stay_or_go(venue, clear):
    client = await trader(venue)
    market = await venue.some_market()
    _, resting = await client.place(market, "BUY", "0.02", "10")
    venue.venue.submit(SetMarket(market["conditionId"], "no_book", clear=clear))
    gone = {"error": "No orderbook exists for the requested token id"}
    assert await venue.get("/book", token_id=market["tokens"][0]) == (404, gone)
    assert (await client.place(market, "BUY", "0.03", "10"))[1] == gone
    _, order = await client.call("GET", f"/data/order/{resting['orderID']}")
    assert order["status"] == ("ORDER_STATUS_CANCELED" if clear else "ORDER_STATUS_LIVE")
    venue.pass_time(5)
    venue.venue.submit(SetMarket(market["conditionId"], "ready"))
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    assert ({"price": "0.02", "size": "10"} in book["bids"]) is not clear
    assert (await client.call("DELETE", "/cancel-all"))[1]["canceled"] == ([] if clear else [resting["orderID"]])


async def test_a_killed_venue_goes_on_in_the_mode_it_was_in(venue, venue_folder, tmp_path):
    client = await trader(venue)
    market = await venue.some_market()
    await client.place(market, "BUY", "0.02", "10")
    for change in (
        SetMarket(market["conditionId"], "no_book", clear=True),
        SetAccount(client.address, "banned"),
        SetSwitch("geoblock", on=True),
        RestartEngine(down_ms=2_000, orders="lost"),
    ):
        venue.venue.submit(change)
        venue.pass_time(1)
    world = venue.venue.world
    copy = killed_copy(venue_folder, tmp_path / "killed")
    again = Venue.open(copy, venue.clock, CountingIds(), Options())
    assert again.world.modes == world.modes
    assert (again.world.exchange.state_hash(), again.world.mark()) == (world.exchange.state_hash(), world.mark())
    again.close()


@pytest.mark.protocol("3.5")
async def test_an_order_that_waits_does_not_meet_an_engine_that_restarts(venue):
    client = await trader(venue)
    market = await venue.some_market(category="Crypto")
    _, waiting = await client.place(market, "BUY", "0.98", "10", "FAK", spend="6.00")
    assert waiting["status"] == "delayed"
    async with venue.socket("user", log_in(client)) as socket:
        await drain(socket)
        venue.venue.submit(RestartEngine(down_ms=1_000))
        (ended,) = await drain(socket)
    assert (ended["id"], ended["status"]) == (waiting["orderID"], "CANCELED_ENGINE_RESTART")
    venue.pass_time(2)
    assert (await client.call("GET", "/data/trades"))[1]["data"] == []
