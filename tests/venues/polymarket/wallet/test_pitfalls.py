"""What breaks wallets of real bots, on the client's side: who signs, who is named, which refusals are final, whom orders are credited to.

Missing allowances (pitfall 8) are in `test_on_simulated_venue`, wrong signature types (9) in `test_derivation`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import msgspec
import pytest

from domain.market import Market
from domain.order import Effect, OrderDraft, OrderSide, OrderType
from domain.reports import Policy, Rejected
from infra.clock import SystemClock
from infra.ids import RandomIds
from tests.venues.polymarket.pacing import NoLimits
from tests.venues.polymarket.rest_server import RestServer, refusal, rest_server
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY, VECTORS
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.connect import Trading, open_trading
from venues.polymarket.signer import LocalSigner
from venues.polymarket.signing import SignatureType

WALLET = VECTORS["derived_wallets"]["deposit_wallet_beacon"]
API_KEY = "00000000-0000-4000-8000-000000000001"
YES = VECTORS["v2_order"]["vectors"][0]["order"]["tokenId"]
MARKET = Market(id="1", venue="polymarket", question="?", slug="s", condition_id="0x" + "ab" * 32, token_ids=(YES, "7"))
BUILDER = "0x" + "be" * 32


@asynccontextmanager
async def trading(**more: Any) -> AsyncIterator[tuple[RestServer, Trading]]:
    clock = SystemClock()
    async with rest_server() as server:
        server.on("GET /time", clock.now_ns() // 10**9)
        server.on(
            "POST /auth/api-key",
            {"apiKey": API_KEY, "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "passphrase": "pass"},
        )
        config = PolymarketConfig(account="live:test", clob_url=server.url, **more)
        opened = await open_trading(
            config, LocalSigner(PRIVATE_KEY), clock=clock, ids=RandomIds(), rng=Random(1), budgets=NoLimits()
        )
        yield server, opened
        await opened.close()


def draft() -> OrderDraft:
    return OrderDraft(
        account="live:test",
        decision_id="d",
        intent_id="i",
        strategy="s",
        market=MARKET,
        token_id=YES,
        side=OrderSide.BUY,
        order_type=OrderType.GTC,
        price=500_000,
        size=10_000_000,
        effect=Effect.OPEN,
    )


@pytest.mark.protocol("9.10")
async def test_pitfall_10_a_deposit_wallet_is_maker_and_signer_while_the_key_stays_its_owners() -> None:
    async with trading(signature_type=SignatureType.POLY_1271, funder=WALLET) as (server, opened):
        prepared = await opened.gateway.prepare(draft())
        server.on("POST /order", refusal(400, "invalid signature"))
        await opened.gateway.send(prepared, 1e12)
        (key_request,), (sent,) = server.asked("POST /auth/api-key"), server.asked("POST /order")
    order = msgspec.json.decode(prepared.payload)["order"]
    assert (order["maker"], order["signer"], order["signatureType"]) == (WALLET, WALLET, 3)
    assert len(bytes.fromhex(order["signature"][2:])) == 317
    assert (key_request.headers["POLY_ADDRESS"], sent.headers["POLY_ADDRESS"]) == (ADDRESS, ADDRESS)
    assert msgspec.json.decode(sent.body)["owner"] == API_KEY


@pytest.mark.protocol("9.11")
async def test_pitfall_11_a_plain_wallet_the_venue_does_not_allow_is_the_operators_to_change() -> None:
    async with trading() as (server, opened):
        server.on("POST /order", refusal(400, "maker address not allowed, please use the deposit wallet flow"))
        outcome = await opened.gateway.send(await opened.gateway.prepare(draft()), 1e12)
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.policy) == ("maker_not_allowed", Policy.OPERATOR)
    assert "deposit wallet" in outcome.text


@pytest.mark.protocol("2.4")
async def test_orders_are_credited_to_the_configured_builder_and_it_is_signed() -> None:
    async with trading(builder=BUILDER) as (_, opened):
        order = msgspec.json.decode((await opened.gateway.prepare(draft())).payload)["order"]
    assert order["builder"] == BUILDER
    async with trading() as (_, opened):
        assert (
            msgspec.json.decode((await opened.gateway.prepare(draft())).payload)["order"]["builder"] == "0x" + "00" * 32
        )


def test_a_builder_code_that_is_none_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="expected 0x and 64 hex digits"):
        PolymarketConfig(account="live:test", builder="0x12")


@pytest.mark.parametrize("name", ["relayer_url", "rpc_url"])
def test_relayer_and_node_are_spoken_to_encrypted_unless_they_are_on_this_machine(name: str) -> None:
    PolymarketConfig(account="a", **{name: "http://127.0.0.1:8100/rpc"})
    with pytest.raises(ValueError, match=f"{name} was .*plain text is for this machine only"):
        PolymarketConfig(account="a", **{name: "http://example.org/rpc"})
