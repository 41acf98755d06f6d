"""Through the relayer: every kind of wallet signs what the relayer checks, nothing is carried out twice, and what is not known is said."""

from dataclasses import replace

import pytest

from domain.errors import VenueError, WalletError
from domain.wallet import TransactionState
from infra.clock import SystemClock
from tests.venues.polymarket.pacing import Unpaced
from tests.venues.polymarket.refusing_signer import RefusingSigner
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY, VECTORS
from tests.venues.polymarket.wallet.fake_relayer import HAPPY, SECRET, FakeRelayer, fake_relayer
from tests.venues.polymarket.wallet.memory_log import MemoryLog
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.signer import LocalSigner
from venues.polymarket.signing import SignatureType
from venues.polymarket.wallet import calls
from venues.polymarket.wallet.contracts import CTF_EXCHANGE, PUSD, SAFE_MULTISEND
from venues.polymarket.wallet.relayed import MAX_SUBMITS, RelayedSender
from venues.polymarket.wallet.relayer import BuilderKey, PlainRelayerKey, RelayerClient

WALLETS = VECTORS["derived_wallets"]
WALLET = WALLETS["deposit_wallet_beacon"]
APPROVE = calls.approve(PUSD, CTF_EXCHANGE)
SPLIT = calls.split("0x" + "ab" * 32, 5_000_000, neg_risk=False)
BUILDER = BuilderKey(ApiCredentials(ADDRESS, "builder-key", SECRET, "phrase"))
STATES = TransactionState


class Bench:
    """A sender against a fake relayer."""

    def __init__(self, relayer: FakeRelayer, session) -> None:
        self.relayer = relayer
        self._session = session
        self.log = MemoryLog()
        self.heard: list[TransactionState] = []

    def sender(self, kind=SignatureType.POLY_1271, wallet=WALLET, key=BUILDER, polls=20, signer=None) -> RelayedSender:
        clock = SystemClock()

        async def estimate(sender: str, target: str, data: bytes) -> int:
            raise VenueError("no node here")

        return RelayedSender(
            RelayerClient(self.relayer.url, self._session, Unpaced(), key, clock),
            signer or LocalSigner(PRIVATE_KEY),
            wallet,
            kind,
            chain_id=137,
            clock=clock,
            log=self.log,
            estimate=estimate,
            poll_seconds=0.0,
            max_polls=polls,
        )

    async def send(self, *sent, **named):
        return await self.sender(**named).send(sent or (SPLIT,), "split", self._hear)

    def _hear(self, receipt) -> None:
        self.heard.append(receipt.state)


@pytest.fixture
async def bench():
    async with fake_relayer() as (relayer, session):
        yield Bench(relayer, session)


@pytest.mark.protocol("2.4", "8.1", "8.2")
async def test_a_deposit_wallets_batch_is_followed_to_its_confirmation(bench: Bench) -> None:
    receipt = await bench.send(APPROVE, SPLIT)
    assert receipt.done
    assert (receipt.transactions[0].id, receipt.transactions[0].hash) == ("tx-1", "0x" + "77" * 32)
    assert bench.heard == [STATES.NEW, STATES.EXECUTED, STATES.MINED, STATES.CONFIRMED]
    (body,) = bench.relayer.executed
    assert body["depositWalletParams"]["depositWallet"] == WALLET
    assert [call["data"] for call in body["depositWalletParams"]["calls"]] == [
        "0x" + APPROVE.data.hex(),
        "0x" + SPLIT.data.hex(),
    ]
    assert bench.log.kept == {}


@pytest.mark.protocol("8.2")
@pytest.mark.parametrize(
    ("sent", "to", "operation"), [([SPLIT], SPLIT.target, "0"), ([APPROVE, SPLIT], SAFE_MULTISEND.address, "1")]
)
async def test_a_safe_sends_one_call_itself_and_several_through_multisend(bench: Bench, sent, to, operation) -> None:
    receipt = await bench.send(*sent, kind=SignatureType.POLY_GNOSIS_SAFE, wallet=WALLETS["safe"])
    (body,) = bench.relayer.executed
    assert receipt.done
    assert (body["type"], body["to"], body["signatureParams"]["operation"]) == ("SAFE", to, operation)


@pytest.mark.protocol("8.2")
async def test_a_proxys_call_names_relay_and_gas(bench: Bench) -> None:
    receipt = await bench.send(APPROVE, SPLIT, kind=SignatureType.POLY_PROXY, wallet=WALLETS["proxy"])
    (body,) = bench.relayer.executed
    assert receipt.done
    assert (body["type"], body["proxyWallet"], body["signatureParams"]["gasLimit"]) == (
        "PROXY",
        WALLETS["proxy"],
        "400000",
    )


@pytest.mark.protocol("8.2")
async def test_a_deposit_wallet_that_does_not_exist_yet_is_created_first(bench: Bench) -> None:
    bench.relayer.deployed_after = 1
    receipt = await bench.send()
    assert receipt.done
    assert [body["from"] for body in bench.relayer.created] == [ADDRESS]


async def test_other_wallets_that_do_not_exist_are_refused_with_the_fix(bench: Bench) -> None:
    bench.relayer.deployed_after = 1
    with pytest.raises(WalletError, match="does not exist on the chain yet: log in to the venue once"):
        await bench.send(kind=SignatureType.POLY_GNOSIS_SAFE, wallet=WALLETS["safe"])
    assert bench.relayer.created == bench.relayer.submitted == []


@pytest.mark.protocol("8.1")
async def test_a_plain_relayer_key_works_as_well_as_a_builders(bench: Bench) -> None:
    assert (await bench.send(key=PlainRelayerKey("relayer-key", ADDRESS))).done


async def test_without_a_key_nothing_is_sent_and_the_settings_are_named(bench: Bench) -> None:
    with pytest.raises(VenueError, match="POLYBOT_POLYMARKET__BUILDER_KEY"):
        await bench.send(key=None)
    assert bench.relayer.submitted == bench.log.saved == []


@pytest.mark.protocol("8.1")
async def test_a_nonce_behind_the_chains_is_signed_again_with_the_chains(bench: Bench) -> None:
    bench.relayer.stale = 3  # the read of the nonce lags two transactions behind
    bench.relayer.nonce = 5
    receipt = await bench.send()
    assert receipt.done
    assert [body["nonce"] for body in bench.relayer.submitted] == ["3", "5"]
    assert len(bench.relayer.executed) == 1


async def test_a_nonce_ahead_of_the_chains_is_refused_and_not_lowered(bench: Bench) -> None:
    bench.relayer.stale = 9
    with pytest.raises(WalletError, match="batch nonce 9 does not match on-chain nonce 3"):
        await bench.send()
    assert len(bench.relayer.submitted) == 1


@pytest.mark.protocol("8.1")
@pytest.mark.parametrize(
    "refusal",
    [(400, "wallet busy: active action 17"), (400, "wallet has in-flight action"), (429, "Too Many Requests")],
)
async def test_what_passes_by_itself_is_tried_again_with_the_same_bytes(bench: Bench, refusal) -> None:
    bench.relayer.faults = [refusal, refusal]
    receipt = await bench.send()
    assert receipt.done
    assert len(bench.relayer.submitted) == 3
    assert len({body["signature"] for body in bench.relayer.submitted}) == 1


async def test_a_wallet_that_stays_busy_is_given_up_and_nothing_was_sent(bench: Bench) -> None:
    bench.relayer.faults = [(400, "wallet busy: active action 17")] * (MAX_SUBMITS + 5)
    with pytest.raises(WalletError, match=r"under way .* nothing was sent"):
        await bench.send()
    assert len(bench.relayer.submitted) == MAX_SUBMITS
    assert bench.log.kept == {}


@pytest.mark.protocol("8.1", "9.6")
async def test_a_blocked_call_is_an_error_for_the_operator_and_is_not_repeated(bench: Bench) -> None:
    bench.relayer.faults = [(400, "call blocked: target not allowed")]
    with pytest.raises(WalletError, match=r"blocks this call .*contract list"):
        await bench.send()
    assert len(bench.relayer.submitted) == 1
    assert bench.log.kept == {}


@pytest.mark.parametrize("fault", ["lost", "broken"])
async def test_an_unanswered_submission_that_was_taken_is_found_and_followed_not_sent_again(
    bench: Bench, fault
) -> None:
    bench.relayer.faults = [fault]
    receipt = await bench.send()
    assert receipt.done
    assert receipt.transactions[0].id == "tx-1"
    assert len(bench.relayer.submitted) == len(bench.relayer.executed) == 1


async def test_an_unanswered_submission_that_was_not_taken_is_submitted_again_as_it_was(bench: Bench) -> None:
    bench.relayer.faults = ["gone", "gone"]
    receipt = await bench.send()
    assert receipt.done
    assert len(bench.relayer.executed) == 1
    assert len({body["signature"] for body in bench.relayer.submitted}) == 1


async def test_a_nonce_that_moved_on_after_an_unanswered_submission_is_never_signed_anew(bench: Bench) -> None:
    bench.relayer.faults = ["lost"]
    bench.relayer.hides = True
    receipt = await bench.send()
    assert receipt.state is STATES.UNKNOWN
    assert len(bench.relayer.executed) == 1
    assert {body["nonce"] for body in bench.relayer.submitted} == {"3"}
    assert bench.log.kept[WALLET].nonce == 3


async def test_what_was_left_unknown_is_found_later_by_its_signature(bench: Bench) -> None:
    bench.relayer.faults = ["lost"]
    bench.relayer.hides = True
    await bench.send()
    bench.relayer.hides = False
    found = await bench.sender().recover(bench.log.kept[WALLET])
    assert (found.id, found.state) == ("tx-1", STATES.NEW)


async def test_a_batch_nobody_took_is_over_when_its_deadline_has_passed(bench: Bench) -> None:
    bench.relayer.faults = ["gone"] * MAX_SUBMITS
    receipt = await bench.send()
    assert receipt.state is STATES.UNKNOWN
    kept = bench.log.kept[WALLET]
    assert (await bench.sender().recover(kept)).state is STATES.UNKNOWN
    over = await bench.sender().recover(replace(kept, expires_s=1_700_000_000))
    assert over.state is STATES.INVALID


async def test_of_bytes_that_were_taken_twice_the_one_that_was_carried_out_counts(bench: Bench) -> None:
    bench.relayer.faults = ["lost", "twice"]
    bench.relayer.hides = True
    bench.relayer.hides_for = 1
    receipt = await bench.send()
    assert receipt.done
    assert receipt.transactions[0].id == "tx-1"
    assert len(bench.relayer.executed) == 1
    assert len(bench.relayer.submitted) == 2


async def test_a_crash_between_bytes_taken_twice_forgets_neither_of_them(bench: Bench) -> None:
    bench.relayer.faults = ["lost", "twice"]
    bench.relayer.hides = True
    bench.relayer.hides_for = 1
    bench.relayer.script = ("STATE_NEW", "STATE_EXECUTED")
    await bench.send(polls=0)
    kept = bench.log.kept[WALLET]
    assert kept.transaction_id == "tx-2", "the copy that the chain refuses"
    found = await bench.sender().recover(kept)
    assert (found.id, found.state) == ("tx-1", STATES.NEW)
    bench.relayer.script = HAPPY
    bench.relayer.rows[0]["state"] = "STATE_CONFIRMED"
    assert (await bench.sender().recover(kept)).state is STATES.CONFIRMED


@pytest.mark.parametrize("status", [408, 425])
async def test_an_answer_that_is_no_refusal_leaves_the_submission_open(bench: Bench, status: int) -> None:
    bench.relayer.faults = [(status, "try later")] * MAX_SUBMITS
    receipt = await bench.send()
    assert receipt.state is STATES.UNKNOWN
    assert bench.log.kept[WALLET].nonce == 3


@pytest.mark.protocol("8.1")
@pytest.mark.parametrize("end", ["STATE_FAILED", "STATE_INVALID"])
async def test_a_transaction_that_fails_is_a_receipt_that_says_so_and_why(bench: Bench, end) -> None:
    bench.relayer.script = ("STATE_NEW", "STATE_EXECUTED", end)
    receipt = await bench.send()
    assert receipt.state is STATES(end.removeprefix("STATE_").lower())
    assert receipt.transactions[0].detail == "execution reverted"
    assert bench.log.kept == {}


async def test_a_transaction_that_never_ends_is_unknown_after_a_bounded_wait_and_remembered(bench: Bench) -> None:
    bench.relayer.script = ("STATE_NEW", "STATE_EXECUTED")
    receipt = await bench.send(polls=5)
    assert receipt.state is STATES.UNKNOWN
    assert receipt.transactions[0].id == "tx-1"
    assert bench.log.kept[WALLET].transaction_id == "tx-1"
    assert bench.relayer.rows[0]["looks"] == 5


async def test_every_submission_is_remembered_before_it_leaves(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    remembered: list[str] = []
    real = bench.relayer._take

    def take(body):
        remembered.append(bench.log.kept[WALLET].payloads[-1])
        return real(body)

    monkeypatch.setattr(bench.relayer, "_take", take)
    await bench.send()
    (payload,) = remembered
    assert bench.relayer.executed[0]["signature"].encode() in bytes.fromhex(payload)


async def test_a_state_nobody_documents_is_an_error_that_names_it(bench: Bench) -> None:
    bench.relayer.script = ("STATE_NEW", "STATE_ODD")
    receipt = await bench.send(polls=3)
    assert receipt.state is STATES.UNKNOWN
    assert "STATE_ODD" in receipt.transactions[0].detail


@pytest.mark.parametrize("kind", [SignatureType.POLY_PROXY, SignatureType.POLY_GNOSIS_SAFE, SignatureType.POLY_1271])
async def test_what_the_signer_refuses_is_never_submitted(bench: Bench, kind) -> None:
    with pytest.raises(WalletError, match=r"not signed, and nothing was sent: the signer refused \(rate\)"):
        await bench.send(kind=kind, signer=RefusingSigner())
    assert bench.relayer.executed == []
    assert bench.log.kept == {}
