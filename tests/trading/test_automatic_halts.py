"""Every halt that polybot sets by itself says why, what to do, and the command that lifts it; that very command does, and without news it stays
lifted.
"""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from domain.fill import FillStatus
from domain.halt import Halt, HaltScope
from domain.money import MICRO
from domain.order import OrderSide, OrderStatus, OrderType
from domain.ports import BadRow
from domain.reports import Policy, Rejected, Trouble
from infra.paths import ROOT
from tests.sim.virtual_time import VirtualClock, run_virtual
from tests.trading import factories as f
from tests.trading.kit import ABSENCE, Rig
from trading import models
from trading.damage import act_on
from trading.limits import RiskLimits
from trading.risk.losses import LossLimits

Again = Callable[[], Awaitable[object]]
"""Looks again at what had set a halt, without any news."""


async def quarantined(rig: Rig) -> Again:
    own = await rig.place()
    report = rig.fill(own, 50 * MICRO)

    async def again() -> None:
        rig.desk.apply(rig.portfolio.apply_trade(report, now_ns=rig.clock.now_ns()))

    return again


async def in_an_unknown_market(rig: Rig) -> Again:
    del rig.markets["m1"]
    rig.venue.reports.append(f.trade(f.order(), 10 * MICRO, matched_ns=rig.clock.now_ns()))
    await rig.reconciler.run()
    return rig.reconciler.run


async def more_sold_than_held(rig: Rig) -> Again:
    rig.hold(10 * MICRO)
    sold = f.trade(f.order(), 30 * MICRO, side=OrderSide.SELL, status=FillStatus.CONFIRMED)
    rig.desk.apply(rig.portfolio.apply_trade(sold, now_ns=rig.clock.now_ns()))
    return rig.resolver.explain


async def matched_without_trades(rig: Rig) -> Again:
    own = rig.track(OrderStatus.SUBMITTED, order_type=OrderType.FAK)
    rig.portfolio.acknowledge(own, OrderStatus.MATCHED, (), rig.clock.now_ns())
    for _ in range(round(ABSENCE / 10) + 3):
        await rig.resolver.explain()
        rig.clock.advance(10)
    return rig.resolver.explain


async def refused_in_a_row(rig: Rig) -> Again:
    refusal = Rejected(order_id="0x1", code="invalid_amounts", text="no")
    for _ in range(rig.risk.limits.max_rejections_in_row):
        rig.policies.placed(f.draft(strategy="with a space"), refusal)
    return rig.policies.resync_due


async def refused_too_often(rig: Rig) -> Again:
    refusal = Rejected(order_id="0x1", code="invalid_amounts", text="no")
    for number in range(rig.risk.limits.max_rejections_per_minute):
        rig.policies.placed(f.draft(strategy=f"s{number}"), refusal)
    return rig.policies.resync_due


async def told_to_stop(rig: Rig) -> Again:
    rig.policies.act(Trouble(code="closed_only", text="so it is", policy=Policy.HALT, fix="ask the venue"))
    rig.policies.act(Trouble(code="banned", policy=Policy.OPERATOR))
    return rig.policies.resync_due


async def lost_too_much(rig: Rig) -> Again:
    profit = [0]
    losses = LossLimits(rig.desk, RiskLimits(), lambda: profit[-1])
    losses.check()
    profit.append(-1_000 * MICRO)
    losses.check()

    async def again() -> None:
        losses.check()

    return again


async def shares_that_no_fill_explains(rig: Rig) -> Again:
    rig.hold(10 * MICRO)
    rig.venue.cash = rig.portfolio.ledger.cash + 3 * MICRO
    rig.venue.tokens = {f.YES: 4 * MICRO}

    async def rounds() -> None:
        for _ in range(3):
            rig.clock.advance(30)
            await rig.reconciler.run()

    await rounds()
    return rounds


async def money_that_is_missing(rig: Rig) -> Again:
    rig.venue.cash = rig.portfolio.ledger.cash
    await rig.reconciler.run()
    rig.hold(100 * MICRO)
    rig.venue.cash, rig.venue.tokens = rig.portfolio.ledger.cash - MICRO, {f.YES: 100 * MICRO}
    for _ in range(3):
        rig.clock.advance(30)
        await rig.reconciler.run()
    return rig.reconciler.run


async def damaged_rows(rig: Rig) -> Again:
    act_on(rig.desk, [BadRow(table="orders", key="0x1", wrong="unreadable", market_id="m1")])
    act_on(rig.desk, [BadRow(table="halts", key="7", wrong="unreadable")])
    return rig.resolver.explain


STORIES = {
    quarantined: ["market m1"],
    in_an_unknown_market: ["market 0xc1"],
    more_sold_than_held: ["market m1"],
    matched_without_trades: ["market m1"],
    refused_in_a_row: ["strategy with a space"],
    refused_too_often: ["venue polymarket"],
    told_to_stop: ["venue polymarket"],
    lost_too_much: ["all daily_loss", "all session_loss", "all drawdown"],
    shares_that_no_fill_explains: ["market m1"],
    money_that_is_missing: ["market m1"],
    damaged_rows: ["market m1", "all journal"],
}


def command_of(halt: Halt) -> list[str]:
    """Return the words behind `manage.py` that a halt's reason names."""
    told = re.search(r"; (?P<fix>[^;]+), then lift the halt: manage\.py (?P<command>resume .+)$", halt.reason)
    assert told is not None, halt.reason
    return shlex.split(told["command"])


@pytest.mark.django_db
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_command_that_a_halt_names_lifts_it_and_without_news_it_stays_lifted(story) -> None:
    clock = VirtualClock()
    found: list[Halt] = []

    async def tell() -> None:
        rig = Rig(clock)
        again = await story(rig)
        found.extend(rig.halts.active())
        for halt in found:
            scope, target = command_of(halt)[1:]
            assert rig.desk.resume(HaltScope(scope), target, lifted_by="ada")
        await again()
        assert rig.halts.active() == []

    run_virtual(tell, clock)

    assert [f"{halt.scope.value} {halt.target}" for halt in found] == STORIES[story]
    ended = datetime.now(UTC) - timedelta(seconds=1)
    models.Lease.objects.create(account=f.ACCOUNT, holder="h", epoch=1, expires_at=ended)
    for halt in found:
        assert halt.set_by == "polybot"
        models.Halt.objects.create(
            account=f.ACCOUNT, scope=halt.scope, target=halt.target, reason="r", set_by="polybot", set_at=ended
        )
        call_command(*command_of(halt), stdout=io.StringIO())
    assert not models.Halt.objects.filter(lifted_at=None).exists()


def test_polybot_halts_in_one_place_only_so_that_none_leaves_out_how_it_is_lifted() -> None:
    places = [
        path.relative_to(ROOT).as_posix()
        for folder in ("trading", "runtime", "strategies", "arbitrage", "markets")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if 'set_by="polybot"' in path.read_text()
    ]
    assert places == ["trading/desk.py"]
