"""Whatever state an order is in and whatever the venue knows of it: resolver and reconciliation together bring it to an end, or to where it rests."""

from __future__ import annotations

import asyncio

import pytest

from domain.fill import FillStatus
from domain.money import MICRO
from domain.order import OrderStatus
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.waiting import virtual

_S = OrderStatus
OPEN = [status for status in OrderStatus if not status.terminal]
KNOWN = ("rests", "filled", "cancelled", "cancelled in part", "never heard of", "forgotten")
RESTING = frozenset({_S.LIVE, _S.PARTIALLY_FILLED, _S.CANCELLING})


def let_the_venue_know(rig: Rig, own, known: str) -> int:
    """Give the venue its truth of an order; returns the shares that were filled."""
    order, shares = own.order, 0
    if known in ("filled", "cancelled in part"):
        shares = (10 if known == "filled" else 4) * MICRO
        rig.venue.reports.append(
            f.trade(order, shares, status=FillStatus.CONFIRMED, matched_ns=rig.clock.now_ns(), trade_id="t-1")
        )
    status = {"rests": _S.LIVE, "filled": _S.MATCHED, "cancelled": _S.CANCELLED, "cancelled in part": _S.CANCELLED}.get(
        known
    )
    if status is not None:
        rig.venue.orders[own.id] = f.report(order, status, matched=shares)
    rig.venue.cash = 1_000 * MICRO - shares // 2
    rig.venue.tokens = {f.YES: shares}
    return shares


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("status", OPEN)
@virtual
async def test_every_order_comes_to_an_end_or_to_where_it_rests(status, known, clock) -> None:
    rig = Rig(clock)
    own = rig.track(status)
    own.acknowledged = own.acknowledged and known != "never heard of"
    shares = let_the_venue_know(rig, own, known)
    rig.venue.down = {"order", "trades"}
    resolving = asyncio.ensure_future(rig.resolver.run())
    for round_ in range(30):
        if round_ == 2:
            rig.venue.down = set()
        await rig.reconciler.run()
        await asyncio.sleep(5.0)
    resolving.cancel()

    assert own.filled == shares
    if known == "rests":
        assert own.status in RESTING
        assert own.id in {report.order_id for report in await rig.venue.open_orders()}
    else:
        assert own.explained
        assert rig.portfolio.orders.reserved_cash == 0
    assert rig.broken == []
