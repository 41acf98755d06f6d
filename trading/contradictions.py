"""What cannot be true: trades that contradict our order, or what the venue said of the same trade before. Pure functions; '' means plausible."""

from __future__ import annotations

from domain.fill import Fill, FillStatus
from domain.market import Market
from domain.money import MICRO
from domain.order import OrderSide
from domain.reports import TradeReport
from trading.own_orders import OwnOrder
from trading.positions import DUST


def contradicts_market(market: Market, report: TradeReport) -> str:
    """Return why a trade cannot be one in `market`, or ''."""
    return "" if report.token_id in market.token_ids else f"token {report.token_id[:12]}… is not one of its market's"


def contradicts_order(own: OwnOrder | None, report: TradeReport) -> str:
    """Return why a trade cannot be a part of `own` (None: an order made outside), or ''. Up to 0.01 share too much is plausible."""
    if report.size <= 0 or not 0 < report.price < MICRO:
        return f"impossible trade: {report.size} micro-shares at {report.price}"
    if own is None:
        return ""
    draft, prepared = own.order.draft, own.order.prepared
    if report.token_id != draft.token_id or report.side is not draft.side:
        return f"trade is {report.side} {report.token_id[:12]}…, the order {draft.side} {draft.token_id[:12]}…"
    worse = report.price > draft.price if draft.side is OrderSide.BUY else report.price < draft.price
    if worse:
        return f"trade at {report.price} is worse than the order's limit {draft.price}"
    # One that failed takes nothing from the order, but it was a part of it too: its size counts as seen.
    filled, spent = (0, 0) if report.status is FillStatus.FAILED else (own.filled, own.spent)
    if draft.spends_cash_amount:
        over = spent + report.price * report.size // MICRO - prepared.maker_amount - draft.price * DUST // MICRO
    else:
        over = filled + report.size - draft.size - DUST
    return f"overfill: {over} micro-units beyond the order" if over > 0 else ""


def contradicts_fill(known: Fill, report: TradeReport) -> str:
    """Return why a report cannot speak of a fill that is known already, or ''."""
    if same_terms(known, report):
        return ""
    return f"the venue changed a trade: {known.side} {known.size} at {known.price} is now {report.side} {report.size} at {report.price}"


def same_terms(one: Fill | TradeReport, other: Fill | TradeReport) -> bool:
    """Tell whether two words on a trade agree on what was traded at what price."""
    return (one.token_id, one.side, one.price, one.size) == (other.token_id, other.side, other.price, other.size)
