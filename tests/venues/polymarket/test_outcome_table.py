"""Every HTTP outcome × every order request → the gateway's word and the policy. One row is one thing that can happen to a request.

`PROOF` means that nothing was done: an order is `Rejected`, a cancel `refused`. `DOUBT` means that nobody knows: an order is `Uncertain`, a cancel
`uncertain`, and both are read.
"""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from domain.order import OrderStatus
from domain.reports import Accepted, CancelOutcome, Policy, Rejected, SendOutcome, Trouble, Uncertain
from infra.clock import SystemClock
from tests.venues.polymarket.pacing import Unpaced
from tests.venues.polymarket.raw_server import Peer, Script, raw_server
from tests.venues.polymarket.test_gateway import API_KEY, NOW_NS, SECRET, FixedClock, draft
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY
from tests.venues.simulator.kit import CountingIds
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.cancel_answers import EVERY_ORDER
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.gateway import PolymarketGateway
from venues.polymarket.http import HttpClient, open_session
from venues.polymarket.order_connection import OrderConnection
from venues.polymarket.signer import LocalSigner

pytestmark = pytest.mark.protocol("3.3", "3.6", "3.10", "9.18")

REJECT, RETRY, RESYNC, HALT, OPERATOR = Policy
PROOF, DOUBT = True, False
LATER = 1e12


def http(status: int, body: Any, *headers: str) -> Script:
    """Answer every request alike; text is a page, anything else an error in JSON."""
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.answer(f"{status} Reason", content, *headers)

    return script


def bad(status: int, text: str, *headers: str) -> Script:
    return http(status, {"error": text}, *headers)


async def silence(peer: Peer) -> None:
    await peer.request()
    await asyncio.sleep(5)


async def reset(peer: Peer) -> None:
    await peer.request()
    peer.reset()


async def half(peer: Peer) -> None:
    await peer.request()
    await peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"success":true')


async def two_lengths(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")


class Row(NamedTuple):
    happens: str
    script: Script
    proof: bool
    code: str
    policy: Policy = REJECT
    wait: float | None = None


PAGE = "<!DOCTYPE html><html><title>Attention Required! | Cloudflare</title></html>"
POST_ONLY = "post-only mode: only post-only orders and cancels are allowed"
CANCEL_ONLY = "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."
DISABLED = "Trading is currently disabled. Check polymarket.com for updates"
NO_BOOK = "No orderbook exists for the requested token id"
TOO_MANY = "Too many orders in payload, max allowed: 1000"
DISCREPANCY = "the price of the taker's order has a discrepancy greater than allowed with the worst maker order"
BY_CODE = {"error": "", "code": "post_only_mode", "retry_after_seconds": 90}
RESET_IN_4 = f"Poly-RateLimit-Reset: {NOW_NS // 10**9 + 4}"

# fmt: off
TABLE = (
    #   what happens                        how                                                 known  code, policy, seconds to wait
    Row("no answer",                        silence,                                            DOUBT, "unanswered"),
    Row("connection reset",                 reset,                                              DOUBT, "unanswered"),
    Row("half an answer",                   half,                                               DOUBT, "unanswered"),
    Row("an answer of two lengths",         two_lengths,                                        DOUBT, "unanswered"),
    Row("200 without JSON",                 http(200, PAGE),                                    DOUBT, "undocumented"),
    Row("200 of another kind",              http(200, {"canceled": 7, "success": "yes"}),       DOUBT, "undocumented"),
    Row("204",                              http(204, ""),                                      DOUBT, "undocumented"),
    Row("302",                              http(302, ""),                                      DOUBT, "undocumented"),
    Row("400 page",                         http(400, PAGE),                                    DOUBT, "undocumented"),
    Row("400 nobody documented",            bad(400, "the moon is in the wrong phase"),         DOUBT, "undocumented"),
    Row("400 of an inner time-out",         bad(400, "rpc error: context canceled"),            DOUBT, "timed_out"),
    Row("400 invalid payload",              bad(400, "Invalid order payload"),                  PROOF, "invalid_payload",        HALT),
    Row("400 version mismatch",             bad(400, "order_version_mismatch"),                 PROOF, "order_version_mismatch", HALT),
    Row("400 banned",                       bad(400, "'0x1' address banned"),                   PROOF, "banned",                 HALT),
    Row("400 closed only",                  bad(400, "'0x1' address in closed only mode"),      PROOF, "closed_only",            OPERATOR),
    Row("400 not enough balance",           bad(400, "not enough balance / allowance"),         PROOF, "not_enough_balance",     RESYNC),
    Row("400 too many",                     bad(400, TOO_MANY),                                 PROOF, "too_many_orders"),
    Row("401",                              bad(401, "Unauthorized/Invalid api key"),           PROOF, "unauthorized",           HALT),
    Row("401 page",                         http(401, PAGE),                                    DOUBT, "undocumented"),
    Row("403 page",                         http(403, PAGE),                                    PROOF, "forbidden",              OPERATOR),
    Row("403 in JSON",                      bad(403, "Trading restricted in your region"),      PROOF, "forbidden",              OPERATOR),
    Row("404 without a book",               bad(404, NO_BOOK),                                  PROOF, "no_orderbook",           RESYNC),
    Row("404 page",                         http(404, PAGE),                                    DOUBT, "undocumented"),
    Row("408",                              http(408, ""),                                      DOUBT, "undocumented"),
    Row("425",                              bad(425, "Service is not ready"),                   DOUBT, "engine_restarting",      RETRY),
    Row("425 with Retry-After",             bad(425, "Service is not ready", "Retry-After: 3"), DOUBT, "engine_restarting",      RETRY, 3.0),
    Row("425 page",                         http(425, PAGE),                                    DOUBT, "engine_restarting",      RETRY),
    Row("429",                              bad(429, "Too Many Requests"),                      PROOF, "rate_limited",           RETRY),
    Row("429 with Retry-After",             bad(429, "Too Many Requests", "Retry-After: 2"),    PROOF, "rate_limited",           RETRY, 2.0),
    Row("429 page with the signer's reset", http(429, PAGE, RESET_IN_4),                        PROOF, "rate_limited",           RETRY, 4.0),
    Row("500 time-out",                     bad(500, "order timed out"),                        DOUBT, "timed_out"),
    Row("500 not inserted",                 bad(500, "could not insert order"),                 DOUBT, "not_inserted"),
    Row("500 not executed",                 bad(500, "could not run the execution"),            DOUBT, "not_executed"),
    Row("500 no matching orders",           bad(500, "there are no matching orders"),           DOUBT, "no_matching_orders"),
    Row("500 FOK killed",                   bad(500, "FOK orders are filled or killed"),        DOUBT, "fok_not_filled"),
    Row("500 rounding",                     bad(500, "the trade contains rounding issues"),     DOUBT, "rounding_issues"),
    Row("500 discrepancy",                  bad(500, DISCREPANCY),                              DOUBT, "price_discrepancy"),
    Row("500",                              bad(500, "Internal server error"),                  DOUBT, "server_error"),
    Row("500 with a refusal's text",        bad(500, "invalid signature"),                      DOUBT, "invalid_signature",      HALT),
    Row("502 page",                         http(502, "<html>502 Bad Gateway</html>"),          DOUBT, "server_error"),
    Row("503 post-only",                    bad(503, POST_ONLY),                                PROOF, "post_only_mode",         RETRY),
    Row("503 post-only by its code",        http(503, BY_CODE),                                 PROOF, "post_only_mode",         RETRY, 90.0),
    Row("503 cancel-only",                  bad(503, CANCEL_ONLY),                              PROOF, "cancel_only",            RETRY),
    Row("503 disabled",                     bad(503, DISABLED),                                 DOUBT, "trading_disabled",       RETRY),
    Row("503 page",                         http(503, "<html>503</html>", "Retry-After: 5"),    DOUBT, "unavailable",            RETRY, 5.0),
    Row("504 page",                         http(504, "<html>504 Gateway Time-out</html>"),     DOUBT, "server_error"),
)
# fmt: on

Seen = list[tuple[str, bool, Trouble | None]]
"""For each order of a request: its id (or `EVERY_ORDER`), whether it is known that nothing was done, and the trouble."""


async def post_order(gateway: PolymarketGateway) -> Seen:
    prepared = await gateway.prepare(draft())
    return seen_of([await gateway.send(prepared, LATER)])


async def post_orders(gateway: PolymarketGateway) -> Seen:
    prepared = [await gateway.prepare(draft()) for _ in range(3)]
    outcomes = await gateway.send_many(prepared, LATER)
    assert [outcome.order_id for outcome in outcomes] == [order.order_id for order in prepared]
    return seen_of(outcomes)


async def delete_order(gateway: PolymarketGateway) -> Seen:
    return cancel_seen(await gateway.cancel(["0x1"]), ["0x1"])


async def delete_orders(gateway: PolymarketGateway) -> Seen:
    return cancel_seen(await gateway.cancel(["0x1", "0x2"]), ["0x1", "0x2"])


async def cancel_all(gateway: PolymarketGateway) -> Seen:
    return cancel_seen(await gateway.cancel_all(), [EVERY_ORDER])


async def cancel_market_orders(gateway: PolymarketGateway) -> Seen:
    return cancel_seen(await gateway.cancel_market("0xc1"), [EVERY_ORDER])


REQUESTS: tuple[Callable[[PolymarketGateway], Awaitable[Seen]], ...] = (
    post_order,
    post_orders,
    delete_order,
    delete_orders,
    cancel_all,
    cancel_market_orders,
)


def seen_of(outcomes: Sequence[SendOutcome]) -> Seen:
    seen: Seen = []
    for outcome in outcomes:
        assert isinstance(outcome, Rejected | Uncertain), outcome
        seen.append((outcome.order_id, isinstance(outcome, Rejected), outcome))
    return seen


def cancel_seen(outcome: CancelOutcome, order_ids: list[str]) -> Seen:
    assert outcome.cancelled == ()
    assert sorted([*outcome.refused, *outcome.uncertain]) == sorted(order_ids)
    return [(order_id, order_id in outcome.refused, outcome.trouble) for order_id in order_ids]


@asynccontextmanager
async def gateway_to(*scripts: Script) -> AsyncIterator[PolymarketGateway]:
    # Only a venue that never answers is given up soon.
    answer_timeout = 0.6 if silence in scripts else 30.0
    async with raw_server(*scripts) as server, open_session() as session:
        config = PolymarketConfig(account="sim:test", clob_url=server.url)
        gateway = PolymarketGateway(
            config,
            LocalSigner(PRIVATE_KEY),
            ApiCredentials(ADDRESS, API_KEY, SECRET, "pass"),
            http=HttpClient(server.url, session, Unpaced()),
            connection=OrderConnection(server.url, SystemClock(), pace=Unpaced(), answer_timeout=answer_timeout),
            clock=FixedClock(),
            ids=CountingIds(),
        )
        yield gateway
        await gateway.close()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.happens)
async def test_what_an_outcome_means_for_every_request(row: Row) -> None:
    async with gateway_to(row.script) as gateway:
        for request in REQUESTS:
            for order_id, proof, trouble in await request(gateway):
                assert trouble is not None, (request.__name__, order_id)
                wait = None if trouble.retry_after is None else math.ceil(trouble.retry_after)
                found = (proof, trouble.code, trouble.policy, wait)
                assert found == (row.proof, row.code, row.policy, row.wait), (request.__name__, trouble)
                assert bool(trouble.fix) == (row.policy in (HALT, OPERATOR)), "who must act is told what to do"


async def test_a_venue_that_cannot_be_reached_took_nothing() -> None:
    async with gateway_to(silence) as gateway:
        gateway._connection._port = 1
        for request in (post_order, post_orders):
            assert {(proof, trouble and trouble.code) for _, proof, trouble in await request(gateway)} == {
                (PROOF, "not_sent")
            }
        for request in (delete_order, delete_orders, cancel_all, cancel_market_orders):
            assert {proof for _, proof, _ in await request(gateway)} == {DOUBT}


LEGS = {
    "live": ({"success": True, "status": "live"}, OrderStatus.LIVE),
    "matched": ({"success": True, "status": "matched", "tradeIDs": ["t1"]}, OrderStatus.MATCHED),
    "delayed": ({"success": True, "status": "delayed", "makingAmount": ""}, OrderStatus.DELAYED),
    "refused as success": ({"success": True, "orderID": "", "errorMsg": "invalid expiration"}, "invalid_expiration"),
    "refused as failure": ({"success": False, "orderID": "", "errorMsg": "crosses the book"}, "post_only_would_cross"),
    "refused by name": ({"success": False, "errorMsg": "order x is invalid. Price (1) breaks minimum tick size rule: 1"}, "off_grid"),
    "duplicated": ({"success": False, "orderID": "", "errorMsg": "order x is invalid. Duplicated."}, None),
    "match delayed": ({"success": False, "orderID": "", "errorMsg": "order match delayed due to market conditions"}, None),
    "unmatched": ({"success": True, "status": "unmatched"}, None),
    "undocumented": ({"success": False, "orderID": "", "errorMsg": "computer says no"}, None),
    "success with an error": ({"success": True, "status": "live", "errorMsg": "invalid expiration"}, None),
    "another's id": ({"success": True, "status": "live", "orderID": "0x" + "ee" * 32}, None),
    "no object": (7, None),
}  # fmt: skip
"""What the venue may say of one order with status 200, and what that means: a status, the code of a rejection, or None for a doubt."""


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in a batch"])
async def test_an_order_is_judged_alike_alone_and_in_a_batch(alone: bool) -> None:
    said: list[Any] = []

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.answer("200 OK", json.dumps(said.pop(0) if alone else said).encode())

    async with gateway_to(script) as gateway:
        prepared = [await gateway.prepare(draft()) for _ in LEGS]
        for order, (leg, _) in zip(prepared, LEGS.values(), strict=True):
            said.append({"orderID": order.order_id, "errorMsg": "", **leg} if isinstance(leg, dict) else leg)
        outcomes = (
            [await gateway.send(order, LATER) for order in prepared]
            if alone
            else await gateway.send_many(prepared, LATER)
        )
    for (name, (_, expected)), order, outcome in zip(LEGS.items(), prepared, outcomes, strict=True):
        assert outcome.order_id == order.order_id, name
        if isinstance(expected, OrderStatus):
            assert isinstance(outcome, Accepted), name
            assert outcome.status is expected, name
        elif expected is None:
            assert isinstance(outcome, Uncertain), name
        else:
            assert isinstance(outcome, Rejected), name
            assert outcome.code == expected, name


async def test_a_cancels_answer_is_read_order_by_order() -> None:
    said = {
        "canceled": ["0x1"],
        "not_canceled": {"0x2": "cannot cancel because the order is in pending/delayed status"},
    }
    async with gateway_to(http(200, said)) as gateway:
        outcome = await gateway.cancel(["0x1", "0x2", "0x3"])
        assert (outcome.cancelled, list(outcome.refused), outcome.uncertain) == (("0x1",), ["0x2"], ("0x3",))
        for everything in (await gateway.cancel_all(), await gateway.cancel_market("0xc1")):
            assert (everything.cancelled, list(everything.refused), everything.uncertain) == (("0x1",), ["0x2"], ())
            assert everything.trouble is None
