"""What the venue pays, from its Data API over real sockets: each payment is booked once, whatever the index and the trader go through meanwhile."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from domain.ledger import LedgerAccount
from domain.money import MICRO
from tests.runtime.wire_kit import DEPOSIT, Desk, Trader
from tests.waiting import until
from trading.income import Income
from trading.portfolio import Portfolio
from venues.exchange.commands import Deposit
from venues.exchange.events import FundsReason
from venues.simulator.faults.model import Answer, Half, When, Where

REWARD, REBATE = FundsReason.REWARD, FundsReason.MAKER_REBATE


async def started(desk: Desk) -> Trader:
    """Start a trader, and let a second pass: the index dates by whole ones."""
    trader = await desk.start()
    await until(lambda: opened(trader))
    desk.venue.pass_time(2, step=0.5)
    return trader


async def opened(trader: Trader) -> bool:
    return trader.kernel.portfolio.ledger.opened_ns is not None


def pay(desk: Desk, amount: int, reason: FundsReason = REWARD) -> None:
    desk.venue.venue.world.floor.do(Deposit(desk.signer.address, amount, reason))


async def cash_is(desk: Desk, trader: Trader, cash: int) -> bool:
    desk.venue.pass_time(0.5)
    return trader.kernel.portfolio.ledger.cash == cash > 0


async def read(trader: Trader) -> Portfolio:
    await Income(trader.kernel.desk, trader.trading.income).read()
    return trader.kernel.portfolio


def kinds(portfolio: Portfolio) -> Counter[str]:
    """Count the payments that are booked."""
    return Counter(journal_id.partition(":")[0] for journal_id in portfolio.incomes)


def figures(portfolio: Portfolio) -> tuple[int, int, int]:
    """Return deposits, rewards and profit."""
    ledger = portfolio.ledger
    return ledger.deposits, -ledger.balance(LedgerAccount.REWARDS), ledger.profit


async def test_payments_over_several_pages_are_booked_once_each_over_restarts_too(desk: Desk) -> None:
    first = await started(desk)
    for number in range(150):
        pay(desk, 1_000_000 + number, REWARD if number % 3 else REBATE)
    paid = sum(1_000_000 + number for number in range(150))
    await until(lambda: cash_is(desk, first, DEPOSIT + paid))

    for _ in range(2):
        assert figures(await read(first)) == (DEPOSIT, paid, paid)
    await first.kill(desk.disk)
    second = await started(desk)
    assert figures(await read(second)) == (DEPOSIT, paid, paid)
    assert kinds(second.kernel.portfolio) == {"reward": 100, "rebate": 50}

    pay(desk, 7)
    await until(lambda: cash_is(desk, second, DEPOSIT + paid + 7))
    assert figures(await read(second)) == (DEPOSIT, paid + 7, paid + 7)


@pytest.mark.parametrize("index_first", [True, False], ids=["named before its cash", "named after its cash"])
async def test_cash_and_its_name_may_come_in_either_order(desk: Desk, index_first: bool) -> None:
    trader = await started(desk)
    pay(desk, 2 * MICRO)
    if index_first:
        await read(trader)
    await until(lambda: cash_is(desk, trader, DEPOSIT + 2 * MICRO))

    assert figures(await read(trader)) == (DEPOSIT, 2 * MICRO, 2 * MICRO)
    assert trader.kernel.halts.active() == []


async def test_a_payment_while_no_trader_ran_is_named_by_the_next_one(desk: Desk) -> None:
    first = await started(desk)
    await first.stop()
    pay(desk, 2 * MICRO, REBATE)
    pay(desk, 2 * MICRO, REBATE)

    second = await started(desk)
    await until(lambda: cash_is(desk, second, DEPOSIT + 4 * MICRO))

    assert figures(await read(second)) == (DEPOSIT, 4 * MICRO, 4 * MICRO)
    assert kinds(second.kernel.portfolio) == {"rebate": 2}


async def test_an_index_that_fails_or_breaks_off_books_nothing_and_is_asked_again(desk: Desk) -> None:
    trader = await started(desk)
    pay(desk, 2 * MICRO)
    await until(lambda: cash_is(desk, trader, DEPOSIT + 2 * MICRO))
    for kind in (Answer(status=503), Half()):
        armed = desk.venue.arm(kind, Where(path="/data-api/v2/activity"), When(times=None))
        assert figures(await read(trader)) == (DEPOSIT + 2 * MICRO, 0, 0)
        assert armed.struck
        desk.venue.heal()

    assert figures(await read(trader)) == (DEPOSIT, 2 * MICRO, 2 * MICRO)


async def test_the_index_names_what_the_trader_must_not_take_for_a_payment(desk: Desk) -> None:
    """A deposit of the owner stays one, whatever its size."""
    trader = await started(desk)
    await desk.venue.fund(desk.signer.address, "75")
    await until(lambda: cash_is(desk, trader, DEPOSIT + 75 * MICRO))

    assert figures(await read(trader)) == (DEPOSIT + 75 * MICRO, 0, 0)
    _, body = await desk.venue.get(
        "/data-api/v2/activity", user=desk.signer.address, exclude_deposits_withdrawals="false"
    )
    assert "DEPOSIT" in json.dumps(body)
