"""An answer to an order proves acceptance, refusal, or nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.order import OrderStatus
from domain.reports import Accepted, Policy, Rejected, SendOutcome, Uncertain
from venues.polymarket.http1 import Answer
from venues.polymarket.order_answers import read_answer
from venues.polymarket.refusals import entry_of

OURS, OTHER = "0x" + "aa" * 32, "0x" + "bb" * 32


def answer(status: int, body: Any) -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode(), reusable=True)


def judge(given: Answer, now_s: float = 0.0) -> SendOutcome:
    return read_answer(OURS, given, now_s)


def ok(**more: Any) -> Answer:
    return answer(200, {"success": True, "orderID": OURS, "status": "live", "errorMsg": "", "makingAmount": "", "takingAmount": "",
                        "tradeIDs": [], **more})  # fmt: skip


@pytest.mark.protocol("3.3")
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("live", OrderStatus.LIVE),
        ("matched", OrderStatus.MATCHED),
        ("delayed", OrderStatus.DELAYED),
        ("LIVE", OrderStatus.LIVE),
    ],
)
def test_our_order_id_without_error_in_a_living_status_is_accepted(status: str, expected: OrderStatus) -> None:
    outcome = judge(ok(status=status, tradeIDs=["t1", "t2"], takingAmount="10", transactionsHashes=["0x"]))
    assert outcome == Accepted(order_id=OURS, status=expected, trade_ids=("t1", "t2"))


def test_missing_trade_ids_are_none() -> None:
    assert judge(ok(tradeIDs=None)) == Accepted(order_id=OURS, status=OrderStatus.LIVE)


REFUSALS = {
    "order couldn't be fully filled. FOK orders are fully filled or killed.": "fok_not_filled",
    "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.": "fak_not_filled",
    "invalid post-only order: order crosses book": "post_only_would_cross",
    f"order {OURS} crosses the book": "post_only_would_cross",
    "not enough balance / allowance": "not_enough_balance",
    "not enough balance / allowance: the balance is not enough -> balance: 1, order amount: 2": "not_enough_balance",
    "not enough balance / allowance: the allowance is not enough -> spender: 0x1, allowance: 0, order amount: 2": "not_enough_allowance",
    f"order {OURS} is invalid. Price (0.555) breaks minimum tick size rule: 0.01": "off_grid",
    f"order {OURS} is invalid. Size (1) lower than the minimum: 5": "below_min_size",
    "invalid amount for a marketable BUY order ($0.98), min size: $1": "below_min_amount",
    "invalid amounts, the buy orders maker amount supports a max accuracy of 2 decimals, taker amount a max of 4 decimals": "invalid_amounts",
    "invalid expiration": "invalid_expiration",
    "the market is not yet ready to process new orders": "market_not_ready",
    "order_version_mismatch": "order_version_mismatch",
    "maker address not allowed, please use the deposit wallet flow": "maker_not_allowed",
    "the order signer address has to be the address of the API KEY": "wrong_signer",
    "'0x1' address banned": "banned",
    "'0x1' address in closed only mode": "closed_only",
    "Invalid order payload": "invalid_payload",
    "Unauthorized/Invalid api key": "unauthorized",
    "No orderbook exists for the requested token id": "no_orderbook",
    "Insufficient balance": "not_enough_balance",
}


@pytest.mark.protocol("3.10")
@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_of_the_catalogue_is_proof_in_every_shape_the_venue_gives_it(text: str) -> None:
    shapes = [
        answer(400, {"error": text}),
        answer(404, {"error": text}),
        ok(success=False, orderID="", status="", errorMsg=text),
        ok(success=False, orderID=None, status=None, errorMsg=text),
        ok(success=True, orderID="", status="", errorMsg=text),
        ok(success=False, status="", errorMsg=text),
    ]
    first, *others = [judge(shape) for shape in shapes]
    assert isinstance(first, Rejected)
    assert (first.order_id, first.code, first.text) == (OURS, REFUSALS[text], text)
    assert others == [first] * len(others)


@pytest.mark.protocol("3.10", "9.17")
def test_the_proxys_refusals_are_proof_even_as_a_page() -> None:
    blocked: Any = judge(answer(403, b"<!DOCTYPE html><title>Attention Required!</title>"))
    assert (blocked.code, blocked.text[:13]) == ("forbidden", "403 <!DOCTYPE")
    for body in ({"error": "Too Many Requests"}, b"slow down"):
        limited: Any = judge(answer(429, body))
        assert limited.code == "rate_limited"


WAITS = {
    "the body's seconds": ({"retry_after_seconds": 7}, {}, 7.0),
    "the body before the header": ({"retry_after_seconds": "7.5"}, {"retry-after": "3"}, 7.5),
    "the header's seconds": ({}, {"retry-after": "3"}, 3.0),
    "the header's date": ({}, {"retry-after": "Tue, 28 Apr 2026 11:00:10 GMT"}, 10.0),
    "the rate limit's reset": ({}, {"poly-ratelimit-reset": "1777374004"}, 4.0),
    "a moment in the past": ({}, {"poly-ratelimit-reset": "1777373000"}, 0.0),
    "never beyond an hour": ({"retry_after_seconds": 1e30}, {}, 3600.0),
    "nonsense": ({"retry_after_seconds": [1]}, {"retry-after": "soon"}, None),
    "no number": ({"retry_after_seconds": "nan"}, {}, None),
    "nothing": ({}, {}, None),
}


@pytest.mark.protocol("3.11")
@pytest.mark.parametrize(("body", "headers", "seconds"), WAITS.values(), ids=WAITS.keys())
def test_the_time_to_wait_comes_from_the_body_then_from_the_headers(body: Any, headers: Any, seconds: float) -> None:
    given = Answer(429, headers, json.dumps({"error": "Too Many Requests", **body}).encode(), reusable=True)
    outcome = judge(given, 1_777_374_000.0)
    assert isinstance(outcome, Rejected)
    assert (outcome.policy, outcome.retry_after) == (Policy.RETRY_AFTER, seconds)


DOUBTS = {
    "duplicate": answer(400, {"error": f"order {OURS} is invalid. Duplicated."}),
    "duplicate in a 200": ok(success=False, orderID="", errorMsg=f"order {OURS} is invalid. Duplicated."),
    "engine restarting": answer(425, {"error": "Service is not ready"}),
    "server error": answer(500, {"error": "Internal server error"}),
    "could not run": answer(500, {"error": "could not run the execution"}),
    "timed out": answer(500, {"error": "order timed out"}),
    "refusal with a server error's status": answer(500, {"error": "FOK orders are filled or killed"}),
    "bad gateway page": answer(502, b"<html>502</html>"),
    "trading disabled": answer(503, {"error": "Trading is currently disabled. Check polymarket.com for updates"}),
    "request timeout": answer(408, b""),
    "redirect": answer(302, b""),
    "created": answer(201, {"success": True, "orderID": OURS, "status": "live", "errorMsg": ""}),
    "internal failure as a 400": answer(400, {"error": "rpc error: context canceled"}),
    "delayed by conditions": answer(400, {"error": "order match delayed due to market conditions"}),
    "undocumented text": answer(400, {"error": "the moon is in the wrong phase"}),
    "400 page": answer(400, b"<html>400 Bad Request</html>"),
    "undocumented text in a 200": ok(success=False, orderID="", status="", errorMsg="computer says no"),
    "half an object": answer(200, b'{"success":true,"orderID":"0x'),
    "empty": answer(200, b""),
    "another order": ok(orderID=OTHER),
    "another order with a refusal": ok(orderID=OTHER, success=False, errorMsg="not enough balance / allowance"),
    "unmatched": ok(status="unmatched"),
    "no status": ok(status=None),
    "new status": ok(status="parked"),
    "success with an error": ok(errorMsg="not enough balance / allowance"),
    "failure without an error": ok(success=False),
    "no id": ok(orderID=""),
    "wrong types": answer(200, {"success": "yes", "orderID": 7}),
    "array": answer(200, [1]),
    "null": answer(200, b"null"),
    "not utf-8": answer(200, b'{"success":true,"orderID":"\xff"}'),
}


@pytest.mark.protocol("9.18")
@pytest.mark.parametrize("doubtful", DOUBTS.values(), ids=DOUBTS.keys())
def test_everything_else_proves_nothing(doubtful: Answer) -> None:
    outcome = judge(doubtful)
    assert isinstance(outcome, Uncertain)
    assert outcome.order_id == OURS
    assert outcome.text


@given(st.integers(100, 599), st.binary(max_size=300))
def test_no_garbage_is_taken_for_an_acceptance(status: int, body: bytes) -> None:
    assert not isinstance(judge(answer(status, body)), Accepted)


def test_a_doubtful_text_is_never_a_refusal_whatever_else_it_says() -> None:
    assert not entry_of("invalid signature: context canceled").proof
    assert not entry_of("not enough balance / allowance; could not insert order").proof
