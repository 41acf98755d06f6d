"""What an isolated signer signs and what it refuses, reason by reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.order import OrderSide
from tests.venues.polymarket.isolated_signer.kit import (
    DOLLAR,
    NOW_S,
    SHARE,
    STRANGER,
    TOKEN,
    TRANSFER,
    WALLET,
    call,
    key_request,
    order,
    policy,
    sale,
    wallet_statements,
)
from tests.venues.polymarket.vectors import ADDRESS
from venues.polymarket.contracts import NEG_RISK_EXCHANGE, POSITION_EXCHANGE, STANDARD_EXCHANGE, Exchange
from venues.polymarket.isolated_signer.policy import Charge
from venues.polymarket.isolated_signer.refusal import Code, RefusedError
from venues.polymarket.isolated_signer.wallet_calls import VENUE_CONTRACTS, check_calls
from venues.polymarket.signing import SignatureType
from venues.polymarket.wallet import calls as contract_calls
from venues.polymarket.wallet.contracts import (
    CTF,
    CTF_EXCHANGE,
    NEG_RISK_ADAPTER,
    OFFRAMP,
    ONRAMP,
    POSITION_MANAGER,
    PUSD,
    ROUTER,
    USDC_E,
)
from venues.polymarket.wallet.statements import ProxyBatch, SignedCall, signed_calls

EVERYTHING = frozenset(VENUE_CONTRACTS)


def refusal(statement: Any, **changes: Any) -> Code:
    with pytest.raises(RefusedError) as caught:
        policy(**changes).judge(statement, NOW_S)
    return caught.value.code


def test_a_buy_counts_what_it_pays_with_the_most_of_fees_and_a_sale_counts_its_shares():
    assert policy().judge(order(), NOW_S) == Charge(notional=5 * DOLLAR + DOLLAR // 2)
    assert policy().judge(order(maker_amount=5_000_001), NOW_S) == Charge(notional=5_500_002)
    assert policy().judge(sale(10 * SHARE, 5 * DOLLAR), NOW_S) == Charge(shares=10 * SHARE)


@pytest.mark.parametrize(
    ("exchange", "token"), [(NEG_RISK_EXCHANGE, TOKEN), (STANDARD_EXCHANGE, TOKEN), (POSITION_EXCHANGE, 7 << 104 | 1)]
)
def test_orders_for_each_exchange_of_the_venue_are_signed(exchange, token):
    assert policy().judge(order(exchange=exchange, token_id=token), NOW_S).notional


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (order(chain_id=80002), Code.CHAIN),
        (order(exchange=Exchange(STRANGER, "2")), Code.EXCHANGE),
        (order(exchange=Exchange(STANDARD_EXCHANGE.address, "1")), Code.EXCHANGE),
        (order(exchange=POSITION_EXCHANGE), Code.EXCHANGE),
        (order(token_id=7 << 104 | 1), Code.EXCHANGE),
        (order(token_id=0), Code.EXCHANGE),
        (order(token_id=-TOKEN), Code.EXCHANGE),
        (order(maker=STRANGER), Code.WALLET),
        (order(signer=STRANGER), Code.SIGNER),
        (order(signature_type=SignatureType.POLY_GNOSIS_SAFE), Code.SIGNATURE_TYPE),
        (order(metadata=b"\x01" * 32), Code.METADATA),
        (order(builder=b"\x01" * 32), Code.BUILDER),
        (order(maker_amount=0), Code.AMOUNTS),
        (order(taker_amount=-1), Code.AMOUNTS),
        (order(taker_amount=1 << 256), Code.AMOUNTS),
        (order(maker_amount=10 * SHARE), Code.PRICE),
        (order(maker_amount=9_900_000), Code.PRICE),
        (sale(10 * SHARE, 10 * SHARE), Code.PRICE),
        (sale(100 * SHARE, DOLLAR - 1), Code.PRICE),
        (order(maker_amount=50 * DOLLAR + 1, taker_amount=100 * SHARE), Code.ORDER_NOTIONAL),
        (sale(500 * SHARE + 1, 300 * DOLLAR), Code.ORDER_SHARES),
        (key_request(chain_id=1), Code.CHAIN),
        (key_request(address=STRANGER), Code.SIGNER),
        (key_request(timestamp=NOW_S + 61), Code.TIME),
        (key_request(timestamp=NOW_S - 61), Code.TIME),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_reason(statement, code):
    assert refusal(statement) is code


@pytest.mark.parametrize(
    "statement",
    [
        order(maker_amount=9_800_000),
        order(maker_amount=50 * DOLLAR, taker_amount=100 * SHARE),
        sale(100 * SHARE, DOLLAR),
        sale(500 * SHARE, 300 * DOLLAR),
        key_request(timestamp=NOW_S + 60),
        key_request(address=ADDRESS.lower(), nonce=5),
    ],
)
def test_the_limits_themselves_are_allowed(statement):
    policy().judge(statement, NOW_S)


def test_the_configured_builder_is_credited_and_no_other():
    ours = b"\x07" * 32
    assert policy(builder=ours).judge(order(builder=ours), NOW_S).notional
    assert policy(builder=ours).judge(order(), NOW_S).notional


def test_a_deposit_wallet_is_its_own_signer_and_other_wallets_have_the_keys():
    deposit = {"wallet": WALLET, "signature_type": SignatureType.POLY_1271}
    assert (
        policy(**deposit)
        .judge(order(maker=WALLET, signer=WALLET, signature_type=SignatureType.POLY_1271), NOW_S)
        .notional
    )
    assert refusal(order(maker=WALLET, signature_type=SignatureType.POLY_1271), **deposit) is Code.SIGNER
    safe = {"wallet": WALLET, "signature_type": SignatureType.POLY_GNOSIS_SAFE}
    assert policy(**safe).judge(order(maker=WALLET, signature_type=SignatureType.POLY_GNOSIS_SAFE), NOW_S).notional
    assert refusal(order(signature_type=SignatureType.POLY_GNOSIS_SAFE), **safe) is Code.WALLET


@given(st.sampled_from(OrderSide), st.integers(-(1 << 257), 1 << 257), st.integers(-(1 << 257), 1 << 257))
def test_no_amounts_pass_that_could_lose_more_than_an_order_may(side, maker, taker):
    try:
        charge = policy().judge(order(side=side, maker_amount=maker, taker_amount=taker), NOW_S)
    except RefusedError:
        return
    cash, shares = (maker, taker) if side is OrderSide.BUY else (taker, maker)
    assert 0 < cash < shares
    assert charge == (Charge(notional=cash + -(-cash // 10)) if side is OrderSide.BUY else Charge(shares=shares))
    assert charge.notional <= 55 * DOLLAR if side is OrderSide.BUY else shares <= 500 * SHARE


@pytest.mark.parametrize("kind", SignatureType)
def test_no_operation_of_a_wallet_is_signed_unless_its_contract_is_named(kind):
    wallet = ADDRESS if kind is SignatureType.EOA else WALLET
    account = {"wallet": wallet, "signature_type": kind}
    statement = wallet_statements(wallet, call())[kind]
    assert refusal(statement, **account) is Code.WALLET_OPERATIONS
    assert refusal(statement, wallet_contracts=frozenset({CTF.address.lower()}), **account) is Code.CONTRACT
    named = policy(wallet_contracts=frozenset({PUSD.address.lower()}), **account)
    assert named.judge(statement, NOW_S) == Charge()


@pytest.mark.parametrize("kind", SignatureType)
def test_an_operation_of_another_kind_or_wallet_is_refused(kind):
    wallet = ADDRESS if kind is SignatureType.EOA else WALLET
    own = {"wallet": wallet, "signature_type": kind, "wallet_contracts": EVERYTHING}
    for other, statement in wallet_statements(wallet, call()).items():
        if other is not kind:
            assert refusal(statement, **own) is Code.SIGNATURE_TYPE
    if kind in (SignatureType.POLY_1271, SignatureType.POLY_GNOSIS_SAFE):
        assert refusal(wallet_statements(STRANGER, call())[kind], **own) is Code.WALLET
    if kind is SignatureType.POLY_PROXY:
        assert refusal(ProxyBatch(STRANGER, 1, (call(),), 200_000, STRANGER), **own) is Code.SIGNER


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (call(target=STRANGER), Code.CONTRACT),
        (call(TRANSFER + bytes(12) + bytes.fromhex(STRANGER[2:]) + b"\xff" * 32), Code.FUNCTION),
        (call(b""), Code.FUNCTION),
        (call(to=STRANGER), Code.ARGUMENT),
        (call(call().data[:30]), Code.ARGUMENT),
        (call(call().data[:4] + b"\x01" + call().data[5:]), Code.ARGUMENT),
        (SignedCall(ONRAMP.address, contract_calls.wrap(USDC_E, STRANGER, 1).data), Code.ARGUMENT),
    ],
)
def test_a_call_that_could_give_money_away_is_refused_even_beside_good_ones(bad, code):
    account = {"wallet": WALLET, "signature_type": SignatureType.POLY_1271, "wallet_contracts": EVERYTHING}
    assert refusal(wallet_statements(WALLET, call(), bad)[SignatureType.POLY_1271], **account) is code


def test_a_batch_without_calls_or_with_far_too_many_is_refused():
    for calls in ((), (call(),) * 33):
        with pytest.raises(RefusedError) as caught:
            check_calls(calls, EVERYTHING, WALLET)
        assert caught.value.code is Code.CONTRACT


def test_a_transaction_may_not_burn_more_gas_than_allowed():
    statement = wallet_statements(ADDRESS, call())[SignatureType.EOA]
    changes = {"wallet_contracts": EVERYTHING, "max_gas_cost": 30 * 10**9 * 100_000}
    policy(**changes).judge(statement, NOW_S)
    assert refusal(statement, **(changes | {"max_gas_cost": changes["max_gas_cost"] - 1})) is Code.GAS


def test_every_call_that_the_wallet_makes_is_one_that_a_signer_can_allow():
    condition = "0x" + "ab" * 32
    made = [
        contract_calls.approve(PUSD, CTF_EXCHANGE),
        contract_calls.approve_all(CTF, CTF_EXCHANGE),
        contract_calls.approve_all(POSITION_MANAGER, ROUTER),
        contract_calls.split(condition, 1, neg_risk=False),
        contract_calls.merge(condition, 1, neg_risk=True),
        contract_calls.redeem(condition, neg_risk=True),
        contract_calls.convert(condition, 3, 1),
        contract_calls.router_split(b"\x01" * 31, 1),
        contract_calls.router_merge(b"\x01" * 31, 1),
        contract_calls.router_redeem(b"\x01" * 31, 0, 1),
        contract_calls.wrap(USDC_E, WALLET, 1),
        contract_calls.unwrap(USDC_E, WALLET, 1),
    ]
    named = frozenset(
        each.address.lower() for each in (PUSD, CTF, POSITION_MANAGER, NEG_RISK_ADAPTER, ROUTER, ONRAMP, OFFRAMP)
    ) | {contract_calls.adapter_of(neg_risk=False).address.lower()}
    check_calls(signed_calls(made), named, WALLET)


def test_every_kind_of_call_the_wallet_can_make_is_in_the_test_above():
    builders = {
        name
        for name, value in vars(contract_calls).items()
        if callable(value) and getattr(value, "__annotations__", {}).get("return") == "ContractCall"
    }
    assert builders - {"_call", "_positions_call", "_router_call", "_ramp_call"} == {
        "approve", "approve_all", "split", "merge", "redeem", "convert", "router_split", "router_merge", "router_redeem", "wrap", "unwrap"
    }  # fmt: skip
