"""When an account's session began: what its session's loss and drawdown count from.

A session lasts as long as the account is traded without a long break, whoever starts and restarts the trader: a process that crashes again and again
gets no new allowance each time. The journal's equity records, written every few seconds of trading, say when that was; without any, a session begins
now. From the newest record the search goes back to the oldest of the quarter of an hour before it, and again from there: one look into the index for
each quarter of an hour that the session lasted, whatever the account has recorded besides.
"""

from __future__ import annotations

from django.db import connection

from trading.row_write import to_ns

BREAK_SECONDS = 900
"""How long an account stands still before its next start begins a new session."""

_BEGAN = """
WITH RECURSIVE looked(at) AS (
    SELECT max(created_at) FROM equity_snapshots WHERE account = %(account)s
    UNION ALL
    SELECT found FROM looked CROSS JOIN LATERAL (
        SELECT created_at AS found FROM equity_snapshots
        WHERE account = %(account)s AND created_at >= at - make_interval(secs => %(seconds)s) ORDER BY account, created_at LIMIT 1
    ) AS oldest WHERE found < at
)
SELECT min(at) AS began, max(at) AS latest FROM looked
"""


def session_began(account: str, now_ns: int) -> int:
    """Return when the session began that goes on at `now_ns`, UTC nanoseconds: `now_ns` when the account has stood still."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGAN, {"account": account, "seconds": BREAK_SECONDS})
        began, latest = cursor.fetchone()
    if latest is None or now_ns - to_ns(latest) > BREAK_SECONDS * 1_000_000_000:
        return now_ns
    return min(to_ns(began), now_ns)
