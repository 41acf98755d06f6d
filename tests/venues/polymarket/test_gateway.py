"""The gateway: what it signs is what was decided, and what it reads is whole or an error."""

import dataclasses
import itertools
import json
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import msgspec
import pytest
from aiohttp import web

from domain.amounts import marketable_size
from domain.errors import InvalidOrderError, VenueError, VenueUnavailableError, WrongAccountError
from domain.market import Market, MarketStatus
from domain.order import Effect, OrderDraft, OrderSide, OrderStatus, OrderType, PreparedOrder
from domain.reports import Accepted, Balances, CancelOutcome, Rejected, Uncertain
from infra.clock import SystemClock
from infra.ids import RandomIds
from tests.venues.polymarket.pacing import NoLimits
from tests.venues.polymarket.refusing_signer import RefusingSigner
from tests.venues.polymarket.rest_server import RestServer, refusal, rest_server
from tests.venues.polymarket.test_user_feed import order, trade
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY, VECTORS
from tests.venues.polymarket.ws_server import CONDITION
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.cancel_answers import EVERY_ORDER
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.connect import open_trading
from venues.polymarket.contracts import NEG_RISK_EXCHANGE, STANDARD_EXCHANGE
from venues.polymarket.gateway import PolymarketGateway
from venues.polymarket.signer import LocalSigner, Signer
from venues.polymarket.signing import SignatureType, SignedFields, sign_order

ACCOUNT = "sim:test"
NOW_NS = 1_777_374_000_123_456_789
YES = VECTORS["v2_order"]["vectors"][0]["order"]["tokenId"]
NO = str(int(YES) ^ (1 << 200))
SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
API_KEY = "00000000-0000-4000-8000-000000000001"
MARKET = Market(id="1", venue="polymarket", question="?", slug="s", condition_id=CONDITION, token_ids=(YES, NO))


class FixedClock(SystemClock):
    def now_ns(self) -> int:
        return NOW_NS


class FixedIds(RandomIds):
    def salt(self) -> int:
        return 479249096354


@pytest.fixture
async def venue() -> AsyncIterator[RestServer]:
    async with rest_server() as server:
        _serve_key(server)
        yield server


def _serve_key(server: RestServer) -> None:
    server.on("GET /time", NOW_NS // 10**9 + 5)
    server.on("POST /auth/api-key", {"apiKey": API_KEY, "secret": SECRET, "passphrase": "pass"})


@pytest.fixture
async def gateway(venue: RestServer) -> AsyncIterator[PolymarketGateway]:
    trading = await _open(venue)
    yield trading.gateway
    await trading.close()


async def _open(venue: RestServer, signer: Signer | None = None, **more: Any):
    config = PolymarketConfig(
        account=ACCOUNT, clob_url=venue.url, gamma_url=venue.url, ws_url=venue.url.replace("http", "ws"), **more
    )
    return await open_trading(
        config,
        signer or LocalSigner(PRIVATE_KEY),
        clock=FixedClock(),
        ids=FixedIds(),
        rng=Random(1),
        budgets=NoLimits(),
    )


def draft(**more: Any) -> OrderDraft:
    fields: dict[str, Any] = {
        "account": ACCOUNT, "decision_id": "d", "intent_id": "i", "strategy": "s", "market": MARKET, "token_id": YES,
        "side": OrderSide.BUY, "order_type": OrderType.GTC, "price": 500_000, "size": 10_000_000, "effect": Effect.OPEN,
    }  # fmt: skip
    return OrderDraft(**{**fields, **more})


# Signers.


async def test_what_the_signer_refuses_is_an_invalid_order_and_no_api_key(venue: RestServer) -> None:
    trading = await _open(venue, RefusingSigner(1))
    with pytest.raises(InvalidOrderError, match=r"the order was not signed: the signer refused \(rate\)"):
        await trading.gateway.prepare(draft())
    await trading.close()
    with pytest.raises(VenueError, match=f"no API key for {ADDRESS}: the signer refused"):
        await _open(venue, RefusingSigner())


# API keys.


@pytest.mark.protocol("2.1", "2.2")
async def test_the_key_is_created_with_a_signed_request(venue: RestServer, gateway: PolymarketGateway) -> None:
    (request,) = venue.asked("POST /auth/api-key")
    assert request.headers["POLY_ADDRESS"] == ADDRESS
    assert request.headers["POLY_TIMESTAMP"] == "1777374000"
    assert request.headers["POLY_NONCE"] == "0"
    assert len(request.headers["POLY_SIGNATURE"]) == 132
    assert "Mozilla" in request.headers["User-Agent"]


@pytest.mark.protocol("2.2")
async def test_a_key_that_exists_is_derived(venue: RestServer) -> None:
    venue.on("POST /auth/api-key", refusal(400, "Could not create api key"))
    venue.on("GET /auth/derive-api-key", {"apiKey": "derived", "secret": SECRET, "passphrase": "pass"})
    trading = await _open(venue)
    assert trading.gateway.identity.api_key == "derived"
    await trading.close()


async def test_without_a_key_there_is_no_gateway_and_the_error_names_both_refusals(venue: RestServer) -> None:
    venue.on("POST /auth/api-key", refusal(400, "Could not create api key"))
    venue.on("GET /auth/derive-api-key", refusal(400, "Could not derive api key!"))
    with pytest.raises(VenueError, match=r"(?s)could not create.*could not derive|Could not create.*Could not derive"):
        await _open(venue)
    venue.on("POST /auth/api-key", refusal(503, "Trading is currently disabled"))
    with pytest.raises(VenueUnavailableError, match="disabled"):
        await _open(venue)


@pytest.mark.parametrize(
    "broken", [{"apiKey": "k"}, [], {"apiKey": "k", "secret": "not base64 SECRET", "passphrase": "p"}]
)
async def test_a_malformed_key_is_refused_without_showing_it(venue: RestServer, broken: Any) -> None:
    venue.on("POST /auth/api-key", broken)
    with pytest.raises(VenueError, match="malformed") as refused:
        await _open(venue)
    assert "SECRET" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


# prepare.


@pytest.mark.protocol("2.6", "3.1", "3.3")
async def test_a_prepared_order_is_the_vector_byte_for_byte(gateway: PolymarketGateway) -> None:
    vector = VECTORS["v2_order"]["vectors"][0]
    prepared = await gateway.prepare(draft())
    assert prepared.order_id == vector["order_hash"]
    assert prepared.signature == vector["signature"]
    assert prepared.payload.decode() == VECTORS["post_order_bodies"]["key_order_a"]
    assert (prepared.salt, prepared.timestamp_ms, prepared.maker_amount, prepared.taker_amount) == (
        479249096354, 1777374000123, 5_000_000, 10_000_000,
    )  # fmt: skip
    assert (prepared.signature_type, prepared.venue_expiration) == (0, 0)


@pytest.mark.protocol("3.1", "9.10")
@pytest.mark.parametrize("kind", [SignatureType.POLY_PROXY, SignatureType.POLY_GNOSIS_SAFE, SignatureType.POLY_1271])
async def test_wallets_sign_as_their_type_demands(venue: RestServer, kind: SignatureType) -> None:
    names = {1: "proxy", 2: "safe", 3: "deposit_wallet_beacon"}
    wallet = VECTORS["derived_wallets"][names[kind]]
    trading = await _open(venue, signature_type=kind, funder=wallet)
    prepared = await trading.gateway.prepare(draft(side=OrderSide.SELL))
    await trading.close()
    body = msgspec.json.decode(prepared.payload)["order"]
    signer = wallet if kind is SignatureType.POLY_1271 else ADDRESS
    assert (body["maker"], body["signer"], body["signatureType"]) == (wallet, signer, int(kind))
    fields = SignedFields(
        prepared.salt, wallet, signer, int(YES), 10_000_000, 5_000_000, OrderSide.SELL, kind, prepared.timestamp_ms
    )
    signed = await sign_order(fields, STANDARD_EXCHANGE, 137, LocalSigner(PRIVATE_KEY))
    assert (prepared.order_id, prepared.signature) == signed


@pytest.mark.protocol("3.1")
async def test_neg_risk_markets_are_signed_for_their_own_exchange(gateway: PolymarketGateway) -> None:
    prepared = await gateway.prepare(draft(market=dataclasses.replace(MARKET, neg_risk=True)))
    fields = SignedFields(
        prepared.salt,
        ADDRESS,
        ADDRESS,
        int(YES),
        5_000_000,
        10_000_000,
        OrderSide.BUY,
        SignatureType.EOA,
        prepared.timestamp_ms,
    )
    assert prepared.order_id == (await sign_order(fields, NEG_RISK_EXCHANGE, 137, LocalSigner(PRIVATE_KEY))).order_id


@pytest.mark.protocol("3.4")
async def test_a_gtd_order_states_an_expiration_a_minute_later_because_the_venue_stops_early(
    gateway: PolymarketGateway,
) -> None:
    end = NOW_NS + 130_000_000_000
    prepared = await gateway.prepare(draft(order_type=OrderType.GTD, expires_ns=end, post_only=True))
    assert prepared.venue_expiration == end // 10**9 + 60
    body = msgspec.json.decode(prepared.payload)
    assert body["order"]["expiration"] == str(prepared.venue_expiration)
    assert (body["orderType"], body["postOnly"]) == ("GTD", True)


@pytest.mark.protocol("3.2", "9.13")
async def test_a_marketable_buy_spends_whole_cents(gateway: PolymarketGateway) -> None:
    market = dataclasses.replace(MARKET, tick=1_000)
    size = marketable_size(523_000, 12_340_000)
    prepared = await gateway.prepare(draft(market=market, order_type=OrderType.FAK, price=523_000, size=size))
    assert (prepared.maker_amount, prepared.taker_amount) == (5_230_000, 10_000_000)
    with pytest.raises(InvalidOrderError, match="10 shares would fit"):
        await gateway.prepare(draft(market=market, order_type=OrderType.FAK, price=523_000, size=12_340_000))


TINY = dataclasses.replace(MARKET, min_size=10_000)
REFUSED_DRAFTS = {
    "off the grid": (draft(price=505_000), "multiple of 0.01"),
    "price of one": (draft(price=1_000_000), "between 0.01 and 0.99"),
    "price of zero": (draft(price=0), "between 0.01 and 0.99"),
    "under the minimum": (draft(size=4_990_000), "at least 5 "),
    "three decimals": (draft(size=10_001_000), "at most 2 decimals"),
    "negative": (draft(size=-10_000_000), "at least 5 "),
    "another market's token": (draft(token_id="17"), "does not belong"),
    "closed market": (draft(market=dataclasses.replace(MARKET, status=MarketStatus.CLOSED)), "does not accept orders"),
    "paused market": (draft(market=dataclasses.replace(MARKET, accepting_orders=False)), "does not accept orders"),
    "another venue": (draft(market=dataclasses.replace(MARKET, venue="kalshi")), "expected polymarket"),
    "unknown tick": (draft(market=dataclasses.replace(MARKET, tick=30_000)), "tick size"),
    "post-only taker": (draft(order_type=OrderType.FOK, post_only=True), "GTC or GTD"),
    "GTD without end": (draft(order_type=OrderType.GTD), "needs expires_ns"),
    "GTD that ends too soon": (draft(order_type=OrderType.GTD, expires_ns=NOW_NS + 119_000_000_000), "at least 120 s"),
    "GTD in the past": (draft(order_type=OrderType.GTD, expires_ns=0), "at least 120 s"),
    "GTC with an end": (draft(expires_ns=NOW_NS), "GTD only"),
    "marketable buy under a dollar": (draft(market=TINY, order_type=OrderType.FOK, price=490_000, size=2_000_000), "at least 1"),
}  # fmt: skip


@pytest.mark.parametrize(("bad", "says"), REFUSED_DRAFTS.values(), ids=REFUSED_DRAFTS.keys())
async def test_a_draft_that_breaks_a_rule_is_refused_with_the_fix(
    gateway: PolymarketGateway, bad: OrderDraft, says: str
) -> None:
    with pytest.raises(InvalidOrderError, match=says):
        await gateway.prepare(bad)


async def test_another_accounts_draft_is_refused(gateway: PolymarketGateway) -> None:
    with pytest.raises(WrongAccountError, match="live:0x1"):
        await gateway.prepare(draft(account="live:0x1"))


# send and cancel.


@pytest.mark.protocol("2.3", "3.3")
async def test_an_order_is_sent_once_with_its_exact_bytes_under_the_hmac(
    venue: RestServer, gateway: PolymarketGateway
) -> None:
    prepared = await gateway.prepare(draft())
    venue.on("POST /order", {"success": True, "orderID": prepared.order_id, "status": "matched", "errorMsg": "", "makingAmount": "5",
                             "takingAmount": "10", "tradeIDs": ["t1"]})  # fmt: skip
    outcome = await gateway.send(prepared, SystemClock().monotonic() + 5)
    assert outcome == Accepted(order_id=prepared.order_id, status=OrderStatus.MATCHED, trade_ids=("t1",))
    (request,) = venue.asked("POST /order")
    assert request.body == prepared.payload
    credentials = ApiCredentials(ADDRESS, API_KEY, SECRET, "pass")
    expected = credentials.headers(NOW_NS // 10**9, "POST", "/order", prepared.payload)
    assert {name: request.headers[name] for name in expected} == expected


async def test_a_late_order_is_rejected_by_us_and_never_leaves(venue: RestServer, gateway: PolymarketGateway) -> None:
    prepared = await gateway.prepare(draft())
    outcome = await gateway.send(prepared, SystemClock().monotonic())
    assert isinstance(outcome, Rejected)
    assert outcome.code == "deadline"
    assert venue.asked("POST /order") == []


async def test_a_refusal_and_a_doubt_are_told_apart(venue: RestServer, gateway: PolymarketGateway) -> None:
    prepared = await gateway.prepare(draft())
    venue.on("POST /order", refusal(400, "not enough balance / allowance"))
    refused: Any = await gateway.send(prepared, SystemClock().monotonic() + 5)
    assert refused.code == "not_enough_balance"
    venue.on("POST /order", refusal(425, "Service is not ready"))
    assert isinstance(await gateway.send(prepared, SystemClock().monotonic() + 5), Uncertain)


async def batch(gateway: PolymarketGateway, count: int) -> list[PreparedOrder]:
    """Prepare orders of different sizes, so that each has an id of its own."""
    return [await gateway.prepare(draft(size=10_000_000 + 10_000 * number)) for number in range(count)]


@pytest.mark.protocol("3.3")
async def test_a_batch_is_one_request_judged_leg_by_leg(venue: RestServer, gateway: PolymarketGateway) -> None:
    first, second, third = await batch(gateway, 3)
    venue.on("POST /orders", [
        {"success": True, "orderID": first.order_id, "status": "live", "errorMsg": ""},
        {"success": True, "orderID": "", "status": "", "errorMsg": "not enough balance / allowance"},
        {"success": True, "orderID": first.order_id, "status": "live", "errorMsg": ""},
    ])  # fmt: skip
    taken, refused, doubtful = await gateway.send_many([first, second, third], SystemClock().monotonic() + 5)
    assert taken == Accepted(order_id=first.order_id, status=OrderStatus.LIVE)
    assert isinstance(refused, Rejected)
    assert (refused.order_id, refused.code) == (second.order_id, "not_enough_balance")
    assert isinstance(doubtful, Uncertain)
    assert doubtful.order_id == third.order_id
    (request,) = venue.asked("POST /orders")
    assert json.loads(request.body) == [json.loads(order.payload) for order in (first, second, third)]


@pytest.mark.protocol("3.3")
async def test_a_batch_with_too_few_answers_proves_nothing_of_any_leg(
    venue: RestServer, gateway: PolymarketGateway
) -> None:
    orders = await batch(gateway, 2)
    venue.on("POST /orders", [{"success": True, "orderID": orders[0].order_id, "status": "live", "errorMsg": ""}])
    outcomes = await gateway.send_many(orders, SystemClock().monotonic() + 5)
    assert [type(outcome) for outcome in outcomes] == [Uncertain, Uncertain]


async def test_a_batch_has_at_most_fifteen_orders(venue: RestServer, gateway: PolymarketGateway) -> None:
    assert await gateway.send_many([], SystemClock().monotonic() + 5) == []
    with pytest.raises(ValueError, match="at most 15"):
        await gateway.send_many(await batch(gateway, 16), SystemClock().monotonic() + 5)
    assert venue.asked("POST /orders") == []


async def test_an_unreachable_venue_took_nothing(venue: RestServer) -> None:
    async with rest_server() as gone:
        _serve_key(gone)
        trading = await _open(gone)
        prepared = await trading.gateway.prepare(draft())
    outcome = await trading.gateway.send(prepared, SystemClock().monotonic() + 5)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "not_sent"
    await trading.close()


@pytest.mark.protocol("3.6")
async def test_one_cancel_names_its_order_and_many_are_sent_in_parts(
    venue: RestServer, gateway: PolymarketGateway
) -> None:
    venue.on("DELETE /order", {"canceled": [], "not_canceled": {"0x1": "already canceled or matched"}})
    assert await gateway.cancel(["0x1", "0x1"]) == CancelOutcome(refused={"0x1": "already canceled or matched"})
    assert venue.requests[-1].body == b'{"orderID":"0x1"}'

    def some(request: Any) -> dict:
        ids = json.loads(request.body)
        return {"canceled": ids[:-2], "not_canceled": {ids[-2]: "matched"}}

    venue.on("DELETE /orders", some)
    ids = [f"0x{n}" for n in range(1_500)]
    outcome = await gateway.cancel(ids)
    assert [len(json.loads(r.body)) for r in venue.asked("DELETE /orders")] == [1_000, 500]
    assert outcome.uncertain == ("0x999", "0x1499")
    assert set(outcome.refused) == {"0x998", "0x1498"}
    assert len(outcome.cancelled) == 1_496
    assert await gateway.cancel([]) == CancelOutcome()


@pytest.mark.protocol("3.6", "9.20")
@pytest.mark.parametrize("answer", [refusal(500, "x"), web.Response(body=b"<html>"), {"canceled": 7}])
async def test_a_doubtful_cancel_is_uncertain_about_every_order(
    venue: RestServer, gateway: PolymarketGateway, answer: Any
) -> None:
    venue.on("DELETE /orders", answer)
    outcome = await gateway.cancel(["0x1", "0x2"])
    assert outcome == CancelOutcome(uncertain=("0x1", "0x2"), trouble=outcome.trouble)
    assert outcome.trouble is not None


@pytest.mark.protocol("3.6")
async def test_cancel_all_tells_what_it_did_or_that_nobody_knows(venue: RestServer, gateway: PolymarketGateway) -> None:
    venue.on("DELETE /cancel-all", {"canceled": ["0x1"], "not_canceled": {"0x2": "pending"}})
    assert await gateway.cancel_all() == CancelOutcome(cancelled=("0x1",), refused={"0x2": "pending"})
    venue.on("DELETE /cancel-all", {"error": "later"})
    assert (await gateway.cancel_all()).uncertain == (EVERY_ORDER,)
    venue.on("DELETE /cancel-all", refusal(500, "Internal server error"))
    assert (await gateway.cancel_all()).uncertain == (EVERY_ORDER,)


@pytest.mark.protocol("3.6")
async def test_the_orders_of_a_market_or_of_a_token_are_cancelled_in_one_request(
    venue: RestServer, gateway: PolymarketGateway
) -> None:
    venue.on("DELETE /cancel-market-orders", {"canceled": ["0x1"], "not_canceled": {}})
    assert await gateway.cancel_market(CONDITION) == CancelOutcome(cancelled=("0x1",))
    assert json.loads(venue.requests[-1].body) == {"market": CONDITION}
    await gateway.cancel_market(CONDITION, YES)
    assert json.loads(venue.requests[-1].body) == {"market": CONDITION, "asset_id": YES}
    with pytest.raises(ValueError, match="neither a market nor a token"):
        await gateway.cancel_market()


# Reads.


@pytest.mark.protocol("3.8", "9.7")
async def test_an_order_the_venue_does_not_know_is_none(venue: RestServer, gateway: PolymarketGateway) -> None:
    assert await gateway.order("0xabc") is None
    venue.on("GET /data/order/0xabc", web.Response(body=b"null"))
    assert await gateway.order("0xabc") is None
    venue.on("GET /data/order/0xabc", order(status="ORDER_STATUS_MATCHED", size_matched="10", created_at=1777374000))
    report = await gateway.order("0xabc")
    assert report is not None
    assert (report.status, report.size_matched) == (OrderStatus.MATCHED, 10_000_000)
    venue.on("GET /data/order/0xabc", {"id": "0xabc"})
    with pytest.raises(VenueError, match="malformed"):
        await gateway.order("0xabc")
    venue.on("GET /data/order/0xabc", refusal(425, "Service is not ready"))
    with pytest.raises(VenueUnavailableError, match="425"):
        await gateway.order("0xabc")


def pages(*parts: list) -> Any:
    """Answer page by page: cursors "1", "2", … and the last one LTE=."""

    def answer(request: Any) -> dict:
        index = int(request.query.get("next_cursor", "0"))
        last = index == len(parts) - 1
        return {"data": parts[index], "next_cursor": "LTE=" if last else str(index + 1), "limit": 1, "count": 1}

    return answer


@pytest.mark.protocol("3.8")
async def test_open_orders_are_read_to_the_last_page_and_signed_without_the_query(
    venue: RestServer, gateway: PolymarketGateway
) -> None:
    venue.on("GET /data/orders", pages([order(id="0x1")], [order(id="0x2"), order(id="0x3")]))
    assert [report.order_id for report in await gateway.open_orders()] == ["0x1", "0x2", "0x3"]
    first, second = venue.asked("GET /data/orders")[:2]
    assert (first.query, second.query) == ({}, {"next_cursor": "1"})
    signature = ApiCredentials(ADDRESS, API_KEY, SECRET, "pass").signature(NOW_NS // 10**9, "GET", "/data/orders")
    assert second.headers["POLY_SIGNATURE"] == signature
    venue.on("GET /data/orders", pages([]))
    assert await gateway.open_orders() == []


async def test_an_order_that_slips_past_the_reader_when_another_ends_is_found_again(
    venue: RestServer, gateway: PolymarketGateway
) -> None:
    """Pages are cut by offset: when the first of three orders ends between two pages, the third moves to where the reader was already."""
    listed = [f"0x{number}" for number in range(4)]

    def page(request: Any) -> dict:
        offset = int(request.query.get("next_cursor", "0"))
        answer = {"data": [order(id=each) for each in listed[offset : offset + 2]], "next_cursor": str(offset + 2)}
        if offset + 2 >= len(listed):
            answer["next_cursor"] = "LTE="
        if offset == 0 and "0x0" in listed:
            listed.remove("0x0")
        return answer

    venue.on("GET /data/orders", page)
    assert {report.order_id for report in await gateway.open_orders()} == {"0x1", "0x2", "0x3"}


async def test_a_list_that_never_stands_still_is_an_error(venue: RestServer, gateway: PolymarketGateway) -> None:
    numbers = itertools.count()

    def page(request: Any) -> dict:
        last = "next_cursor" in request.query
        return {"data": [order(id=f"0x{next(numbers)}")], "next_cursor": "LTE=" if last else "1"}

    venue.on("GET /data/orders", page)
    with pytest.raises(VenueError, match="changed in each"):
        await gateway.open_orders()


@pytest.mark.protocol("3.8", "9.8")
async def test_the_venue_is_told_to_read_the_wallet_again(venue: RestServer, gateway: PolymarketGateway) -> None:
    venue.on("GET /balance-allowance/update", web.Response(body=b""))
    await gateway.refresh_balances([])
    venue.on("GET /balance-allowance/update", lambda _request: web.Response(body=b""))
    await gateway.refresh_balances([YES, NO])
    asked = [request.query for request in venue.asked("GET /balance-allowance/update")][1:]
    assert asked == [
        {"asset_type": "COLLATERAL", "signature_type": "0"},
        {"asset_type": "CONDITIONAL", "token_id": YES, "signature_type": "0"},
        {"asset_type": "CONDITIONAL", "token_id": NO, "signature_type": "0"},
    ]


async def test_a_salt_that_json_would_change_is_refused(gateway: PolymarketGateway, monkeypatch: Any) -> None:
    monkeypatch.setattr(FixedIds, "salt", lambda _self: 2**53)
    with pytest.raises(InvalidOrderError, match=r"2\^53"):
        await gateway.prepare(draft())


BROKEN_LISTS = {
    "one bad record": {"data": [order(), order(side="HOLD")], "next_cursor": "LTE="},
    "no data": {"next_cursor": "LTE="},
    "cursor that does not advance": {"data": [order()], "next_cursor": "Mg=="},
    "not json": web.Response(body=b"<html>"),
    "server error": refusal(500, "x"),
    "not found": refusal(404, "x"),
}


@pytest.mark.parametrize("answer", BROKEN_LISTS.values(), ids=BROKEN_LISTS.keys())
async def test_a_list_that_may_be_incomplete_is_an_error(
    venue: RestServer, gateway: PolymarketGateway, answer: Any
) -> None:
    venue.on("GET /data/orders", answer if not isinstance(answer, web.Response) else lambda _request: answer)
    with pytest.raises(VenueError):
        await gateway.open_orders()
    assert len(venue.asked("GET /data/orders")) <= 2


@pytest.mark.protocol("3.8")
async def test_trades_come_oldest_first_and_only_our_parts(venue: RestServer, gateway: PolymarketGateway) -> None:
    mine = {"owner": API_KEY, "maker_address": ADDRESS}
    others = {"owner": "x", "maker_address": "0x9"}
    venue.on("GET /data/trades", pages(
        [trade(id="t2", status="TRADE_STATUS_MINED", match_time="1777374009", **mine)],
        [trade({"order_id": "0xm", "asset_id": NO, "matched_amount": "3", "price": "0.4", "side": "BUY", **mine}, id="t1",
               status="TRADE_STATUS_CONFIRMED", trader_side="MAKER", **others)],
    ))  # fmt: skip
    reports = await gateway.trades(1_777_373_999_500_000_000)
    assert [(r.trade_id, r.order_id, r.size) for r in reports] == [
        ("t1", "0xm", 3_000_000),
        ("t2", "0xtaker", 10_000_000),
    ]
    assert venue.asked("GET /data/trades")[0].query["after"] == "1777373998"
    await gateway.trades()
    assert "after" not in venue.asked("GET /data/trades")[-1].query


@pytest.mark.protocol("3.8")
async def test_balances_are_read_for_cash_and_each_token(venue: RestServer, gateway: PolymarketGateway) -> None:
    position = VECTORS["v2_order"]["vectors"][8]["order"]["tokenId"]
    amounts = {None: "1000000000", YES: "5000000", position: "250.5"}
    venue.on("GET /balance-allowance", lambda r: {"balance": amounts[r.query.get("token_id")], "allowances": {}})
    assert await gateway.balances([YES, position, YES]) == Balances(
        cash=1_000_000_000, tokens={YES: 5_000_000, position: 250_500_000}
    )
    kinds = {
        r.query.get("token_id"): (r.query["asset_type"], r.query["signature_type"])
        for r in venue.asked("GET /balance-allowance")
    }
    assert kinds == {None: ("COLLATERAL", "0"), YES: ("CONDITIONAL", "0"), position: ("CONDITIONAL-V2", "0")}
    assert len(venue.asked("GET /balance-allowance")) == 3


@pytest.mark.parametrize("answer", [{"balance": "-5"}, {"balance": "much"}, {"balance": 5}, {}, refusal(500, "x")])
async def test_a_balance_that_cannot_be_read_is_an_error(
    venue: RestServer, gateway: PolymarketGateway, answer: Any
) -> None:
    venue.on("GET /balance-allowance", answer)
    with pytest.raises(VenueError):
        await gateway.balances([])


@pytest.mark.protocol("1.1")
def test_plain_text_hosts_are_for_this_machine_only() -> None:
    for name, url in (("clob_url", "http://example.org"), ("ws_url", "ws://example.org"), ("gamma_url", "ftp://127.0.0.1"),
                      ("clob_url", "https://example.org/path"), ("gamma_url", "https://example.org/"), ("clob_url", "example.org")):  # fmt: skip
        with pytest.raises(ValueError, match=name):
            PolymarketConfig(**{"account": "a", name: url})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="funder"):
        PolymarketConfig(account="a", signature_type=SignatureType.POLY_1271)
    with pytest.raises(ValueError, match="account"):
        PolymarketConfig(account="")
