"""The venue's error catalogue: which texts prove that an order was not taken, and the stable code each stands for.

Only a text of this list is proof; a text nobody has documented proves nothing, and neither do the texts listed as doubtful, whatever
status they come with (the venue's gateway turns some internal failures into plain 400s). Source: the venue's error documentation.
"""

from __future__ import annotations

import re

REFUSALS: tuple[tuple[str, str], ...] = (
    ("fully filled or killed", "fok_not_filled"),
    ("fok orders are filled or killed", "fok_not_filled"),
    ("no orders found to match with fak order", "fak_not_filled"),
    ("post-only mode", "post_only_mode"),
    ("order crosses book", "post_only_would_cross"),
    ("crosses the book", "post_only_would_cross"),
    ("only gtc and gtd order types are allowed", "post_only_type"),
    ("allowance is not enough", "not_enough_allowance"),
    ("not enough balance", "not_enough_balance"),
    ("balance is not enough", "not_enough_balance"),
    ("insufficient balance", "not_enough_balance"),
    ("breaks minimum tick size rule", "off_grid"),
    ("lower than the minimum", "below_min_size"),
    ("invalid amount for a marketable buy order", "below_min_amount"),
    ("invalid amounts", "invalid_amounts"),
    ("invalid expiration", "invalid_expiration"),
    ("invalid nonce", "invalid_nonce"),
    ("invalid signature", "invalid_signature"),
    ("order canceled in the ctf exchange contract", "canceled_on_chain"),
    ("not yet ready to process new orders", "market_not_ready"),
    ("no orderbook exists", "no_orderbook"),
    ("market not found", "no_orderbook"),
    ("order_version_mismatch", "order_version_mismatch"),
    ("maker address not allowed", "maker_not_allowed"),
    ("order owner has to be the owner of the api key", "wrong_owner"),
    ("order signer address has to be the address of the api key", "wrong_signer"),
    ("address banned", "banned"),
    ("closed only mode", "closed_only"),
    ("cancel-only", "cancel_only"),
    ("trading is currently disabled", "trading_disabled"),
    ("invalid order payload", "invalid_payload"),
    ("too many orders in payload", "too_many_orders"),
    ("unauthorized/invalid api key", "unauthorized"),
    ("invalid l1 request headers", "unauthorized"),
    ("too many requests", "rate_limited"),
)
"""Parts of lower-case texts, the first match wins, and the code each stands for."""

_DOUBTFUL = re.compile(
    r"duplicated|timed out|timeout|deadline|context canceled|could not insert|could not run|internal server error"
    r"|match delayed|service is not ready|rounding issues|discrepancy|no matching orders",
    re.IGNORECASE,
)


def refusal_code(text: str) -> str | None:
    """Return the stable code of a text that proves a refusal, None for any other text."""
    if _DOUBTFUL.search(text):
        return None
    lowered = text.lower()
    return next((code for part, code in REFUSALS if part in lowered), None)
