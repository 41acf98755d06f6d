"""What moves money outside of orders, through `polymarket-client`: approvals, transfers, split, merge, redeem.

Smart wallets send by the relayer, a plain key by the chain's node.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from polymarket import TransactionCall

from conversation import equal, eventually, expect
from setting import OWNER, Market, Venue
from unified_orders import LOW, MILLION, Trader

PUSD = "0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB"
CTF = "0x4D97DCd97eC945f40cF65F87097ACe5EA0476045"
PERPS_DEPOSIT = "0xDCa4af75705dbB50f62437045afF9921947917d2"
AUTO_REDEEM = "0xa1200000d0002264C9a1698e001292D00E1b00af"


def approvals(trader: Trader, market: Market) -> None:
    """A wallet without approvals gets the one an order needs by itself, then all of them; single ones change."""
    client = trader.client
    with trader.call("get_trading_approvals_state", "of a new wallet"):
        state = client.get_trading_approvals_state()
        expect(not state.is_fully_approved and len(state.missing.erc20) == 7, f"7 missing allowances, got {state}")
    with trader.call("place_limit_order", "approves what it needs by itself"):
        placed = client.place_limit_order(asset_id=market.yes, price=LOW, size=10, side="BUY")
        expect(placed.ok and placed.status == "live", f"a resting order, got {placed}")
        client.cancel_order(order_id=placed.order_id)
    with trader.call("setup_trading_approvals"):
        client.setup_trading_approvals().wait()
        eventually(lambda: client.get_trading_approvals_state().is_fully_approved, "every approval in the index")
    # The gateway remembers allowances until an order needs them; what is on the chain shows in the index.
    with trader.call("approve_erc20"):
        _done(client.approve_erc20(token_address=PUSD, spender_address=PERPS_DEPOSIT, amount=5 * MILLION))
        eventually(partial(_missing, client, PUSD, PERPS_DEPOSIT), "an allowance that is not the largest any more")
    with trader.call("approve_erc1155_for_all"):
        _done(client.approve_erc1155_for_all(token_address=CTF, operator_address=AUTO_REDEEM, approved=False))
        eventually(partial(_missing, client, CTF, AUTO_REDEEM), "an operator that may not redeem any more")
    with trader.call("setup_gasless_wallet"):
        equal(client.setup_gasless_wallet().wallet, client.wallet, "the same wallet")
    with trader.call("is_gasless_ready"):
        equal(client.is_gasless_ready(), True, "the answer")


def transfers(trader: Trader) -> None:
    """A transfer arrives; several calls go in one transaction."""
    client = trader.client
    before = trader.held()
    with trader.call("transfer_erc20"):
        _done(client.transfer_erc20(token_address=PUSD, recipient_address=OWNER, amount=2 * MILLION))
        _moved(trader, before, -2 * MILLION)
    with trader.call("execute_transaction"):
        data = "0xa9059cbb" + OWNER[2:].lower().rjust(64, "0") + f"{MILLION:x}".rjust(64, "0")
        _done(client.execute_transaction(calls=[TransactionCall(to=PUSD, data=data)] * 2, metadata="two transfers"))
        _moved(trader, before, -4 * MILLION)


def split_and_merge(trader: Trader, market: Market) -> None:
    """Collateral becomes a pair of tokens and back."""
    client, kind = trader.client, "neg-risk" if market.neg_risk else "standard"
    trader.settle()
    cash, yes, no = trader.held(), trader.held(market.yes), trader.held(market.no)
    with trader.call("split_position", kind):
        _done(client.split_position(condition_id=market.condition_id, amount=20 * MILLION))
        _moved(trader, cash, -20 * MILLION)
        equal((trader.held(market.yes) - yes, trader.held(market.no) - no), (20 * MILLION, 20 * MILLION), "the tokens")
    with trader.call("merge_positions", kind):
        _done(client.merge_positions(condition_id=market.condition_id, amount=5 * MILLION))
        _moved(trader, cash, -15 * MILLION)
        equal(trader.held(market.no) - no, 15 * MILLION, "the tokens left")


def merge_all(trader: Trader, standard: Market, neg_risk: Market) -> None:
    """All pairs of two markets are merged in one transaction."""
    client = trader.client
    pairs = {market: min(trader.held(market.yes), trader.held(market.no)) for market in (standard, neg_risk)}
    before = trader.held()
    with trader.call("merge_multiple_positions"):
        wanted = [{"condition_id": market.condition_id, "amount": amount} for market, amount in pairs.items()]
        _done(client.merge_multiple_positions(positions=wanted))
        _moved(trader, before, sum(pairs.values()))


def router(trader: Trader, market: Market) -> None:
    """Positions of Protocol V2 are split and merged by its router, named by condition or by position."""
    client = trader.client
    cash, held = trader.held(), _shares(trader, market.no)
    with trader.call("split_position", "Protocol V2"):
        _done(client.split_position(condition_id=market.condition_id, amount=10 * MILLION))
        _moved(trader, cash, -10 * MILLION)
        equal(_shares(trader, market.no) - held, 10 * MILLION, "the shares that came")
    with trader.call("merge_positions", "Protocol V2"):
        _done(client.merge_positions(condition_id=market.condition_id, amount=4 * MILLION))
        _moved(trader, cash, -6 * MILLION)
    with trader.call("merge_multiple_positions", "Protocol V2"):
        _done(client.merge_multiple_positions(positions=[{"position_id": market.yes, "amount": 6 * MILLION}]))
        _moved(trader, cash, 0)


def redeem(trader: Trader, venue: Venue, place: int) -> None:
    """Tokens of resolved markets are redeemed, by condition and by market."""
    client = trader.client
    for neg_risk, way in ((False, "condition_id"), (True, "market_id")):
        market = venue.pick_to_end(neg_risk=neg_risk, place=place)
        with trader.call("split_position", "to redeem later"):
            _done(client.split_position(condition_id=market.condition_id, amount=6 * MILLION))
            eventually(partial(trader.held, market.no), "the tokens' arrival")
        before = trader.held()
        venue.resolve(market.condition_id)
        with trader.call("redeem_positions", f"by {way}"):
            key = market.condition_id if way == "condition_id" else market.id
            _done(client.redeem_positions(**{way: key}))
            _moved(trader, before, 6 * MILLION)
            equal((trader.held(market.yes), trader.held(market.no)), (0, 0), "tokens left")


def _done(handle: Any) -> None:
    """Wait for a transaction and check that it has a hash."""
    outcome = handle.wait()
    expect(outcome.transaction_hash.startswith("0x") and len(outcome.transaction_hash) == 66, "a transaction's hash")


def _moved(trader: Trader, before: int, by: int) -> None:
    eventually(lambda: trader.held() - before == by, f"a collateral change of {by} (from {before})")


def _shares(trader: Trader, position_id: str) -> int:
    return int(trader.client.get_balance_allowance(asset_type="CONDITIONAL-V2", asset_id=position_id).balance)


def _missing(client: Any, token: str, spender: str) -> bool:
    """Say whether the index misses an approval."""
    missing = client.get_trading_approvals_state().missing
    pairs = {(row.token_address, row.spender) for row in missing.erc20}
    pairs |= {(row.token_address, row.operator) for row in missing.erc1155}
    return (token, spender) in pairs
