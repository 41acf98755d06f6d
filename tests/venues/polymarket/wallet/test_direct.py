"""Directly to the chain: signed here for this chain only, within the gas cap, never twice under two nonces, stuck ones replaced under their own."""

import asyncio

import pytest

from domain.errors import VenueError, WalletError
from domain.wallet import Submission, TransactionState
from tests.venues.polymarket.refusing_signer import RefusingSigner
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY
from tests.venues.polymarket.wallet.fake_node import GWEI, FakeNode, fake_node
from tests.venues.polymarket.wallet.memory_log import MemoryLog
from venues.polymarket.signer import LocalSigner
from venues.polymarket.wallet import calls
from venues.polymarket.wallet.contracts import CTF, CTF_EXCHANGE, PUSD
from venues.polymarket.wallet.direct import MAX_REPLACEMENTS, DirectSender
from venues.polymarket.wallet.node import open_node

APPROVE = calls.approve(PUSD, CTF_EXCHANGE)
APPROVE_ALL = calls.approve_all(CTF, CTF_EXCHANGE)
SPLIT = calls.split("0x" + "ab" * 32, 5_000_000, neg_risk=False)
STATES = TransactionState
POL = 10**18


class Bench:
    """A sender against a fake node."""

    def __init__(self, fake: FakeNode, node) -> None:
        self.fake = fake
        self.node = node
        self.log = MemoryLog()
        self.heard: list[TransactionState] = []

    def sender(self, max_cost=POL, polls=40, replace_after=3, signer=None) -> DirectSender:
        return DirectSender(
            self.node,
            signer or LocalSigner(PRIVATE_KEY),
            chain_id=137,
            log=self.log,
            max_cost=max_cost,
            poll_seconds=0.0,
            max_polls=polls,
            replace_after=replace_after,
        )

    async def send(self, *sent, **named):
        return await self.sender(**named).send(
            sent or (SPLIT,), "split", lambda receipt: self.heard.append(receipt.state)
        )


@pytest.fixture
async def bench():
    async with fake_node() as fake:
        node = open_node(fake.url, timeout=2.0)
        yield Bench(fake, node)
        await node.close()


async def test_a_call_is_signed_by_its_owner_for_this_chain_and_followed_to_its_confirmation(bench: Bench) -> None:
    receipt = await bench.send()
    (sent,) = bench.fake.handed_in
    assert receipt.done
    assert (sent.sender, sent.chain_id, sent.nonce, sent.to, sent.data) == (
        ADDRESS,
        137,
        4,
        SPLIT.target.lower(),
        SPLIT.data,
    )
    assert (sent.gas, sent.price) == (125_000, 36 * GWEI)
    assert receipt.transactions[0].hash == sent.hash
    assert bench.heard == [STATES.NEW, STATES.CONFIRMED]
    assert bench.log.kept == {}


async def test_a_mined_transaction_is_done_when_another_block_follows(bench: Bench) -> None:
    bench.fake.grows = False
    receipt = await bench.send(polls=6)
    assert bench.heard[:2] == [STATES.NEW, STATES.MINED]
    assert receipt.state is STATES.UNKNOWN
    assert "not confirmed after 6 looks: mined" in receipt.transactions[0].detail
    bench.fake.grows = True
    assert (await bench.sender().recover(bench.log.kept[ADDRESS])).state is STATES.CONFIRMED


async def test_several_calls_are_several_transactions_one_after_the_other(bench: Bench) -> None:
    receipt = await bench.send(APPROVE, APPROVE_ALL, SPLIT)
    assert [sent.nonce for sent in bench.fake.handed_in] == [4, 5, 6]
    assert [sent.data for sent in bench.fake.handed_in] == [APPROVE.data, APPROVE_ALL.data, SPLIT.data]
    assert receipt.done
    assert len(receipt.transactions) == 3


async def test_a_reverted_call_ends_the_run_and_is_shown(bench: Bench) -> None:
    bench.fake.reverts = [APPROVE_ALL.data]
    receipt = await bench.send(APPROVE, APPROVE_ALL, SPLIT)
    assert [transaction.state for transaction in receipt.transactions] == [STATES.CONFIRMED, STATES.FAILED]
    assert "reverted in block" in receipt.transactions[-1].detail
    assert len(bench.fake.handed_in) == 2


async def test_a_call_that_would_revert_is_refused_before_anybody_pays(bench: Bench) -> None:
    bench.fake.revert_on_estimate = "execution reverted: ERC20: insufficient allowance"
    with pytest.raises(WalletError, match=r"splitPosition would fail on the chain: .*insufficient allowance"):
        await bench.send()
    assert bench.fake.handed_in == []


async def test_gas_beyond_the_cap_or_the_wallets_coins_is_refused_with_the_fix(bench: Bench) -> None:
    with pytest.raises(WalletError, match=r"may cost 0\.0045 POL, allowed are 0\.001: .*wallet\.max_gas_cost"):
        await bench.send(max_cost=POL // 1000)
    bench.fake.coins = POL // 1000
    with pytest.raises(WalletError, match=rf"has 0\.0010 POL .*send POL to {ADDRESS}"):
        await bench.send()
    assert bench.fake.handed_in == []


async def test_another_chain_is_refused(bench: Bench) -> None:
    bench.fake.chain_id = 80002
    with pytest.raises(WalletError, match="the node is of chain 80002, orders are signed for 137"):
        await bench.send()


async def test_nothing_is_sent_behind_a_strangers_pending_transaction(bench: Bench) -> None:
    bench.fake.others_pending = 2
    with pytest.raises(WalletError, match="2 transactions of this wallet are not mined yet, the first with nonce 4"):
        await bench.send()
    assert bench.fake.handed_in == []


async def test_a_lost_answer_is_looked_up_and_nothing_is_sent_again(bench: Bench) -> None:
    bench.fake.faults = ["lost"]
    receipt = await bench.send()
    assert receipt.done
    assert len(bench.fake.handed_in) == 1


async def test_a_transaction_that_never_arrived_is_handed_in_again_under_its_own_nonce(bench: Bench) -> None:
    bench.fake.faults = ["gone"]
    receipt = await bench.send()
    assert receipt.done
    assert {sent.nonce for sent in bench.fake.handed_in} == {4}
    assert len(bench.fake.receipts) == 1


async def test_a_refused_transaction_was_not_sent_and_says_why(bench: Bench) -> None:
    bench.fake.faults = ["transaction underpriced"]
    with pytest.raises(WalletError, match=r"transaction underpriced.*nothing was sent"):
        await bench.send()
    assert bench.log.kept == {}


@pytest.mark.parametrize("fault", ["garbled", "internal"])
async def test_an_answer_that_proves_nothing_is_no_refusal_also_when_the_nonce_does_not_show_it(
    bench: Bench, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = bench.fake.eth_getTransactionCount
    # Of many nodes behind one address, the one that is asked knows no transactions that wait.
    monkeypatch.setattr(bench.fake, "eth_getTransactionCount", lambda asked, who, _: counted(asked, who, "latest"))
    found, looks = bench.fake.eth_getTransactionReceipt, iter(range(100))

    def late(request, transaction_hash):
        return found(request, transaction_hash) if next(looks) else None

    monkeypatch.setattr(bench.fake, "eth_getTransactionReceipt", late)
    bench.fake.faults = [fault]
    receipt = await bench.send()
    assert receipt.done
    assert len(bench.fake.handed_in) == 1


@pytest.mark.parametrize("nonsense", [None, "0xzz", [], {}, True, "", -1, 1.5])
@pytest.mark.parametrize(
    "method", ["eth_chainId", "eth_getTransactionCount", "eth_estimateGas", "eth_gasPrice", "eth_getBalance"]
)
async def test_a_node_that_answers_nonsense_is_an_error_and_nothing_is_sent(
    bench: Bench, method: str, nonsense: object
) -> None:
    bench.fake.answers = {method: nonsense}
    with pytest.raises((VenueError, WalletError)):
        await bench.send()
    assert bench.fake.handed_in == []
    assert bench.log.kept == {}


async def test_reads_that_are_cancelled_keep_no_later_one_waiting(bench: Bench) -> None:
    for turns in range(20):
        reads = [asyncio.create_task(bench.node.gas_price()) for _ in range(8)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
        async with asyncio.timeout(5):
            assert await bench.node.gas_price() == 30 * GWEI


async def test_a_reverted_transaction_is_over_only_when_its_block_is(bench: Bench) -> None:
    bench.fake.reverts = [SPLIT.data]
    bench.fake.grows = False
    receipt = await bench.send(polls=4)
    assert receipt.state is STATES.UNKNOWN
    kept = bench.log.kept[ADDRESS]
    # The chain is reorganised, and in the new block it succeeds.
    (mined,) = bench.fake.receipts.values()
    mined["status"] = "0x1"
    bench.fake.grows = True
    assert (await bench.sender().recover(kept)).state is STATES.CONFIRMED


async def test_a_node_of_another_chain_proves_nothing_of_what_was_sent_on_this_one(bench: Bench) -> None:
    bench.fake.mines = False
    await bench.send(polls=1)
    kept = bench.log.kept[ADDRESS]
    bench.fake.chain_id, bench.fake.nonce, bench.fake.waiting = 80002, 50, {}
    with pytest.raises(WalletError, match="the node is of chain 80002"):
        await bench.sender().recover(kept)


async def test_already_known_is_no_refusal(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.fake.faults = ["lost"]
    sender = bench.sender()
    original = bench.node.send_raw

    async def twice(raw: bytes) -> None:
        with pytest.raises(VenueError):
            await original(raw)
        await original(raw)

    monkeypatch.setattr(bench.node, "send_raw", twice)
    receipt = await sender.send([SPLIT], "split", lambda _: None)
    assert receipt.done
    assert len(bench.fake.receipts) == 1


async def test_a_stuck_transaction_is_replaced_under_the_same_nonce_for_more(bench: Bench) -> None:
    bench.fake.least_price = 40 * GWEI
    receipt = await bench.send()
    first, second = bench.fake.handed_in
    assert receipt.done
    assert (first.nonce, second.nonce, first.data) == (4, 4, second.data)
    assert second.price == 45 * GWEI
    assert receipt.transactions[0].hash == second.hash


async def test_what_the_signer_refuses_is_never_sent(bench: Bench) -> None:
    with pytest.raises(WalletError, match=r"not signed, and nothing was sent: the signer refused \(rate\)"):
        await bench.send(signer=RefusingSigner())
    assert bench.fake.handed_in == []
    assert bench.log.kept == {}
    receipt = await bench.send(APPROVE, SPLIT, signer=RefusingSigner(1))
    assert [transaction.state for transaction in receipt.transactions] == [STATES.CONFIRMED, STATES.INVALID]
    assert "not signed" in receipt.transactions[-1].detail


async def test_a_stuck_transaction_whose_replacement_is_not_signed_is_followed_as_it_is(bench: Bench) -> None:
    bench.fake.mines = False
    receipt = await bench.send(signer=RefusingSigner(1))
    assert receipt.state is STATES.UNKNOWN
    assert len({sent.hash for sent in bench.fake.handed_in}) == 1
    assert len(bench.log.kept[ADDRESS].payloads) == 1


async def test_the_version_that_was_mined_counts_even_when_it_was_replaced(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.fake.least_price = 40 * GWEI
    original = bench.fake.eth_sendRawTransaction

    def mine_the_first(request, raw):
        result = original(request, raw)
        if len(bench.fake.handed_in) == 2:
            bench.fake.mine(bench.fake.handed_in[0])
        return result

    monkeypatch.setattr(bench.fake, "eth_sendRawTransaction", mine_the_first)
    receipt = await bench.send()
    assert receipt.done
    assert receipt.transactions[0].hash == bench.fake.handed_in[0].hash


async def test_replacements_stay_within_the_cap_and_are_few_and_the_end_is_unknown(bench: Bench) -> None:
    bench.fake.mines = False
    receipt = await bench.send(max_cost=36 * GWEI * 125_000 * 3 // 2)
    assert receipt.state is STATES.UNKNOWN
    assert {sent.nonce for sent in bench.fake.handed_in} == {4}
    assert len(bench.fake.handed_in) == 1 + MAX_REPLACEMENTS
    assert max(sent.price for sent in bench.fake.handed_in) <= 54 * GWEI
    assert bench.log.kept[ADDRESS].nonce == 4


async def test_an_unknown_end_stops_the_run(bench: Bench) -> None:
    bench.fake.mines = False
    receipt = await bench.send(APPROVE, SPLIT, polls=2)
    assert receipt.state is STATES.UNKNOWN
    assert len(receipt.transactions) == 1


async def test_what_was_remembered_is_found_after_a_crash(bench: Bench) -> None:
    bench.fake.mines = False
    await bench.send(polls=1)
    kept = bench.log.kept[ADDRESS]
    assert (await bench.sender().recover(kept)).state is STATES.UNKNOWN
    bench.fake.mines = True
    found = await bench.sender().recover(kept)
    assert found.state in (STATES.MINED, STATES.CONFIRMED)
    assert (await bench.sender().recover(kept)).state is STATES.CONFIRMED


async def test_a_nonce_used_by_another_transaction_ends_ours(bench: Bench) -> None:
    bench.fake.nonce = 5
    ours = Submission(wallet=ADDRESS, description="split", nonce=4, payloads=("c0",))
    found = await bench.sender().recover(ours)
    assert found.state is STATES.INVALID
    assert "used by another transaction" in found.detail


async def test_a_transaction_mined_between_two_reads_is_not_taken_for_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = bench.fake.eth_getTransactionCount

    def mine_after(request, address, block):
        answer = original(request, address, block)
        for sent in list(bench.fake.waiting.values()):
            bench.fake.mine(sent)
        return answer

    monkeypatch.setattr(bench.fake, "eth_getTransactionCount", mine_after)
    bench.fake.mines = False
    assert (await bench.send()).done


async def test_a_node_that_is_behind_with_its_receipts_is_asked_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, hidden = bench.fake.eth_getTransactionReceipt, [2]

    def late(request, transaction_hash):
        receipt = original(request, transaction_hash)
        if receipt is not None and hidden[0]:
            hidden[0] -= 1
            return None
        return receipt

    monkeypatch.setattr(bench.fake, "eth_getTransactionReceipt", late)
    assert (await bench.send()).done


async def test_a_call_that_cannot_follow_the_ones_before_it_is_told_in_the_receipt(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = bench.fake.mine

    def mine_and_starve(sent) -> None:
        original(sent)
        bench.fake.coins = 0

    monkeypatch.setattr(bench.fake, "mine", mine_and_starve)
    receipt = await bench.send(APPROVE, SPLIT)
    assert [transaction.state for transaction in receipt.transactions] == [STATES.CONFIRMED, STATES.INVALID]
    assert "send POL" in receipt.transactions[-1].detail
