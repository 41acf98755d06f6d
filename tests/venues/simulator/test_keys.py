"""Who is let in: keys by signed statement, requests by HMAC."""

from __future__ import annotations

import pytest

from tests.venues.simulator.kit import Trader, trader


@pytest.mark.protocol("2.1", "2.2")
async def test_a_key_is_made_once_and_derived_ever_after(venue):
    client = Trader(venue, "0x" + "11" * 32)
    await client.log_in()
    assert set(client.key) == {"apiKey", "secret", "passphrase"}
    async with venue.session.post(venue.url + "/auth/api-key", headers=client.l1_headers()) as again:
        assert (again.status, await again.json()) == (400, {"error": "Could not create api key"})
    async with venue.session.get(venue.url + "/auth/derive-api-key", headers=client.l1_headers()) as derived:
        assert await derived.json() == client.key
    async with venue.session.get(venue.url + "/auth/derive-api-key", headers=client.l1_headers(5)) as unknown:
        assert (unknown.status, await unknown.json()) == (400, {"error": "Could not derive api key!"})


@pytest.mark.protocol("2.1")
async def test_a_statement_signed_by_another_wallet_makes_no_key(venue):
    client, victim = Trader(venue, "0x" + "11" * 32), Trader(venue, "0x" + "22" * 32)
    headers = client.l1_headers(address=victim.address)
    async with venue.session.post(venue.url + "/auth/api-key", headers=headers) as response:
        assert (response.status, await response.json()) == (401, {"error": "Invalid L1 Request headers"})


@pytest.mark.protocol("2.1")
async def test_an_old_statement_makes_no_key(venue):
    client = Trader(venue, "0x" + "11" * 32)
    headers = client.l1_headers()
    venue.clock.move(61)
    async with venue.session.post(venue.url + "/auth/api-key", headers=headers) as response:
        assert response.status == 401


@pytest.mark.protocol("2.2")
async def test_keys_can_be_listed_and_deleted(venue):
    client = await trader(venue)
    assert await client.call("GET", "/auth/api-keys") == (200, {"apiKeys": [client.key["apiKey"]]})
    assert await client.call("DELETE", "/auth/api-key") == (200, "OK")
    assert await client.call("GET", "/data/orders") == (401, {"error": "Unauthorized/Invalid api key"})
    old = client.key
    await client.log_in()
    assert client.key["apiKey"] != old["apiKey"]


@pytest.mark.protocol("2.3")
async def test_requests_with_a_wrong_secret_body_path_time_or_address_are_unauthorized(venue):
    client = await trader(venue)
    other = await trader(venue, 2)
    path, body = "/cancel-market-orders", b'{"market":"0x00"}'
    now = venue.clock.now_ns() // 10**9
    good = client.l2_headers("DELETE", path, body)
    wrong = [
        good | {"POLY_SIGNATURE": other.l2_headers("DELETE", path, body)["POLY_SIGNATURE"]},
        good | {"POLY_PASSPHRASE": other.key["passphrase"]},
        good | {"POLY_ADDRESS": other.address},
        good | {"POLY_API_KEY": other.key["apiKey"]},
        client.l2_headers("POST", path, body),
        client.l2_headers("DELETE", "/cancel-all", body),
        client.l2_headers("DELETE", path, body + b" "),
        client.l2_headers("DELETE", path, body, seconds=now - 61),
        client.l2_headers("DELETE", path, body, seconds=now + 61),
        {},
    ]
    for headers in wrong:
        async with venue.session.delete(venue.url + path, data=body, headers=headers) as response:
            assert (response.status, await response.json()) == (401, {"error": "Unauthorized/Invalid api key"})
    async with venue.session.delete(venue.url + path, data=body, headers=good) as response:
        assert response.status == 200


@pytest.mark.protocol("2.3")
async def test_the_query_is_not_part_of_what_is_signed(venue):
    client = await trader(venue)
    status, body = await client.call("GET", "/data/orders", market="0x00", next_cursor="MA==")
    assert (status, body["data"]) == (200, [])


@pytest.mark.protocol("2.2")
async def test_a_readonly_key_reads_and_changes_nothing(venue):
    client = await trader(venue)
    market = await venue.some_market()
    _, answer = await client.place(market, "BUY", "0.02", "10")
    status, made = await client.call("POST", "/auth/readonly-api-key")
    assert status == 200
    trading, client.key = client.key, made
    assert [one["id"] for one in (await client.call("GET", "/data/orders"))[1]["data"]] == [answer["orderID"]]
    unauthorized = (401, {"error": "Unauthorized/Invalid api key"})
    assert await client.place(market, "BUY", "0.02", "10") == unauthorized
    assert await client.call("DELETE", "/cancel-all") == unauthorized
    assert await client.call("POST", "/auth/readonly-api-key") == unauthorized
    client.key = trading
    assert (await client.call("GET", "/auth/readonly-api-keys"))[1] == {"readonlyApiKeys": [made["apiKey"]]}
    assert (await client.call("GET", "/auth/api-keys"))[1] == {"apiKeys": [trading["apiKey"]]}
    assert await client.call("DELETE", "/auth/readonly-api-key", {"key": made["apiKey"]}) == (200, "OK")
    assert (await client.call("DELETE", "/auth/readonly-api-key", {"key": made["apiKey"]}))[0] == 400
    client.key = made
    assert await client.call("GET", "/data/orders") == unauthorized


@pytest.mark.protocol("2.2", "2.4")
@pytest.mark.parametrize("own_headers", [True, False])
async def test_builder_keys_are_made_listed_and_ended_by_either_kind_of_headers(venue, own_headers):
    client = await trader(venue)
    _, first = await client.call("POST", "/auth/builder-api-key")
    _, made = await client.call("POST", "/auth/builder-api-key")
    assert set(made) == {"key", "secret", "passphrase"}
    _, listed = await client.call("GET", "/auth/builder-api-key")
    assert listed == [
        {"key": one["key"], "createdAt": venue.clock.now_ns() // 10**9, "revokedAt": None} for one in (first, made)
    ]
    path = "/auth/builder-api-key"
    headers = client.l2_headers("DELETE", path, b"")
    if own_headers:
        client.key = {"apiKey": made["key"], "secret": made["secret"], "passphrase": made["passphrase"]}
        signed = client.l2_headers("DELETE", path, b"")
        names = {"API_KEY", "PASSPHRASE", "SIGNATURE", "TIMESTAMP"}
        headers = {f"POLY_BUILDER_{name}": signed[f"POLY_{name}"] for name in names}
        wrong = headers | {"POLY_BUILDER_SIGNATURE": "x"}
        async with venue.session.delete(venue.url + path, headers=wrong) as response:
            assert response.status == 401
    async with venue.session.delete(venue.url + path, headers=headers) as response:
        assert (response.status, await response.json()) == (200, "OK")
    keys = venue.venue.world.wallets
    assert keys.builder_key(made["key"]) is None
    assert keys.builder_key(first["key"])


async def test_a_builder_key_does_not_trade(venue):
    client = await trader(venue)
    _, made = await client.call("POST", "/auth/builder-api-key")
    client.key = {"apiKey": made["key"], "secret": made["secret"], "passphrase": made["passphrase"]}
    assert (await client.call("GET", "/data/orders"))[0] == 401
