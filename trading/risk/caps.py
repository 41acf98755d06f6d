"""Caps: the most that one order, market, event, venue and the whole account may have at stake. They stop what opens, never what reduces.

Each is measured with the new order in full, beside everything that is held, open, unknown or decided. An event counts with what is lost in its
worst outcome (`trading.risk.exposure`), the others with what was paid and may still be paid.
"""

from __future__ import annotations

from domain.order import OrderDraft, OrderSide
from trading.limits import RiskLimits
from trading.risk.decision import Decision, Refusal, over, refuse
from trading.risk.exposure import Exposure


def check_caps(draft: OrderDraft, cost: int, limits: RiskLimits, exposure: Exposure) -> Decision | None:
    """Return the cap that an opening order which may cost `cost` would break, or None."""
    if draft.side is OrderSide.SELL:
        return refuse(
            Refusal.NO_TOKENS,
            "a sale opens no position: sell what is held (effect reduce), or buy the other outcome",
        )
    if cost > limits.max_order_notional:
        return over(Refusal.ORDER_CAP, cost, limits.max_order_notional)
    exposure.refresh()
    market = draft.market
    in_market = exposure.in_market(market.id) + cost
    if in_market > limits.max_market_notional:
        return over(Refusal.MARKET_CAP, in_market, limits.max_market_notional)
    in_event = exposure.worst_loss_with(market, draft.token_id, draft.size, cost)
    if in_event > limits.max_event_notional:
        return over(Refusal.EVENT_CAP, in_event, limits.max_event_notional)
    at_venue = exposure.at_venue(market.venue) + cost
    if at_venue > limits.max_venue_notional:
        return over(Refusal.VENUE_CAP, at_venue, limits.max_venue_notional)
    total = exposure.total + cost
    if total > limits.max_total_notional:
        return over(Refusal.TOTAL_CAP, total, limits.max_total_notional)
    if exposure.tokens_with(draft.token_id, market.id) > limits.max_open_positions:
        return refuse(Refusal.POSITION_CAP, f"{exposure.tokens} positions are open or being opened")
    return None
