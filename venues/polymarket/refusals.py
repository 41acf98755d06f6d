"""The venue's error catalogue: each documented text with the stable code it stands for, what follows from it, and whether it proves a refusal.

Only a text of this list is proof, and only where it says so: the doubtful ones at its head prove nothing whatever status they come with (the
venue's gateway turns some internal failures into plain 400s), and neither does a text nobody has documented. Source: the venue's error documentation.
"""

from __future__ import annotations

from typing import NamedTuple

from domain.reports import (
    CANCEL_ONLY,
    ENGINE_RESTARTING,
    NOT_ENOUGH_BALANCE,
    OFF_GRID,
    POST_ONLY_MODE,
    RATE_LIMITED,
    TRADING_DISABLED,
    Policy,
)

_APPROVE = "approve the exchanges' contracts: manage.py wallet approve"
_DEPOSIT_WALLET = "make a deposit wallet on the venue's site, then set signature type 3 and the wallet's address"
_CLOSED_ONLY = "the venue lets this account only sell: ask its support, or move the account; what reduces goes on"
_SIGNATURE = "compare signature type and wallet address with the key's account"
_OWNER = "the API key is of another account: let polybot make a new one by starting it again"
_KEY = "the API key is not valid any more, or this machine's clock is wrong: check the clock and start again"
_VERSION = "the venue has changed its order format: install the present polybot"
_BANNED = "the venue has banned this address: ask its support"
_FORBIDDEN = (
    "the venue's proxy turns this machine away: see https://polymarket.com/api/geoblock, trade from a place it allows"
)


class Entry(NamedTuple):
    """One documented text: a lower-case part of it, what it stands for, and what a person can do."""

    part: str
    code: str
    policy: Policy = Policy.REJECT
    proof: bool = True
    fix: str = ""


_REJECT, _RETRY, _RESYNC, _HALT, _OPERATOR = Policy

CATALOGUE: tuple[Entry, ...] = (
    # Doubtful: the order may have been taken. First, because some come inside other texts.
    Entry("duplicated", "duplicated", proof=False),
    Entry("order timed out", "timed_out", proof=False),
    Entry("timed out", "timed_out", proof=False),
    Entry("timeout", "timed_out", proof=False),
    Entry("deadline", "timed_out", proof=False),
    Entry("context canceled", "timed_out", proof=False),
    Entry("could not insert", "not_inserted", proof=False),
    Entry("could not run", "not_executed", proof=False),
    Entry("internal server error", "server_error", proof=False),
    Entry("match delayed", "match_delayed", proof=False),
    Entry("service is not ready", ENGINE_RESTARTING, _RETRY, proof=False),
    Entry("rounding issues", "rounding_issues", proof=False),
    Entry("discrepancy", "price_discrepancy", proof=False),
    Entry("no matching orders", "no_matching_orders", proof=False),
    # Matching.
    Entry("fully filled or killed", "fok_not_filled"),
    Entry("fok orders are filled or killed", "fok_not_filled"),
    Entry("no orders found to match with fak order", "fak_not_filled"),
    Entry("order crosses book", "post_only_would_cross"),
    Entry("crosses the book", "post_only_would_cross"),
    # Modes of the venue.
    Entry("post-only mode", POST_ONLY_MODE, _RETRY),
    Entry("cancel-only", CANCEL_ONLY, _RETRY),
    Entry("trading is currently disabled", TRADING_DISABLED, _RETRY),
    Entry("too many requests", RATE_LIMITED, _RETRY),
    # The order itself.
    Entry("only gtc and gtd order types are allowed", "post_only_type"),
    Entry("breaks minimum tick size rule", OFF_GRID, _RESYNC),
    Entry("lower than the minimum", "below_min_size", _RESYNC),
    Entry("invalid amount for a marketable buy order", "below_min_amount"),
    Entry("invalid amounts", "invalid_amounts"),
    Entry("invalid expiration", "invalid_expiration"),
    Entry("invalid nonce", "invalid_nonce", _HALT, fix=_VERSION),
    Entry("invalid signature_type", "invalid_request"),
    Entry("invalid signature", "invalid_signature", _HALT, fix=_SIGNATURE),
    Entry("order canceled in the ctf exchange contract", "canceled_on_chain"),
    Entry("too many orders in payload", "too_many_orders"),
    Entry("invalid order payload", "invalid_payload", _HALT, fix=_VERSION),
    Entry("order_version_mismatch", "order_version_mismatch", _HALT, fix=_VERSION),
    # Money.
    Entry("allowance is not enough", "not_enough_allowance", _OPERATOR, fix=_APPROVE),
    Entry("not enough balance", NOT_ENOUGH_BALANCE, _RESYNC),
    Entry("balance is not enough", NOT_ENOUGH_BALANCE, _RESYNC),
    Entry("insufficient balance", NOT_ENOUGH_BALANCE, _RESYNC),
    # The market.
    Entry("not yet ready to process new orders", "market_not_ready", _RESYNC),
    Entry("no orderbook exists", "no_orderbook", _RESYNC),
    Entry("market not found", "no_orderbook", _RESYNC),
    Entry("invalid token id", "no_orderbook", _RESYNC),
    # The account.
    Entry("maker address not allowed", "maker_not_allowed", _OPERATOR, fix=_DEPOSIT_WALLET),
    Entry("order owner has to be the owner of the api key", "wrong_owner", _HALT, fix=_OWNER),
    Entry("order signer address has to be the address of the api key", "wrong_signer", _HALT, fix=_SIGNATURE),
    Entry("address banned", "banned", _HALT, fix=_BANNED),
    Entry("closed only mode", "closed_only", _OPERATOR, fix=_CLOSED_ONLY),
    Entry("unauthorized/invalid api key", "unauthorized", _HALT, fix=_KEY),
    Entry("invalid l1 request headers", "unauthorized", _HALT, fix=_KEY),
    Entry("could not create api key", "no_api_key", _HALT, fix=_KEY),
    Entry("could not derive api key", "no_api_key", _HALT, fix=_KEY),
    Entry("could not retrieve api keys", "no_api_key", _HALT, fix=_KEY),
    Entry("could not delete api key", "no_api_key", _HALT, fix=_KEY),
    # Requests that are not well formed.
    Entry("invalid orderid", "invalid_request"),
    Entry("invalid side", "invalid_request"),
    Entry("invalid payload", "invalid_request"),
    Entry("payload exceeds the limit", "invalid_request"),
    Entry("invalid market", "invalid_request"),
    Entry("invalid order params payload", "invalid_request"),
    Entry("invalid trade params payload", "invalid_request"),
    Entry("invalid asset type", "invalid_request"),
    Entry("asset_id is required", "invalid_request"),
    Entry("startts is required", "invalid_request"),
    Entry("invalid fidelity", "invalid_request"),
    Entry("minimum 'fidelity'", "invalid_request"),
    Entry("limit cannot exceed", "invalid_request"),
)
"""Parts of lower-case texts; the first match wins."""

FORBIDDEN = Entry("", "forbidden", _OPERATOR, fix=_FORBIDDEN)
"""Any 403: the venue's proxy turned the request away before the venue saw it, often with a page."""
LIMITED = Entry("", RATE_LIMITED, _RETRY)
"""Any 429, likewise."""
RESTARTING = Entry("", ENGINE_RESTARTING, _RETRY, proof=False)
"""Any 425: the matching engine restarts."""
UNAVAILABLE = Entry("", "unavailable", _RETRY, proof=False)
"""A 503 that gives no reason."""
SERVER_ERROR = Entry("", "server_error", proof=False)
"""Any other 5xx."""
UNDOCUMENTED = Entry("", "undocumented", proof=False)
"""A text or status that nobody documented."""


def entry_of(text: str) -> Entry | None:
    """Return the catalogue's entry for a text, None for a text nobody documented."""
    lowered = text.lower()
    return next((entry for entry in CATALOGUE if entry.part in lowered), None)
