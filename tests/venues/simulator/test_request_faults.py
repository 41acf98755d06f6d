"""Faults between a client's request and its answer, as the client sees them."""

from __future__ import annotations

import asyncio
import gzip
import json

import aiohttp
import pytest

from tests.venues.simulator.kit import RunningVenue, Trader, running_venue, trader
from venues.simulator.clob.books import book_hash
from venues.simulator.faults.answers import ANSWERS
from venues.simulator.faults.model import Answer, Cut, Delay, Edit, Half, Inflate, Silence, StaleBook, When, Where

ORDER = Where(method="POST", path="/order")
AFTER = When(stage="after")


async def resting(client: Trader) -> list[str]:
    """Return the ids of the client's open orders."""
    status, orders = await client.call("GET", "/data/orders")
    assert status == 200, orders
    return [order["id"] for order in orders["data"]]


@pytest.mark.protocol("9.18")
async def test_exactly_the_second_order_of_one_wallet_is_taken_without_an_answer(venue):
    client, other = await trader(venue), await trader(venue, 2)
    market = await venue.some_market()
    where = Where(method="POST", path="/order", wallet=client.address)
    armed = venue.arm(Silence(seconds=20), where, When(skip=1, stage="after"))
    assert (await client.place(market, "BUY", "0.02", "10"))[0] == 200
    assert (await other.place(market, "BUY", "0.02", "10"))[0] == 200
    lost = asyncio.create_task(client.place(market, "BUY", "0.03", "10"))
    await venue.struck(armed)
    assert client.digest in await resting(client)
    assert not lost.done()
    venue.pass_time(21, step=1)
    with pytest.raises(aiohttp.ClientError):
        await lost
    assert (await client.place(market, "BUY", "0.04", "10"))[0] == 200
    assert (armed.seen, armed.struck, armed.last) == (2, 1, "POST /order")


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("stage", ["before", "after"])
async def test_a_connection_is_cut_before_or_after_the_order_was_taken(venue, reset, stage):
    client = await trader(venue)
    market = await venue.some_market()
    venue.arm(Cut(reset=reset), ORDER, When(stage=stage))
    with pytest.raises(aiohttp.ClientError) as caught:
        await client.place(market, "BUY", "0.02", "10")
    assert isinstance(caught.value, aiohttp.ClientOSError) is reset
    assert isinstance(caught.value, aiohttp.ServerDisconnectedError) is not reset
    assert await resting(client) == ([client.digest] if stage == "after" else [])


async def test_a_request_in_silence_before_acceptance_was_never_made(venue):
    client = await trader(venue)
    market = await venue.some_market()
    armed = venue.arm(Silence(seconds=5), ORDER)
    lost = asyncio.create_task(client.place(market, "BUY", "0.02", "10"))
    await venue.struck(armed)
    venue.pass_time(6, step=1)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await lost
    assert await resting(client) == []


async def test_half_an_answer_hides_an_order_that_was_taken(venue):
    client = await trader(venue)
    market = await venue.some_market()
    venue.arm(Half(), ORDER)
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.place(market, "BUY", "0.02", "10")
    assert await resting(client) == [client.digest]


@pytest.mark.protocol("3.10", "9.17")
async def test_a_named_answer_comes_instead_of_the_true_one(venue):
    for name, ready in ANSWERS.items():
        venue.arm(Answer(name=name), Where(path="/time"))
        async with venue.session.get(venue.url + "/time") as response:
            assert (response.status, await response.read()) == (ready.status, ready.body)
            assert name.removesuffix("_bare").endswith(f"_{response.status}")
            assert {key: response.headers[key] for key in ready.headers} == ready.headers
            assert name.endswith("_bare") <= ("Retry-After" not in response.headers)
        assert (await venue.get("/time"))[0] == 200


@pytest.mark.protocol("9.18")
@pytest.mark.parametrize("stage", ["before", "after"])
async def test_an_error_500_says_nothing_about_the_order(venue, stage):
    client = await trader(venue)
    market = await venue.some_market()
    venue.arm(Answer(name="could_not_run_500"), ORDER, When(stage=stage))
    assert await client.place(market, "BUY", "0.02", "10") == (500, {"error": "could not run the execution"})
    assert await resting(client) == ([client.digest] if stage == "after" else [])


async def test_an_answer_can_be_made_up(venue):
    venue.arm(Answer(status=418, body="short and stout", headers={"Retry-After": "7"}), Where(path="/time"))
    async with venue.session.get(venue.url + "/time") as response:
        assert (response.status, await response.text()) == (418, "short and stout")
        assert response.headers["Retry-After"] == "7"


@pytest.mark.parametrize("stage", ["before", "after"])
async def test_a_delayed_request_waits_for_the_venues_clock(venue, stage):
    client = await trader(venue)
    market = await venue.some_market()
    armed = venue.arm(Delay(seconds=2), ORDER, When(stage=stage))
    sent = asyncio.create_task(client.place(market, "BUY", "0.02", "10"))
    await venue.struck(armed)
    venue.pass_time(1)
    assert await resting(client) == ([client.digest] if stage == "after" else [])
    assert not sent.done()
    venue.pass_time(1.1)
    assert (await sent)[0] == 200
    assert await resting(client) == [client.digest]


async def test_an_answer_names_another_order_or_hides_an_error_in_a_success(venue):
    client = await trader(venue)
    market = await venue.some_market()
    venue.arm(Edit(values={"orderID": "0xbad", "tradeIDs": ["1"]}), ORDER)
    _, answer = await client.place(market, "BUY", "0.02", "10")
    assert (answer["orderID"], answer["tradeIDs"], answer["success"]) == ("0xbad", ["1"], True)
    venue.arm(Edit(values={"data.*.size_matched": "-5", "data.0.status": "BLESSED"}), Where(path="/data/orders"))
    _, orders = await client.call("GET", "/data/orders")
    assert (orders["data"][0]["size_matched"], orders["data"][0]["status"]) == ("-5", "BLESSED")
    assert orders["data"][0]["id"] == client.digest


@pytest.mark.protocol("9.19")
async def test_a_stale_book_is_wide_open_while_the_price_is_right(venue):
    market = await venue.some_market()
    token = market["tokens"][0]
    armed = venue.arm(StaleBook(), when=When(times=2))
    _, price = await venue.get("/price", token_id=token, side="BUY")
    _, book = await venue.get("/book", token_id=token)
    _, books = await venue.post("/books", [{"token_id": token}])
    for shown in (book, *books):
        assert (shown["bids"], shown["asks"]) == (
            [{"price": "0.01", "size": "100"}],
            [{"price": "0.99", "size": "100"}],
        )
        assert shown["hash"] == book_hash(shown | {"hash": ""})
    _, true = await venue.get("/book", token_id=token)
    assert true["bids"][-1]["price"] == price["price"] != "0.01"
    assert (armed.struck, armed.last) == (2, "POST /books")


async def test_an_answer_may_come_compressed_and_very_large(venue):
    venue.arm(Inflate(kibibytes=2048, gzip=True), Where(path="/time"))
    async with aiohttp.ClientSession(auto_decompress=False) as session, session.get(venue.url + "/time") as response:
        assert response.headers["Content-Encoding"] == "gzip"
        packed = await response.read()
    body = gzip.decompress(packed)
    assert len(packed) < 10_000 < 2 * 2**20 < len(body)
    assert json.loads(body) == venue.clock.now_ns() // 10**9


async def test_only_requests_about_the_named_market_are_struck(venue):
    client = await trader(venue)
    market = await venue.some_market()
    other = await venue.some_market(category="Crypto")
    armed = venue.arm(Answer(name="internal_500"), Where(market=market["conditionId"]), When(times=None))
    assert (await client.place(other, "BUY", "0.02", "10"))[0] == 200
    assert (await client.place(market, "BUY", "0.02", "10"))[0] == 500
    assert (await venue.get("/book", token_id=market["tokens"][1]))[0] == 500
    assert (await venue.get("/book", token_id=other["tokens"][1]))[0] == 200
    assert (await client.call("DELETE", "/cancel-market-orders", {"market": market["conditionId"]}))[0] == 500
    assert armed.struck == armed.seen == 3


async def test_methods_and_path_patterns_choose(venue):
    client = await trader(venue)
    venue.arm(Answer(status=599), Where(method="DELETE", path="/cancel-*"), When(times=None))
    venue.arm(Answer(status=598), Where(path="/data/*"), When(times=None))
    assert (await client.call("DELETE", "/cancel-all"))[0] == 599
    assert (await client.call("DELETE", "/orders", []))[0] == 200
    assert (await client.call("GET", "/data/trades"))[0] == 598


async def test_a_request_that_the_first_fault_swallows_never_reaches_the_second(venue):
    first = venue.arm(Answer(status=599), Where(path="/time"), When(skip=1))
    second = venue.arm(Answer(status=598), Where(path="/time"), When(skip=1))
    answers = [(await venue.get("/ok"))[0]]
    for _ in range(3):
        async with venue.session.get(venue.url + "/time") as response:
            answers.append(response.status)
    assert answers == [200, 200, 599, 598]
    assert (first.seen, second.seen) == (2, 2)


async def test_faults_around_each_other_each_do_their_part(venue):
    client = await trader(venue)
    market = await venue.some_market()
    venue.arm(Edit(values={"orderID": "outer"}), ORDER)
    venue.arm(Edit(values={"orderID": "inner", "status": "inner"}), ORDER)
    _, answer = await client.place(market, "BUY", "0.02", "10")
    assert (answer["orderID"], answer["status"]) == ("outer", "inner")
    assert await resting(client) == [client.digest]


async def test_a_fault_lasts_as_long_as_it_is_told(venue):
    where = Where(path="/time")
    venue.arm(Answer(status=599), where, When(times=None, after=10, during=5))
    seen = []
    for _ in range(4):
        seen.append((await venue.session.get(venue.url + "/time")).status)
        venue.pass_time(5, step=1)
    assert seen == [200, 200, 599, 200]


async def outcomes(venue: RunningVenue, seed: int, count: int = 60) -> list[int]:
    venue.heal()
    venue.arm(Answer(status=599), Where(path="/time"), When(times=None, share=0.3), seed=seed, name="some")
    return [(await venue.session.get(venue.url + "/time")).status for _ in range(count)]


async def test_the_same_seed_strikes_the_same_requests(venue):
    once, again, other = await outcomes(venue, 5), await outcomes(venue, 5), await outcomes(venue, 6)
    assert once == again != other
    assert 5 < once.count(599) < 35


async def test_websocket_handshakes_are_struck_only_when_named(venue):
    venue.arm(Answer(name="bad_gateway_502"), when=When(times=None))
    async with venue.socket("market", {"type": "market", "assets_ids": []}) as socket:
        assert (await socket.receive()).data == "[]"
    venue.heal()
    venue.arm(Answer(name="bad_gateway_502"), Where(path="/ws/market"))
    with pytest.raises(aiohttp.WSServerHandshakeError, match="502"):
        async with venue.socket("market", {"type": "market", "assets_ids": []}):
            pass


async def test_gammas_requests_are_struck_too(venue):
    venue.arm(Answer(name="internal_500"), Where(path="/gamma/events/*"))
    assert (await venue.get("/gamma/events/keyset"))[0] == 500
    assert (await venue.get("/gamma/events/keyset"))[0] == 200


async def test_faults_on_the_wire_are_forgotten_with_the_process(venue_folder):
    async with running_venue(venue_folder) as venue:
        venue.arm(Answer(status=599), Where(path="/time"), When(times=None))
        clock = venue.clock
    async with running_venue(venue_folder, clock=clock) as venue:
        assert venue.faults.view() == []
        assert (await venue.get("/time"))[0] == 200
