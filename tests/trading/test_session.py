"""A session goes on over restarts, and ends when the account has stood still."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.trading import factories as f
from trading.models import EquitySnapshot
from trading.row_write import to_datetime
from trading.session import session_began

pytestmark = pytest.mark.django_db
MINUTE = 60_000_000_000


def traded(*minutes: float, account: str = f.ACCOUNT) -> None:
    """Write an equity record at each of these minutes before now."""
    now = to_datetime(f.NOW)
    assert now is not None
    for each in minutes:
        EquitySnapshot.objects.create(
            account=account, cash_units=0, inventory_cost_units=0, inventory_value_units=0, realised_units=0, fees_units=0,
            created_at=now - timedelta(minutes=each),
        )  # fmt: skip


def ago() -> float:
    return (f.NOW - session_began(f.ACCOUNT, f.NOW)) / MINUTE


def test_an_account_that_never_traded_begins_its_session_now() -> None:
    traded(30, 20, 10, account="sim:other")
    assert ago() == 0


def test_a_crash_and_its_restarts_go_on_with_the_session() -> None:
    traded(300, 50, 40, 30, 20, 6, 5)
    assert ago() == 50


def test_who_stood_still_for_long_begins_anew() -> None:
    traded(60, 50, 40, 16)
    assert ago() == 0


def test_a_clock_that_was_put_back_is_no_new_session() -> None:
    traded(20, 10, 0, -10, -20)
    assert ago() == 20
    EquitySnapshot.objects.all().delete()
    traded(-10, -20)
    assert ago() == 0
