"""What no client would send: bodies and headers that are malformed, endless or enormous are refused, and the venue goes on."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.venues.simulator.kit import trader
from venues.simulator.clob.market_channel import MarketChannel

DEEP = {
    "list": b"[" * 200_000,
    "object": b'{"a":' * 100_000,
    "unknown key": b'{"x":' + b"[" * 200_000,
    "old order": b'{"order":{"feeRateBps":' + b"[" * 200_000,
}
READS = (
    ("POST", "/books"),
    ("POST", "/prices"),
    ("POST", "/batch-prices-history"),
    ("POST", "/rpc"),
    ("POST", "/admin/faucet"),
    ("POST", "/admin/resolve"),
    ("POST", "/admin/relayer-key"),
    ("POST", "/admin/faults"),
)
SIGNED = (
    ("POST", "/order"),
    ("POST", "/orders"),
    ("DELETE", "/order"),
    ("DELETE", "/orders"),
    ("DELETE", "/cancel-market-orders"),
    ("POST", "/orders-scoring"),
    ("POST", "/v1/heartbeats"),
    ("DELETE", "/auth/readonly-api-key"),
)


@pytest.mark.parametrize("body", DEEP.values(), ids=DEEP)
async def test_json_that_nests_without_end_is_a_bad_request(venue, body):
    client = await trader(venue)
    for method, path in READS + SIGNED:
        headers = client.l2_headers(method, path, body) | {"Content-Type": "application/json"}
        async with venue.session.request(method, venue.url + path, data=body, headers=headers) as response:
            text = await response.text()
        assert response.status == (200 if path == "/rpc" else 400), (path, text)
        assert "error" in json.loads(text)


@pytest.mark.parametrize("channel", ["market", "user"])
async def test_a_frame_that_nests_without_end_is_ignored(venue, channel):
    client = await trader(venue)
    auth = {"apiKey": client.key["apiKey"], "secret": client.key["secret"], "passphrase": client.key["passphrase"]}
    first = {"type": "market", "assets_ids": []} if channel == "market" else {"type": "user", "auth": auth}
    async with venue.socket(channel, first) as socket:
        await socket.send_str('{"x":' + "[" * 200_000)
        await socket.send_str("PING")
        heard = [(await socket.receive(timeout=5)).data for _ in range(2 if channel == "market" else 1)]
    assert heard[-1] == "PONG"


@pytest.mark.parametrize(
    ("name", "path", "status"),
    [
        ("POLY_PASSPHRASE", "/data/orders", 401),
        ("POLY_SIGNATURE", "/data/orders", 401),
        ("POLY_ADDRESS", "/data/orders", 401),
        ("RELAYER_API_KEY", "/relayer/transactions", 401),
        ("Host", "/admin/venue", 403),
    ],
)
async def test_headers_of_any_bytes_are_refused(venue, name, path, status):
    client = await trader(venue)
    headers = {"Host": "127.0.0.1", "Connection": "close", "RELAYER_API_KEY_ADDRESS": client.address}
    headers |= client.l2_headers("GET", path, b"")
    sent = {key.encode(): value.encode() for key, value in headers.items()} | {name.encode(): b"\xff\xfe\x80"}
    reader, writer = await asyncio.open_connection("127.0.0.1", int(venue.url.rpartition(":")[2]))
    writer.write(b"GET " + path.encode() + b" HTTP/1.1\r\n")
    writer.write(b"".join(key + b": " + value + b"\r\n" for key, value in sent.items()) + b"\r\n")
    told = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert told.split(b" ")[1] == str(status).encode()


async def test_a_client_that_floods_its_channel_does_not_keep_others_waiting(venue, monkeypatch):
    _, body = await venue.get("/gamma/markets/keyset", limit="100")
    tokens = [token for market in body["markets"] for token in json.loads(market["clobTokenIds"])]
    heard: list[str] = []
    hear = MarketChannel._hear
    monkeypatch.setattr(MarketChannel, "_hear", lambda self, *said: heard.append(said[1]) or hear(self, *said))
    async with venue.socket("market", {"type": "market", "assets_ids": tokens}) as socket:
        for operation in ("unsubscribe", "subscribe") * 40:
            await socket.send_json({"operation": operation, "assets_ids": tokens})
        assert await venue.get("/ok") == (200, "OK")
        assert len(heard) < 40


@pytest.mark.parametrize("number", ["9" * 5000, "\u00b2", "-", "1e3"])
async def test_what_is_no_number_is_refused(venue, number):
    client = await trader(venue)
    for path, name in (
        ("/gamma/events/keyset", "limit"),
        ("/gamma/events", "offset"),
        ("/gamma/public-search?q=a", "page"),
        ("/data-api/v2/leaderboard", "limit"),
        ("/rewards/markets/multi", "page_size"),
        ("/prices-history?interval=1h&market=1", "fidelity"),
        ("/builder/trades?builder_code=0x" + "00" * 32, "after"),
    ):
        async with venue.session.get(venue.url + path, params={name: number}) as response:
            assert 400 <= response.status < 500, (path, await response.text())
    assert (await client.call("GET", "/data/trades", before=number))[0] == 400
