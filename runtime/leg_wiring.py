"""Wires leg groups to the books: displayed depth for the order of the legs, displayed asks for the way out."""

from __future__ import annotations

from collections.abc import Callable

from domain.legs import LegGroupReport
from domain.market import Market
from domain.order import OrderSide
from domain.ports import Ids
from domain.signal import TradeSignal
from markets.books import Books
from trading.desk import Desk
from trading.lease_holder import LeaseHolder
from trading.leg_exits import Exits
from trading.leg_groups import LegGroups
from trading.leg_risk import GroupRisk
from trading.leg_settings import LegSettings
from trading.order_flow import OrderFlow
from trading.risk import Decision, RiskCore
from trading.venue_state import VenueState

LEVELS = 50


def build_legs(
    settings: LegSettings,
    desk: Desk,
    risk: RiskCore,
    flow: OrderFlow,
    lease: LeaseHolder,
    venue_state: VenueState,
    ids: Ids,
    books: Books,
    *,
    market_of: Callable[[str], Market | None],
    on_decision: Callable[[TradeSignal, Decision], None],
    on_report: Callable[[LegGroupReport], None],
) -> LegGroups:
    """Return the leg groups of a kernel."""

    def depth_of(token_id: str, side: OrderSide, price: int) -> int:
        """Shares of others that an order at `price` would meet."""
        book = books.get(token_id)
        if book is None or not book.trusted:
            return 0
        buys = side is OrderSide.BUY
        levels = book.levels(OrderSide.SELL if buys else OrderSide.BUY, LEVELS)
        return sum(size for level, size in levels if (level <= price if buys else level >= price))

    def asks_of(token_id: str) -> list[tuple[int, int]] | None:
        book = books.get(token_id)
        return book.levels(OrderSide.SELL, LEVELS) if book is not None and book.trusted else None

    group_risk = GroupRisk(
        risk,
        desk.portfolio,
        desk.halts,
        desk.clock,
        ids,
        venue_state,
        settings,
        depth_of=depth_of,
        lease_valid=lambda: lease.valid(desk.clock.monotonic()),
    )
    return LegGroups(
        desk,
        group_risk,
        flow,
        Exits(desk, group_risk, asks_of=asks_of, market_of=market_of),
        on_decision=on_decision,
        on_report=on_report,
        on_failure=desk.fail,
    )
