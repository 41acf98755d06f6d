"""Loss limits halt what opens, each by itself; a named person lifts them, and the day's ends with the day."""

from __future__ import annotations

import pytest

from domain.fill import FillStatus
from domain.halt import HaltScope
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus
from domain.ports import EquityRecord, ProfitSpan
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.trading.scripted import Book
from tests.waiting import virtual
from trading.limits import RiskLimits
from trading.marks import Marks
from trading.risk import Refusal
from trading.risk.losses import DAY_NS, NEXT_DAY, Loss, LossLimits, day_start

ONLY = {
    Loss.DAY: {"max_daily_loss": 50 * MICRO},
    Loss.SESSION: {"max_session_loss": 50 * MICRO},
    Loss.DRAWDOWN: {"max_drawdown": 50 * MICRO},
}


class Account:
    """A desk whose profit the test says."""

    def __init__(self, clock, **limits) -> None:
        self.rig = Rig(clock)
        self.profit = 0
        self.limits = RiskLimits(**limits)
        self.losses = LossLimits(self.rig.desk, self.limits, lambda: self.profit)

    def at(self, dollars: int) -> list[str]:
        self.profit = dollars * MICRO
        self.losses.check()
        return [halt.target for halt in self.rig.halts.active()]


@pytest.mark.parametrize("loss", Loss)
@virtual
async def test_each_limit_halts_everything_that_opens_under_its_own_name(loss, clock) -> None:
    account = Account(clock, **ONLY[loss])
    assert account.at(0) == []
    assert account.at(-49) == []
    assert account.at(-50) == [loss]

    halt = account.rig.halts.get(HaltScope.ALL, loss)
    assert halt is not None
    assert "50" in halt.reason
    assert (halt.set_by, account.rig.refusal()) == ("polybot", Refusal.HALTED)
    account.rig.halts.restore([])
    account.rig.hold()
    account.rig.halts.restore([halt])
    assert account.rig.refusal(side=OrderSide.SELL, effect=Effect.REDUCE) == ""


@virtual
async def test_a_drawdown_is_counted_from_the_highest_profit_and_a_loss_from_the_first(clock) -> None:
    account = Account(clock, max_drawdown=50 * MICRO, max_daily_loss=80 * MICRO)
    for dollars in (0, 30, 60):
        assert account.at(dollars) == []

    assert account.at(10) == [Loss.DRAWDOWN]
    assert account.at(-80) == [Loss.DRAWDOWN, Loss.DAY]


@pytest.mark.parametrize("loss", Loss)
@virtual
async def test_what_a_person_lifted_counts_from_there(loss, clock) -> None:
    account = Account(clock, **ONLY[loss])
    account.at(0)
    account.at(-60)
    account.rig.desk.resume(HaltScope.ALL, loss, lifted_by="ada")

    assert account.at(-60) == []
    assert account.at(-109) == []
    assert account.at(-110) == [loss]


@virtual
async def test_the_days_halt_ends_with_the_day_and_no_other_does(clock) -> None:
    account = Account(clock, max_daily_loss=50 * MICRO, max_session_loss=50 * MICRO)
    account.at(0)
    assert account.at(-50) == [Loss.DAY, Loss.SESSION]
    clock.advance((day_start(clock.now_ns()) + DAY_NS - clock.now_ns()) / 1e9 - 1)
    assert account.at(-50) == [Loss.DAY, Loss.SESSION]
    clock.advance(1.1)

    assert account.at(-50) == [Loss.SESSION]
    assert account.rig.audited("halt_lifted")[0].detail["by"] == NEXT_DAY
    assert account.at(-99) == [Loss.SESSION]
    assert account.at(-100) == [Loss.SESSION, Loss.DAY]


@virtual
async def test_an_operators_halt_is_not_lifted_by_the_next_day(clock) -> None:
    account = Account(clock)
    account.at(0)
    account.rig.desk.halt(HaltScope.ALL, "", reason="look", set_by="ada")
    clock.advance(DAY_NS / 1e9 + 1)

    assert account.at(0) == [""]


@virtual
async def test_a_restart_goes_on_counting_where_the_count_began(clock) -> None:
    account = Account(clock, max_daily_loss=50 * MICRO, max_drawdown=40 * MICRO)
    account.losses.restore(
        {Loss.DAY: ProfitSpan(10 * MICRO, 10 * MICRO), Loss.SESSION: None, Loss.DRAWDOWN: ProfitSpan(0, 20 * MICRO)},
        clock.now_ns(),
    )
    assert account.at(-19) == []
    assert account.at(-20) == [Loss.DRAWDOWN]
    assert account.at(-40) == [Loss.DRAWDOWN, Loss.DAY]


@virtual
async def test_a_restart_on_another_day_ends_yesterdays_halt_and_keeps_the_others(clock) -> None:
    account = Account(clock, max_daily_loss=50 * MICRO, max_session_loss=50 * MICRO)
    account.at(0)
    account.at(-60)
    clock.advance(DAY_NS / 1e9)
    again = Account(clock, max_daily_loss=50 * MICRO, max_session_loss=50 * MICRO)
    again.rig.halts.restore(account.rig.halts.active())
    again.losses.restore(dict.fromkeys(Loss), clock.now_ns())

    assert again.at(-60) == [Loss.SESSION]


@virtual
async def test_profits_are_read_from_the_records_since_the_day_began_or_the_limit_was_lifted(clock) -> None:
    rig = Rig(clock)

    def record(profit: int) -> EquityRecord:
        return EquityRecord(
            account=f.ACCOUNT,
            cash=0,
            inventory_cost=5,
            inventory_value=7,
            realised=profit,
            fees=2,
            at_ns=clock.now_ns(),
        )

    start = clock.now_ns()
    for profit in (30, 70, 50):
        clock.advance(1)
        await rig.journal.submit([record(profit)])
    assert await rig.journal.profits(start, Loss.DAY) == ProfitSpan(30, 70)
    assert await rig.journal.profits(clock.now_ns(), Loss.DAY) is None
    rig.desk.halt(HaltScope.ALL, Loss.DAY, reason="much", set_by="polybot")
    rig.desk.resume(HaltScope.ALL, Loss.DAY, lifted_by="ada")
    clock.advance(1)
    await rig.journal.submit([record(40)])

    assert await rig.journal.profits(start, Loss.DAY) == ProfitSpan(40, 40)
    assert await rig.journal.profits(start, Loss.SESSION) == ProfitSpan(30, 70)


@virtual
async def test_what_is_held_is_worth_its_last_believable_bid_and_an_unseen_price_is_named(clock) -> None:
    rig = Rig(clock)
    rig.hold(price=500_000)
    book: Book | None = None
    marks = Marks(rig.portfolio.positions, book_of=lambda _: book, market_of=rig.markets.get)

    assert (marks.value(), marks.missing) == (5 * MICRO, "m1")
    book = Book(best_bid=400_000)
    assert (marks.value(), marks.missing) == (4 * MICRO, "")
    for away in (None, Book(best_bid=100_000, trusted=False), Book(best_bid=0)):
        book = away
        assert (marks.value(), marks.missing) == (4 * MICRO, "")
    rig.markets["m1"] = f.market(accepting_orders=False)
    fresh = Marks(rig.portfolio.positions, book_of=lambda _: None, market_of=rig.markets.get)
    assert (fresh.value(), fresh.missing) == (5 * MICRO, "")


@virtual
async def test_the_dust_of_a_closed_position_is_worth_its_bid_and_nothing_waits_for_it(clock) -> None:
    rig = Rig(clock)
    for side, size in ((OrderSide.BUY, 10_009_000), (OrderSide.SELL, 10 * MICRO)):
        order = f.order(f.draft(side=side, size=size))
        rig.portfolio.add(order, clock.now_ns()).status = OrderStatus.LIVE
        report = f.trade(order, size, status=FillStatus.CONFIRMED)
        rig.portfolio.apply_trade(report, now_ns=clock.now_ns())
    assert not list(rig.portfolio.positions.open())
    book: Book | None = None
    marks = Marks(rig.portfolio.positions, book_of=lambda _: book, market_of=rig.markets.get)

    assert (marks.value(), marks.missing) == (4_500, "")
    book = Book(best_bid=400_000)
    assert (marks.value(), marks.missing) == (3_600, "")
