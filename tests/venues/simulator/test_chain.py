"""The simulated chain through its JSON-RPC node, driven by web3.py: transactions of plain addresses, blocks, logs, reorganisations."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from eth_account import Account
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.middleware import ExtraDataToPOAMiddleware

from tests.venues.simulator.chain_kit import (
    CTF,
    NEG_RISK_ADAPTER,
    NO_PARENT,
    PUSD,
    STANDARD_ADAPTER,
    Owner,
    approve,
    convert,
    merge,
    split,
)
from tests.venues.simulator.kit import RunningVenue, drain, running_venue, trader
from venues.simulator.inputs import Reorg

DOLLAR = 10**6
ZERO = "0x" + "00" * 20
STANDARD_EXCHANGE = "0xE111180000d2663C0091e4f400237545B87B996B"
ORDER_FILLED = "0xd543adfd945773f1a62f74f0ee55a5e3b9b1a28262980ba90b1a89f2ea84d8ee"
ORDERS_MATCHED = "0x174b3811690657c217184f89418266767c87e4805d09680c39fc9c031c0cab7c"
FEE_CHARGED = "0x55bb3cade9d43b798a4fe5ffdd05024b2d7870df53920673bfc7e68047cd0ab1"


def words(kinds: str) -> list[dict[str, Any]]:
    """Return ABI fields of "kind name" items; a star marks an indexed one."""
    fields = [item.split() for item in kinds.split(",")]
    return [{"type": kind.strip("*"), "name": name, "indexed": kind.endswith("*")} for kind, name in fields]


ABI = [
    {
        "type": "event",
        "name": "OrderFilled",
        "anonymous": False,
        "inputs": words(
            "bytes32* orderHash,address* maker,address* taker,uint8 side,uint256 tokenId,uint256 makerAmountFilled,"
            "uint256 takerAmountFilled,uint256 fee,bytes32 builder,bytes32 metadata"
        ),
    },
    {
        "type": "event",
        "name": "Transfer",
        "anonymous": False,
        "inputs": words("address* source,address* target,uint256 amount"),
    },
    {
        "type": "event",
        "name": "TransferSingle",
        "anonymous": False,
        "inputs": words("address* operator,address* source,address* target,uint256 id,uint256 value"),
    },
    {
        "type": "event",
        "name": "TransferBatch",
        "anonymous": False,
        "inputs": words("address* operator,address* source,address* target,uint256[] ids,uint256[] values"),
    },
    {
        "type": "function",
        "name": "approve",
        "stateMutability": "nonpayable",
        "inputs": words("address spender,uint256 amount"),
        "outputs": words("bool ok"),
    },
    {
        "type": "function",
        "name": "allowance",
        "stateMutability": "view",
        "inputs": words("address holder,address spender"),
        "outputs": words("uint256 amount"),
    },
    {
        "type": "function",
        "name": "setApprovalForAll",
        "stateMutability": "nonpayable",
        "inputs": words("address operator,bool approved"),
        "outputs": [],
    },
    {
        "type": "function",
        "name": "balanceOfBatch",
        "stateMutability": "view",
        "inputs": words("address[] holders,uint256[] ids"),
        "outputs": words("uint256[] amounts"),
    },
    {
        "type": "function",
        "name": "payoutNumerators",
        "stateMutability": "view",
        "inputs": words("bytes32 condition,uint256 index"),
        "outputs": words("uint256 amount"),
    },
    {
        "type": "function",
        "name": "payoutDenominator",
        "stateMutability": "view",
        "inputs": words("bytes32 condition"),
        "outputs": words("uint256 amount"),
    },
    *(
        {
            "type": "function",
            "name": name,
            "stateMutability": "nonpayable",
            "inputs": words("address collateral,bytes32 parent,bytes32 condition,uint256[] partition" + more),
            "outputs": [],
        }
        for name, more in (
            ("splitPosition", ",uint256 amount"),
            ("mergePositions", ",uint256 amount"),
            ("redeemPositions", ""),
        )
    ),
]


class Wallet:
    """A plain address that pays for its own transactions, over web3.py."""

    def __init__(self, venue: RunningVenue, number: int = 91) -> None:
        self.venue = venue
        self.account = Account.from_key("0x" + f"{number:064x}")
        self.address = self.account.address
        self.web3 = AsyncWeb3(AsyncHTTPProvider(venue.url + "/rpc"))
        self.web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)

    def contract(self, address: str) -> Any:
        return self.web3.eth.contract(AsyncWeb3.to_checksum_address(address), abi=ABI)

    async def send(self, call: Any, **fields: Any) -> Any:
        """Sign and send a contract call; return its receipt."""
        nonce = await self.web3.eth.get_transaction_count(self.address, "pending")
        filled = await call.build_transaction({"from": self.address, "nonce": nonce, **fields})
        sent = await self.web3.eth.send_raw_transaction(self.account.sign_transaction(filled).raw_transaction)
        return await self.mined(sent)

    async def mined(self, sent: bytes) -> Any:
        self.venue.pass_time(2.05)
        return await self.web3.eth.get_transaction_receipt(sent)


@pytest.fixture
async def wallet(venue):
    wallet = Wallet(venue)
    await venue.fund(wallet.address, "500", approved=False)
    yield wallet
    await wallet.web3.provider.disconnect()


async def rpc(venue: RunningVenue, method: str, *params: Any) -> dict[str, Any]:
    status, body = await venue.post("/rpc", {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
    assert status == 200
    return body


@pytest.mark.protocol("1.2", "8.3")
async def test_a_plain_address_approves_splits_merges_and_redeems(venue, wallet):
    market = await venue.some_market()
    condition, tokens = bytes.fromhex(market["conditionId"][2:]), [int(token) for token in market["tokens"]]
    collateral, framework = wallet.contract(PUSD), wallet.contract(CTF)
    adapter = wallet.contract(STANDARD_ADAPTER)
    positions = (PUSD, NO_PARENT, condition, [1, 2])
    with pytest.raises(ContractLogicError, match="transfer amount exceeds allowance"):
        await wallet.send(adapter.functions.splitPosition(*positions, 9 * DOLLAR))
    receipt = await wallet.send(collateral.functions.approve(STANDARD_ADAPTER, 20 * DOLLAR))
    assert (receipt["status"], receipt["from"], receipt["to"]) == (1, wallet.address, PUSD)
    assert (await wallet.send(framework.functions.setApprovalForAll(STANDARD_ADAPTER, True)))["status"] == 1
    receipt = await wallet.send(adapter.functions.splitPosition(*positions, 9 * DOLLAR))
    assert receipt["status"] == 1
    assert await collateral.functions.allowance(wallet.address, STANDARD_ADAPTER).call() == 11 * DOLLAR
    assert await framework.functions.balanceOfBatch([wallet.address] * 2, tokens).call() == [9 * DOLLAR] * 2
    assert (await wallet.send(adapter.functions.mergePositions(*positions, 2 * DOLLAR)))["status"] == 1
    assert venue.venue.world.exchange.balance(wallet.address).settled == 493 * DOLLAR
    listing = venue.venue.world.listings.by_condition(market["conditionId"])
    assert await framework.functions.payoutDenominator(condition).call() == 0
    venue.clock.move((listing.event.end_ns - venue.clock.now_ns()) / 1e9 + 1)
    venue.pass_time(12, step=0.5)
    assert await framework.functions.payoutNumerators(condition, listing.winner).call() == 1
    assert await framework.functions.payoutDenominator(condition).call() == 1
    assert (await wallet.send(adapter.functions.redeemPositions(*positions)))["status"] == 1
    assert venue.venue.world.exchange.balance(wallet.address).settled == 500 * DOLLAR
    assert await wallet.web3.eth.get_transaction_count(wallet.address) == 5
    spent = 10 * 10**18 - await wallet.web3.eth.get_balance(wallet.address)
    assert 0 < spent < 10**18


async def test_a_transaction_that_reverts_uses_its_nonce_and_gas_and_nothing_else(venue, wallet):
    market = await venue.some_market()
    adapter = wallet.contract(STANDARD_ADAPTER)
    condition = bytes.fromhex(market["conditionId"][2:])
    call = adapter.functions.splitPosition(PUSD, NO_PARENT, condition, [1, 2], DOLLAR)
    receipt = await wallet.send(call, gas=300_000, gasPrice=30 * 10**9)
    assert (receipt["status"], list(receipt["logs"])) == (0, [])
    assert await wallet.web3.eth.get_transaction_count(wallet.address) == 1
    assert await wallet.web3.eth.get_balance(wallet.address) == 10 * 10**18 - receipt["gasUsed"] * 30 * 10**9
    assert venue.venue.world.exchange.balance(wallet.address).settled == 500 * DOLLAR
    approval = wallet.contract(PUSD).functions.approve(STANDARD_ADAPTER, DOLLAR)
    starved = await wallet.send(approval, gas=24_000, gasPrice=30 * 10**9)
    assert (starved["status"], starved["gasUsed"]) == (0, 24_000)
    assert await wallet.contract(PUSD).functions.allowance(wallet.address, STANDARD_ADAPTER).call() == 0


async def test_transactions_wait_for_their_nonce_and_can_be_replaced(venue, wallet):
    def signed(nonce: int, amount: int, price: int = 40, **fields: Any) -> bytes:
        to, call = approve(STANDARD_ADAPTER, amount)
        filled = {"to": to, "data": call, "nonce": nonce, "gas": 100_000, "value": 0, "chainId": 137}
        return wallet.account.sign_transaction(filled | {"gasPrice": price * 10**9} | fields).raw_transaction

    eth = wallet.web3.eth
    late = await eth.send_raw_transaction(signed(1, 7))
    assert await eth.get_transaction_count(wallet.address, "pending") == 0
    venue.pass_time(2.05)
    assert (await eth.get_transaction(late))["blockNumber"] is None
    await eth.send_raw_transaction(signed(0, 5))
    with pytest.raises(Web3RPCError, match="replacement transaction underpriced"):
        await eth.send_raw_transaction(signed(0, 6, 41))
    replacement = await eth.send_raw_transaction(signed(0, 6, 44))
    with pytest.raises(Web3RPCError, match="already known"):
        await eth.send_raw_transaction(signed(0, 6, 44))
    assert await eth.get_transaction_count(wallet.address, "pending") == 2
    assert (await wallet.mined(replacement))["status"] == 1
    assert await wallet.contract(PUSD).functions.allowance(wallet.address, STANDARD_ADAPTER).call() == 7
    for refused, reason in (
        (signed(0, 5), "nonce too low"),
        (signed(2, 5, gas=20_000), "intrinsic gas too low"),
        (signed(2, 5, 1), "underpriced"),
        (signed(2, 5, 10**9), "insufficient funds"),
        (signed(2, 5, gas=10**9), "exceeds block gas limit"),
        (signed(2, 5, chainId=1), "invalid chain id"),
        (signed(2, 5)[:-1], "rlp"),
    ):
        with pytest.raises(Web3RPCError, match=reason):
            await eth.send_raw_transaction(refused)


async def test_a_fee_market_transaction_and_a_plain_payment_are_taken_too(venue, wallet):
    eth = wallet.web3.eth
    other = "0x" + "Ab" * 20
    fees = {"maxFeePerGas": 100 * 10**9, "maxPriorityFeePerGas": 30 * 10**9}
    filled = {
        "to": AsyncWeb3.to_checksum_address(other),
        "value": 3 * 10**18,
        "nonce": 0,
        "gas": 21_000,
        "chainId": 137,
    }
    sent = await eth.send_raw_transaction(wallet.account.sign_transaction(filled | fees).raw_transaction)
    receipt = await wallet.mined(sent)
    assert (receipt["status"], receipt["gasUsed"], receipt["effectiveGasPrice"]) == (1, 21_000, 55 * 10**9)
    assert await eth.get_balance(AsyncWeb3.to_checksum_address(other)) == 13 * 10**18


@pytest.mark.protocol("1.3")
async def test_logs_tell_the_very_fills_the_user_channel_told(venue, wallet):
    client = await trader(venue)
    market = await venue.some_market()
    first = await wallet.web3.eth.block_number
    subscription = {"auth": {"apiKey": client.key["apiKey"], "secret": client.key["secret"]}, "type": "user"}
    subscription["auth"]["passphrase"] = client.key["passphrase"]
    async with venue.socket("user", subscription | {"markets": [market["conditionId"]]}) as socket:
        _, book = await venue.get("/book", token_id=market["tokens"][0])
        status, taken = await client.place(market, "BUY", book["asks"][-1]["price"], "20", "FAK", spend="10.00")
        assert status == 200, taken
        told: dict[str, Any] = {}
        for _ in range(20):
            venue.pass_time(0.5)
            for frame in await drain(socket):
                if frame["event_type"] == "trade" and frame["status"] == "MINED":
                    assert await wallet.web3.eth.get_transaction_receipt(frame["transaction_hash"])
                    told[frame["transaction_hash"]] = frame
            if told:
                break
    exchange = wallet.contract(STANDARD_EXCHANGE)
    logs = await wallet.web3.eth.get_logs(
        {"fromBlock": first, "toBlock": "latest", "address": STANDARD_EXCHANGE, "topics": [ORDER_FILLED]}
    )
    fills = [exchange.events.OrderFilled().process_log(log) for log in logs]
    ours = [fill for fill in fills if "0x" + fill["args"]["orderHash"].hex() == client.digest]
    assert {("0x" + fill["transactionHash"].hex()) for fill in ours} == set(told) != set()
    for fill in ours:
        frame, args = told["0x" + fill["transactionHash"].hex()], fill["args"]
        assert (args["maker"], args["taker"], args["side"]) == (client.address, STANDARD_EXCHANGE, 0)
        assert args["tokenId"] == int(frame["asset_id"])
        assert args["takerAmountFilled"] == round(float(frame["size"]) * DOLLAR)
        price = args["makerAmountFilled"] / args["takerAmountFilled"]
        assert price == pytest.approx(float(frame["price"]), abs=1e-6)
        resting = [
            one["args"] for one in fills if one["transactionHash"] == fill["transactionHash"] and one is not fill
        ]
        by_order = {"0x" + args["orderHash"].hex(): args for args in resting}
        assert by_order.keys() == {maker["order_id"] for maker in frame["maker_orders"]}
        for maker in frame["maker_orders"]:
            args = by_order[maker["order_id"]]
            size = args["takerAmountFilled"] if maker["side"] == "BUY" else args["makerAmountFilled"]
            assert (args["maker"], args["taker"]) == (maker["maker_address"], client.address)
            assert size == round(float(maker["matched_amount"]) * DOLLAR)
            assert args["tokenId"] == int(maker["asset_id"])
        receipt = await wallet.web3.eth.get_transaction_receipt(fill["transactionHash"])
        topics = ["0x" + log["topics"][0].hex() for log in receipt["logs"]]
        assert topics.count(ORDERS_MATCHED) == 1
        assert topics.count(FEE_CHARGED) == int(fill["args"]["fee"] > 0)
        assert [log["logIndex"] for log in receipt["logs"]] == list(
            range(receipt["logs"][0]["logIndex"], receipt["logs"][0]["logIndex"] + len(topics))
        )


async def test_transfers_from_the_first_block_on_add_up_to_every_balance(venue, wallet):
    owner = Owner(venue)
    await owner.prepare()
    client = await trader(venue, 5)
    market = await venue.some_market()
    await owner.do(split(market["conditionId"], 40 * DOLLAR), merge(market["conditionId"], 3 * DOLLAR))
    group = venue.venue.world.listings.by_condition((await venue.some_market(neg_risk=True))["conditionId"]).event
    for one in group.markets[:3]:
        await owner.do(split(one.condition_id, 10 * DOLLAR, NEG_RISK_ADAPTER))
    await owner.do(convert(group.neg_risk_market_id, 0b111, 4 * DOLLAR))
    for token in (0, 1):
        _, book = await venue.get("/book", token_id=market["tokens"][token])
        price = book["asks"][-1]["price"]
        await client.place(market, "BUY", price, "20", "FAK", token=token, spend="10.00")
    venue.pass_time(9)
    held: dict[tuple[str, str], int] = defaultdict(int)
    first = venue.venue.world.chain.blocks.oldest
    decoders = wallet.contract(PUSD).events
    for log in await wallet.web3.eth.get_logs({"fromBlock": first, "toBlock": "latest", "address": [PUSD, CTF]}):
        moves = _moves(decoders, log)
        for source, target, asset, amount in moves:
            held[source, asset] -= amount
            held[target, asset] += amount
    exchange = venue.venue.world.exchange
    for address in (owner.wallet, client.address, wallet.address):
        for asset in ("", *market["tokens"], *(token for one in group.markets for token in one.token_ids)):
            assert held[address, asset] == exchange.balance(address, asset).settled


def _moves(decoders: Any, log: Any) -> list[tuple[str, str, str, int]]:
    for name in ("Transfer", "TransferSingle", "TransferBatch"):
        event = decoders[name]()
        if log["topics"][0] == bytes.fromhex(event.topic[2:]):
            args = event.process_log(log)["args"]
            ids = args.get("ids") or [args.get("id", "")]
            amounts = args.get("values") or [args.get("value", args.get("amount"))]
            pairs = zip(ids, amounts, strict=True)
            return [(args["source"], args["target"], str(number), amount) for number, amount in pairs]
    return []


async def test_blocks_follow_each_other_and_the_time(venue, wallet):
    eth = wallet.web3.eth
    venue.pass_time(6)
    head = await eth.get_block("latest")
    before = await eth.get_block(head["number"] - 1, full_transactions=True)
    assert head["parentHash"] == before["hash"]
    assert head["timestamp"] - before["timestamp"] == 2
    assert 0 <= venue.clock.now_ns() // 10**9 - head["timestamp"] <= 2
    assert (await eth.get_block(before["hash"]))["number"] == before["number"]
    assert all(tx["blockNumber"] == before["number"] for tx in before["transactions"])
    assert len((await rpc(venue, "eth_getBlockByNumber", "latest", False))["result"]["extraData"]) > 2 + 2 * 32
    assert (await rpc(venue, "eth_getBlockByNumber", hex(head["number"] + 5), False))["result"] is None
    history = await eth.fee_history(3, "latest", [50])
    assert len(history["baseFeePerGas"]) == 4


async def test_a_reorganisation_replaces_blocks_and_no_settlement_is_lost(venue, wallet):
    client = await trader(venue)
    market = await venue.some_market()
    eth = wallet.web3.eth
    for _ in range(8):
        _, book = await venue.get("/book", token_id=market["tokens"][0])
        await client.place(market, "BUY", book["asks"][-1]["price"], "20", "FAK", spend="5.00")
        venue.pass_time(0.7)
    while not any(trade.status == "mined" for trade in venue.venue.world.exchange.unsettled_trades()):
        venue.pass_time(0.1)
    head = await eth.get_block("latest")
    gone = head["hash"]
    venue.venue.submit(Reorg(3))
    assert (await eth.get_block(head["number"]))["hash"] != gone
    assert (await eth.get_block(head["number"] - 3))["hash"] == (await eth.get_block(head["number"] - 2))["parentHash"]
    error = await rpc(venue, "eth_getLogs", {"blockHash": "0x" + gone.hex()})
    assert error["error"] == {"code": -32000, "message": "unknown block"}
    venue.pass_time(12)
    _, body = await client.call("GET", "/data/trades")
    statuses = {trade["status"] for trade in body["data"]}
    assert statuses <= {"TRADE_STATUS_CONFIRMED", "TRADE_STATUS_FAILED"}
    for trade in body["data"]:
        if trade["status"] == "TRADE_STATUS_CONFIRMED":
            receipt = await eth.get_transaction_receipt(trade["transaction_hash"])
            block = await eth.get_block(receipt["blockNumber"])
            assert block["hash"] == receipt["blockHash"]
    filled = [
        log["transactionHash"] for log in await eth.get_logs({"fromBlock": 90_000_000, "topics": [ORDERS_MATCHED]})
    ]
    assert len(filled) == len(set(filled))


async def test_settlements_of_replaced_blocks_stay_are_retried_or_fail(venue):
    world, moved = venue.venue.world, []
    venue.venue.listen(lambda events, _: moved.extend(events))
    for _ in range(40):
        venue.pass_time(2, step=0.25)
        venue.venue.submit(Reorg(2))
    venue.pass_time(10, step=0.25)
    told: dict[str, list[str]] = defaultdict(list)
    for event in moved:
        if type(event).__name__ == "TradeMoved":
            told[event.trade.id].append(event.trade.status.value)
    paths = {tuple(path) for path in told.values()}
    assert ("mined", "confirmed") in paths
    assert ("mined", "retrying", "mined", "confirmed") in paths
    assert ("mined", "retrying", "failed") in paths
    blocks = world.chain.blocks
    sealed = [
        tx.trade.id
        for number in range(blocks.oldest, blocks.head + 1)
        for tx in blocks.transactions(number)
        if tx.trade
    ]
    assert len(sealed) == len(set(sealed))
    failed = {trade_id for trade_id, path in told.items() if path[-1] == "failed"}
    confirmed = {trade_id for trade_id, path in told.items() if path[-1] == "confirmed"}
    assert failed.isdisjoint(sealed)
    assert confirmed <= set(sealed)


async def test_a_venue_may_reorganise_its_chain_by_chance(tmp_path):
    async with running_venue(tmp_path / "venue", reorging=0.3) as venue:
        world = venue.venue.world
        hashes: dict[int, set[str]] = defaultdict(set)
        for _ in range(40):
            venue.pass_time(2, step=0.5)
            for number in range(world.chain.blocks.head - 3, world.chain.blocks.head):
                hashes[number].add(world.chain.blocks.hash(number))
        assert any(len(seen) > 1 for seen in hashes.values())
        assert any(len(seen) == 1 for seen in hashes.values())


async def test_a_restarted_venue_has_the_same_chain(venue_folder):
    async with running_venue(venue_folder) as venue:
        venue.pass_time(8)
        venue.venue.submit(Reorg(2))
        before = await rpc(venue, "eth_getBlockByNumber", "latest", True)
        clock = venue.clock
    async with running_venue(venue_folder, clock=clock) as venue:
        assert await rpc(venue, "eth_getBlockByNumber", "latest", True) == before


async def test_batches_and_errors_follow_the_protocol(venue):
    calls = [
        {"jsonrpc": "2.0", "id": 7, "method": "eth_chainId", "params": []},
        {"jsonrpc": "2.0", "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": 8, "method": "eth_mine", "params": []},
        {"jsonrpc": "2.0", "id": 9, "method": "eth_getBalance", "params": ["0x12"]},
        3,
    ]
    _, answers = await venue.post("/rpc/", calls)
    assert answers[0] == {"jsonrpc": "2.0", "id": 7, "result": "0x89"}
    assert [(answer["id"], answer["error"]["code"]) for answer in answers[1:]] == [
        (8, -32601),
        (9, -32602),
        (None, -32600),
    ]
    async with venue.session.post(venue.url + "/rpc", data=b"{") as response:
        assert (await response.json())["error"]["code"] == -32700
    head = int((await rpc(venue, "eth_blockNumber"))["result"], 16)
    wide = await rpc(venue, "eth_getLogs", {"fromBlock": hex(head), "toBlock": hex(head + 5_000)})
    assert wide["error"]["code"] == -32005
    assert (await rpc(venue, "eth_getLogs", {"fromBlock": hex(head - 10**6)}))["error"]["code"] == 4444
    old = await rpc(venue, "eth_call", {"to": PUSD, "data": "0x313ce567"}, hex(head - 10_000))
    assert old["error"]["code"] == -32000
    decimals = await rpc(venue, "eth_call", {"to": PUSD, "data": "0x313ce567"}, "latest")
    assert int(decimals["result"], 16) == 6
    reverted = await rpc(venue, "eth_call", {"to": PUSD, "data": "0x12345678"}, "latest")
    assert reverted["error"] == {"code": 3, "message": "execution reverted", "data": "0x"}
    assert (await rpc(venue, "eth_getCode", PUSD, "latest"))["result"] != "0x"
    assert (await rpc(venue, "eth_getCode", "0x" + "12" * 20, "latest"))["result"] == "0x"
    assert (await rpc(venue, "web3_clientVersion"))["result"]
    assert (await rpc(venue, "net_version"))["result"] == "137"
