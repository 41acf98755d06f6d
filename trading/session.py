"""When an account's session began: what its session's loss and drawdown count from.

A session lasts as long as the account is traded without a long break, whoever starts and restarts the trader: a process that crashes again and again
gets no new allowance each time. The journal's equity records, written every few seconds of trading, say when that was; without any, a session begins
now.
"""

from __future__ import annotations

from django.db import connection

from trading.row_write import to_ns

BREAK_SECONDS = 900
"""How long an account stands still before its next start begins a new session."""

_BEGAN = """
SELECT max(created_at) AS began, max(latest) AS latest FROM (
    SELECT created_at, lag(created_at) OVER earlier AS before, max(created_at) OVER () AS latest FROM equity_snapshots
    WHERE account = %s WINDOW earlier AS (ORDER BY created_at)) AS records
WHERE before IS NULL OR created_at - before > make_interval(secs => %s)
"""


def session_began(account: str, now_ns: int) -> int:
    """Return when the session began that goes on at `now_ns`, UTC nanoseconds: `now_ns` when the account has stood still."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGAN, [account, BREAK_SECONDS])
        began, latest = cursor.fetchone()
    if latest is None or now_ns - to_ns(latest) > BREAK_SECONDS * 1_000_000_000:
        return now_ns
    return min(to_ns(began), now_ns)
