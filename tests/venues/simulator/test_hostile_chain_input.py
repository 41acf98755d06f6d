"""Whatever bytes come, the node and the relayer refuse them in their own words: no call fails inside, and nothing moves."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import pytest
from eth_account import Account
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.venues.simulator.chain_kit import PUSD, STANDARD_ADAPTER, Owner, approve, split
from tests.venues.simulator.test_chain import rpc
from venues.exchange import Exchange
from venues.simulator.chain import rpc_routes
from venues.simulator.chain.abi import RevertError
from venues.simulator.chain.accounts import Accounts
from venues.simulator.chain.approvals import Approvals
from venues.simulator.chain.machine import CONTRACTS, Call, run
from venues.simulator.chain.raw_transactions import RawTransactionError, decode_raw
from venues.simulator.chain.scratch import Ledgers, Scratch
from venues.simulator.world.floor import Floor
from venues.simulator.world.listings import Listings
from venues.simulator.world.schedule import Schedule

ACCOUNT = Account.from_key("0x" + "5d" * 32)
FIELDS = {"to": PUSD, "data": approve(STANDARD_ADAPTER)[1], "nonce": 1, "gas": 100_000, "value": 0, "chainId": 137}
RAW = [
    bytes(ACCOUNT.sign_transaction(FIELDS | {"gasPrice": 10**9}).raw_transaction),
    bytes(ACCOUNT.sign_transaction(FIELDS | {"maxFeePerGas": 10**9, "maxPriorityFeePerGas": 1}).raw_transaction),
]
FUNCTIONS = [(address, selector) for address, entries in CONTRACTS.items() for selector in entries]


def ledgers() -> Ledgers:
    floor = Floor(Exchange("hostile"), Listings(), Schedule(), random.Random(1), 1.0, "hostile")
    return Ledgers(floor, Approvals(), Accounts())


def test_sound_transactions_are_read():
    for raw in RAW:
        assert decode_raw(raw).sender == ACCOUNT.address


@given(
    st.sampled_from(RAW), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4), st.integers(0, 9)
)
def test_mutated_transactions_are_read_or_refused(raw, changes, cut):
    mutated = bytearray(raw[: len(raw) - cut])
    for place, value in changes:
        mutated[place % len(mutated)] = value
    with suppress(RawTransactionError):
        assert decode_raw(bytes(mutated)).hash


@given(st.binary(max_size=80))
def test_noise_is_no_transaction(raw):
    with pytest.raises(RawTransactionError):
        decode_raw(raw)


@given(
    st.sampled_from(FUNCTIONS),
    st.lists(st.sampled_from([0, 1, 2, 31, 32, 64, 96, 2**255, 2**256 - 1]), max_size=12),
    st.binary(max_size=9),
)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
def test_any_call_data_returns_or_reverts_and_changes_nothing_real(function, numbers, tail):
    address, selector = function
    held = ledgers()
    data = selector + b"".join(number.to_bytes(32, "big") for number in numbers) + tail
    with suppress(RevertError):
        run(Scratch(held), PUSD, Call(address, data))
    assert held.exchange.accounts() == []
    assert held.accounts.usdce == {}


@pytest.mark.parametrize(
    "method",
    [
        "eth_getLogs",
        "eth_call",
        "eth_estimateGas",
        "eth_feeHistory",
        "eth_getBalance",
        "eth_sendRawTransaction",
        "eth_getBlockByNumber",
        "eth_getBlockByHash",
        "eth_getTransactionReceipt",
        "eth_getTransactionCount",
        "eth_getCode",
    ],
)
async def test_parameters_of_any_shape_are_refused_by_name(venue, method):
    shapes = [
        [],
        [None],
        [[]],
        [{}],
        [7],
        ["0xzz"],
        [True, True, True],
        [{"topics": [[["0x"]]]}],
        [{"to": 5}],
        [{"address": [1]}],
    ]
    shapes += [
        ["0x1", "latest", 7],
        [{"topics": "x"}],
        [{"fromBlock": "-1"}],
        [{"blockHash": 1}],
        [{"to": PUSD, "data": 7}],
    ]
    for shape in shapes:
        answer = await rpc(venue, method, *shape)
        assert "result" in answer or answer["error"]["code"] in (-32602, -32000, -32005, 4444, 3), (shape, answer)


@pytest.mark.parametrize(
    "change",
    [
        {"depositWalletParams": {}},
        {"to": "0x"},
        {"signature": 5},
        {"signature": "0xzz"},
        {"from": "0x" + "11" * 20},
    ],
)
async def test_damaged_requests_to_the_relayer_are_refused(venue, change):
    owner = Owner(venue)
    await owner.prepare()
    market = await venue.some_market()
    payload = owner.batch([split(market["conditionId"], 1)], 0) | change
    assert (await owner.submit(payload))[0] == 400
    for body in ([], "x", None, {"type": None}, {"type": "SAFE", "from": 1}):
        assert (await owner.submit(body))[0] in (400, 429)


async def test_values_beyond_any_balance_revert(venue):
    owner = Owner(venue)
    await owner.prepare()
    market = await venue.some_market()
    for amount in (2**63, 2**64, 2**255, 2**256 - 1):
        ended = await owner.do(split(market["conditionId"], amount))
        assert "exceeds balance" in ended["error_msg"]
    assert owner.held() == 1000 * 10**6


async def test_a_batch_is_answered_up_to_a_size_and_others_have_their_turn(venue, monkeypatch):
    monkeypatch.setattr(rpc_routes, "MAX_RESPONSE", 500)
    calls = [
        {"jsonrpc": "2.0", "id": number, "method": "eth_feeHistory", "params": ["0x1", "latest"]}
        for number in range(20)
    ]
    batch = asyncio.create_task(venue.post("/rpc", [*calls, 7]))
    assert await asyncio.wait_for(venue.get("/ok"), 5) == (200, "OK")
    _, told = await batch
    assert [one["id"] for one in told] == [*range(20), None]
    assert "result" in told[0]
    assert told[19]["error"] == {"code": -32003, "message": "response too large"}
