"""What an execution was expected to bring, what it brought, what is left of it, and the session's figures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbitrage.executions import Executions, execution_of, expected, legs_of
from domain.arbitrage import ArbExecution, ArbLeg, ArbStatus
from domain.fees import FeeSchedule
from domain.legs import GroupState, Leg, LegAccount, LegGroup, LegGroupReport, LegGroupState, LegPolicy
from domain.market import Market
from domain.money import MICRO
from domain.order import OrderSide, OrderStatus

SHARE = MICRO


def market(number: int, rate: int = 0) -> Market:
    tokens = (str(1000 + 2 * number), str(1001 + 2 * number))
    return Market(
        id=f"m{number}", venue="polymarket", question="?", slug=f"s{number}", condition_id=f"0x{number}", token_ids=tokens,
        fees=FeeSchedule(rate=rate),
    )  # fmt: skip


def group(
    *prices: int, size: int = 100, rate: int = 0, payoff: int = MICRO, side: OrderSide = OrderSide.BUY
) -> LegGroup:
    legs = tuple(
        Leg(intent_id=f"i{n}", market=market(n, rate), token_id=market(n).token_ids[0], side=side, price=price)
        for n, price in enumerate(prices)
    )
    return LegGroup(
        id="00000000-0000-4000-8000-000000000001", account="sim:x", name="g", strategy="arb", policy=LegPolicy.ALL_OR_NONE,
        legs=legs, size=size * SHARE, payoff=payoff, created_ns=1, arb_type="rebalancing",
    )  # fmt: skip


def filled(price: int, shares: int, **changes) -> LegAccount:
    facts = {
        "received": shares * SHARE, "cash": price * shares, "order_id": "0x1", "status": OrderStatus.MATCHED, "first_fill_ns": 5,
    }  # fmt: skip
    return LegAccount(**(facts | changes))


def report(of: LegGroup, *legs: LegAccount, state: GroupState = GroupState.FILLED) -> LegGroupReport:
    told = LegGroupState(group_id=of.id, state=state, reason="", residual=(0,) * len(legs), updated_ns=9)
    return LegGroupReport(group=of, state=told, legs=legs)


@pytest.mark.parametrize(("rate", "net"), [(0, 50_000_000), (40_000, 24_692_000), (70_000, 5_711_000)])
def test_the_expected_edge_of_a_long_basket_is_that_of_the_worked_example(rate, net) -> None:
    # Asks 0.40, 0.33, 0.22: what a set nets at three fee rates.
    basket = group(400_000, 330_000, 220_000, size=1_000, rate=rate)

    # Each leg's fee is rounded up to a hundredth of a cent of a thousand sets.
    assert expected(basket) == pytest.approx(net, abs=30)


def test_the_short_side_by_buying_every_no_pays_one_less_than_the_outcomes() -> None:
    # Bids 0.45, 0.35, 0.25: NO at 0.55, 0.65, 0.75 for a payoff of 2, fees of 4 %.
    no_basket = group(550_000, 650_000, 750_000, size=1_000, rate=40_000, payoff=2 * MICRO)

    assert expected(no_basket) == pytest.approx(23_500_000, abs=30)


def test_a_whole_basket_realises_its_payoff_less_cost_and_fees() -> None:
    basket = group(400_000, 500_000)
    execution = execution_of(report(basket, filled(400_000, 100), filled(490_000, 100, fees=175_000)))

    assert execution.net_pnl == 100 * MICRO - 40 * MICRO - 49 * MICRO - 175_000
    assert execution.expected == 10 * MICRO
    assert execution.slippage == -1 * MICRO
    assert execution.gross_edge_bps == 1_000
    assert (execution.residual, execution.residual_cost) == (0, 0)
    assert (execution.status, execution.started_ns, execution.completed_ns) == (ArbStatus.FILLED, 5, 9)


def test_a_leg_that_was_bought_out_of_costs_what_the_pair_lacks_to_a_dollar() -> None:
    execution = execution_of(
        report(
            group(400_000, 500_000),
            filled(400_000, 100, unwound=100 * SHARE, unwind_cost=62 * MICRO, unwind_fees=1_000),
            LegAccount(),
            state=GroupState.FAILED,
        )
    )

    assert execution.net_pnl == -2 * MICRO - 1_000
    assert execution.status is ArbStatus.FAILED


def test_residual_inventory_is_told_with_its_cost_and_not_counted_as_a_result() -> None:
    execution = execution_of(
        report(group(400_000, 500_000), filled(400_000, 100), filled(500_000, 60), state=GroupState.PARTIAL)
    )

    assert execution.residual == 40 * SHARE
    assert execution.residual_cost == 16 * MICRO
    assert execution.net_pnl == 60 * MICRO - 24 * MICRO - 30 * MICRO


def test_a_sold_set_realises_its_proceeds_less_what_the_set_cost() -> None:
    # Minted for a dollar a set: the payoff is what the set costs.
    execution = execution_of(
        report(group(600_000, 450_000, payoff=-MICRO, side=OrderSide.SELL), filled(600_000, 100), filled(440_000, 100))
    )

    assert execution.net_pnl == 4 * MICRO
    assert execution.slippage == 1 * MICRO


def test_each_leg_tells_its_price_slippage_and_what_is_left_of_it() -> None:
    legs = legs_of(report(group(400_000, 500_000), filled(404_000, 100), filled(500_000, 60)))

    assert [leg.filled_price for leg in legs] == [404_000, 500_000]
    assert [leg.slippage_bps for leg in legs] == [100, 0]
    assert [leg.residual for leg in legs] == [40 * SHARE, 0]
    assert [leg.status for leg in legs] == ["matched", "matched"]


class Session:
    """Executions with what they wrote and told; the groups of these tests were decided at 1."""

    def __init__(self, *, session_ns: int = 1, begun: bool = True) -> None:
        self.rows: list[object] = []
        self.told: list[tuple[object, ...]] = []
        self.shown: list[ArbExecution] = []
        self.executions = Executions(self.rows.extend, self, session_ns=session_ns)
        if begun:
            self.executions.begin()

    def arb_execution(self, execution: ArbExecution, legs: list[ArbLeg]) -> None:
        assert [leg.execution_id for leg in legs] == [execution.id] * len(legs)
        self.shown.append(execution)

    def arb_session(self, *figures: object) -> None:
        self.told.append(figures)


def test_a_session_begins_at_zero() -> None:
    session = Session()

    assert session.told == [(0, {"rebalancing": 0, "combinatorial": 0, "cross_platform": 0}, 0, 0, 0)]


def test_an_execution_is_written_from_its_first_fill_on_and_counted_when_it_is_over() -> None:
    session, basket = Session(), group(400_000, 500_000)
    session.executions.on_report(report(basket, filled(400_000, 100, fees=5), LegAccount(), state=GroupState.PLACING))
    # What is certain of a first leg are its fees; it counts at once, the execution when it is over.
    assert session.told[-1] == (-5, {"rebalancing": -5, "combinatorial": 0, "cross_platform": 0}, 0, 0, 0)
    assert isinstance(session.rows[0], ArbExecution)
    assert [type(row) for row in session.rows[1:]] == [ArbLeg, ArbLeg]
    assert session.rows[0].status is ArbStatus.PENDING

    session.executions.on_report(report(basket, filled(400_000, 100), filled(500_000, 100)))
    assert session.told[-1] == (
        10 * MICRO, {"rebalancing": 10 * MICRO, "combinatorial": 0, "cross_platform": 0}, 1, 1, 0,
    )  # fmt: skip


def test_a_result_that_is_taken_back_is_corrected_and_counted_once() -> None:
    session, basket = Session(), group(400_000, 500_000)
    good = [filled(400_000, 100, final=False), filled(500_000, 100, final=False)]
    session.executions.on_report(report(basket, *good, state=GroupState.PLACING))
    session.executions.on_report(report(basket, *good))
    session.executions.on_report(report(basket, *good))
    failed = [filled(400_000, 100), LegAccount(first_fill_ns=5, fees=1_000)]
    session.executions.on_report(report(basket, *failed, state=GroupState.FAILED))

    pnl, by_type, count, wins, losses = session.told[-1]
    assert (pnl, count, wins, losses) == (-1_000, 1, 0, 1)
    assert by_type == {"rebalancing": -1_000, "combinatorial": 0, "cross_platform": 0}


def test_a_group_that_is_no_arbitrage_is_no_execution() -> None:
    session = Session()
    plain = replace(group(400_000, 500_000), arb_type="")
    session.executions.on_report(report(plain, filled(400_000, 100), filled(500_000, 100)))

    assert session.rows == []


def test_an_execution_that_was_over_before_the_session_is_written_and_not_counted() -> None:
    session, basket = Session(session_ns=2), group(400_000, 500_000)
    session.executions.on_report(report(basket, filled(400_000, 100), filled(500_000, 100)))

    assert isinstance(session.rows[0], ArbExecution)
    assert {figures[0] for figures in session.told} == {0}
    assert {figures[2] for figures in session.told} == {0}


def test_one_that_was_on_its_way_when_the_session_began_is_the_sessions() -> None:
    session, basket = Session(session_ns=2), group(400_000, 500_000)
    session.executions.on_report(report(basket, filled(400_000, 100), LegAccount(), state=GroupState.PLACING))
    session.executions.on_report(report(basket, filled(400_000, 100), filled(500_000, 100)))

    assert session.told[-1][2:] == (1, 1, 0)


def test_a_kernel_that_starts_again_goes_on_with_the_sessions_figures() -> None:
    session, basket = Session(begun=False), group(400_000, 500_000)
    session.executions.on_report(report(basket, filled(400_000, 100), filled(500_000, 100)))
    assert (session.told, session.shown) == ([], [])
    session.executions.begin()

    assert session.told == [(10 * MICRO, {"rebalancing": 10 * MICRO, "combinatorial": 0, "cross_platform": 0}, 1, 1, 0)]
    assert isinstance(session.rows[0], ArbExecution)


def test_only_what_changed_is_written_and_told() -> None:
    session, basket = Session(), group(400_000, 500_000)
    first = filled(400_000, 100, final=False)
    session.executions.on_report(report(basket, first, LegAccount(), state=GroupState.PLACING))
    session.executions.on_report(report(basket, first, LegAccount(), state=GroupState.PLACING))
    assert (len(session.rows), len(session.shown)) == (3, 1)

    session.executions.on_report(report(basket, replace(first, fees=9), LegAccount(), state=GroupState.PLACING))
    assert [(type(row).__name__, getattr(row, "number", None)) for row in session.rows[3:]] == [
        ("ArbExecution", None),
        ("ArbLeg", 0),
    ]

    session.executions.on_report(report(basket, first, filled(500_000, 100)))
    assert [shown.status for shown in session.shown] == [ArbStatus.PENDING, ArbStatus.PENDING, ArbStatus.FILLED]


def test_a_purchase_beyond_what_had_to_be_left_is_residual_and_not_a_loss() -> None:
    # Ten shares were to be bought out of for $6.20; an improvement brought fifteen for $9.30.
    execution = execution_of(
        report(
            group(400_000, 500_000, size=10),
            filled(400_000, 10, unwound=15 * SHARE, unwind_cost=9_300_000),
            LegAccount(),
            state=GroupState.FAILED,
        )
    )

    assert execution.net_pnl == 10 * MICRO - 4_000_000 - 6_200_000
    assert (execution.residual, execution.residual_cost) == (5 * SHARE, 3_100_000)


def test_what_a_sale_without_its_set_brought_is_a_negative_cost() -> None:
    execution = execution_of(
        report(
            group(600_000, 450_000, payoff=-MICRO, side=OrderSide.SELL),
            filled(600_000, 100),
            filled(450_000, 60),
            state=GroupState.PARTIAL,
        )
    )

    assert (execution.residual, execution.residual_cost) == (40 * SHARE, -24 * MICRO)
    assert execution.net_pnl == 36 * MICRO + 27 * MICRO - 60 * MICRO


@given(
    received=st.tuples(st.integers(0, 500), st.integers(0, 500)), prices=st.tuples(st.integers(1, 99), st.integers(1, 99)),
    unwound=st.integers(0, 600), exit_price=st.integers(1, 99),
)  # fmt: skip
def test_all_money_that_left_is_result_or_residual(received, prices, unwound, exit_price) -> None:
    legs = [filled(price * 10_000, shares, fees=7) for price, shares in zip(prices, received, strict=True)]
    most = max(range(2), key=received.__getitem__)
    spent_out = unwound * exit_price * 10_000
    legs[most] = replace(legs[most], unwound=unwound * SHARE, unwind_cost=spent_out)
    execution = execution_of(report(group(*(price * 10_000 for price in prices)), *legs, state=GroupState.FAILED))

    sets = min(received)
    pairs = min(unwound, received[most] - sets)
    spent = sum(leg.cash + leg.fees for leg in legs) + spent_out
    # Averages are rounded up on their way into the result, by less than a micro-dollar a leg.
    assert spent + execution.net_pnl - (sets + pairs) * MICRO == pytest.approx(execution.residual_cost, abs=4)
    assert execution.residual == abs(received[most] - sets - unwound) * SHARE
