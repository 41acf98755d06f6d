"""Too many refusals by the venue halt the strategy, or the venue; what the market brings about does not count."""

from __future__ import annotations

import pytest

from domain.halt import HaltScope
from domain.order import OrderStatus
from domain.reports import HARMLESS, RATE_LIMITED, Accepted, Policy, Rejected, Uncertain
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.waiting import virtual
from trading.limits import RiskLimits
from trading.risk.rejections import Rejections


def rejections(rig: Rig) -> Rejections:
    return Rejections(rig.desk, RiskLimits(max_rejections_in_row=3, max_rejections_per_minute=5), venue="polymarket")


def refused(code: str = "invalid_amounts", **more) -> Rejected:
    return Rejected(order_id="0x1", code=code, text="no", **more)


def halted(rig: Rig) -> list[tuple[HaltScope, str]]:
    return [(halt.scope, halt.target) for halt in rig.halts.active()]


@virtual
async def test_refusals_in_a_row_halt_their_strategy_with_the_last_reason(clock) -> None:
    rig = Rig(clock)
    counting = rejections(rig)
    for strategy in ("one", "two", "one", "two", "one"):
        assert halted(rig) == []
        counting.answered(f.draft(strategy=strategy), refused())
        clock.advance(20)

    assert halted(rig) == [(HaltScope.STRATEGY, "one")]
    assert "invalid_amounts: no" in rig.halts.active()[0].reason


@virtual
async def test_an_accepted_order_begins_the_row_again(clock) -> None:
    rig = Rig(clock)
    counting = rejections(rig)
    for _ in range(3):
        for outcome in (refused(), refused(), Accepted(order_id="0x1", status=OrderStatus.LIVE)):
            counting.answered(f.draft(), outcome)
            clock.advance(15)

    assert halted(rig) == []


@virtual
async def test_many_refusals_within_a_minute_halt_the_venue(clock) -> None:
    rig = Rig(clock)
    counting = rejections(rig)
    for number in range(5):
        counting.answered(f.draft(strategy=f"s{number}"), refused())
        clock.advance(14.9 if number < 4 else 0)

    assert halted(rig) == [(HaltScope.VENUE, "polymarket")]


@virtual
async def test_refusals_that_are_a_minute_apart_do_not_add_up(clock) -> None:
    rig = Rig(clock)
    counting = rejections(rig)
    for number in range(20):
        counting.answered(f.draft(strategy=f"s{number}"), refused())
        clock.advance(15.1)

    assert halted(rig) == []


@pytest.mark.parametrize(
    "outcome",
    [
        *(refused(code) for code in sorted(HARMLESS)),
        refused(RATE_LIMITED, policy=Policy.RETRY_AFTER),
        Uncertain(order_id="0x1"),
    ],
    ids=lambda outcome: outcome.code,
)
@virtual
async def test_what_blames_no_order_does_not_count(outcome, clock) -> None:
    rig = Rig(clock)
    counting = rejections(rig)
    for _ in range(50):
        counting.answered(f.draft(), outcome)

    assert halted(rig) == []
