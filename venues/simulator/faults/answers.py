"""Answers that a venue, or what stands before it, gives when something is wrong: status, headers and body under a name.

Texts are those of the venue's error catalogue. A name ends in its status; "_bare" lacks the Retry-After that its sibling has.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from venues.simulator.clob.account_views import refused

_JSON = {"Content-Type": "application/json"}
_HTML = {"Content-Type": "text/html; charset=UTF-8"}


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """One whole answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: dict(_JSON))


def _error(status: int, text: str, **headers: str) -> ReadyAnswer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ReadyAnswer(status, orjson.dumps({"error": text}), _JSON | named)


def _page(status: int, title: str) -> ReadyAnswer:
    body = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return ReadyAnswer(status, body.encode(), dict(_HTML))


def _order(text: str) -> ReadyAnswer:
    return ReadyAnswer(200, orjson.dumps(refused(text)))


_LIMITED = {
    "Retry_After": "1",
    "Poly_RateLimit_Remaining": "0",
    "Poly_RateLimit_Tier": "Standard",
}

ANSWERS: dict[str, ReadyAnswer] = {
    "cloudflare_403": _page(403, "Attention Required! | Cloudflare"),
    "bad_gateway_502": _page(502, "502 Bad Gateway"),
    "gateway_timeout_504": _page(504, "504 Gateway Time-out"),
    "maintenance_page_200": _page(200, "We will be right back"),
    "unauthorized_401": _error(401, "Unauthorized/Invalid api key"),
    "banned_400": _error(400, "'0x0000000000000000000000000000000000000001' address banned"),
    "closed_only_400": _error(400, "'0x0000000000000000000000000000000000000001' address in closed only mode"),
    "no_balance_400": _error(400, "not enough balance / allowance"),
    "no_orderbook_404": _error(404, "No orderbook exists for the requested token id"),
    "restarting_425": _error(425, "Service is not ready", Retry_After="1"),
    "restarting_425_bare": _error(425, "Service is not ready"),
    "too_many_requests_429": _error(429, "Too Many Requests", **_LIMITED),
    "too_many_requests_429_bare": _error(429, "Too Many Requests"),
    "order_timed_out_500": _error(500, "order timed out"),
    "could_not_insert_500": _error(500, "could not insert order"),
    "could_not_run_500": _error(500, "could not run the execution"),
    "no_matching_orders_500": _error(500, "there are no matching orders"),
    "killed_500": _error(500, "FOK orders are filled or killed"),
    "rounding_500": _error(500, "the trade contains rounding issues"),
    "discrepancy_500": _error(
        500, "the price of the taker's order has a discrepancy greater than allowed with the worst maker order"
    ),
    "internal_500": _error(500, "Internal server error"),
    "disabled_503": _error(503, "Trading is currently disabled. Check polymarket.com for updates"),
    "cancel_only_503": _error(
        503, "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."
    ),
    "post_only_503": ReadyAnswer(
        503,
        orjson.dumps(
            {
                "error": "post-only mode: only post-only orders and cancels are allowed",
                "code": "post_only_mode",
                "retry_after_seconds": 1,
            }
        ),
    ),
    "no_balance_200": _order("not enough balance / allowance"),
    "not_ready_200": _order("the market is not yet ready to process new orders"),
    "match_delayed_200": _order("order match delayed due to market conditions"),
    "unknown_error_200": _order("an error that no client has ever heard of"),
    "malformed_200": ReadyAnswer(200, b'{"success":true,"orderID":'),
    "empty_200": ReadyAnswer(200, b""),
    "null_200": ReadyAnswer(200, b"null"),
    "number_200": ReadyAnswer(200, b"-1e999"),
}
"""Every named answer."""
