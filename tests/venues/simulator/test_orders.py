"""Orders from the signed body to the settled balance, and every way they are refused."""

from __future__ import annotations

import json

import pytest

from tests.venues.simulator.kit import NEG_RISK, POSITIONS, STANDARD, Trader, running_venue, trader


async def quotes(venue, token: str) -> tuple[str, str, float]:
    """Return best bid, best ask and the size at the ask."""
    _, book = await venue.get("/book", token_id=token)
    return book["bids"][-1]["price"], book["asks"][-1]["price"], float(book["asks"][-1]["size"])


async def cash(client: Trader) -> int:
    status, body = await client.call("GET", "/balance-allowance", asset_type="COLLATERAL", signature_type="0")
    assert status == 200
    return int(body["balance"])


async def shares(client: Trader, token: str) -> int:
    _, body = await client.call(
        "GET", "/balance-allowance", asset_type="CONDITIONAL", token_id=token, signature_type="0"
    )
    return int(body["balance"])


@pytest.mark.protocol("3.3", "3.4")
async def test_a_taker_order_matches_settles_and_moves_balances(venue):
    client = await trader(venue)
    market = await venue.some_market(category="Sports", neg_risk=True)
    token = market["tokens"][0]
    _, ask, _ = await quotes(venue, token)
    status, answer = await client.place(market, "BUY", ask, "10", "FAK", spend="5.00")
    assert status == 200
    assert answer["success"] is True
    assert answer["errorMsg"] == ""
    assert answer["status"] == "matched"
    assert len(answer["tradeIDs"]) == 1
    got, given = float(answer["takingAmount"]), float(answer["makingAmount"])
    assert given <= 5.0
    assert got == pytest.approx(given / float(ask), abs=0.01)

    _, page = await client.call("GET", "/data/trades", id=answer["tradeIDs"][0])
    (trade,) = page["data"]
    assert trade["status"] == "TRADE_STATUS_MATCHED"
    assert trade["trader_side"] == "TAKER"
    assert (trade["asset_id"], trade["side"], trade["price"]) == (token, "BUY", ask)
    assert trade["taker_order_id"] == answer["orderID"]
    assert trade["owner"] == client.key["apiKey"]
    assert sum(float(maker["matched_amount"]) for maker in trade["maker_orders"]) == pytest.approx(float(trade["size"]))
    assert (await cash(client), await shares(client, token)) == (1_000_000_000, 0)

    venue.pass_time(5)
    _, page = await client.call("GET", "/data/trades", id=answer["tradeIDs"][0])
    assert page["data"][0]["status"] == "TRADE_STATUS_CONFIRMED"
    assert page["data"][0]["transaction_hash"].startswith("0x")
    price = float(ask)
    fee = got * 0.05 * price * (1 - price)
    assert await shares(client, token) == round(got * 1e6)
    assert await cash(client) == pytest.approx(1_000_000_000 - given * 1e6 - fee * 1e6, abs=20)


@pytest.mark.protocol("3.8")
async def test_a_resting_order_shows_in_the_book_and_can_be_read_and_cancelled(venue):
    client = await trader(venue)
    market = await venue.some_market()
    status, answer = await client.place(market, "BUY", "0.02", "10")
    assert (status, answer["status"], answer["takingAmount"], answer["tradeIDs"]) == (200, "live", "", [])
    order_id = answer["orderID"]
    _, book = await venue.get("/book", token_id=market["tokens"][0])
    assert {"price": "0.02", "size": "10"} in book["bids"]
    _, order = await client.call("GET", f"/data/order/{order_id}")
    assert order == {
        "id": order_id,
        "status": "ORDER_STATUS_LIVE",
        "owner": client.key["apiKey"],
        "maker_address": client.address,
        "market": market["conditionId"],
        "asset_id": market["tokens"][0],
        "side": "BUY",
        "original_size": "10",
        "size_matched": "0",
        "price": "0.02",
        "outcome": "Yes",
        "expiration": "0",
        "order_type": "GTC",
        "associate_trades": [],
        "created_at": venue.clock.now_ns() // 10**9,
    }
    assert (await client.call("GET", "/data/orders"))[1]["data"] == [order]
    assert await client.call("DELETE", "/order", {"orderID": order_id}) == (
        200,
        {"canceled": [order_id], "not_canceled": {}},
    )
    _, again = await client.call("DELETE", "/order", {"orderID": order_id})
    assert again["canceled"] == []
    assert order_id in again["not_canceled"]
    _, order = await client.call("GET", f"/data/order/{order_id}")
    assert order["status"] == "ORDER_STATUS_CANCELED"
    assert (await client.call("GET", "/data/orders"))[1]["data"] == []


@pytest.mark.protocol("3.1")
@pytest.mark.parametrize("neg_risk", [False, True])
async def test_the_order_id_is_the_digest_of_what_was_signed_and_works_once(venue, neg_risk):
    client = await trader(venue)
    envelope = client.order(await venue.some_market(neg_risk=neg_risk), "BUY", "0.02", "10")
    _, answer = await client.call("POST", "/order", envelope)
    assert answer["orderID"] == client.digest
    duplicate = {"error": f"order {client.digest} is invalid. Duplicated."}
    assert await client.call("POST", "/order", envelope) == (400, duplicate)


async def test_the_same_order_is_a_duplicate_even_long_after_it_ended(venue):
    client = await trader(venue)
    envelope = client.order(await venue.some_market(), "BUY", "0.02", "10")
    _, answer = await client.call("POST", "/order", envelope)
    await client.call("DELETE", "/cancel-all")
    venue.jump(60), venue.jump(60)
    status, body = await client.call("POST", "/order", envelope)
    assert (status, body) == (400, {"error": f"order {answer['orderID']} is invalid. Duplicated."})


@pytest.mark.protocol("3.4", "3.8")
async def test_two_clients_trade_with_each_other_and_see_their_own_side(venue):
    maker, taker = await trader(venue, 1), await trader(venue, 2)
    market = await venue.some_market(room=True)
    (yes, no), inside = market["tokens"], market["inside"]
    # The maker bids for YES inside the spread, the taker buys NO at the complement: a pair is minted.
    _, resting = await maker.place(market, "BUY", inside, "20")
    assert resting["status"] == "live"
    _, answer = await taker.place(market, "BUY", f"{1 - float(inside):.2f}", "20", token=1)
    assert answer["status"] == "matched"
    _, seen = await maker.call("GET", "/data/trades")
    (trade,) = seen["data"]
    assert (trade["trader_side"], trade["asset_id"], trade["outcome"]) == ("MAKER", no, "No")
    (entry,) = [entry for entry in trade["maker_orders"] if entry["maker_address"] == maker.address]
    assert (entry["asset_id"], entry["side"], entry["price"], entry["outcome"]) == (yes, "BUY", inside, "Yes")
    assert entry["order_id"] == resting["orderID"]
    assert entry["owner"] == maker.key["apiKey"]
    assert trade["trade_owner"] == maker.key["apiKey"]
    assert trade["owner"] == taker.key["apiKey"]
    venue.pass_time(6)
    assert await shares(maker, yes) == 20_000_000
    assert await shares(taker, no) == 20_000_000


@pytest.mark.protocol("3.10")
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"order_type": "FOK", "price": "0.02"},
            "order couldn't be fully filled. FOK orders are fully filled or killed.",
        ),
        (
            {"order_type": "FAK", "price": "0.02"},
            "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.",
        ),
        ({"order_type": "GTD", "price": "0.02", "expiration_in": 100}, "invalid expiration"),
        ({"price": "0.02", "expiration_in": 1000}, "invalid expiration"),
        ({"price": "0.98", "postOnly": True}, "invalid post-only order: order crosses book"),
        (
            {"order_type": "FOK", "price": "0.98", "postOnly": True},
            "invalid post-only order: only GTC and GTD order types are allowed",
        ),
    ],
)
async def test_refusals_carry_the_venues_texts(venue, change, text):
    client = await trader(venue)
    market = await venue.some_market()
    change = dict(change)
    if "expiration_in" in change:
        change["expiration"] = venue.clock.now_ns() // 10**9 + change.pop("expiration_in")
    if change.get("order_type") in ("FOK", "FAK"):
        change["spend"] = "2.00"
    price, order_type = change.pop("price"), change.pop("order_type", "GTC")
    status, body = await client.place(market, "BUY", price, "100", order_type, **change)
    assert (status, body) == (400, {"error": text})
    assert (await client.call("GET", "/data/orders"))[1]["count"] == 0


@pytest.mark.protocol("3.2")
@pytest.mark.parametrize(
    ("side", "price", "size", "part"),
    [
        ("BUY", "0.025", "10", "breaks minimum tick size rule: 0.01"),
        ("BUY", "0.02", "4", "lower than the minimum: 5"),
        ("BUY", "0.02", "60000", "not enough balance / allowance"),
        ("SELL", "0.98", "10", "not enough balance / allowance"),
    ],
)
async def test_orders_off_the_grid_too_small_or_unfunded_are_refused(venue, side, price, size, part):
    client = await trader(venue)
    status, body = await client.place(await venue.some_market(), side, price, size)
    assert status == 400
    assert part in body["error"]


@pytest.mark.protocol("3.4")
async def test_a_gtd_order_ends_one_minute_before_its_time(venue):
    client = await trader(venue)
    expiration = venue.clock.now_ns() // 10**9 + 240
    status, answer = await client.place(await venue.some_market(), "BUY", "0.02", "10", "GTD", expiration=expiration)
    assert (status, answer["status"]) == (200, "live")
    venue.jump(176)
    assert (await client.call("GET", "/data/orders"))[1]["count"] == 1
    venue.jump(6)
    assert (await client.call("GET", "/data/orders"))[1]["count"] == 0
    assert (await client.call("GET", f"/data/order/{answer['orderID']}"))[1]["status"] == "ORDER_STATUS_CANCELED"


@pytest.mark.protocol("3.1")
async def test_an_order_signed_by_another_wallet_is_refused(venue):
    client, other = await trader(venue), await trader(venue, 2)
    market = await venue.some_market()
    forged = client.order(market, "BUY", "0.02", "10")
    forged["order"]["signature"] = other.order(market, "BUY", "0.02", "10")["order"]["signature"]
    assert await client.call("POST", "/order", forged) == (400, {"error": "invalid signature"})
    tampered = client.order(market, "BUY", "0.02", "10")
    tampered["order"]["makerAmount"] = "100000"
    assert await client.call("POST", "/order", tampered) == (400, {"error": "invalid signature"})


@pytest.mark.protocol("3.3", "9.10")
async def test_an_order_for_another_wallet_or_key_is_refused(venue):
    client, other = await trader(venue), await trader(venue, 2)
    market = await venue.some_market()
    theirs = other.order(market, "BUY", "0.02", "10")
    assert await client.call("POST", "/order", theirs) == (
        400,
        {"error": "the order owner has to be the owner of the API KEY"},
    )
    signer = {"error": "the order signer address has to be the address of the API KEY"}
    assert await client.call("POST", "/order", theirs | {"owner": client.key["apiKey"]}) == (400, signer)
    assert await client.place(market, "BUY", "0.02", "10", maker=other.address, signature_type=2) == (400, signer)
    assert await client.place(market, "BUY", "0.02", "10", maker=other.address) == (
        400,
        {"error": "maker address not allowed, please use the deposit wallet flow"},
    )


@pytest.mark.protocol("3.1")
async def test_a_safe_trades_with_its_owners_signature(venue):
    client = await trader(venue, dollars="1")
    safe = "0xd93B25cb943D14d0d34FBaF01Fc93a0f8b5F6E47"
    assert (await venue.fund(safe, "500", owner=client.address, signature_type=2))[0] == 200
    market = await venue.some_market()
    status, answer = await client.place(market, "BUY", "0.02", "1000", maker=safe, signature_type=2)
    assert (status, answer["status"]) == (200, "live")
    assert (await client.call("GET", "/data/orders"))[1]["data"][0]["maker_address"] == safe
    _, held = await client.call("GET", "/balance-allowance", asset_type="COLLATERAL", signature_type="2")
    assert held["balance"] == "500000000"
    assert len(held["allowances"]) == 4
    _, wrong = await client.call("GET", "/balance-allowance", asset_type="COLLATERAL", signature_type="1")
    assert wrong["balance"] == "0"
    assert (await client.call("DELETE", "/cancel-all"))[1]["canceled"] == [answer["orderID"]]


@pytest.mark.protocol("3.1", "9.10")
async def test_a_deposit_wallet_trades_with_a_wrapped_signature(venue):
    client = await trader(venue, dollars="1")
    wallet = "0xBc0fF067b7740Eff76C1ca93c875Ba6B890d6B50"
    assert (await venue.fund(wallet, "500", owner=client.address, signature_type=3))[0] == 200
    market = await venue.some_market()
    envelope = client.order(market, "BUY", "0.02", "1000", maker=wallet, signature_type=3)
    assert len(envelope["order"]["signature"]) == 2 + 2 * 317
    status, answer = await client.call("POST", "/order", envelope)
    assert (status, answer["status"], answer["orderID"]) == (200, "live", client.digest)
    plain = client.order(market, "BUY", "0.03", "1000", maker=wallet, signature_type=3)
    plain["order"]["signature"] = plain["order"]["signature"][:132]
    assert await client.call("POST", "/order", plain) == (400, {"error": "invalid signature"})
    other = await trader(venue, 2)
    stolen = other.order(market, "BUY", "0.03", "1000", maker=wallet, signature_type=3)
    assert (await other.call("POST", "/order", stolen))[0] == 400


async def test_a_wallet_cannot_be_claimed_by_a_second_owner(venue):
    first, second = await trader(venue, 1), await trader(venue, 2)
    safe = "0xd93B25cb943D14d0d34FBaF01Fc93a0f8b5F6E47"
    assert (await venue.fund(safe, "500", owner=first.address, signature_type=2))[0] == 200
    assert (await venue.fund(safe, "500", owner=second.address, signature_type=2))[0] == 400


@pytest.mark.protocol("3.3")
@pytest.mark.parametrize(
    "damage",
    [
        lambda order: order | {"salt": str(order["salt"])},
        lambda order: order | {"makerAmount": int(order["makerAmount"])},
        lambda order: order | {"side": "buy"},
        lambda order: order | {"signatureType": "0"},
        lambda order: order | {"maker": "0x12"},
        lambda order: order | {"metadata": "0x00"},
        lambda order: order | {"tokenId": "-1"},
        lambda order: {key: value for key, value in order.items() if key != "timestamp"},
    ],
)
async def test_bodies_of_wrong_types_are_invalid_payloads(venue, damage):
    client = await trader(venue)
    envelope = client.order(await venue.some_market(), "BUY", "0.02", "10")
    envelope["order"] = damage(envelope["order"])
    assert await client.call("POST", "/order", envelope) == (400, {"error": "Invalid order payload"})


@pytest.mark.protocol("9.12")
async def test_a_v1_order_is_a_version_mismatch(venue):
    client = await trader(venue)
    envelope = client.order(await venue.some_market(), "BUY", "0.02", "10")
    del envelope["order"]["timestamp"]
    envelope["order"] |= {"nonce": "0", "feeRateBps": "0", "taker": "0x" + "00" * 20}
    assert await client.call("POST", "/order", envelope) == (400, {"error": "order_version_mismatch"})


@pytest.mark.protocol("3.3")
async def test_a_batch_answers_leg_by_leg_in_order(venue):
    client = await trader(venue)
    market = await venue.some_market()
    legs = [client.order(market, "BUY", price, "10") for price in ("0.02", "0.025", "0.03")]
    status, answers = await client.call("POST", "/orders", legs)
    assert status == 200
    assert [bool(answer["orderID"]) for answer in answers] == [True, False, True]
    assert answers[1]["success"] is True
    assert "tick size" in answers[1]["errorMsg"]
    ids = [answers[0]["orderID"], answers[2]["orderID"]]
    _, cancelled = await client.call("DELETE", "/orders", [*ids, "0xunknown"])
    assert sorted(cancelled["canceled"]) == sorted(ids)
    assert list(cancelled["not_canceled"]) == ["0xunknown"]
    too_many = [client.order(market, "BUY", "0.02", "10")] * 16
    assert await client.call("POST", "/orders", too_many) == (
        400,
        {"error": "Too many orders in payload: 16, max allowed: 15"},
    )


@pytest.mark.protocol("3.6")
async def test_orders_of_one_market_can_be_cancelled_together(venue):
    client = await trader(venue)
    first = await venue.some_market()
    second = await venue.some_market(category="Geopolitics")
    _, one = await client.place(first, "BUY", "0.02", "10")
    _, two = await client.place(second, "BUY", "0.02", "10")
    if first["id"] == second["id"]:
        pytest.fail("the test needs two markets")
    _, answer = await client.call("DELETE", "/cancel-market-orders", {"market": first["conditionId"]})
    assert answer["canceled"] == [one["orderID"]]
    _, answer = await client.call("DELETE", "/cancel-market-orders", {"asset_id": second["tokens"][0]})
    assert answer["canceled"] == [two["orderID"]]
    assert await client.call("DELETE", "/cancel-market-orders", {}) == (400, {"error": "Invalid payload"})


@pytest.mark.protocol("3.6", "3.8")
async def test_nobody_sees_or_cancels_the_orders_of_another(venue):
    client, other = await trader(venue), await trader(venue, 2)
    _, answer = await client.place(await venue.some_market(), "BUY", "0.02", "10")
    assert await other.call("GET", f"/data/order/{answer['orderID']}") == (404, {"error": "order not found"})
    _, cancelled = await other.call("DELETE", "/order", {"orderID": answer["orderID"]})
    assert cancelled["canceled"] == []
    assert (await client.call("GET", "/data/orders"))[1]["count"] == 1


@pytest.mark.protocol("3.5", "9.16")
async def test_a_crypto_order_that_would_match_is_delayed_first(venue):
    client = await trader(venue)
    _, body = await venue.get("/gamma/events/keyset", limit="100")
    crypto = [market for event in body["events"] if event["category"] == "Crypto" for market in event["markets"]]
    market = min(crypto, key=lambda market: abs(market["bestBid"] - 0.5))
    market["tokens"] = json.loads(market["clobTokenIds"])
    _, ask, _ = await quotes(venue, market["tokens"][0])
    status, answer = await client.place(market, "BUY", ask, "10", "FAK", spend="3.00")
    assert (status, answer["status"], answer["takingAmount"]) == (200, "delayed", "")
    venue.pass_time(0.2)
    _, order = await client.call("GET", f"/data/order/{answer['orderID']}")
    assert order["status"] in ("ORDER_STATUS_MATCHED", "ORDER_STATUS_CANCELED")


@pytest.mark.protocol("3.8")
async def test_lists_come_in_pages_with_cursors(venue_folder):
    async with running_venue(venue_folder, page_size=2) as venue:
        client = await trader(venue)
        market = await venue.some_market()
        placed = [(await client.place(market, "BUY", f"0.0{cents}", "10"))[1]["orderID"] for cents in (2, 3, 4, 5, 6)]
        seen, cursor, pages = [], "MA==", 0
        while cursor != "LTE=":
            _, page = await client.call("GET", "/data/orders", next_cursor=cursor)
            assert page["limit"] == 2
            assert page["count"] == len(page["data"])
            seen += [order["id"] for order in page["data"]]
            cursor, pages = page["next_cursor"], pages + 1
        assert (seen, pages) == (placed, 3)
        assert await client.call("GET", "/data/orders", next_cursor="LTE=") == (
            400,
            {"error": "next item should be greater than or equal to 0"},
        )
        assert await client.call("GET", "/data/trades", next_cursor="!") == (
            400,
            {"error": "Invalid trade params payload"},
        )


@pytest.mark.protocol("3.8", "9.9")
async def test_balance_questions_are_checked(venue):
    client = await trader(venue)
    for query, text in (
        ({"asset_type": "GOLD"}, "Invalid asset type"),
        ({"asset_type": "CONDITIONAL"}, "asset_id is required"),
        ({"asset_type": "COLLATERAL", "signature_type": "9"}, "Invalid signature_type"),
    ):
        assert await client.call("GET", "/balance-allowance", **query) == (400, {"error": text})
    assert await client.call("GET", "/balance-allowance/update", asset_type="COLLATERAL") == (200, None)


@pytest.mark.protocol("1.2", "3.10", "9.8")
async def test_a_wallet_that_approved_nothing_is_told_whom_to_approve(venue):
    client = Trader(venue, "0x" + f"{9:064x}")
    await client.log_in()
    await venue.fund(client.address, "1000", approved=False)
    for neg_risk, spender in ((False, STANDARD), (True, NEG_RISK)):
        market = await venue.some_market(neg_risk=neg_risk)
        text = (
            "not enough balance / allowance: the allowance is not enough -> "
            f"spender: {spender}, allowance: 0, order amount: 200000"
        )
        assert await client.place(market, "BUY", "0.02", "10") == (400, {"error": text})
    # What is not there at all cannot be spent either, whatever is approved.
    _, poor = await client.place(market, "BUY", "0.02", "60000")
    assert "the balance is not enough" in poor["error"]


@pytest.mark.protocol("3.1", "8.3", "9.12")
async def test_positions_of_protocol_v2_trade_on_an_exchange_of_their_own(venue):
    client = await trader(venue)
    _, body = await venue.get("/gamma/markets/keyset", limit="100")
    market = next(market for market in body["markets"] if market["version"] == "v2")
    market |= {"tokens": market["positionIds"]}
    yes = int(market["tokens"][0])
    assert yes & ((1 << 64) - 1) << 40 == 0
    assert int(market["conditionId"], 16) == yes == int(market["tokens"][1]) - 1
    status, resting = await client.place(market, "BUY", "0.02", "10")
    assert (status, resting["status"], resting["orderID"]) == (200, "live", client.digest)
    old = client.order(market | {"version": "v1"}, "BUY", "0.02", "10")
    assert await client.call("POST", "/order", old) == (400, {"error": "invalid signature"})
    _, bought = await client.place(market, "BUY", "0.98", "10", "FAK", spend="6.00")
    venue.pass_time(6)
    held = {}
    for asset_type in ("CONDITIONAL", "CONDITIONAL-V2"):
        query = {"asset_type": asset_type, "token_id": market["tokens"][0]}
        held[asset_type] = (await client.call("GET", "/balance-allowance", **query))[1]
    assert held["CONDITIONAL"]["balance"] == "0"
    assert int(held["CONDITIONAL-V2"]["balance"]) == round(float(bought["takingAmount"]) * 1e6) > 0
    assert list(held["CONDITIONAL-V2"]["allowances"]) == [POSITIONS]
