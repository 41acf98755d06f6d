"""A session goes on over restarts, and ends when the account has stood still."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from tests.trading import factories as f
from trading import session
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


def test_what_is_a_break_is_known_to_the_second_however_long_the_session() -> None:
    traded(*(15 * number for number in range(100)))
    assert ago() == 15 * 99
    EquitySnapshot.objects.filter(account=f.ACCOUNT).delete()
    traded(0, 15, 30, 45 + 1 / 60, 50)
    assert ago() == 30


def test_the_search_looks_into_the_index_once_for_a_quarter_of_an_hour() -> None:
    now = to_datetime(f.NOW)
    assert now is not None
    EquitySnapshot.objects.bulk_create(
        EquitySnapshot(
            account=f.ACCOUNT, cash_units=0, inventory_cost_units=0, inventory_value_units=0, realised_units=0, fees_units=0,
            created_at=now - timedelta(seconds=number),
        )
        for number in range(5_000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE equity_snapshots")
        cursor.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) " + session._BEGAN,
            {"account": f.ACCOUNT, "seconds": session.BREAK_SECONDS},
        )
        (plan,) = cursor.fetchone()
    assert ago() == pytest.approx(4_999 / 60)
    assert rows_read(plan[0]["Plan"]) < 20


def rows_read(node) -> float:
    """Return how many rows the scans of a plan gave out."""
    own = node["Actual Rows"] * node["Actual Loops"] if node.get("Relation Name") == "equity_snapshots" else 0
    return own + sum(rows_read(each) for each in node.get("Plans", ()))
