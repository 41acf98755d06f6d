"""Payments of the venue become rewards and rebates, each once, and only those since the books were opened."""

from __future__ import annotations

import asyncio

from domain.errors import VenueError
from domain.ledger import LedgerAccount
from domain.money import MICRO
from domain.reports import IncomeReport
from tests.trading.kit import SECOND, Rig
from tests.waiting import virtual
from trading.income import LOOK_BACK_NS, SPAN_NS, Income


class Index:
    """An `IncomeSource` that tells what a test says."""

    def __init__(self, *incomes: IncomeReport) -> None:
        self.incomes_now = list(incomes)
        self.down = False
        self.asked: list[tuple[int, int]] = []

    async def incomes(self, after_ns: int, before_ns: int) -> list[IncomeReport]:
        self.asked.append((after_ns, before_ns))
        if self.down:
            raise VenueError("the index is down")
        return [each for each in self.incomes_now if after_ns <= each.at_ns <= before_ns]


def payment(rig: Rig, name: str, amount: int, *, seconds: int = 5, rebate: bool = False) -> IncomeReport:
    return IncomeReport(id=name, rebate=rebate, amount=amount, at_ns=rig.clock.now_ns() + seconds * SECOND)


@virtual
async def test_a_deposit_that_was_a_payment_becomes_a_reward_once(clock) -> None:
    rig = Rig(clock)
    index = Index(payment(rig, "a", 2 * MICRO), payment(rig, "b", 30_000, rebate=True))
    income = Income(rig.desk, index)
    before = rig.portfolio.ledger.cash
    for _ in range(3):
        await asyncio.sleep(10)
        await income.read()
    ledger = rig.portfolio.ledger
    assert ledger.cash == before
    assert ledger.balance(LedgerAccount.REWARDS) == -2_030_000
    assert ledger.deposits == 1_000 * MICRO - 2_030_000
    assert ledger.profit == 2_030_000
    assert rig.ledger_kinds() == ["reward", "reward", "rebate", "rebate"]


@virtual
async def test_a_restart_does_not_book_a_payment_again(clock) -> None:
    rig = Rig(clock)
    index = Index(payment(rig, "a", 2 * MICRO))
    await asyncio.sleep(10)
    await Income(rig.desk, index).read()
    await asyncio.sleep(1)

    again = Rig(clock, deposit=0, tables=rig.tables)
    again.portfolio.restore(await again.journal.load())
    opened = again.portfolio.ledger.opened_ns
    await Income(again.desk, index).read()
    assert opened is not None
    assert again.ledger_kinds() == []
    assert again.portfolio.ledger.balance(LedgerAccount.REWARDS) == -2 * MICRO


@virtual
async def test_payments_from_before_the_books_were_opened_are_part_of_the_first_deposit(clock) -> None:
    rig = Rig(clock)
    await Income(rig.desk, Index(payment(rig, "old", MICRO, seconds=-60))).read()
    assert rig.ledger_kinds() == []


@virtual
async def test_before_the_books_are_opened_nothing_is_booked(clock) -> None:
    rig = Rig(clock, deposit=0)
    await Income(rig.desk, Index(payment(rig, "a", MICRO))).read()
    assert rig.ledger_kinds() == []


@virtual
async def test_an_index_that_is_away_is_asked_again(clock) -> None:
    rig = Rig(clock)
    index = Index(payment(rig, "a", MICRO))
    index.down = True
    income = Income(rig.desk, index)
    await income.read()
    assert rig.ledger_kinds() == []
    index.down = False
    await asyncio.sleep(10)
    await income.read()
    assert rig.ledger_kinds() == ["reward", "reward"]


DAY = 86_400


@virtual
async def test_what_was_paid_during_a_long_break_is_booked_however_long_that_was(clock) -> None:
    rig = Rig(clock)
    index = Index(*(payment(rig, f"p{day}", MICRO, seconds=day * DAY + 5) for day in (0, 20, 45, 90)))
    clock.advance(10)
    await Income(rig.desk, index).read()
    await asyncio.sleep(1)
    booked = clock.now_ns()
    clock.advance(100 * DAY)
    index.asked.clear()

    again = Rig(clock, deposit=0, tables=rig.tables)
    again.portfolio.restore(await again.journal.load())
    income = Income(again.desk, index)
    await income.read()

    assert again.portfolio.ledger.balance(LedgerAccount.REWARDS) == -4 * MICRO
    assert len(index.asked) == 4
    assert all(end - start == SPAN_NS for start, end in index.asked)
    assert booked - index.asked[0][0] <= LOOK_BACK_NS + 60 * SECOND
    index.asked.clear()
    await asyncio.sleep(300)
    await income.read()
    ((start, _),) = index.asked
    assert clock.now_ns() - start <= LOOK_BACK_NS + 301 * SECOND


@virtual
async def test_a_reading_that_breaks_off_books_nothing_and_leaves_nothing_out(clock) -> None:
    rig = Rig(clock)
    index = Index(payment(rig, "early", MICRO), payment(rig, "late", MICRO, seconds=80 * DAY))
    clock.advance(100 * DAY)
    whole = index.incomes

    async def breaks_off(after_ns: int, before_ns: int) -> list[IncomeReport]:
        index.down = len(index.asked) == 2
        return await whole(after_ns, before_ns)

    vars(index)["incomes"] = breaks_off
    income = Income(rig.desk, index)
    await income.read()
    assert rig.ledger_kinds() == []
    await income.read()

    assert rig.portfolio.ledger.balance(LedgerAccount.REWARDS) == -2 * MICRO
