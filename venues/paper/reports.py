"""The exchange core's views as the evidence that the trader's ports speak of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from domain.fill import Liquidity
from domain.order import OrderSide, OrderStatus
from domain.ports import AccountListener
from domain.reports import Accepted, OrderReport, SendOutcome, TradeReport
from venues.exchange.events import (
    Event,
    OrderAccepted,
    OrderCanceled,
    OrderPlaced,
    OrderRefused,
    OrderUpdated,
    OrderView,
    TradeMatched,
    TradeMoved,
    TradeView,
    VenueStatus,
)
from venues.polymarket.order_answers import failed
from venues.polymarket.refusals import UNDOCUMENTED, entry_of
from venues.polymarket.troubles import trouble

_STATUS = {
    VenueStatus.LIVE: OrderStatus.LIVE,
    VenueStatus.DELAYED: OrderStatus.DELAYED,
    VenueStatus.MATCHED: OrderStatus.MATCHED,
    VenueStatus.CANCELED_EXPIRED_ORDER: OrderStatus.EXPIRED,
}


def order_status(status: VenueStatus) -> OrderStatus:
    """Return our word for the venue's; what is neither open, matched nor expired was cancelled."""
    return _STATUS.get(status, OrderStatus.CANCELLED)


def order_report(view: OrderView) -> OrderReport:
    return OrderReport(
        order_id=view.id,
        status=order_status(view.status),
        condition_id=view.condition_id,
        token_id=view.token_id,
        side=view.side,
        price=view.price,
        original_size=view.size,
        size_matched=view.size_matched,
        order_type=view.order_type,
        trade_ids=view.trade_ids,
        reason=view.reason,
        at_ns=view.updated_ns,
    )


def trade_reports(trade: TradeView, account: str) -> list[TradeReport]:
    """Return the parts of a trade that are `account`'s, one for each of its orders."""
    reports = []
    if trade.account == account:
        reports.append(
            _part(trade, trade.taker_order_id, trade.token_id, trade.side, trade.price, trade.size, Liquidity.TAKER)
        )
    reports += [
        _part(trade, maker.order_id, maker.token_id, maker.side, maker.price, maker.size, Liquidity.MAKER)
        for maker in trade.makers
        if maker.account == account
    ]
    return reports


def outcome(answer: OrderAccepted | OrderRefused) -> SendOutcome:
    """Return what an answer proves: the exchange refuses in the venue's words, so the venue's catalogue reads them."""
    if isinstance(answer, OrderAccepted):
        return Accepted(order_id=answer.order_id, status=order_status(answer.status), trade_ids=answer.trade_ids)
    entry = entry_of(answer.text) or UNDOCUMENTED
    return failed((answer.order_id,), trouble(entry, answer.text), proof=entry.proof)[0]


def news(events: Iterable[Event], account: str) -> Iterator[Callable[[AccountListener], None]]:
    """Return what to tell a listener of `account`'s orders and trades, in the order of the events."""
    for event in events:
        match event:
            case OrderPlaced(order) | OrderUpdated(order) | OrderCanceled(order) if order.account == account:
                yield partial(_tell_order, order_report(order))
            case TradeMatched(trade) | TradeMoved(trade):
                yield from (partial(_tell_trade, report) for report in trade_reports(trade, account))


def _tell_order(report: OrderReport, listener: AccountListener) -> None:
    listener.on_order(report)


def _tell_trade(report: TradeReport, listener: AccountListener) -> None:
    listener.on_trade(report)


def _part(
    trade: TradeView, order_id: str, token_id: str, side: OrderSide, price: int, size: int, liquidity: Liquidity
) -> TradeReport:
    return TradeReport(
        trade_id=trade.id,
        order_id=order_id,
        condition_id=trade.condition_id,
        token_id=token_id,
        side=side,
        price=price,
        size=size,
        liquidity=liquidity,
        status=trade.status,
        matched_ns=trade.matched_ns,
        transaction_hash=trade.transaction_hash,
    )
