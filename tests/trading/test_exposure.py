"""What is at stake: kept figures agree with an independent count over every outcome and every subset of fills."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fees import FeeSchedule
from domain.fill import FillStatus
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus, OrderType
from tests.sim.virtual_time import VirtualClock
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.waiting import virtual
from trading.limits import RiskLimits
from trading.risk import Refusal

SELL = {"side": OrderSide.SELL, "effect": Effect.REDUCE}
OUTCOMES = [
    f.market(id=f"m{n}", condition_id=f"0xc{n}", token_ids=(f"{n}001", f"{n}002"), group_id="event", fees=FeeSchedule())
    for n in (1, 2, 3)
]
WIDE = 10**12


def rig_of(clock: VirtualClock, *, exclusive: bool = True, **limits: int) -> Rig:
    wide = {
        "max_order_notional": WIDE, "max_market_notional": WIDE, "max_event_notional": WIDE, "max_venue_notional": WIDE,
        "max_total_notional": WIDE, "max_slippage": MICRO,
    }  # fmt: skip
    rig = Rig(clock, limits=RiskLimits(**(wide | limits)))
    rig.markets = {market.id: market for market in OUTCOMES}
    rig.exclusive = {"event"} if exclusive else set()
    return rig


def worst(rig: Rig) -> int:
    rig.risk.exposure.refresh()
    return rig.risk.exposure.worst_loss_with(OUTCOMES[0], OUTCOMES[0].token_ids[0], 0, 0)


@virtual
async def test_no_of_every_exclusive_outcome_risks_only_what_one_of_them_costs_too_much(clock) -> None:
    rig = rig_of(clock)
    for market in OUTCOMES:
        rig.hold(market=market, token_id=market.token_ids[1], price=600_000)

    assert worst(rig) == 3 * 6 * MICRO - 2 * 10 * MICRO


@virtual
async def test_dust_of_a_closed_position_counts_at_cost_and_is_no_position(clock) -> None:
    rig = rig_of(clock)
    (market, *_) = OUTCOMES
    rig.hold(market=market, price=500_000)
    rig.hold(market=market, **SELL, size=10 * MICRO - 4_000, price=500_000)

    rig.risk.exposure.refresh()

    assert rig.risk.exposure.in_market(market.id) == 2_000
    assert rig.risk.exposure.tokens == 0


@virtual
async def test_outcomes_that_may_all_come_true_are_not_netted(clock) -> None:
    rig = rig_of(clock, exclusive=False)
    for market in OUTCOMES:
        rig.hold(market=market, token_id=market.token_ids[1], price=600_000)

    assert worst(rig) == 3 * 6 * MICRO


@virtual
async def test_both_tokens_of_a_market_hedge_each_other_until_one_is_for_sale(clock) -> None:
    rig = rig_of(clock)
    rig.hold(market=OUTCOMES[0], token_id="1001", price=500_000)
    rig.hold(market=OUTCOMES[0], token_id="1002", price=400_000)
    assert worst(rig) == -1 * MICRO

    rig.track(**SELL, market=OUTCOMES[0], token_id="1001", price=600_000)
    assert worst(rig) == 4 * MICRO


@virtual
async def test_purchases_that_would_hedge_do_not_count_as_hedges_before_they_are_filled(clock) -> None:
    rig = rig_of(clock)
    rig.hold(market=OUTCOMES[0], token_id="1001", price=500_000)
    hedge = rig.track(market=OUTCOMES[0], token_id="1002", price=400_000)

    assert worst(rig) == 5 * MICRO
    rig.fill(hedge)
    assert worst(rig) == -1 * MICRO


@virtual
async def test_an_event_has_a_cap_of_its_own_that_a_hedge_does_not_use_up(clock) -> None:
    rig = rig_of(clock, max_event_notional=8 * MICRO)
    rig.hold(market=OUTCOMES[0], token_id="1002", price=600_000)

    assert rig.refusal(market=OUTCOMES[1], token_id="2001", price=500_000) == Refusal.EVENT_CAP
    assert rig.refusal(market=OUTCOMES[1], token_id="2002", price=200_000) == ""


@virtual
async def test_all_markets_of_a_venue_share_a_cap(clock) -> None:
    rig = rig_of(clock, max_venue_notional=8 * MICRO)
    rig.hold(market=OUTCOMES[0], token_id="1002", price=600_000)

    assert rig.refusal(market=OUTCOMES[1], token_id="2002", price=300_000) == Refusal.VENUE_CAP
    assert rig.refusal(market=OUTCOMES[1], token_id="2002", price=200_000) == ""


@virtual
async def test_what_is_held_in_an_unknown_market_is_an_error_and_no_zero(clock) -> None:
    rig = rig_of(clock)
    rig.hold(market=OUTCOMES[0], token_id="1002", price=600_000)
    rig.risk.exposure.refresh()
    rig.portfolio.positions.touched.add("m9")

    with pytest.raises(KeyError, match="m9"):
        rig.risk.exposure.refresh()


@virtual
async def test_a_purchase_may_reach_only_so_far_into_the_book_and_a_sale_as_far_as_it_must(clock) -> None:
    rig = rig_of(clock, max_slippage=20_000)
    mine = {"market": OUTCOMES[0], "token_id": "1001"}
    rig.hold(**mine, price=500_000)

    assert rig.refusal(**SELL, **mine, price=100_000, order_type=OrderType.FAK) == ""
    mine = {"market": OUTCOMES[1], "token_id": "2001"}
    assert rig.refusal(**mine, price=540_000, order_type=OrderType.FAK) == Refusal.SLIPPAGE
    assert rig.refusal(**mine, price=540_000) == Refusal.SLIPPAGE
    assert rig.refusal(**mine, price=530_000, order_type=OrderType.FAK) == ""


@virtual
async def test_what_became_of_one_outcome_changes_the_event_by_just_that(clock) -> None:
    rig = rig_of(clock)
    for market in OUTCOMES:
        rig.hold(market=market, token_id=market.token_ids[1], price=600_000)
    assert worst(rig) == brute_force(rig, exclusive=True)

    for market, token in ((OUTCOMES[0], 0), (OUTCOMES[1], 1), (OUTCOMES[2], 0), (OUTCOMES[1], 1)):
        own = rig.track(market=market, token_id=market.token_ids[token], price=300_000, size=20 * MICRO)
        assert worst(rig) == brute_force(rig, exclusive=True)
        rig.fill(own, 7 * MICRO)
        assert worst(rig) == brute_force(rig, exclusive=True)
        rig.portfolio.move(own, OrderStatus.CANCELLED, "", clock.now_ns())
        assert worst(rig) == brute_force(rig, exclusive=True)


@virtual
async def test_the_dearest_outcome_is_measured_without_what_a_purchase_changes_in_it(clock) -> None:
    rig = rig_of(clock)
    rig.hold(market=OUTCOMES[0], token_id=OUTCOMES[0].token_ids[1], price=600_000, size=50 * MICRO)
    rig.hold(market=OUTCOMES[1], token_id=OUTCOMES[1].token_ids[1], price=600_000)
    rig.risk.exposure.refresh()

    # The worst is that the first outcome comes true. Its YES, paid or never bought, loses nothing then; that of another loses its price.
    dearest, other = (
        rig.risk.exposure.worst_loss_with(market, market.token_ids[0], 30 * MICRO, 9 * MICRO) for market in OUTCOMES[:2]
    )
    loses = 50 * 600_000 - 4 * MICRO
    assert (dearest, other) == (loses, loses + 9 * MICRO)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 1),
        st.booleans(),
        st.integers(5, 95),
        st.integers(5, 30),
        st.sampled_from(("decided", "resting", "filled", "half", "cancelled", "failed")),
    ),
    max_size=9,
)
CAPS = {"max_event_notional": 12 * MICRO, "max_market_notional": 15 * MICRO, "max_total_notional": 25 * MICRO}


@settings(max_examples=150, deadline=None)
@given(STEPS, st.booleans())
def test_after_any_decisions_fills_cancels_and_failures_figures_are_exact_and_openings_keep_to_the_caps(
    steps, exclusive
) -> None:
    clock = VirtualClock()
    rig = rig_of(clock, exclusive=exclusive, **CAPS)
    rig.journal.submit = lambda rows: None  # type: ignore[method-assign,assignment]
    rig.desk.write = lambda rows: None  # type: ignore[method-assign]
    for number, token, buys, cents, shares, fate in steps:
        market = OUTCOMES[number]
        side = {"side": OrderSide.BUY, "effect": Effect.OPEN} if buys else SELL
        before = brute_force(rig, exclusive=exclusive)
        decision = rig.decide(
            market=market, token_id=market.token_ids[token], price=cents * 10_000, size=shares * MICRO, **side
        )
        if decision.draft is not None and buys:
            after = brute_force(rig, exclusive=exclusive)
            assert after <= CAPS["max_event_notional"] or after <= before
        if decision.draft is not None and fate != "decided":
            _happen(rig, decision, fate)
        assert worst(rig) == brute_force(rig, exclusive=exclusive)
        cash = sum(cost for _, _, cost in _purchases(rig)) + rig.portfolio.positions.total_cost
        assert rig.risk.exposure.total == cash


def _happen(rig: Rig, decision, fate: str) -> None:
    now = rig.clock.now_ns()
    own = rig.portfolio.add(f.order(decision.draft), now)
    rig.risk.reservations.release(decision.decision_id)
    own.status = OrderStatus.SUBMITTED
    rig.portfolio.acknowledge(own, OrderStatus.LIVE, (), now)
    if fate in ("filled", "half", "failed"):
        size = decision.draft.size // 2 if fate == "half" else decision.draft.size
        trade = f.trade(own.order, size)
        rig.portfolio.apply_trade(trade, now_ns=now)
        end = FillStatus.FAILED if fate == "failed" else FillStatus.CONFIRMED
        rig.portfolio.apply_trade(f.trade(own.order, size, trade_id=trade.trade_id, status=end), now_ns=now)
    if fate == "cancelled":
        rig.portfolio.move(own, OrderStatus.CANCELLED, "", now)


def _purchases(rig: Rig) -> list[tuple[str, int, int]]:
    open_ = [own for own in rig.portfolio.orders.open() if own.order.draft.side is OrderSide.BUY]
    found = [(own.order.draft.token_id, own.remaining, own.reserved_cash) for own in open_]
    decided = [d for d in rig.risk.reservations.drafts() if d.side is OrderSide.BUY]
    return found + [(d.token_id, d.size, -(-d.price * d.size // MICRO)) for d in decided]


def brute_force(rig: Rig, *, exclusive: bool) -> int:
    """Return the worst loss over every outcome, every purchase filled or not, every sale of a position made or not."""
    sales: dict[tuple[str, str], int] = {}
    for draft, size in [
        *((own.order.draft, own.reserved_tokens) for own in rig.portfolio.orders.open()),
        *((draft, draft.size) for draft in rig.risk.reservations.drafts()),
    ]:
        if draft.side is OrderSide.SELL:
            key = (draft.token_id, draft.strategy)
            sales[key] = sales.get(key, 0) + size
    results = []
    for wins in product((False, True), repeat=3):
        if exclusive and sum(wins) > 1:
            continue
        paying = {market.token_ids[0 if won else 1] for market, won in zip(OUTCOMES, wins, strict=True)}
        loss = 0
        for position in rig.portfolio.positions.open():
            size, cost = position.holding.size, position.holding.cost
            options = []
            for sold in {0, min(sales.get((position.token_id, position.strategy), 0), max(size, 0))}:
                left = cost - (cost * sold // size if sold else 0)
                options.append(left - (size - sold if position.token_id in paying else 0))
            loss += max(options)
        loss += sum(max(0, cost - (size if token in paying else 0)) for token, size, cost in _purchases(rig))
        results.append(loss)
    return max(results)
