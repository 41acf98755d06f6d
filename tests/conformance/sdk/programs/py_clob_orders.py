"""Orders of every type, batches, cancels, own orders and trades through `py-clob-client-v2`, from a wallet of each signature type."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from py_clob_client_v2 import (
    AssetType,
    BalanceAllowanceParams,
    BuilderTradeParams,
    MarketOrderArgs,
    OpenOrderParams,
    OrderArgs,
    OrderMarketCancelParams,
    OrderPayload,
    OrderScoringParams,
    OrdersScoringParams,
    OrderType,
    PostOrdersV2Args,
    TradeParams,
)
from py_clob_client_v2.exceptions import PolyApiException

from conversation import Conversation, equal, eventually, expect, refused, unless_moved
from setting import BUILDER_CODE, Market, Venue

C = "ClobClient."
UNMATCHED = "no orders found to match"


@dataclass(frozen=True)
class Trader:
    """One wallet's client. `name` is told in every case."""

    talk: Conversation
    client: Any
    venue: Venue
    wallet: str
    name: str

    def held(self, token_id: str = "") -> int:
        """Return the settled balance of a token, or of the collateral, in base units."""
        kind = AssetType.CONDITIONAL if token_id else AssetType.COLLATERAL
        return int(self.client.get_balance_allowance(BalanceAllowanceParams(kind, token_id or None))["balance"])

    def worst(self, market: Market) -> Decimal:
        """Return a price at which a buy of `yes` takes five cents' worth of the book as it stands."""
        ask = Decimal(self.client.get_price(market.yes, "SELL")["price"])
        return min(ask + 5 * market.tick, 1 - market.tick)

    def settle(self) -> None:
        """Wait until nothing of this wallet is on its way to the chain, so that balances stand still."""
        eventually(
            lambda: {row["status"] for row in self.client.get_trades()} <= {"TRADE_STATUS_CONFIRMED"},
            "the settlement of every trade",
        )

    def cancelled(self, order_id: str) -> bool:
        """Say whether the venue no longer has the order as open."""
        return not self.client.get_open_orders(OpenOrderParams(id=order_id))


def limit(market: Market, side: str = "BUY", price: str = "0.02", size: float = 10, **more: Any) -> OrderArgs:
    """Return a limit order far from the market, unless a price is given."""
    return OrderArgs(token_id=market.yes, price=float(price), size=size, side=side, **more)


def rest_and_cancel(trader: Trader, market: Market) -> None:
    """A GTC buy rests, is found everywhere, scores or not, and is cancelled once."""
    talk, client, name = trader.talk, trader.client, trader.name
    with talk.call(C + "create_and_post_order", f"GTC buy, {name}"):
        placed = client.create_and_post_order(limit(market))
        equal((placed["success"], placed["status"], placed["errorMsg"]), (True, "live", ""), "the answer")
    order_id = placed["orderID"]
    with talk.call(C + "get_order", f"resting, {name}"):
        order = client.get_order(order_id)
        shown = {key: order[key] for key in ("id", "status", "asset_id", "side", "original_size", "size_matched")}
        expected = (order_id, "ORDER_STATUS_LIVE", market.yes, "BUY", "10", "0")
        equal(tuple(shown.values()), expected, "the order")
        equal((order["price"], order["order_type"], order["maker_address"]), ("0.02", "GTC", trader.wallet), "and more")
    for params in (OpenOrderParams(id=order_id), OpenOrderParams(market=market.condition_id, asset_id=market.yes)):
        with talk.call(C + "get_open_orders", f"{'by id' if params.id else 'by market and token'}, {name}"):
            expect(order_id in [order["id"] for order in client.get_open_orders(params)], "the order in the list")
    with talk.call(C + "is_order_scoring", name):
        expect(isinstance(client.is_order_scoring(OrderScoringParams(order_id))["scoring"], bool), "a yes or no")
    with talk.call(C + "are_orders_scoring", name):
        equal(list(client.are_orders_scoring(OrdersScoringParams([order_id]))), [order_id], "the orders answered for")
    with talk.call(C + "cancel_order", name):
        answer = client.cancel_order(OrderPayload(order_id))
        equal((answer["canceled"], answer["not_canceled"]), ([order_id], {}), "the answer")
        expect(trader.cancelled(order_id), "no open order")
    with talk.call(C + "cancel_order", f"again, {name}"):
        answer = client.cancel_order(OrderPayload(order_id))
        expect("already canceled or matched" in answer["not_canceled"][order_id], "the venue's reason")


def take_and_sell(trader: Trader, market: Market) -> dict[str, Any]:
    """A market buy is filled and paid for, its trade is found, and the tokens are sold again. Returns the buy's answer."""
    talk, client, name = trader.talk, trader.client, trader.name
    trader.settle()
    cash, tokens = trader.held(), trader.held(market.yes)
    with talk.call(C + "create_and_post_market_order", f"FOK buy, {name}"):
        worst = trader.worst(market)
        order = MarketOrderArgs(token_id=market.yes, amount=10, side="BUY", price=float(worst))
        bought = client.create_and_post_market_order(order, order_type=OrderType.FOK)
        equal((bought["success"], bought["status"]), (True, "matched"), "the answer")
        expect(bought["tradeIDs"] and bought["transactionsHashes"], "trades and their hashes")
        spent, got = (Decimal(bought[key]) for key in ("makingAmount", "takingAmount"))
        expect(0 < spent <= 10 and spent / got <= worst, f"a fill, got {got} for {spent}")
    with talk.call(C + "get_trades", f"by id, {name}"):
        rows = [row for trade_id in bought["tradeIDs"] for row in client.get_trades(TradeParams(id=trade_id))]
        equal(sum(Decimal(row["size"]) for row in rows), got, "the sizes")
        equal({row["taker_order_id"] for row in rows}, {bought["orderID"]}, "the taker's order")
        equal(
            {(row["trader_side"], row["side"], row["asset_id"]) for row in rows}, {("TAKER", "BUY", market.yes)}, "rows"
        )
    with talk.call(C + "get_balance_allowance", f"after the fill, {name}"):
        trader.settle()
        equal(trader.held(market.yes) - tokens, int(got * 1_000_000), "the tokens that came")
        paid = Decimal(cash - trader.held()) / 1_000_000
        expect(spent <= paid <= spent * Decimal("1.1"), f"{spent} and a fee paid, got {paid}")
    with talk.call(C + "create_and_post_market_order", f"FAK sell at the book's price, {name}"):
        size = int(got * 100) / 100
        order = MarketOrderArgs(token_id=market.yes, amount=size, side="SELL", order_type=OrderType.FAK)
        sold = unless_moved(lambda: client.create_and_post_market_order(order, order_type=OrderType.FAK), UNMATCHED)
        equal(sold["status"], "matched", "the status")
        expect(Decimal(sold["makingAmount"]) > 0, "shares given")
    return dict(bought)


def other_types(trader: Trader, market: Market) -> None:
    """GTD, post-only, sells that rest, orders the venue refuses, signed and posted apart."""
    talk, client = trader.talk, trader.client
    with talk.call(C + "create_and_post_order", "GTD buy"):
        expiration = client.get_server_time() + 60 + 300
        placed = client.create_and_post_order(limit(market, expiration=expiration), order_type=OrderType.GTD)
        order = client.get_order(placed["orderID"])
        equal((order["order_type"], order["expiration"]), ("GTD", str(expiration)), "type and expiration")
    with talk.call(C + "create_and_post_order", "GTD buy that expires too soon"):
        soon = limit(market, expiration=client.get_server_time() + 30)
        refused(
            lambda: client.create_and_post_order(soon, order_type=OrderType.GTD), PolyApiException, "invalid expiration"
        )
    with talk.call(C + "create_and_post_order", "post-only buy"):
        placed = client.create_and_post_order(limit(market), post_only=True)
        equal(placed["status"], "live", "the status")
    with talk.call(C + "create_and_post_order", "post-only buy that would cross"):
        crossing = limit(market, price=str(trader.worst(market)))
        refused(lambda: client.create_and_post_order(crossing, post_only=True), PolyApiException, "crosses")
    with talk.call(C + "create_and_post_order", "too small"):
        refused(lambda: client.create_and_post_order(limit(market, size=1)), PolyApiException, "lower than the minimum")
    with talk.call(C + "create_order"):
        signed = client.create_order(limit(market, size=12))
        equal((signed.makerAmount, signed.takerAmount), ("240000", "12000000"), "the amounts")
    with talk.call(C + "post_order"):
        placed = client.post_order(signed, OrderType.GTC)
        equal(placed["status"], "live", "the status")
    with talk.call(C + "post_order", "the same order again"):
        refused(lambda: client.post_order(signed, OrderType.GTC), PolyApiException, "Duplicated")
    with talk.call(C + "create_market_order"):
        args = MarketOrderArgs(token_id=market.yes, amount=100_000, side="BUY", price=float(market.ask))
        signed = client.create_market_order(args)
    with talk.call(C + "post_order", "FOK that cannot be filled"):
        refused(lambda: client.post_order(signed, OrderType.FOK), PolyApiException, "")
    with talk.call(C + "create_and_post_market_order", "FAK buy of what there is"):
        args = MarketOrderArgs(token_id=market.no, amount=100, side="BUY", price=0.99, order_type=OrderType.FAK)
        bought = client.create_and_post_market_order(args, order_type=OrderType.FAK)
        equal(bought["status"], "matched", "the status")
        trader.settle()
        equal(trader.held(market.no), int(Decimal(bought["takingAmount"]) * 1_000_000), "the tokens that came")
    with talk.call(C + "create_and_post_order", "GTC sell that rests"):
        asked = OrderArgs(token_id=market.no, price=0.98, size=5, side="SELL")
        placed = client.create_and_post_order(asked)
        order = client.get_order(placed["orderID"])
        equal((placed["status"], order["side"], order["outcome"]), ("live", "SELL", "No"), "the order")
    with talk.call(C + "cancel_all"):
        answer = client.cancel_all()
        expect(placed["orderID"] in answer["canceled"], "the sell among the cancelled")
        equal(client.get_open_orders(), [], "the open orders")


def batches_and_cancels(trader: Trader, market: Market, other: Market) -> None:
    """A batch judged leg by leg, then the cancels by ids, by market and by token."""
    talk, client = trader.talk, trader.client
    with talk.call(C + "post_orders"):
        legs = [client.create_order(limit(market, price=price)) for price in ("0.02", "0.03")]
        legs += [client.create_order(limit(other)), client.create_order(limit(market, size=2))]
        answers = client.post_orders([PostOrdersV2Args(leg, OrderType.GTC) for leg in legs])
        ids = [answer["orderID"] for answer in answers]
        equal([bool(order_id) for order_id in ids], [True, True, True, False], "which legs have an order")
        expect("lower than the minimum" in answers[3]["errorMsg"], "the last leg's refusal")
    with talk.call(C + "post_orders", "more than 15"):
        many = [client.create_order(limit(market)) for _ in range(16)]
        refused(
            lambda: client.post_orders([PostOrdersV2Args(leg, OrderType.GTC) for leg in many]),
            PolyApiException,
            "Too many orders in payload: 16, max allowed: 15",
        )
    with talk.call(C + "cancel_orders"):
        answer = client.cancel_orders([ids[0], "0x" + "11" * 32])
        equal(answer["canceled"], [ids[0]], "the cancelled")
        equal(list(answer["not_canceled"]), ["0x" + "11" * 32], "the unknown")
    with talk.call(C + "cancel_market_orders", "by token"):
        equal(
            client.cancel_market_orders(OrderMarketCancelParams(asset_id=other.yes))["canceled"], [ids[2]], "cancelled"
        )
    with talk.call(C + "cancel_market_orders", "by market"):
        asked = OrderMarketCancelParams(market=market.condition_id)
        equal(client.cancel_market_orders(asked)["canceled"], [ids[1]], "cancelled")
    with talk.call(C + "get_pre_migration_orders"):
        equal(client.get_pre_migration_orders(), [], "orders of the old exchange")


def own_trades(trader: Trader, market: Market, bought: dict[str, Any]) -> None:
    """Find one's trades by every filter, also by the builder's code."""
    talk, client = trader.talk, trader.client
    trade_id = bought["tradeIDs"][0]
    matched = int(client.get_trades(TradeParams(id=trade_id))[0]["match_time"])
    filters = {
        "market": TradeParams(market=market.condition_id),
        "token": TradeParams(asset_id=market.yes),
        "wallet": TradeParams(maker_address=trader.wallet),
        "time": TradeParams(after=matched - 1, before=matched + 1),
    }
    for name, params in filters.items():
        with talk.call(C + "get_trades", f"by {name}"):
            expect(trade_id in [row["id"] for row in client.get_trades(params)], "the trade")
    with talk.call(C + "get_trades", "before all of them"):
        equal(client.get_trades(TradeParams(before=matched - 3600)), [], "trades")
    with talk.call(C + "get_trades_paginated"):
        page = client.get_trades_paginated(TradeParams(id=trade_id))
        equal(
            ([row["id"] for row in page["trades"]], page["next_cursor"], page["count"]), ([trade_id], "LTE=", 1), "page"
        )


def builder(trader: Trader, market: Market) -> None:
    """An order that names a builder is filled, and found among the builder's trades."""
    talk, client = trader.talk, trader.client
    with talk.call(C + "create_and_post_market_order", "with a builder code"):
        args = MarketOrderArgs(
            token_id=market.yes, amount=5, side="BUY", price=float(trader.worst(market)), builder_code=BUILDER_CODE,
            user_usdc_balance=50,
        )  # fmt: skip
        bought = client.create_and_post_market_order(args, order_type=OrderType.FAK)
        equal(bought["status"], "matched", "the status")
    with talk.call(C + "get_builder_trades"):
        asked = BuilderTradeParams(builder_code=BUILDER_CODE, market=market.condition_id)
        rows = eventually(lambda: client.get_builder_trades(asked)["trades"], "a trade of the builder")
        expect(bought["orderID"] in [row["takerOrderHash"] for row in rows], "the order")
        equal({row["builder"] for row in rows}, {BUILDER_CODE}, "the builder")


def positions(trader: Trader, market: Market) -> None:
    """An order for a position of Protocol V2 is signed for Exchange V3, rests, and is filled."""
    talk, client = trader.talk, trader.client
    with talk.call(C + "create_and_post_order", "of a position"):
        placed = client.create_and_post_order(OrderArgs(position_id=market.yes, price=0.02, size=10, side="BUY"))
        equal(placed["status"], "live", "the status")
        equal(client.get_order(placed["orderID"])["asset_id"], market.yes, "the position")
        client.cancel_order(OrderPayload(placed["orderID"]))
    with talk.call(C + "create_and_post_market_order", "of a position"):
        # The venue takes 2 decimals of dollars and 4 of shares; on a fine grid only some prices divide that well, ten shares always do.
        # The SDK cuts prices in binary, so a price on the grid may become the next lower one; a little more does not.
        worst = float(trader.worst(market))
        args = MarketOrderArgs(position_id=market.yes, amount=round(10 * worst, 2), side="BUY", price=worst + 0.0002)
        bought = client.create_and_post_market_order(args, order_type=OrderType.FAK)
        equal(bought["status"], "matched", "the status")
