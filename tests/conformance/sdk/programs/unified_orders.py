"""Orders, cancels, own orders and trades through `polymarket-client`'s secure clients. `name` is the client class that is driven."""

from __future__ import annotations

import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from polymarket.errors import PolymarketError, RequestRejectedError

from conversation import Conversation, equal, eventually, expect, refused, unless_moved
from setting import BUILDER_CODE, Market
from unified_reads import items

MILLION = 1_000_000
LOW = Decimal("0.02")
UNMATCHED = "no orders found to match"


@dataclass(frozen=True)
class Trader:
    """One wallet's client; `case` tells wallets apart."""

    talk: Conversation
    client: Any
    name: str
    case: str

    def call(self, method: str, case: str = "") -> Any:
        return self.talk.call(f"{self.name}.{method}", ", ".join(part for part in (case, self.case) if part))

    def held(self, token_id: str | None = None) -> int:
        """Return the balance of a token, or of the collateral, in base units."""
        kind = "CONDITIONAL" if token_id else "COLLATERAL"
        return int(self.client.get_balance_allowance(asset_type=kind, asset_id=token_id).balance)

    def worst(self, market: Market) -> Decimal:
        """Return a price at which a buy of `yes` takes five cents' worth of the book as it stands."""
        ask: Decimal = self.client.get_price(asset_id=market.yes, side="SELL")
        return min(ask + 5 * market.tick, 1 - market.tick)

    def settle(self) -> None:
        """Wait until nothing of this account is on its way to the chain."""
        eventually(
            lambda: {trade.status for trade in items(self.client.list_account_trades())} <= {"CONFIRMED"},
            "the settlement of every trade",
        )


def rest_and_cancel(trader: Trader, market: Market) -> None:
    """A limit buy rests, is found everywhere, and is cancelled once."""
    client = trader.client
    with trader.call("place_limit_order", "GTC buy"):
        placed = client.place_limit_order(asset_id=market.yes, price=LOW, size=10, side="BUY")
        expect(placed.ok, f"an accepted order, got {placed}")
        equal((placed.status, placed.trade_ids), ("live", ()), "status and trades")
    with trader.call("get_order", "resting"):
        order = client.get_order(order_id=placed.order_id)
        shown = (order.id, order.asset_id, order.side, order.price, order.original_size, order.size_matched)
        equal(shown, (placed.order_id, market.yes, "BUY", LOW, Decimal(10), Decimal(0)), "the order")
        equal((order.order_type, order.maker_address.lower()), ("GTC", client.wallet.lower()), "its type and wallet")
    for query in ({"id": placed.order_id}, {"market": market.condition_id}, {"asset_id": market.yes}):
        with trader.call("list_open_orders", f"by {next(iter(query))}"):
            expect(placed.order_id in [order.id for order in items(client.list_open_orders(**query))], "the order")
    with trader.call("get_order_scoring"):
        expect(isinstance(client.get_order_scoring(order_id=placed.order_id), bool), "a yes or no")
    with trader.call("get_orders_scoring"):
        equal(list(client.get_orders_scoring(order_ids=[placed.order_id])), [placed.order_id], "the orders")
    with trader.call("cancel_order"):
        answer = client.cancel_order(order_id=placed.order_id)
        equal((answer.canceled, answer.not_canceled), ((placed.order_id,), {}), "the answer")
        equal(items(client.list_open_orders(id=placed.order_id)), [], "open orders")
    with trader.call("cancel_order", "again"):
        reasons = client.cancel_order(order_id=placed.order_id).not_canceled
        expect("already canceled or matched" in reasons[placed.order_id], "the venue's reason")


def buy(trader: Trader, market: Market, amount: int = 10) -> Any:
    """A protected market buy is filled, settles, and is found. Returns the accepted order."""
    client = trader.client
    trader.settle()
    cash, tokens = trader.held(), trader.held(market.yes)
    with trader.call("place_market_order", "FOK buy"):
        worst = trader.worst(market)
        bought = client.place_market_order(
            asset_id=market.yes, side="BUY", amount=amount, max_price=worst, order_type="FOK"
        )
        expect(bought.ok and bought.status == "matched", f"a matched order, got {bought}")
        spent, got = bought.making_amount, bought.taking_amount
        expect(0 < spent <= amount and spent / got <= worst, f"a fill, got {got} for {spent}")
    with trader.call("wait_for_order_fill_settlement"):
        hashes = client.wait_for_order_fill_settlement(bought)
        expect(hashes and all(one.startswith("0x") for one in hashes), "hashes of transactions")
    with trader.call("list_account_trades", "by id"):
        rows = [row for trade_id in bought.trade_ids for row in items(client.list_account_trades(id=trade_id))]
        equal(sum(row.size for row in rows), got, "the sizes")
        equal({(row.taker_order_id, row.trader_side) for row in rows}, {(bought.order_id, "TAKER")}, "whose")
    with trader.call("get_balance_allowance", "after the fill"):
        trader.settle()
        equal(trader.held(market.yes) - tokens, int(got * MILLION), "the tokens that came")
        paid = Decimal(cash - trader.held()) / MILLION
        expect(spent <= paid <= spent * Decimal("1.1"), f"{spent} and a fee paid, got {paid}")
    return bought


def sell(trader: Trader, market: Market, shares: int) -> None:
    """A market sell at the book's price."""
    with trader.call("place_market_order", "FAK sell"):
        sold = unless_moved(
            lambda: trader.client.place_market_order(asset_id=market.yes, side="SELL", shares=shares), UNMATCHED
        )
        expect(sold.ok and sold.status == "matched", f"a matched order, got {sold}")


def other_types(trader: Trader, market: Market) -> None:
    """GTD, post-only, sells that rest, refusals, orders signed and posted apart."""
    client = trader.client
    with trader.call("place_limit_order", "GTD buy"):
        expiration = int(time.time()) + 60 + 300
        placed = client.place_limit_order(asset_id=market.yes, price=LOW, size=10, side="BUY", expiration=expiration)
        order = client.get_order(order_id=placed.order_id)
        equal((order.order_type, int(order.expires_at.timestamp())), ("GTD", expiration), "type and expiration")
    with trader.call("place_limit_order", "post-only buy"):
        placed = client.place_limit_order(asset_id=market.yes, price=LOW, size=10, side="BUY", post_only=True)
        expect(placed.ok and placed.status == "live", f"a resting order, got {placed}")
    with trader.call("place_limit_order", "post-only buy that would cross"):
        across = trader.worst(market)
        _refused(lambda: client.place_limit_order(asset_id=market.yes, price=across, size=10, side="BUY", post_only=True),
                 "crosses")  # fmt: skip
    with trader.call("place_limit_order", "too small"):
        _refused(lambda: client.place_limit_order(asset_id=market.yes, price=LOW, size=1, side="BUY"), "minimum")
    with trader.call("create_limit_order"):
        signed = client.create_limit_order(asset_id=market.yes, price=LOW, size=12, side="BUY")
        equal((signed.maker_amount, signed.taker_amount), (240_000, 12_000_000), "the amounts")
    with trader.call("post_order"):
        placed = client.post_order(signed)
        expect(placed.ok and placed.status == "live", f"a resting order, got {placed}")
    with trader.call("post_order", "the same order again"):
        _refused(lambda: client.post_order(signed), "Duplicated")
    with trader.call("create_market_order"):
        signed = client.create_market_order(
            asset_id=market.yes, side="BUY", amount=100_000, max_price=market.ask, order_type="FOK"
        )
    with trader.call("post_order", "FOK that cannot be filled"):
        _refused(lambda: client.post_order(signed), "")
    with trader.call("place_market_order", "FAK buy of the other outcome, with a builder's code"):
        bought = unless_moved(
            lambda: client.place_market_order(asset_id=market.no, side="BUY", amount=20, builder_code=BUILDER_CODE),
            UNMATCHED,
        )
        expect(bought.ok and bought.status == "matched", f"a matched order, got {bought}")
        trader.settle()
        equal(trader.held(market.no), int(bought.taking_amount * MILLION), "the tokens that came")
    with trader.call("list_builder_trades", "of one's own order"):
        rows = eventually(lambda: items(client.list_builder_trades(builder_code=BUILDER_CODE)), "a builder's trade")
        expect(bought.order_id in [row.taker_order_hash for row in rows], "the order")
    with trader.call("get_builder_fee_rates"):
        rates = client.get_builder_fee_rates(BUILDER_CODE)
        expect(rates.maker >= 0 and rates.taker >= 0, "rates")
    with trader.call("place_limit_order", "GTC sell that rests"):
        placed = client.place_limit_order(asset_id=market.no, price="0.98", size=5, side="SELL")
        expect(placed.ok and placed.status == "live", f"a resting order, got {placed}")
    with trader.call("cancel_all"):
        expect(placed.order_id in client.cancel_all().canceled, "the sell among the cancelled")
        equal(items(client.list_open_orders()), [], "open orders")


def batches_and_cancels(trader: Trader, market: Market, other: Market) -> None:
    """A batch judged leg by leg, then the cancels by ids, by market and by token."""
    client = trader.client
    with trader.call("post_orders"):
        wanted = [(market.yes, LOW, 10), (market.yes, Decimal("0.03"), 10), (other.yes, LOW, 10), (market.yes, LOW, 2)]
        legs = [client.create_limit_order(asset_id=token, price=p, size=s, side="BUY") for token, p, s in wanted]
        answers = client.post_orders(legs)
        equal([answer.ok for answer in answers], [True, True, True, False], "which legs were accepted")
        expect("minimum" in answers[3].message, f"the last leg's refusal, got {answers[3]}")
        ids = [answer.order_id for answer in answers[:3]]
    with trader.call("cancel_orders"):
        answer = client.cancel_orders(order_ids=[ids[0], "0x" + "11" * 32])
        equal((answer.canceled, list(answer.not_canceled)), ((ids[0],), ["0x" + "11" * 32]), "the answer")
    with trader.call("cancel_market_orders", "by token"):
        equal(client.cancel_market_orders(asset_id=other.yes).canceled, (ids[2],), "the cancelled")
    with trader.call("cancel_market_orders", "by market"):
        equal(client.cancel_market_orders(market=market.condition_id).canceled, (ids[1],), "the cancelled")


def own_trades(trader: Trader, market: Market, trade_id: str) -> None:
    """Find one's trades by every filter."""
    client = trader.client
    matched = int(items(client.list_account_trades(id=trade_id))[0].matched_at.timestamp())
    filters: dict[str, dict[str, str]] = {
        "market": {"market": market.condition_id},
        "token": {"asset_id": market.yes},
        "wallet": {"maker_address": client.wallet},
        "time": {"after": str(matched - 1), "before": str(matched + 1)},
    }
    for way, query in filters.items():
        with trader.call("list_account_trades", f"by {way}"):
            expect(trade_id in [row.id for row in items(client.list_account_trades(**query))], "the trade")


def _refused(attempt: Any, text: str) -> None:
    """Check a refusal, whichever way the venue gives it: an error, or an answer that is not ok."""
    try:
        answer = attempt()
    except RequestRejectedError as error:
        expect(text in str(error), f"a refusal with {text!r}, got {error}")
        return
    expect(not answer.ok and text in answer.message, f"a refusal with {text!r}, got {answer}")


def unknown_order(trader: Trader) -> None:
    """An order nobody placed is not found."""
    with trader.call("get_order", "of no known id"):
        refused(lambda: trader.client.get_order(order_id="0x" + "22" * 32), PolymarketError, "not found")


def positions(trader: Trader, market: Market) -> None:
    """An order for a position of Protocol V2 is signed for Exchange V3, rests, and is filled."""
    client = trader.client
    with trader.call("place_limit_order", "of a position"):
        placed = client.place_limit_order(asset_id=market.yes, price=LOW, size=10, side="BUY")
        expect(placed.ok and placed.status == "live", f"a resting order, got {placed}")
        client.cancel_order(order_id=placed.order_id)
    with trader.call("place_market_order", "of a position"):
        # The venue takes 2 decimals of dollars and 4 of shares; on a fine grid only some prices divide that well, ten shares always do.
        worst = trader.worst(market)
        bought = client.place_market_order(asset_id=market.yes, side="BUY", amount=10 * worst, max_price=worst)
        expect(bought.ok and bought.status == "matched", f"a matched order, got {bought}")
    with trader.call("get_balance_allowance", "of a position"):
        trader.settle()
        held = client.get_balance_allowance(asset_type="CONDITIONAL-V2", asset_id=market.yes).balance
        equal(held, int(bought.taking_amount * MILLION), "the shares that came")
