"""The relayer: who may submit, what is refused in which words, and what becomes of a wallet's calls."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from eth_utils.address import to_checksum_address

from tests.venues.simulator.chain_kit import (
    CTF,
    NEG_RISK_ADAPTER,
    OFFRAMP,
    ONRAMP,
    PUSD,
    STANDARD_ADAPTER,
    USDC_E,
    WALLET_FACTORY,
    Owner,
    approve,
    approve_all,
    convert,
    data,
    merge,
    multisend,
    redeem,
    split,
)
from tests.venues.simulator.test_signatures import VECTORS
from venues.simulator.chain.machine import Call
from venues.simulator.contracts import AUTO_REDEEM_OPERATOR, POSITION_MANAGER, ROUTER, is_position_id
from venues.simulator.relayer.signatures import batch_signer, proxy_signer, safe_signer

pytestmark = pytest.mark.protocol("8.1", "8.2", "8.3")
DOLLAR = 10**6


@pytest.fixture
async def owner(venue):
    owner = Owner(venue)
    await owner.prepare()
    return owner


def test_the_published_signatures_belong_to_their_owner():
    address, batch = VECTORS["key"]["address"], VECTORS["relayer"]["wallet_batch"]
    calls = [Call(one["target"], bytes.fromhex(one["data"][2:]), int(one["value"])) for one in batch["calls"]]
    wallet = batch["domain"]["verifyingContract"]
    arguments = (wallet, int(batch["nonce"]), int(batch["deadline"]), calls, batch["signature"])
    assert batch_signer(*arguments) == address
    safe = VECTORS["relayer"]["safe_tx"]
    zeroes = dict.fromkeys(("safeTxGas", "baseGas", "gasPrice"), 0)
    none = dict.fromkeys(("gasToken", "refundReceiver"), "0x" + "00" * 20)
    fields = {"to": safe["to"], "value": 0, "data": bytes.fromhex(safe["data"][2:]), "operation": 0, "nonce": 3}
    assert safe_signer(safe["safe"], fields | zeroes | none, safe["signature_packed"]) == address
    proxy = VECTORS["relayer"]["proxy"]
    numbers = tuple(int(proxy[name]) for name in ("relayerFee", "gasPrice", "gasLimit", "nonce"))
    call = bytes.fromhex(proxy["data"][2:])
    named = (proxy["from"], proxy["to"], call, numbers, proxy["relayHub"], proxy["relay"], proxy["signature"])
    assert proxy_signer(*named) == address


async def test_a_batch_goes_through_its_states_and_splits_a_position(owner, venue):
    market = await venue.some_market()
    _, params = await owner.read("/v1/account/transactions/params", address=owner.address, type="WALLET")
    assert params == {"address": owner.address, "nonce": "0"}
    status, body = await owner.submit(owner.batch([split(market["conditionId"], 25 * DOLLAR)], 0))
    assert (status, body["state"]) == (200, "STATE_NEW")
    assert body.keys() == {"transactionID", "state"}
    seen = []
    for _ in range(60):
        _, state = await owner.read(f"/v1/account/transactions/{body['transactionID']}")
        if not seen or seen[-1] != state["state"]:
            seen.append(state["state"])
            assert bool(state["transaction_hash"]) is (state["state"] != "STATE_NEW")
        venue.pass_time(0.2, step=0.2)
    assert seen == ["STATE_NEW", "STATE_EXECUTED", "STATE_MINED", "STATE_CONFIRMED"]
    assert state == {**state, "transaction_id": body["transactionID"], "error_msg": ""}
    assert [owner.held(token) for token in market["tokens"]] == [25 * DOLLAR] * 2
    assert owner.held() == 975 * DOLLAR
    assert (await owner.read("/nonce", address=owner.address, type="WALLET"))[1] == {"nonce": "1"}


async def test_merging_needs_both_tokens_and_a_batch_is_all_or_nothing(owner, venue):
    market = await venue.some_market()
    condition = market["conditionId"]
    failed = await owner.do(split(condition, 5 * DOLLAR), merge(condition, 6 * DOLLAR))
    assert failed["state"] == "STATE_FAILED"
    assert failed["error_msg"] == "execution reverted: SafeMath: subtraction overflow"
    assert owner.held() == 1000 * DOLLAR
    assert (await owner.read("/nonce", address=owner.address, type="WALLET"))[1] == {"nonce": "0"}
    done = await owner.do(split(condition, 5 * DOLLAR), merge(condition, 2 * DOLLAR))
    assert done["state"] == "STATE_CONFIRMED"
    assert owner.held() == 997 * DOLLAR
    assert owner.held(market["tokens"][1]) == 3 * DOLLAR


async def test_what_orders_reserve_can_be_split_and_the_order_ends(owner, venue):
    client = owner.trader
    await client.log_in()
    market = await venue.some_market(room=True)
    status, body = await client.place(market, "BUY", "0.02", "1000", maker=owner.wallet, signature_type=3)
    assert status == 200, body
    await owner.do(split(market["conditionId"], 990 * DOLLAR))
    _, order = await client.call("GET", f"/data/order/{body['orderID']}")
    assert order["status"] == "ORDER_STATUS_CANCELED"
    assert owner.held() == 10 * DOLLAR


async def test_unapproved_wallets_are_refused_by_the_adapter_and_shown_without_allowances(venue):
    owner = Owner(venue)
    await owner.prepare(approved=False)
    await owner.trader.log_in()
    market = await venue.some_market()
    query = {"asset_type": "COLLATERAL", "signature_type": "3"}
    _, shown = await owner.trader.call("GET", "/balance-allowance", **query)
    assert shown["balance"] == str(1000 * DOLLAR)
    assert set(shown["allowances"].values()) == {"0"}
    failed = await owner.do(split(market["conditionId"], DOLLAR))
    assert failed["error_msg"] == "execution reverted: ERC20: transfer amount exceeds allowance"
    await owner.do(approve(STANDARD_ADAPTER, 3 * DOLLAR), split(market["conditionId"], DOLLAR))
    _, shown = await owner.trader.call("GET", "/balance-allowance", **query)
    assert shown["allowances"][STANDARD_ADAPTER] == "0"
    await owner.trader.call("GET", "/balance-allowance/update", **query)
    _, shown = await owner.trader.call("GET", "/balance-allowance", **query)
    assert shown["allowances"][STANDARD_ADAPTER] == str(2 * DOLLAR)
    failed = await owner.do(merge(market["conditionId"], DOLLAR))
    assert failed["error_msg"] == "execution reverted: ERC1155: need operator approval for 3rd party transfers."
    assert (await owner.do(approve_all(STANDARD_ADAPTER), merge(market["conditionId"], DOLLAR)))["error_msg"] == ""


@pytest.mark.protocol("9.8")
async def test_an_approval_just_given_is_refused_until_the_gateway_reads_the_chain_again(venue):
    owner = Owner(venue)
    await owner.prepare(approved=False)
    client = owner.trader
    await client.log_in()
    market = await venue.some_market(room=True)
    order = (market, "BUY", "0.02", "100")
    wallet = {"maker": owner.wallet, "signature_type": 3}
    status, body = await client.place(*order, **wallet)
    assert (status, "the allowance is not enough" in body["error"]) == (400, True)
    await owner.do(approve("0xE111180000d2663C0091e4f400237545B87B996B"))
    assert (await client.place(*order, **wallet))[0] == 400
    await client.call("GET", "/balance-allowance/update", asset_type="COLLATERAL", signature_type="3")
    status, body = await client.place(*order, **wallet)
    assert status == 200, body


async def test_wrapping_and_unwrapping_changes_one_dollar_into_the_other(venue):
    owner = Owner(venue)
    await owner.prepare("50")
    await owner.fund(owner.wallet, 3, "7", asset="usdce")
    wrap = ONRAMP, data("wrap(address,address,uint256)", USDC_E, owner.wallet, 7 * DOLLAR)
    assert (await owner.do(wrap))["state"] == "STATE_CONFIRMED"
    assert owner.held() == 57 * DOLLAR
    unwrap = OFFRAMP, data("unwrap(address,address,uint256)", USDC_E, owner.wallet, 20 * DOLLAR)
    assert "allowance" in (await owner.do(unwrap))["error_msg"]
    assert (await owner.do(approve(OFFRAMP), unwrap))["state"] == "STATE_CONFIRMED"
    assert owner.held() == 37 * DOLLAR
    assert "balance" in (await owner.do(wrap, wrap, wrap))["error_msg"]
    strange = ONRAMP, data("wrap(address,address,uint256)", PUSD, owner.wallet, DOLLAR)
    assert (await owner.do(strange))["error_msg"] == "execution reverted: InvalidAsset"


async def test_collateral_and_tokens_can_be_sent_to_another_wallet(owner, venue):
    market = await venue.some_market()
    yes = int(market["tokens"][0])
    other = to_checksum_address("0x" + "ab" * 20)
    pay = PUSD, data("transfer(address,uint256)", other, 11 * DOLLAR)
    name = "safeTransferFrom(address,address,uint256,uint256,bytes)"
    give = CTF, data(name, owner.wallet, other, yes, 4 * DOLLAR, b"")
    await owner.do(split(market["conditionId"], 10 * DOLLAR), pay, give)
    assert owner.held("", other) == 11 * DOLLAR
    assert owner.held(str(yes), other) == 4 * DOLLAR
    assert owner.held(str(yes)) == 6 * DOLLAR
    steal = PUSD, data("transferFrom(address,address,uint256)", other, owner.wallet, DOLLAR)
    assert "allowance" in (await owner.do(steal))["error_msg"]


async def test_no_tokens_of_a_set_convert_into_the_other_yes_tokens_and_collateral(owner, venue):
    market = await venue.some_market(neg_risk=True)
    world = venue.venue.world
    spec = world.listings.by_condition(market["conditionId"]).event
    tokens = [one.token_ids for one in spec.markets]
    for one in spec.markets[:2]:
        await owner.do(split(one.condition_id, 10 * DOLLAR, NEG_RISK_ADAPTER))
    wrong = await owner.do(split(spec.markets[0].condition_id, DOLLAR))
    assert wrong["error_msg"] == "execution reverted: condition not prepared yet"
    cash = owner.held()
    assert (await owner.do(convert(spec.neg_risk_market_id, 0b11, 4 * DOLLAR)))["state"] == "STATE_CONFIRMED"
    assert owner.held() == cash + 4 * DOLLAR
    assert [owner.held(no) for _, no in tokens[:2]] == [6 * DOLLAR] * 2
    assert [owner.held(yes) for yes, _ in tokens] == [10 * DOLLAR] * 2 + [4 * DOLLAR] * (len(tokens) - 2)
    beyond = await owner.do(convert(spec.neg_risk_market_id, 1 << len(tokens), DOLLAR))
    assert beyond["error_msg"] == "execution reverted: InvalidIndexSet"
    kinds = [entry.kind for entry in world.indexer.ledger.entries[owner.wallet]]
    assert kinds == ["DEPOSIT", "SPLIT", "SPLIT", "CONVERSION"]


async def test_a_set_with_a_fee_keeps_that_share_of_what_a_conversion_brings(owner, venue):
    market = await venue.some_market(neg_risk=True)
    listings = venue.venue.world.listings
    event = listings.by_condition(market["conditionId"]).event
    charged = replace(event, neg_risk_fee_bips=200)
    listings.events[event.id] = charged
    for listing in listings.of_event(event.id):
        listing.event = charged
    for one in event.markets[:2]:
        await owner.do(split(one.condition_id, 10 * DOLLAR, NEG_RISK_ADAPTER))
    cash = owner.held()
    await owner.do(convert(event.neg_risk_market_id, 0b11, 10 * DOLLAR))
    assert owner.held() == cash + 9_800_000
    assert owner.held(event.markets[2].token_ids[0]) == 9_800_000
    _, shown = await venue.get("/gamma/events/keyset", limit="100")
    assert {one["negRiskFeeBips"] for one in shown["events"] if one["id"] == event.id} == {200}


async def test_wallets_redeem_themselves_unless_they_approved_the_operator(venue):
    keeps, paid = Owner(venue, 77), Owner(venue, 78)
    await keeps.prepare(approved=False)
    await paid.prepare()
    market = await venue.some_market()
    condition = market["conditionId"]
    await keeps.do(approve(STANDARD_ADAPTER), approve_all(STANDARD_ADAPTER), split(condition, 10 * DOLLAR))
    await paid.do(split(condition, 10 * DOLLAR))
    early = await keeps.do(redeem(condition))
    assert early["error_msg"] == "execution reverted: result for condition not received yet"
    listing = venue.venue.world.listings.by_condition(condition)
    venue.clock.move((listing.event.end_ns - venue.clock.now_ns()) / 1e9 + 1)
    venue.pass_time(12, step=0.5)
    assert listing.closed
    assert paid.held() == 1000 * DOLLAR
    assert keeps.held() == 990 * DOLLAR
    assert (await keeps.do(redeem(condition)))["state"] == "STATE_CONFIRMED"
    assert keeps.held() == 1000 * DOLLAR
    assert [keeps.held(token) for token in market["tokens"]] == [0, 0]


async def test_positions_of_protocol_v2_go_through_the_router(owner, venue):
    world = venue.venue.world
    listing = next(one for one in world.listings.open() if is_position_id(one.spec.token_ids[0]))
    condition, (yes, no) = listing.spec.condition_id, listing.spec.token_ids
    raw = bytes.fromhex(condition[2:64])
    wrong = await owner.do(split(condition, DOLLAR))
    assert wrong["error_msg"] == "execution reverted: condition not prepared yet"
    await owner.do((ROUTER, data("split(bytes31,uint256)", raw, 10 * DOLLAR)))
    await owner.do((ROUTER, data("merge(bytes31,uint256)", raw, 3 * DOLLAR)))
    assert (owner.held(), owner.held(yes), owner.held(no)) == (993 * DOLLAR, 7 * DOLLAR, 7 * DOLLAR)
    for contract, expected in ((POSITION_MANAGER, 7 * DOLLAR), (CTF, 0)):
        call = {"to": contract, "data": data("balanceOf(address,uint256)", owner.wallet, int(yes))}
        rpc = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [call, "latest"]}
        assert int((await venue.post("/rpc", rpc))[1]["result"], 16) == expected
    early = await owner.do((ROUTER, data("redeem(bytes31,uint256,uint256)", raw, 0, DOLLAR)))
    assert early["error_msg"] == "execution reverted: ConditionNotResolved"
    await owner.do((POSITION_MANAGER, data("setApprovalForAll(address,bool)", AUTO_REDEEM_OPERATOR, False)))
    await venue.post("/admin/resolve", {"condition_id": condition})
    venue.pass_time(12, step=0.5)
    paid = {None: 3_500_000, 0: 7 * DOLLAR, 1: 0}[listing.winner]
    assert (owner.held(), owner.held(yes)) == (993 * DOLLAR, 7 * DOLLAR)
    await owner.do((ROUTER, data("redeem(bytes31,uint256,uint256)", raw, 0, 7 * DOLLAR)))
    assert (owner.held(), owner.held(yes), owner.held(no)) == (993 * DOLLAR + paid, 0, 7 * DOLLAR)


async def test_a_new_deposit_wallet_is_deployed_and_can_be_used(venue):
    owner = Owner(venue)
    await owner.fund(owner.address, 0)
    _, key = await venue.post("/admin/relayer-key", {"address": owner.address})
    owner.headers = {"RELAYER_API_KEY": key["key"], "RELAYER_API_KEY_ADDRESS": owner.address}
    assert (await owner.read("/deployed", address=owner.wallet, type="WALLET"))[1] == {"deployed": False}
    market = await venue.some_market()
    status, body = await owner.submit(owner.batch([split(market["conditionId"], DOLLAR)], 0))
    assert (status, "not deployed" in body["error"]) == (400, True)
    create = {"type": "WALLET-CREATE", "from": owner.address, "to": WALLET_FACTORY, "metadata": "Deploy"}
    status, body = await owner.submit(create)
    assert status == 200, body
    assert (await owner.end(body["transactionID"]))["state"] == "STATE_CONFIRMED"
    assert (await owner.read("/deployed", address=owner.wallet, type="WALLET"))[1] == {"deployed": True}
    await owner.fund(owner.wallet, 3)
    assert (await owner.do(split(market["conditionId"], DOLLAR)))["state"] == "STATE_CONFIRMED"


async def test_a_safe_is_made_and_signs_single_calls_and_multisends(owner, venue):
    market = await venue.some_market()
    status, body = await owner.submit(owner.safe_create())
    assert status == 200, body
    assert (await owner.end(body["transactionID"]))["state"] == "STATE_CONFIRMED"
    await owner.fund(owner.safe, 2)
    status, body = await owner.submit(owner.safe_transaction(*split(market["conditionId"], 9 * DOLLAR), 0))
    assert status == 200, body
    assert (await owner.end(body["transactionID"]))["state"] == "STATE_CONFIRMED"
    both = multisend([merge(market["conditionId"], DOLLAR), merge(market["conditionId"], 2 * DOLLAR)])
    status, body = await owner.submit(owner.safe_transaction(*both, 1, 1))
    assert status == 200, body
    assert (await owner.end(body["transactionID"]))["state"] == "STATE_CONFIRMED"
    assert owner.held(wallet=owner.safe) == 994 * DOLLAR
    _, body = await owner.submit(owner.safe_transaction(*both, 7, 1))
    ended = await owner.end(body["transactionID"])
    assert (ended["state"], ended["transaction_hash"]) == ("STATE_INVALID", "")
    assert "nonce" in ended["error_msg"]


async def test_a_proxy_calls_through_its_factory(owner, venue):
    market = await venue.some_market()
    await owner.fund(owner.proxy, 1)
    _, relay = await owner.read("/relay-payload", address=owner.address, type="PROXY")
    calls = [split(market["conditionId"], 9 * DOLLAR), merge(market["conditionId"], 2 * DOLLAR)]
    status, body = await owner.submit(owner.proxy_transaction(calls, int(relay["nonce"]), relay["address"]))
    assert status == 200, body
    assert (await owner.end(body["transactionID"]))["state"] == "STATE_CONFIRMED"
    assert owner.held(wallet=owner.proxy) == 993 * DOLLAR


async def test_a_wallet_with_an_action_under_way_takes_no_other(owner, venue):
    market = await venue.some_market()
    batch = owner.batch([split(market["conditionId"], DOLLAR)], 0)
    _, first = await owner.submit(batch)
    status, busy = await owner.submit(batch)
    assert (status, busy["error"]) == (
        400,
        f"wallet busy: {owner.wallet} has an active action {first['transactionID']}",
    )
    while (await owner.read(f"/v1/account/transactions/{first['transactionID']}"))[1]["state"] == "STATE_NEW":
        venue.pass_time(0.1)
    assert (await owner.submit(batch))[1] == {"error": f"wallet has in-flight action: {first['transactionID']}"}
    await owner.end(first["transactionID"])
    status, old = await owner.submit(batch)
    assert (status, old["error"]) == (400, "batch nonce 0 does not match on-chain nonce 1")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ((PUSD, data("mint(address,uint256)", PUSD, 5)), "call blocked"),
        ((PUSD, data("balanceOf(address)", PUSD)), "call blocked"),
        (("0x" + "12" * 20, "0x12345678"), "call blocked"),
        (split("0x" + "00" * 32, 1, "0xd91E80cF2E7be2e162c6513ceD06f1dD0dA35296"), "call blocked"),
        (("0xnothing", "0x12345678"), "invalid address"),
    ],
)
async def test_calls_that_are_not_allowed_are_refused_at_once(owner, call, reason):
    target, inner = call
    payload = owner.batch([(PUSD, inner)], 0) if target.startswith("0xn") else owner.batch([call], 0)
    if target.startswith("0xn"):
        payload["depositWalletParams"]["calls"][0]["target"] = target
    status, body = await owner.submit(payload)
    assert status == 400
    assert reason in body["error"]


async def test_nothing_but_the_owners_signature_over_this_very_batch_counts(owner, venue):
    market = await venue.some_market()
    good = owner.batch([split(market["conditionId"], DOLLAR)], 0)
    other = Owner(venue, 78)
    changed = json.loads(json.dumps(good))
    changed["depositWalletParams"]["calls"][0]["data"] = split(market["conditionId"], 2 * DOLLAR)[1]
    for payload in (changed, good | {"nonce": "1"}, good | {"signature": "0x" + "11" * 65}):
        status, body = await owner.submit(payload)
        assert (status, body["error"]) == (400, "invalid signature")
    stranger = other.batch([split(market["conditionId"], DOLLAR)], 0)
    stranger["depositWalletParams"]["depositWallet"] = owner.wallet
    status, body = await owner.submit(stranger)
    assert (status, "not deployed" in body["error"]) == (400, True)
    assert (await owner.submit(good))[0] == 200


async def test_a_batch_past_its_deadline_fails(owner, venue):
    market = await venue.some_market()
    batch = owner.batch([split(market["conditionId"], DOLLAR)], 0)
    _, body = await owner.submit(batch)
    venue.clock.move(700)
    ended = await owner.end(body["transactionID"])
    assert (ended["state"], ended["error_msg"]) == ("STATE_FAILED", "execution reverted: deadline expired")


@pytest.mark.parametrize(
    "change", [{"type": "WALLETS"}, {"nonce": 3}, {"nonce": "x"}, {"metadata": "m" * 501}, {"from": 1}]
)
async def test_malformed_payloads_are_refused(owner, venue, change):
    market = await venue.some_market()
    status, _ = await owner.submit(owner.batch([split(market["conditionId"], DOLLAR)], 0) | change)
    assert status == 400


async def test_writes_and_lists_need_a_key(owner, venue):
    market = await venue.some_market()
    batch = owner.batch([split(market["conditionId"], DOLLAR)], 0)
    wrong = owner.headers | {"RELAYER_API_KEY": "00000000-0000-4000-8000-000000000000"}
    for headers in ({}, wrong, {"POLY_BUILDER_API_KEY": "x"}, {"RELAYER_API_KEY_ADDRESS": "?"}):
        assert (await owner.submit(batch, headers))[0] == 401
    _, body = await owner.submit(batch)
    (row,) = (await owner.read("/transactions"))[1]
    assert (row["transactionID"], row["nonce"], row["signature"]) == (body["transactionID"], "0", batch["signature"])
    assert (row["proxyAddress"], row["state"], row["type"]) == (owner.wallet, "STATE_NEW", "WALLET")
    assert (await owner.read("/transaction", id=body["transactionID"]))[1] == [row]
    owner.headers = {}
    assert (await owner.read("/transactions"))[0] == 401
    assert (await owner.read(f"/v1/account/transactions/{body['transactionID']}"))[0] == 401
    assert await owner.read("/transaction", id="x") == (400, {"error": "invalid id"})
    unknown = "00000000-0000-4000-8000-000000000000"
    assert await owner.read("/transaction", id=unknown) == (404, {"error": "transaction not found"})


@pytest.mark.protocol("2.4")
async def test_a_builder_signs_the_path_without_the_mount(owner, venue):
    await owner.trader.log_in()
    _, key = await owner.trader.call("POST", "/auth/builder-api-key")
    market = await venue.some_market()
    body = json.dumps(owner.batch([split(market["conditionId"], DOLLAR)], 0)).encode()
    url = venue.url + "/relayer/submit"
    for path, expected in (("/relayer/submit", 401), ("/submit", 200)):
        headers = owner.builder_headers(key, "POST", path, body)
        async with venue.session.post(url, data=body, headers=headers) as got:
            assert got.status == expected, await got.text()


async def test_more_than_25_submits_a_minute_are_too_many(owner, venue):
    for _ in range(25):
        assert (await owner.submit({"type": "?"}))[0] == 400
    assert (await owner.submit({"type": "?"}))[0] == 429
    venue.clock.move(61)
    assert (await owner.submit({"type": "?"}))[0] == 400
