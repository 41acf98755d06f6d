"""The catalogue knows every documented text, and each stands for one code with one policy."""

import pytest

from domain.reports import Policy
from venues.polymarket.refusals import CATALOGUE, entry_of

pytestmark = pytest.mark.protocol("3.10")

REJECT, RETRY, RESYNC, HALT, OPERATOR = Policy
ID = "0x" + "ab" * 32

DOCUMENTED = {
    "Unauthorized/Invalid api key": ("unauthorized", HALT),
    "Invalid L1 Request headers": ("unauthorized", HALT),
    "Service is not ready": ("engine_restarting", RETRY),
    "Too Many Requests": ("rate_limited", RETRY),
    "Trading is currently disabled. Check polymarket.com for updates": ("trading_disabled", RETRY),
    "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.": ("cancel_only", RETRY),
    "post-only mode: only post-only orders and cancels are allowed": ("post_only_mode", RETRY),
    "Invalid token id": ("no_orderbook", RESYNC),
    "Invalid side": ("invalid_request", REJECT),
    "Invalid payload": ("invalid_request", REJECT),
    "Payload exceeds the limit": ("invalid_request", REJECT),
    "Invalid market": ("invalid_request", REJECT),
    "invalid order params payload": ("invalid_request", REJECT),
    "Invalid trade params payload": ("invalid_request", REJECT),
    "Invalid asset type": ("invalid_request", REJECT),
    "Invalid signature_type": ("invalid_request", REJECT),
    "asset_id is required": ("invalid_request", REJECT),
    "startTs is required": ("invalid_request", REJECT),
    "invalid fidelity": ("invalid_request", REJECT),
    "minimum 'fidelity' for '1m' range is 10": ("invalid_request", REJECT),
    "limit cannot exceed 1000": ("invalid_request", REJECT),
    "No orderbook exists for the requested token id": ("no_orderbook", RESYNC),
    "market not found": ("no_orderbook", RESYNC),
    "Invalid order payload": ("invalid_payload", HALT),
    "the order owner has to be the owner of the API KEY": ("wrong_owner", HALT),
    "the order signer address has to be the address of the API KEY": ("wrong_signer", HALT),
    "Too many orders in payload: 16, max allowed: 15": ("too_many_orders", REJECT),
    "order_version_mismatch": ("order_version_mismatch", HALT),
    "maker address not allowed, please use the deposit wallet flow": ("maker_not_allowed", OPERATOR),
    "'0x1' address banned": ("banned", HALT),
    "'0x1' address in closed only mode": ("closed_only", OPERATOR),
    f"order {ID} is invalid. Price (0.555) breaks minimum tick size rule: 0.01": ("off_grid", RESYNC),
    f"order {ID} is invalid. Size (1) lower than the minimum: 5": ("below_min_size", RESYNC),
    f"order {ID} is invalid. Duplicated.": ("duplicated", REJECT),
    f"order {ID} crosses the book": ("post_only_would_cross", REJECT),
    "invalid post-only order: order crosses book": ("post_only_would_cross", REJECT),
    "invalid post-only order: only GTC and GTD order types are allowed": ("post_only_type", REJECT),
    "invalid expiration": ("invalid_expiration", REJECT),
    "invalid nonce": ("invalid_nonce", HALT),
    "invalid signature": ("invalid_signature", HALT),
    "order canceled in the CTF exchange contract": ("canceled_on_chain", REJECT),
    "the market is not yet ready to process new orders": ("market_not_ready", RESYNC),
    "not enough balance / allowance": ("not_enough_balance", RESYNC),
    "not enough balance / allowance: the balance is not enough -> balance: 1, order amount: 2": ("not_enough_balance", RESYNC),
    "not enough balance / allowance: the allowance is not enough -> spender: 0x1, allowance: 0, order amount: 2": (
        "not_enough_allowance", OPERATOR,
    ),
    "invalid amounts, the buy orders maker amount supports a max accuracy of 2 decimals, taker amount a max of 4 decimals": (
        "invalid_amounts", REJECT,
    ),
    "invalid amounts, the taker amount for a $0.5 order of size 1 should be '1' but the value submited is '2'": ("invalid_amounts", REJECT),
    "invalid amount for a marketable BUY order ($0.98), min size: $1": ("below_min_amount", REJECT),
    "order couldn't be fully filled. FOK orders are fully filled or killed.": ("fok_not_filled", REJECT),
    "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.": ("fak_not_filled", REJECT),
    "order match delayed due to market conditions": ("match_delayed", REJECT),
    "order timed out": ("timed_out", REJECT),
    "could not insert order": ("not_inserted", REJECT),
    "could not run the execution": ("not_executed", REJECT),
    "there are no matching orders": ("no_matching_orders", REJECT),
    "FOK orders are filled or killed": ("fok_not_filled", REJECT),
    "the trade contains rounding issues": ("rounding_issues", REJECT),
    "the price of the taker's order has a discrepancy greater than allowed with the worst maker order": ("price_discrepancy", REJECT),
    "Internal server error": ("server_error", REJECT),
    "Could not create api key": ("no_api_key", HALT),
    "Could not derive api key!": ("no_api_key", HALT),
    "Could not retrieve api keys": ("no_api_key", HALT),
    "Could not delete api key": ("no_api_key", HALT),
    "Invalid orderID": ("invalid_request", REJECT),
    "Too many orders in payload, max allowed: 1000": ("too_many_orders", REJECT),
}  # fmt: skip

NO_PROOF = {
    "duplicated", "timed_out", "not_inserted", "not_executed", "server_error", "match_delayed", "engine_restarting",
    "rounding_issues", "price_discrepancy", "no_matching_orders",
}  # fmt: skip


@pytest.mark.parametrize("text", DOCUMENTED)
def test_a_documented_text_stands_for_its_code_and_policy(text: str) -> None:
    entry = entry_of(text)
    assert entry is not None
    assert (entry.code, entry.policy) == DOCUMENTED[text]
    assert entry.proof is (entry.code not in NO_PROOF)


def test_a_text_nobody_documented_stands_for_nothing() -> None:
    assert entry_of("the moon is in the wrong phase") is None
    assert entry_of("") is None


def test_a_code_has_one_policy_and_who_must_act_is_told_what_to_do() -> None:
    policies = {(entry.code, entry.policy, entry.fix) for entry in CATALOGUE}
    assert len(policies) == len({entry.code for entry in CATALOGUE})
    for entry in CATALOGUE:
        assert bool(entry.fix) == (entry.policy in (HALT, OPERATOR)), entry


def test_every_entry_is_reached_by_its_own_text() -> None:
    """An entry behind a wider one would never be found."""
    for entry in CATALOGUE:
        found = entry_of(entry.part)
        assert found is not None
        assert found.code == entry.code
