"""Markets, orders and reports for the tests of trading."""

from __future__ import annotations

import itertools

from domain.fees import FeeSchedule
from domain.fill import FillStatus, Liquidity
from domain.market import Market
from domain.money import MICRO
from domain.order import Effect, Order, OrderDraft, OrderSide, OrderStatus, OrderType, PreparedOrder
from domain.reports import OrderReport, TradeReport
from domain.signal import TradeSignal

ACCOUNT = "sim:test"
NOW = 1_790_000_000_000_000_000
YES, NO = "1001", "1002"
_numbers = itertools.count(1)


def market(**changes) -> Market:
    facts = {
        "id": "m1",
        "venue": "polymarket",
        "question": "Will it?",
        "slug": "will-it",
        "condition_id": "0xc1",
        "token_ids": (YES, NO),
        "fees": FeeSchedule(rate=40_000),
    }
    return Market(**(facts | changes))


def signal(**changes) -> TradeSignal:
    facts = {
        "id": f"s{next(_numbers)}",
        "source": "test",
        "market": market(),
        "token_id": YES,
        "side": OrderSide.BUY,
        "price": 500_000,
        "size": 10 * MICRO,
        "effect": Effect.OPEN,
        "created_ns": NOW,
        "expires_ns": NOW + 60_000_000_000,
    }
    return TradeSignal(**(facts | changes))


def draft(**changes) -> OrderDraft:
    facts = {
        "account": ACCOUNT,
        "decision_id": f"d{next(_numbers)}",
        "intent_id": f"i{next(_numbers)}",
        "strategy": "test",
        "market": market(),
        "token_id": YES,
        "side": OrderSide.BUY,
        "order_type": OrderType.GTC,
        "price": 500_000,
        "size": 10 * MICRO,
        "effect": Effect.OPEN,
    }
    return OrderDraft(**(facts | changes))


def order(order_draft: OrderDraft | None = None, *, order_id: str = "") -> Order:
    decided = order_draft or draft()
    cash = decided.price * decided.size // MICRO
    amounts = (cash, decided.size) if decided.side is OrderSide.BUY else (decided.size, cash)
    prepared = PreparedOrder(
        order_id=order_id or f"0x{next(_numbers):064x}",
        payload=b'{"order":{}}',
        salt=1,
        timestamp_ms=NOW // 1_000_000,
        maker_amount=amounts[0],
        taker_amount=amounts[1],
        signature="0x00",
    )
    return Order(draft=decided, prepared=prepared, lease_epoch=1, created_ns=NOW)


def trade(of: Order, size: int, **changes) -> TradeReport:
    facts = {
        "trade_id": f"t{next(_numbers)}",
        "order_id": of.id,
        "condition_id": of.draft.market.condition_id,
        "token_id": of.draft.token_id,
        "side": of.draft.side,
        "price": of.draft.price,
        "size": size,
        "liquidity": Liquidity.MAKER,
        "status": FillStatus.MATCHED,
        "matched_ns": NOW,
    }
    return TradeReport(**(facts | changes))


def report(of: Order, status: OrderStatus, *, matched: int | None = 0) -> OrderReport:
    return OrderReport(
        order_id=of.id,
        status=status,
        condition_id=of.draft.market.condition_id,
        token_id=of.draft.token_id,
        side=of.draft.side,
        price=of.draft.price,
        original_size=of.draft.size,
        size_matched=matched,
    )


class FixedClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.ns = NOW

    def now_ns(self) -> int:
        return self.ns

    def monotonic(self) -> float:
        return self.ns / 1e9


class CountingIds:
    def uuid(self) -> str:
        return f"00000000-0000-4000-8000-{next(_numbers):012d}"

    def salt(self) -> int:
        return next(_numbers)
