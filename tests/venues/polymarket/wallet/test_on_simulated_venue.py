"""The wallet against the simulated venue's relayer, node and catalogue, which share no code with it: every operation, for every kind of wallet."""

import asyncio
import dataclasses
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from domain.errors import WalletError
from domain.market import Market
from domain.money import MICRO
from domain.wallet import Approve, Convert, Merge, Redeem, Split, TransactionState, Unwrap, Wrap
from tests.venues.polymarket.pacing import alone
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY, VECTORS
from tests.venues.polymarket.wallet.memory_log import MemoryLog
from tests.venues.simulator.kit import RunningVenue, running_venue, trader
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.signer import LocalSigner
from venues.polymarket.signing import SignatureType
from venues.polymarket.wallet.contracts import CTF_EXCHANGE, PUSD, USDC_E
from venues.polymarket.wallet.opening import OpenWallet, open_wallet
from venues.polymarket.wallet.relayer import PlainRelayerKey

WALLETS = VECTORS["derived_wallets"]
FUNDERS = {
    SignatureType.EOA: "",
    SignatureType.POLY_PROXY: WALLETS["proxy"],
    SignatureType.POLY_GNOSIS_SAFE: WALLETS["safe"],
    SignatureType.POLY_1271: WALLETS["deposit_wallet_beacon"],
}
KINDS = list(SignatureType)
POL = 10**18


@pytest.fixture
async def venue(warm_folder: Path, tmp_path: Path) -> AsyncIterator[RunningVenue]:
    async with running_venue(Path(shutil.copytree(warm_folder, tmp_path / "venue"))) as running:
        ticking = asyncio.create_task(_let_time_pass(running))
        yield running
        ticking.cancel()


async def _let_time_pass(venue: RunningVenue) -> None:
    while True:
        await asyncio.sleep(0.02)
        venue.pass_time(2.0, step=2.0)


@asynccontextmanager
async def wallet_of(
    venue: RunningVenue, kind: SignatureType, *, dollars: str = "1000", account: str = "sim:test", **funding: Any
) -> AsyncIterator[OpenWallet]:
    address = FUNDERS[kind] or ADDRESS
    owner = {} if kind is SignatureType.EOA else {"owner": ADDRESS, "signature_type": int(kind)}
    status, answer = await venue.fund(address, dollars, **owner, **funding)
    assert status == 200, answer
    _, key = await venue.post("/admin/relayer-key", {"address": ADDRESS})
    config = PolymarketConfig(
        account=account,
        venue="simulator",
        clob_url=venue.url,
        gamma_url=venue.url + "/gamma",
        relayer_url=venue.url + "/relayer",
        rpc_url=venue.url + "/rpc",
        signature_type=kind,
        funder=FUNDERS[kind],
    )
    opened = await open_wallet(
        config,
        LocalSigner(PRIVATE_KEY),
        PlainRelayerKey(key["key"], key["address"]),
        clock=venue.clock,
        budgets=alone(),
        log=MemoryLog(),
        max_gas_cost=POL,
        poll_seconds=0.02,
    )
    try:
        yield opened
    finally:
        await opened.close()


async def perform(opened: OpenWallet, operation):
    plan = await opened.operations.plan(operation)
    return await opened.operations.perform(plan, lambda _: None)


async def a_market(venue: RunningVenue, opened: OpenWallet, **wanted: Any) -> Market:
    listed = await venue.some_market(**wanted)
    market = await opened.catalog.market(listed["conditionId"])
    assert market is not None
    return market


async def held(opened: OpenWallet, market: Market) -> tuple[int, int, int]:
    """Return collateral and the shares of both outcomes, on the chain."""
    status = await opened.operations.status()
    shares = await opened.operations._chain.shares(market.token_ids)
    yes, no = (shares[token] for token in market.token_ids)
    return (status.cash, yes, no)


@pytest.mark.protocol("8.3")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_a_split_and_a_merge_move_exactly_their_amount(venue: RunningVenue, kind: SignatureType) -> None:
    async with wallet_of(venue, kind) as opened:
        market = await a_market(venue, opened)
        assert (await perform(opened, Split(market=market, amount=10_500_000))).done
        assert await held(opened, market) == (989_500_000, 10_500_000, 10_500_000)
        assert (await perform(opened, Merge(market=market, amount=4_000_000))).done
        assert await held(opened, market) == (993_500_000, 6_500_000, 6_500_000)


async def test_what_every_operation_needs_is_checked_before_anything_is_sent(venue: RunningVenue) -> None:
    async with wallet_of(venue, SignatureType.EOA, dollars="5") as opened:
        market = await a_market(venue, opened)
        plan = opened.operations.plan
        for operation, told in (
            (Split(market=market, amount=6 * MICRO), r"holds \$5 of pUSD, \$0 of it for open orders; \$6 are needed"),
            (Merge(market=market, amount=MICRO), "holds 0 Yes shares of"),
            (Redeem(market=market), "is not resolved yet"),
            (Unwrap(amount=6 * MICRO), r"\$6 are needed"),
            (Wrap(amount=MICRO), r"holds \$0 of USDC.e, \$1 are needed"),
            (Split(market=market, amount=0), "expected more than 0"),
            (Convert(markets=(market,), amount=MICRO), "only NO shares of one exclusive event"),
        ):
            with pytest.raises(WalletError, match=told):
                await plan(operation)


async def test_shares_and_cash_of_open_orders_are_not_taken(venue: RunningVenue) -> None:
    client = await trader(venue, int(PRIVATE_KEY, 16), "0.01")
    async with wallet_of(venue, SignatureType.EOA, dollars="10") as opened:
        listed = await venue.some_market(room=True)
        market = await opened.catalog.market(listed["conditionId"])
        assert (await perform(opened, Split(market=market, amount=5 * MICRO))).done
        status, answer = await client.place(listed, "BUY", "0.02", "100")
        assert (status, answer["status"]) == (200, "live")
        status, answer = await client.place(listed, "SELL", "0.98", "5")
        assert (status, answer["status"]) == (200, "live")
        with pytest.raises(WalletError, match=r"\$2 of it for open orders"):
            await opened.operations.plan(Split(market=market, amount=4 * MICRO))
        with pytest.raises(WalletError, match="5 of them for open orders"):
            await opened.operations.plan(Merge(market=market, amount=MICRO))


@pytest.mark.protocol("1.2", "9.8")
@pytest.mark.parametrize("kind", [SignatureType.POLY_GNOSIS_SAFE, SignatureType.POLY_1271], ids=lambda kind: kind.name)
async def test_pitfall_8_a_missing_allowance_is_named_granted_and_the_venue_is_told(
    venue: RunningVenue, kind: SignatureType
) -> None:
    async with wallet_of(venue, kind, approved=False) as opened:
        status = await opened.operations.status()
        assert len(status.missing) == len(status.approvals) == 16
        assert (status.missing[0].token, status.missing[0].spender) == (PUSD.name, CTF_EXCHANGE.name)
        market = await a_market(venue, opened)
        with pytest.raises(
            WalletError, match=r"CTF Collateral Adapter may not take .* pUSD yet: run `manage.py wallet approve`"
        ):
            await opened.operations.plan(Split(market=market, amount=MICRO))
        assert (await perform(opened, Approve())).done
        status = await opened.operations.status()
        assert status.missing == ()
        now_ns = venue.venue.now_ns()
        shown = venue.venue.world.approvals.shown(status.wallet, "collateral", CTF_EXCHANGE.address, now_ns)
        assert shown > 0, "the gateway still believes what it read before"
        assert (await opened.operations.plan(Approve())).calls == ()


@pytest.mark.protocol("8.3")
@pytest.mark.parametrize("kind", [SignatureType.EOA, SignatureType.POLY_GNOSIS_SAFE], ids=lambda kind: kind.name)
async def test_a_conversion_turns_no_shares_into_the_other_questions_yes(
    venue: RunningVenue, kind: SignatureType
) -> None:
    async with wallet_of(venue, kind) as opened:
        first = await a_market(venue, opened, neg_risk=True)
        markets, _ = await opened.catalog.markets()
        family = [market for market in markets if market.group_id == first.group_id]
        given = family[:2]
        for market in given:
            assert (await perform(opened, Split(market=market, amount=10 * MICRO))).done
        plan = await opened.operations.plan(Convert(markets=tuple(given), amount=10 * MICRO))
        assert len(plan.gives) == 2
        assert (plan.gets[-1].asset, plan.gets[-1].micros) == (PUSD.name, 10 * MICRO)
        before = (await opened.operations.status()).cash
        assert (await opened.operations.perform(plan, lambda _: None)).done
        assert (await opened.operations.status()).cash == before + 10 * MICRO
        shares = await opened.operations._chain.shares([token for market in family for token in market.token_ids])
        assert [shares[market.token_ids[1]] for market in given] == [0, 0]
        assert {shares[market.token_ids[0]] for market in family} == {10 * MICRO}


@pytest.mark.protocol("8.3")
async def test_unwrapped_collateral_can_be_wrapped_again(venue: RunningVenue) -> None:
    async with wallet_of(venue, SignatureType.EOA) as opened:
        assert (await perform(opened, Unwrap(amount=30 * MICRO))).done
        status = await opened.operations.status()
        assert (status.cash, status.plain) == (970 * MICRO, 30 * MICRO)
        plan = await opened.operations.plan(Wrap(amount=30 * MICRO))
        assert {call.contract for call in plan.calls} <= {USDC_E.name, "Collateral Onramp"}
        assert (await opened.operations.perform(plan, lambda _: None)).done
        assert (await opened.operations.status()).cash == 1_000 * MICRO


async def test_a_real_plain_wallet_is_told_of_its_keys_deposit_wallet(venue: RunningVenue) -> None:
    async with wallet_of(venue, SignatureType.EOA, account="live:test") as opened:
        (warning,) = (await opened.operations.status()).warnings
        assert "maker address not allowed" in warning
        assert FUNDERS[SignatureType.POLY_1271] in warning
    async with wallet_of(venue, SignatureType.EOA) as opened:
        assert (await opened.operations.status()).warnings == ()


async def test_a_transaction_that_reverts_is_a_failed_receipt_and_moves_nothing(venue: RunningVenue) -> None:
    async with wallet_of(venue, SignatureType.POLY_1271) as opened:
        market = await a_market(venue, opened)
        plan = await opened.operations.plan(Split(market=market, amount=600 * MICRO))
        assert (await perform(opened, Split(market=market, amount=600 * MICRO))).done
        receipt = await opened.operations.perform(plan, lambda _: None)
        assert receipt.state is TransactionState.FAILED
        assert "revert" in receipt.transactions[0].detail
        assert await held(opened, market) == (400 * MICRO, 600 * MICRO, 600 * MICRO)


async def test_an_operation_left_open_by_a_crash_is_told_and_never_repeated(venue: RunningVenue) -> None:
    async with wallet_of(venue, SignatureType.POLY_1271) as opened:
        market = await a_market(venue, opened)
        operations = opened.operations
        log = operations._log
        assert isinstance(log, MemoryLog)
        plan = await operations.plan(Split(market=market, amount=10 * MICRO))
        await operations.perform(plan, lambda _: None)
        log.save(log.saved[-1])  # as if the process had died before the end was seen
        with pytest.raises(
            WalletError, match=r"has ended meanwhile \(split 10 of .*: confirmed, 0x.*nothing new was sent"
        ):
            await operations.perform(plan, lambda _: None)
        assert (await held(opened, market))[1] == 10 * MICRO
        assert (await operations.perform(plan, lambda _: None)).done
        log.save(dataclasses.replace(log.saved[0], nonce=99, transaction_id=""))
        with pytest.raises(WalletError, match="has not ended yet"):
            await operations.perform(plan, lambda _: None)
        assert (await held(opened, market))[1] == 20 * MICRO


@pytest.mark.protocol("6.4", "8.3")
async def test_a_resolved_markets_shares_are_redeemed_for_what_they_pay(venue: RunningVenue) -> None:
    async with wallet_of(venue, SignatureType.POLY_1271, approved=False) as opened:
        everything = await opened.operations.plan(Approve())
        # A wallet that lets the venue redeem by itself is paid before it asks.
        by_hand = [call for call in everything.calls if "Auto-redeem" not in call.arguments[0][1]]
        assert len(by_hand) == len(everything.calls) - 2
        plan = dataclasses.replace(everything, calls=tuple(by_hand))
        assert (await opened.operations.perform(plan, lambda _: None)).done
        market = await a_market(venue, opened)
        assert (await perform(opened, Split(market=market, amount=10 * MICRO))).done
        status, _ = await venue.post("/admin/resolve", {"condition_id": market.condition_id})
        assert status == 200
        resolved = await opened.catalog.market(market.condition_id)
        plan = await opened.operations.plan(Redeem(market=resolved))
        assert sum(amount.micros for amount in plan.gets) == 10 * MICRO
        assert (await opened.operations.perform(plan, lambda _: None)).done
        assert await held(opened, market) == (1_000 * MICRO, 0, 0)
        with pytest.raises(WalletError, match="nothing to redeem, or it was redeemed"):
            await opened.operations.plan(Redeem(market=resolved))
