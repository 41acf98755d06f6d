"""What decided intents hold: sums that are kept agree with what was held, replaced and let go."""

from __future__ import annotations

import pytest

from domain.ledger import LedgerAccount
from domain.money import MICRO
from domain.order import Effect, OrderSide
from tests.trading import factories as f
from trading.portfolio import Portfolio
from trading.reservations import Reservations

SELL = {"side": OrderSide.SELL, "effect": Effect.REDUCE}


@pytest.fixture
def reservations() -> Reservations:
    portfolio = Portfolio(f.ACCOUNT, lambda _: None)
    portfolio.transfer(
        journal_id="d", kind="deposit", debit=LedgerAccount.CASH, credit=LedgerAccount.EQUITY, amount=100 * MICRO, now_ns=1
    )  # fmt: skip
    return Reservations(portfolio)


def test_cash_is_free_again_when_what_held_it_is_let_go(reservations: Reservations) -> None:
    one, two = f.draft(), f.draft(market=f.market(id="m2"))
    reservations.hold(one, 10 * MICRO)
    reservations.hold(two, 5 * MICRO)
    assert reservations.free_cash == 85 * MICRO

    reservations.release(one.decision_id)
    assert reservations.free_cash == 95 * MICRO
    assert reservations.drafts() == [two]


def test_a_margin_replaces_the_one_before_it_and_may_be_let_go_twice(reservations: Reservations) -> None:
    reservations.hold_margin("group", 10 * MICRO)
    reservations.hold_margin("group", 4 * MICRO)
    reservations.hold_margin("other", 1 * MICRO)
    assert reservations.free_cash == 95 * MICRO

    reservations.release_margin("group")
    reservations.release_margin("group")
    assert reservations.free_cash == 99 * MICRO


def test_intents_are_found_by_their_market_until_they_are_let_go(reservations: Reservations) -> None:
    one, two, elsewhere = f.draft(), f.draft(**SELL), f.draft(market=f.market(id="m2"))
    for draft in (one, two, elsewhere):
        reservations.hold(draft, 0)
    assert reservations.in_market("m1") == [(one, 0), (two, 0)]

    reservations.release(one.decision_id)
    reservations.release(elsewhere.decision_id)
    assert reservations.in_market("m1") == [(two, 0)]
    assert reservations.in_market("m2") == []


def test_nothing_is_held_twice_or_let_go_twice(reservations: Reservations) -> None:
    draft = f.draft()
    reservations.hold(draft, MICRO)
    with pytest.raises(AssertionError, match="was reserved twice"):
        reservations.hold(draft, MICRO)

    reservations.release(draft.decision_id)
    with pytest.raises(KeyError):
        reservations.release(draft.decision_id)
    assert reservations.free_cash == 100 * MICRO
