"""Call data: functions by their published selectors, arguments where the contracts expect them, and batches that carry calls unchanged."""

import pytest
from eth_abi.abi import decode

from domain.wallet import ContractCall
from tests.venues.polymarket.vectors import ADDRESS, VECTORS
from venues.polymarket.wallet import calls
from venues.polymarket.wallet.approvals import REQUIRED, Permission
from venues.polymarket.wallet.contracts import (
    CTF,
    CTF_ADAPTER,
    CTF_EXCHANGE,
    NEG_RISK_ADAPTER,
    OFFRAMP,
    ONRAMP,
    PUSD,
    ROUTER,
    USDC_E,
    Contract,
)

CONDITION = "0x" + "ab" * 32
SHORT_CONDITION = b"\x01" + b"\xcd" * 30
POSITIONS = ["address", "bytes32", "bytes32", "uint256[]"]


@pytest.mark.protocol("8.3")
@pytest.mark.parametrize(
    ("call", "selector", "target", "types", "values"),
    [
        (
            calls.split(CONDITION, 7, neg_risk=False),
            "72ce4275",
            CTF_ADAPTER,
            [*POSITIONS, "uint256"],
            (PUSD.address.lower(), bytes(32), bytes.fromhex("ab" * 32), (1, 2), 7),
        ),
        (
            calls.merge(CONDITION, 7, neg_risk=True),
            "9e7212ad",
            NEG_RISK_ADAPTER,
            [*POSITIONS, "uint256"],
            (PUSD.address.lower(), bytes(32), bytes.fromhex("ab" * 32), (1, 2), 7),
        ),
        (
            calls.redeem(CONDITION, neg_risk=False),
            "01b7037c",
            CTF_ADAPTER,
            POSITIONS,
            (PUSD.address.lower(), bytes(32), bytes.fromhex("ab" * 32), (1, 2)),
        ),
        (
            calls.convert(CONDITION, 0b101, 7),
            "c64748c4",
            NEG_RISK_ADAPTER,
            ["bytes32", "uint256", "uint256"],
            (bytes.fromhex("ab" * 32), 5, 7),
        ),
        (
            calls.router_split(SHORT_CONDITION, 7),
            "82d3b9f1",
            ROUTER,
            ["bytes31", "uint256"],
            (SHORT_CONDITION, 7),
        ),
        (calls.router_merge(SHORT_CONDITION, 7), "5b63685e", ROUTER, ["bytes31", "uint256"], (SHORT_CONDITION, 7)),
        (
            calls.router_redeem(SHORT_CONDITION, 1, 7),
            "d217a3cc",
            ROUTER,
            ["bytes31", "uint256", "uint256"],
            (SHORT_CONDITION, 1, 7),
        ),
        (
            calls.wrap(USDC_E, ADDRESS, 7),
            "62355638",
            ONRAMP,
            ["address", "address", "uint256"],
            (USDC_E.address.lower(), ADDRESS.lower(), 7),
        ),
        (
            calls.unwrap(USDC_E, ADDRESS, 7),
            "8cc7104f",
            OFFRAMP,
            ["address", "address", "uint256"],
            (USDC_E.address.lower(), ADDRESS.lower(), 7),
        ),
        (
            calls.approve_all(CTF, CTF_EXCHANGE),
            "a22cb465",
            CTF,
            ["address", "bool"],
            (CTF_EXCHANGE.address.lower(), True),
        ),
    ],
    ids=lambda value: value.function if isinstance(value, ContractCall) else None,
)
def test_calls_carry_the_published_selector_and_their_arguments(
    call: ContractCall, selector: str, target: Contract, types: list[str], values: tuple
) -> None:
    assert (call.data[:4].hex(), call.target, call.contract) == (selector, target.address, target.name)
    assert decode(types, call.data[4:]) == values


@pytest.mark.protocol("2.6", "8.3")
def test_an_unlimited_approval_equals_the_vector() -> None:
    vector = VECTORS["relayer"]["safe_tx"]
    call = calls.approve(PUSD, CTF_EXCHANGE)
    assert (call.target, "0x" + call.data.hex()) == (vector["to"], vector["data"])
    assert call.arguments == (("spender", f"CTF Exchange {CTF_EXCHANGE.address}"), ("amount", "unlimited"))


def test_a_position_ids_first_31_bytes_are_its_condition() -> None:
    token_id = int.from_bytes(SHORT_CONDITION + b"\x01", "big")
    assert calls.position_condition(str(token_id)) == SHORT_CONDITION


@pytest.mark.protocol("8.2")
def test_a_proxy_batch_carries_every_call_unchanged() -> None:
    sent = [calls.approve(PUSD, CTF_EXCHANGE), calls.split(CONDITION, 7, neg_risk=False)]
    data = calls.proxy_batch(sent)
    assert data[:4].hex() == "34ee9791"
    (batch,) = decode(["(uint8,address,uint256,bytes)[]"], data[4:])
    assert batch == tuple((1, call.target.lower(), 0, call.data) for call in sent)


@pytest.mark.protocol("8.2")
def test_a_safe_batch_carries_every_call_unchanged() -> None:
    sent = [calls.approve(PUSD, CTF_EXCHANGE), calls.split(CONDITION, 7, neg_risk=False)]
    data = calls.safe_batch(sent)
    assert data[:4].hex() == "8d80ff0a"
    (packed,) = decode(["bytes"], data[4:])
    for call in sent:
        length = int.from_bytes(packed[53:85], "big")
        assert (packed[0], "0x" + packed[1:21].hex(), packed[21:53]) == (0, call.target.lower(), bytes(32))
        assert packed[85 : 85 + length] == call.data
        packed = packed[85 + length :]
    assert packed == b""


@pytest.mark.protocol("1.2")
def test_every_permission_of_the_contract_list_is_asked_for_once() -> None:
    asked = {
        (call.target, call.function, call.data[4:36].hex()[24:]) for call in map(Permission.granting_call, REQUIRED)
    }
    exchanges = {"0xE111180000d2663C0091e4f400237545B87B996B", "0xe2222d279d744050d28e00520010520000310F59"}
    third = "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"
    adapters = {"0xAdA100Db00Ca00073811820692005400218FcE1f", "0xadA2005600Dec949baf300f4C6120000bDB6eAab"}
    router, redeemer = "0x12121212006e4CD160D18e3f00711DA5c3372600", "0xa1200000d0002264C9a1698e001292D00E1b00af"
    modules = {"0x1000008dD9001B968442c1000017eaE6E0dA00Ba", "0x200000900045e3B6259600682756002200028933"}
    assert len(REQUIRED) == len(asked)
    assert asked == {
        (token, function, spender.lower()[2:])
        for token, function, spenders in (
            ("0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB", "approve", {*exchanges, third, *adapters, router}),
            ("0x4D97DCd97eC945f40cF65F87097ACe5EA0476045", "setApprovalForAll", {*exchanges, *adapters, redeemer, *modules}),
            ("0x006F54F7f9A22e0000CC2AB60031000000ae9fEF", "setApprovalForAll", {router, third, redeemer}),
        )
        for spender in spenders
    }  # fmt: skip


def test_an_amount_that_does_not_fit_is_an_error_and_never_cut() -> None:
    for amount in (-1, 1 << 256):
        with pytest.raises(Exception, match=r"(?i)cannot be encoded|range|bounds|fit"):
            calls.split(CONDITION, amount, neg_risk=False)
    with pytest.raises(ValueError, match="expected 0x and 64 hex digits"):
        calls.split("0x12", 1, neg_risk=False)
